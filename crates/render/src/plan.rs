//! From configuration and values to the text of every artifact.

use std::collections::BTreeSet;
use std::path::Path;

use shipspec_spec::config::{
    ArtifactConfig, ArtifactContent, Config, ReferenceForm, Text, Tree, describe,
};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::expression::{EvaluationError, Names};
use shipspec_spec::source::Span;
use shipspec_spec::value::Value;

use crate::artifact::Artifact;
use crate::image_files::{image_definitions, image_detail};
use crate::template::TemplateFile;

/// The artifacts of a run, with every template read.
#[derive(Debug, Clone)]
pub struct ArtifactPlans {
    plans: Vec<ArtifactPlan>,
    reference: ReferenceForm,
}

#[derive(Debug, Clone)]
struct ArtifactPlan {
    path: String,
    place: Span,
    content: Content,
    allow_secrets: Vec<String>,
}

#[derive(Debug, Clone)]
enum Content {
    Template(TemplateFile),
    ImageDetail(String),
    ImageDefinitions(Vec<(String, String)>),
    Json(Tree),
}

impl ArtifactPlans {
    /// Reads what the artifacts are made from; `folder` is where their paths begin.
    ///
    /// # Errors
    ///
    /// Everything that is wrong: templates that are missing or cannot be read, paths without a
    /// value, two artifacts with one path.
    pub fn read(config: &Config, names: &dyn Names, folder: &Path) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::default();
        let mut plans: Vec<ArtifactPlan> = Vec::new();
        for artifact in &config.artifacts {
            match ArtifactPlan::read(artifact, names, folder) {
                Ok(plan) => {
                    if plans.iter().any(|other| other.path == plan.path) {
                        let message = format!("two artifacts have the path `{}`", plan.path);
                        found.push(Diagnostic::at(plan.place.clone(), message));
                    }
                    plans.push(plan);
                }
                Err(errors) => found.extend(errors),
            }
        }
        found.or(Self { plans, reference: config.reference })
    }

    /// The paths of the artifacts, as they will be written.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.plans.iter().map(|plan| &*plan.path)
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
    pub fn fill(&self, names: &dyn Names) -> Result<Vec<Artifact>, Diagnostics> {
        let (mut artifacts, mut found) = (Vec::new(), Diagnostics::default());
        for artifact in self.fill_each(names) {
            match artifact {
                Ok(artifact) => artifacts.push(artifact),
                Err(errors) => found.extend(errors),
            }
        }
        found.or(artifacts)
    }

    /// As [`ArtifactPlans::fill`], each artifact by itself, in the order of [`ArtifactPlans::paths`].
    pub fn fill_each(
        &self,
        names: &dyn Names,
    ) -> impl Iterator<Item = Result<Artifact, Diagnostics>> {
        self.plans.iter().map(move |plan| plan.fill(names, self.reference))
    }
}

impl ArtifactPlan {
    fn read(
        artifact: &ArtifactConfig,
        names: &dyn Names,
        folder: &Path,
    ) -> Result<Self, Diagnostics> {
        let (path, _) = artifact.path.evaluate_text(names)?;
        let place = artifact.path.span().clone();
        if path.is_empty() || path.ends_with('/') {
            return Err(Diagnostic::at(place, format!("`{path}` is no path of a file")).into());
        }
        let content = match &artifact.content {
            ArtifactContent::Template(template) => {
                Content::Template(read_template(template, &path, names, folder)?)
            }
            ArtifactContent::ImageDetail(image) => Content::ImageDetail(image.clone()),
            ArtifactContent::ImageDefinitions(pairs) => Content::ImageDefinitions(pairs.clone()),
            ArtifactContent::Json(tree) => Content::Json(tree.clone()),
        };
        Ok(Self { path, place, content, allow_secrets: artifact.allow_secrets.clone() })
    }

    fn references(&self, form: ReferenceForm) -> BTreeSet<String> {
        let image = |name: &String| reference_name(name, form);
        match &self.content {
            Content::Template(template) => template.references(),
            Content::ImageDetail(name) => BTreeSet::from([image(name)]),
            Content::ImageDefinitions(pairs) => pairs.iter().map(|(_, name)| image(name)).collect(),
            Content::Json(tree) => tree.texts().flat_map(Text::references).collect(),
        }
    }

    fn fill(&self, names: &dyn Names, form: ReferenceForm) -> Result<Artifact, Diagnostics> {
        let (text, value) = match &self.content {
            Content::Template(template) => template.fill(&self.path, names)?,
            Content::ImageDetail(image) => {
                let reference = self.reference(image, names, form)?;
                (image_detail(&reference), Value::plain(""))
            }
            Content::ImageDefinitions(pairs) => {
                let mut filled = Vec::new();
                for (container, image) in pairs {
                    filled.push((&**container, self.reference(image, names, form)?));
                }
                (image_definitions(filled), Value::plain(""))
            }
            Content::Json(tree) => {
                let value = tree.evaluate(names)?;
                (value.content().to_string(), value)
            }
        };
        self.check_secrets(&value)?;
        Ok(Artifact { path: (&self.path).into(), text, secrets: value.secrets().clone() })
    }

    /// An artifact is stored and read by many; a secret belongs there only if shipspec.yml says so.
    fn check_secrets(&self, value: &Value) -> Result<(), Diagnostic> {
        let refused = value.secrets().iter().filter(|name| !self.allow_secrets.contains(name));
        let refused: Vec<_> = refused.map(|name| format!("`{name}`")).collect();
        if refused.is_empty() {
            return Ok(());
        }
        let names = refused.join(", ");
        let message = format!("{names} is secret and would stand in `{}` in plain text", self.path);
        let hint = "let the container read it by its ARN (`secrets` in its definition), or say \
                    `allow_secrets` for this artifact";
        Err(Diagnostic::at(self.place.clone(), message).with_hint(hint))
    }

    /// How generated artifacts name an image.
    fn reference(
        &self,
        image: &str,
        names: &dyn Names,
        form: ReferenceForm,
    ) -> Result<String, Diagnostics> {
        let images = names.resolve(&reference_name(image, form));
        let images = images
            .map_err(|error| describe(self.place.clone(), &EvaluationError::Name(error), names))?;
        let part = match form {
            ReferenceForm::Tag => "uri",
            ReferenceForm::Digest => "pinned",
        };
        Ok(images.content()[image][part].as_str().unwrap_or_default().to_owned())
    }
}

/// The name by which a generated artifact asks for an image.
fn reference_name(image: &str, form: ReferenceForm) -> String {
    match form {
        ReferenceForm::Tag => format!("images.{image}.uri"),
        ReferenceForm::Digest => format!("images.{image}.pinned"),
    }
}

fn read_template(
    path: &Text,
    artifact: &str,
    names: &dyn Names,
    folder: &Path,
) -> Result<TemplateFile, Diagnostics> {
    let (name, _) = path.evaluate_text(names)?;
    let wrong = |message: String| Diagnostic::at(path.span().clone(), message);
    let bytes = std::fs::read(folder.join(&name))
        .map_err(|error| wrong(format!("the template `{name}` cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        wrong(format!("the template `{name}` is not UTF-8 from byte {offset} on"))
    })?;
    TemplateFile::parse(&name, text, artifact)
}
