//! From configuration and values to the text of every artifact.

mod fill;
mod read;
mod secrets;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use indexmap::IndexMap;
use serde_json::Value as Json;
use shipspec_spec::config::{
    ArtifactContent, Base, Config, ReferenceForm, Service, TaskDefinitionEdits, Text,
};
use shipspec_spec::destination::Publication;
use shipspec_spec::diagnostic::Diagnostics;
use shipspec_spec::expression::Names;
use shipspec_spec::scope::Scope;
use shipspec_spec::source::Span;
use shipspec_spec::value::Value;

use crate::archive::{Archive, find_members};
use crate::artifact::Artifact;
use crate::inputs::refuse_overwritten;
use crate::made::{Making, reference_name};
use crate::template::TemplateFile;
use crate::{parallel, publishing};
use read::wanted;
pub(crate) use read::{left_out, public_text, read_all};
use secrets::Searches;

/// The artifacts of a run, with every template read.
#[derive(Debug, Clone)]
pub struct ArtifactPlans {
    plans: Vec<ArtifactPlan>,
    reference: ReferenceForm,
}

#[derive(Debug, Clone)]
pub(crate) struct ArtifactPlan {
    pub(crate) path: String,
    pub(crate) place: Span,
    pub(crate) content: Content,
    /// The service that it is for.
    service: Option<Service>,
    /// Changes to the task definition that it is.
    pub(crate) edits: TaskDefinitionEdits,
    /// How it names images, if not as the file says.
    reference: Option<ReferenceForm>,
    allow_secrets: Vec<String>,
    /// Findings of `check` that are not told of it.
    pub(crate) allow: Vec<String>,
    /// Its place in the matrix.
    pub(crate) matrix: BTreeMap<String, Value>,
    /// Names for it alone.
    pub(crate) variables: IndexMap<String, Text>,
    /// Where its content is put as well.
    pub(crate) publish: Vec<Publication>,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Template(TemplateFile),
    /// A task definition of ECS, once it is known.
    Base(Option<Json>),
    /// It is made without one.
    Made(ArtifactContent),
    Zip(Archive),
}

impl ArtifactPlans {
    /// Reads what the artifacts are made from; `folder` is where their paths begin.
    ///
    /// # Errors
    ///
    /// Everything that is wrong: templates that are missing or cannot be read, paths without a
    /// value, two artifacts with one path, an artifact in the place of what is read.
    pub fn read(config: &Config, scope: &Scope, folder: &Path) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::default();
        let mut plans = Vec::new();
        let all =
            parallel::map(&config.artifacts, |artifact| read_all(artifact, config, scope, folder));
        for read in all {
            match read {
                Ok(read) => plans.extend(read),
                Err(errors) => found.extend(errors),
            }
        }
        find_members(&mut plans, config, scope, folder, &mut found);
        refuse_overwritten(&plans, config, scope, folder, &mut found);
        publishing::refuse_shared_places(&plans, scope, &mut found);
        found.or(Self { plans, reference: config.reference })
    }

    /// Keeps the artifacts that name no images but these, and those that others build.
    pub fn retain_of(&mut self, scope: &Scope, images: &BTreeSet<String>) {
        let form = self.reference;
        let is_there = |image: &String| images.contains(image) || scope.is_foreign(image);
        self.plans.retain(|plan| scope.images_of(plan.references(form)).iter().all(is_there));
    }

    /// The paths of the artifacts, as they will be written.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.plans.iter().map(|plan| &*plan.path)
    }

    /// The paths of the artifacts, each with the places that it is published to.
    pub fn published(&self) -> impl Iterator<Item = (&str, &[Publication])> {
        self.plans.iter().map(|plan| (&*plan.path, &*plan.publish))
    }

    /// Which artifacts begin from what ECS has, in the order of [`ArtifactPlans::paths`].
    pub fn have_base(&self) -> impl Iterator<Item = bool> {
        self.plans.iter().map(|plan| matches!(plan.content, Content::Base(_)))
    }

    /// Where shipspec.yml names the artifacts, in the order of [`ArtifactPlans::paths`].
    pub fn places(&self) -> impl Iterator<Item = &Span> {
        self.plans.iter().map(|plan| &plan.place)
    }

    /// The services that the artifacts are for, in the order of [`ArtifactPlans::paths`].
    pub fn services(&self) -> impl Iterator<Item = Option<&Service>> {
        self.plans.iter().map(|plan| plan.service.as_ref())
    }

    /// Every name that the artifacts could ask for.
    #[must_use]
    pub fn references(&self) -> BTreeSet<String> {
        self.plans.iter().flat_map(|plan| plan.references(self.reference)).collect()
    }

    /// The artifacts that give a name a value of their own, with the names as they are there.
    pub fn naming(&self, name: &str, scope: &Scope) -> impl Iterator<Item = (&str, Scope)> {
        let has_own = |plan: &&ArtifactPlan| {
            plan.matrix.contains_key(name) || plan.variables.contains_key(name)
        };
        let own = |plan: &ArtifactPlan| scope.of_artifact(plan.matrix.clone(), &plan.variables);
        self.plans.iter().filter(has_own).map(move |plan| (&*plan.path, own(plan)))
    }

    /// The text of every artifact.
    ///
    /// # Errors
    ///
    /// Everything that has no value or breaks its file, in all artifacts.
    pub fn fill(&self, scope: &Scope) -> Result<Vec<Artifact>, Diagnostics> {
        let (mut artifacts, mut found) = (Vec::new(), Diagnostics::default());
        for artifact in self.fill_each(scope) {
            match artifact {
                Ok(artifact) => artifacts.push(artifact),
                Err(errors) => found.extend(errors),
            }
        }
        found.or(artifacts)
    }

    /// As [`ArtifactPlans::fill`], each artifact by itself, in the order of [`ArtifactPlans::paths`].
    #[must_use]
    pub fn fill_each(&self, scope: &Scope) -> Vec<Result<Artifact, Diagnostics>> {
        let searches = Searches::new(scope);
        let is_archive = |plan: &&ArtifactPlan| matches!(plan.content, Content::Zip(_));
        let others: Vec<_> = self.plans.iter().filter(|plan| !is_archive(plan)).collect();
        let filled = parallel::map(&others, |plan| {
            let scope = scope.of_artifact(plan.matrix.clone(), &plan.variables);
            plan.fill(&scope, self.reference, &searches)
        });
        let mut filled: BTreeMap<_, _> =
            others.iter().map(|plan| &*plan.path).zip(filled).collect();
        // They hold the others.
        for plan in &self.plans {
            if let Content::Zip(archive) = &plan.content {
                let packed = plan.pack(archive, &filled, &searches);
                filled.insert(&plan.path, packed);
            }
        }
        self.plans.iter().filter_map(|plan| filled.remove(&*plan.path)).collect()
    }
}

/// The task definitions that artifacts begin from, and where shipspec.yml says so.
///
/// # Errors
///
/// Every name that has no value.
pub fn bases(config: &Config, scope: &Scope) -> Result<BTreeMap<Base, Span>, Diagnostics> {
    let (mut bases, mut found) = (BTreeMap::new(), Diagnostics::default());
    for artifact in &config.artifacts {
        let Some(base) = artifact.base() else { continue };
        let wanted = wanted(artifact, scope).and_then(|all| {
            all.iter().map(|(_, scope)| base.evaluate(scope)).collect::<Result<Vec<_>, _>>()
        });
        match wanted {
            Ok(all) => bases.extend(all.into_iter().map(|it| (it, artifact.path.span().clone()))),
            Err(errors) => found.extend(errors),
        }
    }
    found.or(bases)
}

impl ArtifactPlan {
    pub(crate) fn references(&self, form: ReferenceForm) -> BTreeSet<String> {
        let form = self.form(form);
        let mut names: BTreeSet<_> = match &self.content {
            Content::Template(template) => template.references(),
            Content::Base(_) => BTreeSet::new(),
            Content::Made(content) => {
                let images = content.images();
                let images = images.into_iter().map(|image| reference_name(image, form));
                images.chain(content.texts().into_iter().flat_map(Text::references)).collect()
            }
            Content::Zip(archive) => return archive.references.clone(),
        };
        names.extend(self.edits.texts().flat_map(Text::references));
        names.extend(self.edits.images().map(|image| reference_name(image, form)));
        // Names that the artifact gives itself are nobody else's business.
        names.retain(|name| !self.variables.contains_key(name) && !self.matrix.contains_key(name));
        names.extend(self.variables.values().flat_map(Text::references));
        names
    }

    /// What it is made with.
    pub(crate) fn making<'a>(&'a self, names: &'a dyn Names, form: ReferenceForm) -> Making<'a> {
        Making { path: &self.path, place: &self.place, names, form: self.form(form), is_open: None }
    }

    /// How it names images; `form` is what the file says.
    fn form(&self, form: ReferenceForm) -> ReferenceForm {
        self.reference.unwrap_or(form)
    }
}
