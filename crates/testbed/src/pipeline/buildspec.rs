use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::Refusal;

/// What a buildspec runs, and what it says about what a build hands on; the rest is not read.
#[derive(Debug, Deserialize)]
pub struct Buildspec {
    #[serde(default)]
    pub(super) env: Environment,
    #[serde(default)]
    phases: BTreeMap<String, Phase>,
    pub(super) artifacts: Option<Artifacts>,
}

#[derive(Debug, Deserialize)]
struct Phase {
    #[serde(default)]
    commands: Vec<String>,
}

/// `env:`, as far as exported variables go.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Environment {
    pub(super) exported_variables: Vec<String>,
    pub(super) parameter_store: BTreeMap<String, Value>,
    pub(super) secrets_manager: BTreeMap<String, Value>,
}

/// `artifacts:`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Artifacts {
    /// The primary artifact. CodeBuild wants its `files` even beside secondary artifacts, and real
    /// buildspecs leave them out.
    #[serde(flatten)]
    pub(super) primary: Section,
    #[serde(default)]
    pub(super) secondary_artifacts: BTreeMap<String, Section>,
}

/// One artifact: which files, and where in it.
///
/// Its `name:` is for S3 alone; in a pipeline an artifact has the name of the action's output.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Section {
    pub(super) files: Option<OneOrMany>,
    pub(super) base_directory: Option<String>,
    pub(super) discard_paths: Option<Switch>,
    pub(super) exclude_paths: Option<OneOrMany>,
    enable_symlinks: Option<Switch>,
}

/// A list, or the one text that samples write in its place.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

/// `yes` is a text in YAML 1.2 and the truth in 1.1.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Switch {
    Truth(bool),
    Word(String),
}

impl Switch {
    pub(super) fn is_on(&self) -> bool {
        match self {
            Self::Truth(truth) => *truth,
            Self::Word(word) => ["yes", "true", "on"].contains(&word.to_lowercase().as_str()),
        }
    }
}

impl Buildspec {
    /// Reads a buildspec's file.
    pub fn read(path: &Path) -> Result<Self, Refusal> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Refusal::Buildspec(format!("{}: {error}", path.display())))?;
        Self::parse(&text)
    }

    /// The commands of a phase as one script, which ends at the first that fails.
    #[must_use]
    pub fn script(&self, phase: &str) -> String {
        let commands = self.phases.get(phase).map_or(&[][..], |phase| &phase.commands);
        format!("set -e\n{}", commands.join("\n"))
    }

    /// Reads a buildspec's text.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let read: Self =
            serde_saphyr::from_str(text).map_err(|error| Refusal::Buildspec(error.to_string()))?;
        let sections = read.artifacts.iter().flat_map(|artifacts| {
            std::iter::once(&artifacts.primary).chain(artifacts.secondary_artifacts.values())
        });
        for section in sections {
            if section.enable_symlinks.as_ref().is_some_and(Switch::is_on) {
                return Err(Refusal::Buildspec("`enable-symlinks` is not done here".to_owned()));
            }
        }
        Ok(read)
    }
}
