//! From configuration and values to the text of every artifact.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use indexmap::IndexMap;
use serde_json::Value as Json;
use shipspec_spec::config::{
    ArtifactConfig, ArtifactContent, Base, Config, ReferenceForm, Service, ServiceConfig,
    TaskDefinitionEdits, TemplateConfig, Text,
};
use shipspec_spec::destination::Publication;
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::expression::Names;
use shipspec_spec::mask::Mask;
use shipspec_spec::scope::Scope;
use shipspec_spec::source::{Position, Span};
use shipspec_spec::value::Value;

use crate::archive::{Archive, find_members};
use crate::artifact::{self, Artifact};
use crate::made::{Making, check_path, reference_name};
use crate::taskdef::{edit_text, evaluate};
use crate::template::{Filled, Format, TemplateFile};
use crate::{parallel, publishing};

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
    /// value, two artifacts with one path.
    pub fn read(config: &Config, scope: &Scope, folder: &Path) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::default();
        let (mut plans, mut paths) = (Vec::new(), HashSet::new());
        let all =
            parallel::map(&config.artifacts, |artifact| read_all(artifact, config, scope, folder));
        for read in all {
            match read {
                Ok(read) => {
                    for plan in read {
                        if !paths.insert(plan.path.clone()) {
                            let message = format!("two artifacts have the path `{}`", plan.path);
                            found.push(Diagnostic::at(plan.place.clone(), message));
                        }
                        plans.push(plan);
                    }
                }
                Err(errors) => found.extend(errors),
            }
        }
        find_members(&mut plans, config, folder, &mut found);
        publishing::refuse_shared_places(&plans, &mut found);
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

/// The artifacts of one entry: one for each combination of its matrix that `when:` lets through.
pub(crate) fn read_all(
    artifact: &ArtifactConfig,
    config: &Config,
    scope: &Scope,
    folder: &Path,
) -> Result<Vec<ArtifactPlan>, Diagnostics> {
    let service = artifact.service.as_ref().or(config.service.as_ref());
    wanted(artifact, scope)?
        .into_iter()
        .map(|(matrix, scope)| ArtifactPlan::read(artifact, service, matrix, &scope, folder))
        .collect()
}

/// A place in a matrix, and the names there.
type Combination = (BTreeMap<String, Value>, Scope);

/// The combinations of its matrix that `when:` lets through, each with its names.
fn wanted(artifact: &ArtifactConfig, scope: &Scope) -> Result<Vec<Combination>, Diagnostics> {
    let mut wanted = Vec::new();
    for matrix in combinations(&artifact.matrix, scope)? {
        let scope = scope.of_artifact(matrix.clone(), &artifact.variables);
        let is_wanted = match &artifact.when {
            Some(when) => is_true(&when.evaluate(&scope)?),
            None => true,
        };
        if is_wanted {
            wanted.push((matrix, scope));
        }
    }
    Ok(wanted)
}

/// Every combination of values, the first name changing most slowly; one empty one for no names.
fn combinations(
    matrix: &IndexMap<String, Vec<Text>>,
    names: &dyn Names,
) -> Result<Vec<BTreeMap<String, Value>>, Diagnostics> {
    let mut all = vec![BTreeMap::new()];
    for (name, texts) in matrix {
        let mut next = Vec::new();
        for combination in &all {
            for text in texts {
                let mut combination: BTreeMap<_, _> = BTreeMap::clone(combination);
                combination.insert(name.clone(), text.evaluate(names)?);
                next.push(combination);
            }
        }
        all = next;
    }
    Ok(all)
}

fn is_true(value: &Value) -> bool {
    match value.text() {
        Some(text) => !matches!(&*text.to_lowercase(), "" | "false" | "0" | "no" | "off"),
        None => !value.content().is_null(),
    }
}

impl ArtifactPlan {
    fn read(
        artifact: &ArtifactConfig,
        service: Option<&ServiceConfig>,
        matrix: BTreeMap<String, Value>,
        names: &Scope,
        folder: &Path,
    ) -> Result<Self, Diagnostics> {
        let path = public_text(&artifact.path, names)?;
        let path = path.strip_prefix("./").unwrap_or(&path).to_owned();
        let place = artifact.path.span().clone();
        if path.is_empty() || path.ends_with('/') {
            return Err(Diagnostic::at(place, format!("`{path}` is no path of a file")).into());
        }
        let content = match &artifact.content {
            ArtifactContent::Template(template) => {
                let template = read_template(template, &path, names, folder)?;
                if !artifact.edits.is_empty() && template.format != Format::Json {
                    return Err(no_json(&path, place).into());
                }
                Content::Template(template)
            }
            ArtifactContent::Zip(paths) => Content::Zip(Archive::read(paths, names)?),
            ArtifactContent::Base(base) => {
                Content::Base(names.base(&base.evaluate(names)?).cloned())
            }
            content => {
                check_path(content, &path, &place)?;
                Content::Made(content.clone())
            }
        };
        let service = service.map(|service| service.evaluate(names)).transpose()?;
        let (reference, allow_secrets) = (artifact.reference, artifact.allow_secrets.clone());
        let variables = artifact.variables.clone();
        let publish = publishing::read(artifact, names)?;
        let edits = artifact.edits.clone();
        Ok(Self {
            path,
            place,
            content,
            service,
            edits,
            reference,
            allow_secrets,
            matrix,
            variables,
            publish,
        })
    }

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

    fn fill(
        &self,
        names: &dyn Names,
        form: ReferenceForm,
        searches: &Searches,
    ) -> Result<Artifact, Diagnostics> {
        let filled = match &self.content {
            Content::Template(template) => {
                self.edited(template.fill(&self.path, names), names, form)?
            }
            Content::Base(base) => self.edited(self.base_text(base.as_ref()), names, form)?,
            Content::Made(content) => self.making(names, form).make(content, None)?,
            Content::Zip(archive) => return self.pack(archive, &BTreeMap::new(), searches),
        };
        self.check_secrets(&filled.secrets)?;
        let mut secrets = filled.secrets;
        secrets.extend(self.search(&filled.text, searches)?);
        self.finish(artifact::Content::Text(filled.text), secrets, filled.notes)
    }

    /// The archive of artifacts that are filled, and of files of the project.
    fn pack(
        &self,
        archive: &Archive,
        filled: &BTreeMap<&str, Result<Artifact, Diagnostics>>,
        searches: &Searches,
    ) -> Result<Artifact, Diagnostics> {
        let (mut contents, mut secrets) = (BTreeMap::new(), BTreeSet::new());
        for member in &archive.members {
            let bytes = match (&member.file, filled.get(&*member.path)) {
                (Some(bytes), _) => {
                    secrets.extend(self.search(&String::from_utf8_lossy(bytes), searches)?);
                    &**bytes
                }
                (None, Some(Ok(artifact))) => {
                    secrets.extend(artifact.secrets.iter().cloned());
                    artifact.content.bytes()
                }
                (None, Some(Err(errors))) => return Err(errors.clone()),
                (None, None) => {
                    let message = format!("`{}` is not made in this run", member.path);
                    return Err(Diagnostic::at(member.place.clone(), message).into());
                }
            };
            contents.insert(&*member.path, bytes);
        }
        self.check_secrets(&secrets)?;
        let packed = archive.pack(|member| contents[&*member.path]).map_err(|error| {
            let message = format!("`{}` cannot be packed: {error}", self.path);
            Diagnostic::at(self.place.clone(), message)
        })?;
        self.finish(artifact::Content::Archive(packed), secrets, Vec::new())
    }

    fn finish(
        &self,
        content: artifact::Content,
        secrets: BTreeSet<String>,
        notes: Vec<String>,
    ) -> Result<Artifact, Diagnostics> {
        let (path, publish) = ((&self.path).into(), self.publish.clone());
        let artifact = Artifact { path, content, secrets, notes, publish };
        publishing::check(&artifact, &self.place)?;
        Ok(artifact)
    }

    /// The task definition of ECS as a file for people.
    fn base_text(&self, base: Option<&Json>) -> Result<Filled, Diagnostics> {
        let Some(task) = base else {
            let message =
                "what ECS has as its `base` is not known here: it is asked for before a build";
            let unknown = Diagnostic::at(self.place.clone(), message);
            return Err(Diagnostic { is_premature: true, ..unknown }.into());
        };
        let text = serde_json::to_string_pretty(task);
        let text = text.map_err(|error| Diagnostic::at(self.place.clone(), error.to_string()))?;
        Ok(Filled { text: format!("{text}\n"), secrets: BTreeSet::new(), notes: Vec::new() })
    }

    /// What was filled, and the changes to the task definition that it is then.
    fn edited(
        &self,
        filled: Result<Filled, Diagnostics>,
        names: &dyn Names,
        form: ReferenceForm,
    ) -> Result<Filled, Diagnostics> {
        if self.edits.is_empty() {
            return filled;
        }
        let edits = evaluate(&self.edits, &self.making(names, form));
        let (mut filled, (edits, secrets)) = both(filled, edits)?;
        // What is wrong with the task definition is told with the names in it.
        self.check_secrets(&filled.secrets)?;
        let (text, notes) = edit_text(&filled.text, &edits, &self.path, &self.place)?;
        filled.text = text;
        filled.notes.extend(notes);
        filled.secrets.extend(secrets);
        Ok(filled)
    }

    /// What it is made with.
    pub(crate) fn making<'a>(&'a self, names: &'a dyn Names, form: ReferenceForm) -> Making<'a> {
        Making { path: &self.path, place: &self.place, names, form: self.form(form), is_open: None }
    }

    /// How it names images; `form` is what the file says.
    fn form(&self, form: ReferenceForm) -> ReferenceForm {
        self.reference.unwrap_or(form)
    }

    /// An artifact is stored and read by many; a secret belongs there only if shipspec.yml says so.
    fn check_secrets(&self, secrets: &BTreeSet<String>) -> Result<(), Diagnostic> {
        let refused: Vec<_> = secrets.iter().filter(|name| !self.allows(name)).collect();
        let Some(first) = refused.first() else { return Ok(()) };
        let names: Vec<_> = refused.iter().map(|name| format!("`{name}`")).collect();
        let (names, path) = (names.join(", "), &self.path);
        let message = format!("{names} is secret and would stand in `{path}` in plain text");
        Err(Diagnostic::at(self.place.clone(), message).with_hint(instead_of(first)))
    }

    /// The secrets that stand in the text by no doing of a name: written by hand, or from another
    /// source. They are refused like others.
    fn search(&self, text: &str, searches: &Searches) -> Result<BTreeSet<String>, Diagnostic> {
        let found: BTreeSet<_> = searches.find(text).map(str::to_owned).collect();
        match found.iter().find(|name| !self.allows(name)) {
            None => Ok(found),
            Some(name) => {
                let path = &self.path;
                let message = format!("the value of the secret `{name}` stands in `{path}`");
                Err(Diagnostic::at(self.place.clone(), message).with_hint(instead_of(name)))
            }
        }
    }

    /// shipspec.yml says that this secret, or the dictionary that it is in, may stand here.
    fn allows(&self, secret: &str) -> bool {
        self.allow_secrets.iter().any(|allowed| {
            secret
                .strip_prefix(&**allowed)
                .is_some_and(|rest| matches!(rest.get(..1), None | Some(".")))
        })
    }
}

/// Both, or what is wrong with either.
fn both<A, B>(
    first: Result<A, Diagnostics>,
    second: Result<B, Diagnostics>,
) -> Result<(A, B), Diagnostics> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(mut errors), Err(more)) => {
            errors.extend(more);
            Err(errors)
        }
        (Err(errors), Ok(_)) | (Ok(_), Err(errors)) => Err(errors),
    }
}

/// Only a task definition in JSON has the structure that is to be changed.
fn no_json(path: &str, place: Span) -> Diagnostic {
    let message = format!("`{path}` is no JSON, and the changes are for a task definition in JSON");
    Diagnostic::at(place, message).with_hint("let the path of the artifact end in `.json`")
}

/// What to do with a secret instead of writing it into an artifact.
fn instead_of(secret: &str) -> String {
    let variable = secret.rsplit('.').next().unwrap_or(secret).to_uppercase();
    format!(
        "let the container read it: `\"secrets\": [{{\"name\": \"{variable}\", \"valueFrom\": \
         \"${{arn('{secret}')}}\"}}]`; or say `allow_secrets: [{secret}]` for this artifact"
    )
}

/// Looks for the secrets of a run in finished texts.
struct Searches(Vec<(String, Mask)>);

impl Searches {
    /// Shorter values are in other words too.
    const SHORTEST: usize = 8;

    fn new(scope: &Scope) -> Self {
        let secrets = scope.secrets().into_iter();
        let long = secrets
            .filter(|secret| secret.is_certain && secret.value.expose().len() >= Self::SHORTEST);
        Self(long.filter_map(|one| Some((one.name, Mask::whole(&one.value)?))).collect())
    }

    fn find(&self, text: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(_, mask)| mask.finds(text)).map(|(name, _)| &**name)
    }
}

/// A text that everybody can read, such as a path: no secret may be in it.
pub(crate) fn public_text(text: &Text, names: &dyn Names) -> Result<String, Diagnostics> {
    text.evaluate_public(names, "a path")
}

fn read_template(
    config: &TemplateConfig,
    artifact: &str,
    names: &dyn Names,
    folder: &Path,
) -> Result<TemplateFile, Diagnostics> {
    let name = public_text(&config.path, names)?;
    let wrong = |message: String| Diagnostic::at(config.path.span().clone(), message);
    if folder.join(&name) == folder.join(artifact) {
        return Err(
            wrong(format!("the artifact `{artifact}` would overwrite its own template")).into()
        );
    }
    let bytes = std::fs::read(folder.join(&name))
        .map_err(|error| wrong(format!("the template `{name}` cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let start = String::from_utf8_lossy(&error.as_bytes()[..valid]);
        let Position { line, column } = Position::of(&start, valid);
        wrong(format!("the template `{name}` is not UTF-8 at line {line} column {column}"))
    })?;
    TemplateFile::parse(&name, &text, artifact, config)
}
