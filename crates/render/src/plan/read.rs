//! From an entry of `artifacts:` to what is to be made, with the files that it names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use indexmap::IndexMap;
use shipspec_spec::config::{
    ArtifactConfig, ArtifactContent, Config, ServiceConfig, TemplateConfig, Text,
};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::expression::Names;
use shipspec_spec::scope::Scope;
use shipspec_spec::source::{Position, Span};
use shipspec_spec::value::Value;

use super::{ArtifactPlan, Content};
use crate::archive::Archive;
use crate::made::check_path;
use crate::publishing;
use crate::template::{Format, TemplateFile};

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

/// The paths of artifacts that are not made this time, because `when:` says so, as far as they are known.
pub(crate) fn left_out(config: &Config, scope: &Scope) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for artifact in config.artifacts.iter().filter(|artifact| artifact.when.is_some()) {
        // What cannot be filled here is told where it is read.
        for matrix in combinations(&artifact.matrix, scope).unwrap_or_default() {
            let names = scope.of_artifact(matrix, &artifact.variables);
            paths.extend(path(artifact, &names));
        }
    }
    paths
}

/// The path of an artifact, without `./` in front.
fn path(artifact: &ArtifactConfig, names: &dyn Names) -> Result<String, Diagnostics> {
    let path = public_text(&artifact.path, names)?;
    Ok(path.strip_prefix("./").unwrap_or(&path).to_owned())
}

/// A place in a matrix, and the names there.
pub(super) type Combination = (BTreeMap<String, Value>, Scope);

/// The combinations of its matrix that `when:` lets through, each with its names.
pub(super) fn wanted(
    artifact: &ArtifactConfig,
    scope: &Scope,
) -> Result<Vec<Combination>, Diagnostics> {
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

/// Combinations of one matrix; more are a slip, and not what anybody asks for.
const MOST_COMBINATIONS: usize = 10_000;

/// Every combination of values, the first name changing most slowly; one empty one for no names.
fn combinations(
    matrix: &IndexMap<String, Vec<Text>>,
    names: &dyn Names,
) -> Result<Vec<BTreeMap<String, Value>>, Diagnostics> {
    let mut all = vec![BTreeMap::new()];
    for (name, texts) in matrix {
        if let Some(first) = texts.first()
            && all.len() * texts.len() > MOST_COMBINATIONS
        {
            let message =
                format!("with `{name}` the matrix has over {MOST_COMBINATIONS} combinations");
            return Err(Diagnostic::at(first.span().clone(), message).into());
        }
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
        let path = path(artifact, names)?;
        let place = artifact.path.span().clone();
        if matches!(path.rsplit('/').next(), None | Some("" | "." | "..")) {
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
            allow: artifact.check.codes().cloned().collect(),
            matrix,
            variables,
            publish,
        })
    }
}

/// Only a task definition in JSON has the structure that is to be changed.
fn no_json(path: &str, place: Span) -> Diagnostic {
    let message = format!("`{path}` is no JSON, and the changes are for a task definition in JSON");
    Diagnostic::at(place, message).with_hint("let the path of the artifact end in `.json`")
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
    let bytes = std::fs::read(folder.join(&name))
        .map_err(|error| wrong(format!("the template `{name}` cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let start = String::from_utf8_lossy(&error.as_bytes()[..valid]);
        let Position { line, column } = Position::of(&start, valid);
        wrong(format!("the template `{name}` is not UTF-8 at line {line} column {column}"))
    })?;
    TemplateFile::parse(&name, text, artifact, config)
}
