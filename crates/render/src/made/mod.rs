//! Artifacts that are made without a template, each kind in a file of its own.

mod app_spec;
mod cloudformation;
mod dotenv;
mod images;
mod parts;
mod tfvars;
mod yaml;

pub(crate) use parts::Parts;

use serde_json::Value as Json;
use shipspec_spec::config::{ArtifactContent, ReferenceForm, Text, describe};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::expression::{EvaluationError, Names};
use shipspec_spec::source::Span;
use shipspec_spec::value::UNKNOWN;

use crate::template::{Filled, Format};

/// What an artifact is made with.
pub(crate) struct Making<'a> {
    pub(crate) path: &'a str,
    /// Where shipspec.yml names it.
    pub(crate) place: &'a Span,
    pub(crate) names: &'a dyn Names,
    /// How it names images.
    pub(crate) form: ReferenceForm,
    /// In a draft: whether a text cannot be filled only because something is not known yet.
    pub(crate) is_open: Option<&'a dyn Fn(&Text) -> bool>,
}

/// Whether an artifact of this kind can have this path.
///
/// # Errors
///
/// Which paths it can have.
pub(crate) fn check_path(
    content: &ArtifactContent,
    path: &str,
    place: &Span,
) -> Result<(), Diagnostic> {
    let wrong = |message: String| Err(Diagnostic::at(place.clone(), message));
    match (content, Format::of(path)) {
        (ArtifactContent::Tfvars(_), _) if tfvars::Language::of(path).is_none() => wrong(format!(
            "`tfvars` makes files that end in `.tfvars` or `.tfvars.json`, not `{path}`"
        )),
        (ArtifactContent::AppSpec(_), None) => wrong(format!(
            "`appspec` makes files that end in `.yaml`, `.yml` or `.json`, not `{path}`"
        )),
        (ArtifactContent::Text(_), Some(Format::Json)) => structured("JSON", "json", place),
        (ArtifactContent::Text(_), Some(Format::Yaml)) => structured("YAML", "yaml", place),
        (ArtifactContent::Yaml(_), Some(Format::Json)) => {
            wrong(format!("`yaml` would write YAML into `{path}`; say `json:`"))
        }
        _ => Ok(()),
    }
}

/// The names of containers. The action takes each of them once.
fn containers(pairs: &[(Text, String)], parts: &mut Parts<'_>) -> Vec<String> {
    let mut containers = Vec::<String>::new();
    for (text, _) in pairs {
        let container = parts.filled_public_text(text, "the name of a container");
        let is_known = !container.is_empty() && !container.contains(UNKNOWN);
        if is_known && containers.contains(&container) {
            parts.fail(text, format!("the container `{container}` has an image already"));
        }
        containers.push(container);
    }
    containers
}

/// In a text, a value can change what stands around it.
fn structured(format: &str, kind: &str, place: &Span) -> Result<(), Diagnostic> {
    let message = format!("`text` writes values as they are, which may break {format}");
    let hint =
        format!("say `{kind}:`, or `template:` with a file, which write a value for its place");
    Err(Diagnostic::at(place.clone(), message).with_hint(hint))
}

/// What a draft of this kind is written in: YAML where JSON has no sign for what is not known.
pub(crate) fn draft_format(content: &ArtifactContent, path: &str) -> Format {
    match content {
        ArtifactContent::AppSpec(_) | ArtifactContent::Yaml(_) => Format::Yaml,
        ArtifactContent::Dotenv(_) | ArtifactContent::Text(_) => Format::Text,
        ArtifactContent::Tfvars(_)
            if tfvars::Language::of(path) != Some(tfvars::Language::Json) =>
        {
            Format::Text
        }
        _ => Format::Json,
    }
}

impl Making<'_> {
    /// What the artifact is put together from.
    pub(crate) fn parts(&self) -> Parts<'_> {
        Parts::new(self.names, self.is_open)
    }

    /// The text of the artifact; a draft is written as [`draft_format`] says.
    ///
    /// # Errors
    ///
    /// Everything that has no value, or none that the file can hold.
    pub(crate) fn make(
        &self,
        content: &ArtifactContent,
        format: Option<Format>,
    ) -> Result<Filled, Diagnostics> {
        let mut parts = self.parts();
        let mut notes = Vec::new();
        let text = match content {
            // Files of their own, what ECS has, and what holds others: none of them is made here.
            ArtifactContent::Template(_) | ArtifactContent::Base(_) | ArtifactContent::Zip(_) => {
                String::new()
            }
            ArtifactContent::ImageDetail(image) => images::image_detail(&self.reference(image)?),
            ArtifactContent::ImageDefinitions(pairs) => {
                let containers = containers(pairs, &mut parts);
                self.image_definitions(containers, pairs)?
            }
            ArtifactContent::AppSpec(config) => {
                let app_spec = app_spec::app_spec(config, &mut parts);
                match format.or_else(|| Format::of(self.path)) {
                    Some(Format::Json) => app_spec.to_string(),
                    _ => self.yaml(&app_spec)?,
                }
            }
            ArtifactContent::CloudFormation(config) => {
                cloudformation::configuration(config, &mut parts).to_string()
            }
            ArtifactContent::Tfvars(variables) => {
                let variables = variables.iter();
                let variables =
                    variables.map(|(name, tree)| (name.clone(), parts.tree(tree))).collect();
                tfvars::write(&variables, tfvars::Language::of(self.path))
            }
            ArtifactContent::Dotenv(config) => dotenv::write(config, &mut parts),
            ArtifactContent::Json(tree) => {
                let content = parts.tree(tree);
                notes.extend(self.override_note(&content));
                content.to_string()
            }
            ArtifactContent::Yaml(tree) => {
                let content = parts.tree(tree);
                self.yaml(&content)?
            }
            ArtifactContent::Text(text) => parts.text(text),
        };
        Ok(Filled { text, secrets: parts.finish()?, notes })
    }

    fn yaml(&self, content: &Json) -> Result<String, Diagnostic> {
        yaml::write(content).map_err(|error| {
            Diagnostic::at(
                self.place.clone(),
                format!("`{}` cannot be written: {error}", self.path),
            )
        })
    }

    fn image_definitions(
        &self,
        containers: Vec<String>,
        pairs: &[(Text, String)],
    ) -> Result<String, Diagnostics> {
        let references = pairs.iter().map(|(_, image)| self.reference(image));
        let references = references.collect::<Result<Vec<_>, _>>()?;
        Ok(images::image_definitions(containers.into_iter().zip(references)))
    }

    /// How the artifact names an image.
    pub(crate) fn reference(&self, image: &str) -> Result<String, Diagnostics> {
        let images = self.names.resolve(&reference_name(image, self.form)).map_err(|error| {
            describe(self.place.clone(), &EvaluationError::Name(error), self.names)
        })?;
        let part = match self.form {
            ReferenceForm::Tag => "uri",
            ReferenceForm::Digest => "pinned",
        };
        let content = images.content();
        let unknown = || content.as_str().filter(|text| text.contains(UNKNOWN));
        let text = content[image][part].as_str().or_else(unknown);
        Ok(text.unwrap_or_default().to_owned())
    }

    /// A CloudFormation action may read the file with `Fn::GetParam`, one key at a time, and what it
    /// hands to the stack has a limit ([ParameterOverrides]).
    ///
    /// [ParameterOverrides]: https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
    fn override_note(&self, content: &Json) -> Option<String> {
        const MOST: usize = 1024;
        let texts = content.as_object()?.values().filter_map(Json::as_str);
        let length: usize = texts.map(str::len).sum();
        let path = self.path;
        (length > MOST).then(|| {
            format!(
                "the values of `{path}` have {length} bytes; a CloudFormation action that reads them \
                 takes 1 KB in its `ParameterOverrides`"
            )
        })
    }
}

/// The name by which a generated artifact asks for an image.
pub(crate) fn reference_name(image: &str, form: ReferenceForm) -> String {
    match form {
        ReferenceForm::Tag => format!("images.{image}.uri"),
        ReferenceForm::Digest => format!("images.{image}.pinned"),
    }
}
