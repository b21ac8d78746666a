//! Files that a run is made from: an artifact that is written over one of them would make the next run
//! another one, and the file is gone.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use shipspec_spec::config::{Config, Text};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::scope::Scope;

use crate::plan::{ArtifactPlan, Content};

/// The name that shipspec.yml has if nobody says otherwise.
const CONFIGURATION: &str = "shipspec.yml";

/// The folder in which Git keeps its own.
const GIT: &str = ".git";

/// Refuses artifacts that would be written over each other, over what the run reads, or over what is
/// Git's, and paths at which there can be no file.
pub(crate) fn refuse_overwritten(
    plans: &[ArtifactPlan],
    config: &Config,
    scope: &Scope,
    folder: &Path,
    found: &mut Diagnostics,
) {
    let inputs = Inputs::of(plans, config, scope, folder);
    let root = real(folder);
    let files: BTreeMap<_, _> =
        plans.iter().map(|plan| (real(&folder.join(&plan.path)), &*plan.path)).collect();
    let mut written = BTreeMap::new();
    for plan in plans {
        let (path, real) = (&plan.path, real(&folder.join(&plan.path)));
        let mut refuse = |message: String| found.push(Diagnostic::at(plan.place.clone(), message));
        if let Some(problem) = no_file(&real, &files) {
            refuse(format!("the artifact `{path}` cannot be written: {problem}"));
            continue;
        }
        if let Some(first) = written.insert(real.clone(), path) {
            refuse(if first == path {
                format!("two artifacts have the path `{path}`")
            } else {
                format!("the artifacts `{first}` and `{path}` are one file")
            });
        }
        if let Some(input) = inputs.0.get(&real) {
            let what = match input {
                Input::Template { artifact } if artifact == path => "its own template".to_owned(),
                input => input.to_string(),
            };
            refuse(format!("the artifact `{path}` would overwrite {what}"));
        }
        let inside = real.strip_prefix(&root).unwrap_or(&real);
        if inside.components().any(|part| part.as_os_str() == GIT) {
            refuse(format!("the artifact `{path}` would be written among the files of Git itself"));
        }
    }
}

/// Why there can be no file at a path; `artifacts` are the files that there will be.
fn no_file(path: &Path, artifacts: &BTreeMap<PathBuf, &str>) -> Option<String> {
    if path.is_dir() {
        return Some("there is a folder in its place".into());
    }
    let folders = || path.ancestors().skip(1);
    if let Some(other) = folders().find_map(|folder| artifacts.get(folder)) {
        return Some(format!("the artifact `{other}` is a file, and no folder"));
    }
    let there = folders().find(|folder| folder.exists())?;
    (!there.is_dir()).then(|| format!("`{}` is a file, and no folder", there.display()))
}

/// What is read, by its path without links.
struct Inputs(BTreeMap<PathBuf, Input>);

/// What a file is to a run.
enum Input {
    Template { artifact: String },
    Configuration,
    Dockerfile { image: String },
    Ignore { image: String },
    Member { archive: String },
    Text { name: String },
}

impl std::fmt::Display for Input {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Template { artifact } => write!(formatter, "the template of `{artifact}`"),
            Self::Configuration => formatter.write_str("the configuration that it is read from"),
            Self::Dockerfile { image } => {
                write!(formatter, "the Dockerfile of the image `{image}`")
            }
            Self::Ignore { image } => write!(formatter, "the .dockerignore of the image `{image}`"),
            Self::Member { archive } => write!(formatter, "a file that `{archive}` holds"),
            Self::Text { name } => write!(formatter, "a file that is read by `file('{name}')`"),
        }
    }
}

impl Inputs {
    fn of(plans: &[ArtifactPlan], config: &Config, scope: &Scope, folder: &Path) -> Self {
        let mut inputs = Self(BTreeMap::new());
        inputs.add(&folder.join(CONFIGURATION), Input::Configuration);
        for plan in plans {
            inputs.add(&folder.join(&plan.place.source.name), Input::Configuration);
            inputs.add_plan(plan, folder);
        }
        for (name, image) in &config.images {
            // Where it is known only later, somebody else made the file.
            let path = |text: Option<&Text>, usual: &str| match text {
                Some(text) => Some(text.evaluate_text(scope).ok()?.0),
                None => Some(usual.to_owned()),
            };
            let context = path(image.context.as_ref(), ".");
            let dockerfile = path(image.dockerfile.as_ref(), "Dockerfile");
            if let (Some(context), Some(dockerfile)) = (context, dockerfile) {
                let context = folder.join(context);
                let dockerfile = context.join(dockerfile);
                let mut own = dockerfile.clone().into_os_string();
                own.push(".dockerignore");
                for ignore in [PathBuf::from(own), context.join(".dockerignore")] {
                    inputs.add(&ignore, Input::Ignore { image: name.clone() });
                }
                inputs.add(&dockerfile, Input::Dockerfile { image: name.clone() });
            }
            image.texts().for_each(|text| inputs.add_files(text.as_written(), folder));
        }
        config.variables.values().for_each(|text| inputs.add_files(text.as_written(), folder));
        inputs
    }

    fn add_plan(&mut self, plan: &ArtifactPlan, folder: &Path) {
        match &plan.content {
            Content::Template(file) => {
                let input = Input::Template { artifact: plan.path.clone() };
                self.add(&folder.join(&file.source.name), input);
                self.add_files(&file.source.text, folder);
            }
            Content::Made(content) => {
                for text in content.texts() {
                    self.add_files(text.as_written(), folder);
                }
            }
            Content::Zip(archive) => {
                for member in archive.members.iter().filter(|member| member.file.is_some()) {
                    let input = Input::Member { archive: plan.path.clone() };
                    self.add(&folder.join(&member.path), input);
                }
            }
            Content::Base(_) => {}
        }
        let texts = plan.variables.values().chain(plan.edits.texts());
        texts.for_each(|text| self.add_files(text.as_written(), folder));
    }

    /// The files that the expressions of a text read, as far as they stand there by name.
    fn add_files(&mut self, text: &str, folder: &Path) {
        for name in read_by(text) {
            self.add(&folder.join(name), Input::Text { name: name.to_owned() });
        }
    }

    /// Takes a file; what it was taken as first is what is told.
    fn add(&mut self, path: &Path, input: Input) {
        self.0.entry(real(path)).or_insert(input);
    }
}

/// The paths that stand in `${file('…')}`.
fn read_by(text: &str) -> impl Iterator<Item = &str> {
    let expressions = text.split("${").skip(1).filter_map(|rest| rest.split('}').next());
    expressions.flat_map(|code| {
        code.split("file(").skip(1).filter_map(|rest| {
            let rest = rest.trim_start();
            let quote = rest.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
            rest[1..].split(quote).next()
        })
    })
}

/// A path that tells whether two are the same file: without links as far as there is something, and
/// without `.` and `..`.
fn real(path: &Path) -> PathBuf {
    for there in path.ancestors() {
        let Ok(mut real) = there.canonicalize() else { continue };
        for part in path.strip_prefix(there).into_iter().flat_map(Path::components) {
            match part {
                Component::ParentDir => drop(real.pop()),
                Component::Normal(name) => real.push(name),
                _ => {}
            }
        }
        return real;
    }
    path.to_path_buf()
}

#[cfg(test)]
mod tests;
