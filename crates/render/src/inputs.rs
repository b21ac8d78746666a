//! Files that a run is made from: an artifact that is written over one of them would make the next run
//! another one, and the file is gone.

mod real;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;
use shipspec_spec::config::{ArtifactConfig, Config, Text};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::scope::Scope;

use crate::plan::{ArtifactPlan, Content};
use crate::template::Body;
use real::RealPaths;

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
    let Inputs { files: inputs, mut paths } = Inputs::of(plans, config, scope, folder);
    let root = paths.of(folder);
    let reals: Vec<_> = plans.iter().map(|plan| paths.look(&folder.join(&plan.path))).collect();
    let files = reals.iter().zip(plans).map(|((real, _), plan)| (&**real, &*plan.path));
    let mut folders = Folders { artifacts: files.collect(), problems: HashMap::new() };
    let mut written = HashMap::new();
    for (plan, (real, is_folder)) in plans.iter().zip(&reals) {
        let path = &plan.path;
        let mut refuse = |message: String| found.push(Diagnostic::at(plan.place.clone(), message));
        if let Some(problem) = folders.no_file(real, *is_folder) {
            refuse(format!("the artifact `{path}` cannot be written: {problem}"));
            continue;
        }
        if let Some(first) = written.insert(real, path) {
            refuse(if first == path {
                format!("two artifacts have the path `{path}`")
            } else {
                format!("the artifacts `{first}` and `{path}` are one file")
            });
        }
        if let Some(input) = inputs.get(real) {
            let what = match input {
                Input::Template { artifact } if artifact == path => "its own template".to_owned(),
                input => input.to_string(),
            };
            refuse(format!("the artifact `{path}` would overwrite {what}"));
        }
        let inside = real.strip_prefix(&root).unwrap_or(real);
        if inside.components().any(|part| part.as_os_str() == GIT) {
            refuse(format!("the artifact `{path}` would be written among the files of Git itself"));
        }
    }
}

/// Whether there can be files in folders, each looked at once.
struct Folders<'a> {
    /// The files that there will be.
    artifacts: HashMap<&'a Path, &'a str>,
    problems: HashMap<&'a Path, Option<String>>,
}

impl<'a> Folders<'a> {
    /// Why there can be no file at a path, where there may be a folder.
    fn no_file(&mut self, path: &'a Path, is_folder: bool) -> Option<String> {
        if is_folder {
            return Some("there is a folder in its place".into());
        }
        let folder = path.parent()?;
        let problem = self.problems.entry(folder);
        problem.or_insert_with(|| no_folder(folder, &self.artifacts)).clone()
    }
}

/// Why there can be no folder at a path.
fn no_folder(path: &Path, artifacts: &HashMap<&Path, &str>) -> Option<String> {
    if let Some(other) = path.ancestors().find_map(|folder| artifacts.get(folder)) {
        return Some(format!("the artifact `{other}` is a file, and no folder"));
    }
    let there = path.ancestors().find(|folder| folder.exists())?;
    (!there.is_dir()).then(|| format!("`{}` is a file, and no folder", there.display()))
}

/// What is read, by its path without links.
struct Inputs {
    files: HashMap<PathBuf, Input>,
    paths: RealPaths,
}

/// What a file is to a run.
enum Input {
    Template { artifact: String },
    Configuration,
    Dockerfile { image: String },
    Ignore { image: String },
    Member { archive: String },
    Text { name: String },
    Part { name: String },
    Values,
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
            Self::Part { name } => write!(formatter, "`{name}`, which a template includes"),
            Self::Values => formatter.write_str("a file that values are read from"),
        }
    }
}

impl Inputs {
    fn of(plans: &[ArtifactPlan], config: &Config, scope: &Scope, folder: &Path) -> Self {
        let mut inputs = Self { files: HashMap::new(), paths: RealPaths::default() };
        inputs.add(&folder.join(CONFIGURATION), Input::Configuration);
        let sources: BTreeSet<_> = plans.iter().map(|plan| &*plan.place.source.name).collect();
        for source in sources {
            inputs.add(&folder.join(source), Input::Configuration);
        }
        for file in scope.files() {
            inputs.add(file, Input::Values);
        }
        for plan in plans {
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
            inputs.add_files(image.texts().flat_map(Text::code), folder);
        }
        let outer = config.artifacts.iter().flat_map(ArtifactConfig::outer_texts);
        let texts = config.variables.values().chain(outer);
        inputs.add_files(texts.flat_map(Text::code), folder);
        inputs
    }

    fn add_plan(&mut self, plan: &ArtifactPlan, folder: &Path) {
        match &plan.content {
            Content::Template(file) => {
                let input = Input::Template { artifact: plan.path.clone() };
                self.add(&folder.join(&file.source.name), input);
                match &file.body {
                    Body::Jinja(template) => {
                        let code: Vec<_> = template.code().collect();
                        self.add_files(code.iter().copied(), folder);
                        self.add_parts(code, folder);
                    }
                    Body::Shell(template) => self.add_files(template.code(), folder),
                    // Its language has no function that reads a file.
                    Body::Terraform(_) => {}
                }
            }
            Content::Made(content) => {
                self.add_files(content.texts().into_iter().flat_map(Text::code), folder);
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
        self.add_files(texts.flat_map(Text::code), folder);
    }

    /// The files that expressions read, as far as they stand there by name.
    fn add_files<'a>(&mut self, code: impl IntoIterator<Item = &'a str>, folder: &Path) {
        for name in code.into_iter().flat_map(files_in) {
            self.add(&folder.join(name), Input::Text { name: name.to_owned() });
        }
    }

    /// The files that a template of Jinja takes in, likewise.
    fn add_parts<'a>(&mut self, code: impl IntoIterator<Item = &'a str>, folder: &Path) {
        for name in code.into_iter().flat_map(parts_in) {
            self.add(&folder.join(name), Input::Part { name: name.to_owned() });
        }
    }

    /// Takes a file; what it was taken as first is what is told.
    fn add(&mut self, path: &Path, input: Input) {
        self.files.entry(self.paths.of(path)).or_insert(input);
    }
}

/// The paths that stand in `file('…')`.
fn files_in(code: &str) -> impl Iterator<Item = &str> {
    static FILE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"\bfile\s*\(\s*(?:'([^']*)'|"([^"]*)")"#).expect("the pattern is right")
    });
    quoted(&FILE, code)
}

/// The paths of templates that a piece of Jinja includes, imports or extends.
fn parts_in(code: &str) -> impl Iterator<Item = &str> {
    static PART: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"^[-+]?\s*(?:include|extends|import|from)\s+(?:'([^']*)'|"([^"]*)")"#)
            .expect("the pattern is right")
    });
    quoted(&PART, code)
}

fn quoted<'a>(pattern: &Regex, text: &'a str) -> impl Iterator<Item = &'a str> {
    let found = pattern.captures_iter(text).collect::<Vec<_>>().into_iter();
    found.filter_map(|found| Some(found.get(1).or(found.get(2))?.as_str()))
}

#[cfg(test)]
mod tests;
