//! Changes to the structure of a task definition, in shipspec.yml.

use indexmap::IndexMap;
use schemars::JsonSchema;

use super::ArtifactReader;
use super::number::{RawScalar, WholeNumber};
use crate::config::raw::{RawArtifactMap, RawDefinitions};
use crate::config::shapes::{Entries, Misshapen};
use crate::config::text::{RawText, Text, keep};
use crate::config::tree::RawTree;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// The name that stands for every container.
const EVERY: &str = "*";

/// Where the log of a container goes.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Log")]
pub(in crate::config) struct RawLog {
    /// The driver, such as `awslogs`.
    driver: RawText,
    /// Its options.
    #[schemars(default)]
    options: IndexMap<String, RawScalar>,
    /// Options whose values ECS fetches: the name of a parameter of this file, or a `valueFrom`.
    #[schemars(default)]
    secret_options: IndexMap<String, RawText>,
}

/// CPU units or memory: of the task, or of containers by their names.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, rename = "Size")]
pub(in crate::config) enum RawSize {
    Task(RawScalar),
    Containers(IndexMap<String, RawScalar>),
}

/// Changes to the structure of a task definition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskDefinitionEdits {
    /// What containers get: those for every container first, so that a name wins.
    pub containers: Vec<ContainerEditConfig>,
    /// The CPU units of the task.
    pub cpu: Option<Text>,
    /// The memory of the task.
    pub memory: Option<Text>,
}

/// What a container gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerEditConfig {
    /// Its name; nothing for every container.
    pub container: Option<Text>,
    /// Where that is written.
    pub place: Span,
    /// What it gets.
    pub change: ContainerChange,
}

/// What a container gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerChange {
    /// An image of shipspec.yml.
    Image(String),
    /// Variables.
    Environment(IndexMap<String, Text>),
    /// Variables, and where ECS fetches their values.
    Secrets(IndexMap<String, Text>),
    /// Labels.
    DockerLabels(IndexMap<String, Text>),
    /// A command.
    Command(Vec<Text>),
    /// Where its log goes.
    Log(LogConfig),
    /// CPU units.
    Cpu(WholeNumber),
    /// A limit of memory, in MiB.
    Memory(WholeNumber),
}

/// Where the log of a container goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// The driver.
    pub driver: Text,
    /// Its options.
    pub options: IndexMap<String, Text>,
    /// Options, and where ECS fetches their values.
    pub secret_options: IndexMap<String, Text>,
}

impl TaskDefinitionEdits {
    /// Nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Every text of them, to find the names that they ask for.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        let of_containers = self.containers.iter();
        let of_containers =
            of_containers.flat_map(|edit| edit.container.iter().chain(edit.change.texts()));
        of_containers.chain(&self.cpu).chain(&self.memory)
    }

    /// The images that they name.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        self.containers.iter().filter_map(|edit| match &edit.change {
            ContainerChange::Image(image) => Some(image.as_str()),
            _ => None,
        })
    }
}

impl ContainerChange {
    fn texts(&self) -> Vec<&Text> {
        match self {
            Self::Image(_) => Vec::new(),
            Self::Environment(texts) | Self::Secrets(texts) | Self::DockerLabels(texts) => {
                texts.values().collect()
            }
            Self::Command(words) => words.iter().collect(),
            Self::Log(log) => {
                let options = log.options.values().chain(log.secret_options.values());
                [&log.driver].into_iter().chain(options).collect()
            }
            Self::Cpu(number) | Self::Memory(number) => vec![number.text()],
        }
    }
}

impl ArtifactReader<'_> {
    /// The changes; `keys` of the map that make some are refused where there is nothing to change.
    pub(super) fn edits(&mut self, map: &RawArtifactMap) -> TaskDefinitionEdits {
        let mut edits = TaskDefinitionEdits::default();
        edits.containers.extend(self.image_edits(map.images.as_ref()));
        self.refuse_both(map);
        for (name, entries) in map.environment.iter().flatten() {
            let texts = self.scalars(entries);
            let change = ContainerChange::Environment(texts);
            edits.containers.extend(self.container_edit("environment", name, change));
        }
        for (name, entries) in map.secrets.iter().flatten() {
            let change = ContainerChange::Secrets(self.sources(entries));
            edits.containers.extend(self.container_edit("secrets", name, change));
        }
        for (name, entries) in map.docker_labels.iter().flatten() {
            let change = ContainerChange::DockerLabels(self.scalars(entries));
            edits.containers.extend(self.container_edit("docker_labels", name, change));
        }
        for (name, words) in map.command.iter().flatten() {
            let words = words.iter().filter_map(|word| self.text(&word.0)).collect();
            let change = ContainerChange::Command(words);
            edits.containers.extend(self.container_edit("command", name, change));
        }
        for (name, raw) in map.log.iter().flatten() {
            let Some(driver) = self.text(&raw.driver) else { continue };
            let options = self.scalars(&raw.options);
            let secret_options = self.sources(&raw.secret_options);
            let log = ContainerChange::Log(LogConfig { driver, options, secret_options });
            edits.containers.extend(self.container_edit("log", name, log));
        }
        edits.cpu = self.size("cpu", map.cpu.as_ref(), ContainerChange::Cpu, &mut edits.containers);
        edits.memory = self.size(
            "memory",
            map.memory.as_ref(),
            ContainerChange::Memory,
            &mut edits.containers,
        );
        edits.containers.sort_by_key(|edit| edit.container.is_some());
        edits
    }

    fn image_edits(&mut self, raw: Option<&RawDefinitions>) -> Vec<ContainerEditConfig> {
        let mut edits = Vec::new();
        match raw {
            Some(RawDefinitions::Same(list)) => {
                for name in list {
                    let (Some(image), Some(container)) = (self.image(name), self.text(name)) else {
                        continue;
                    };
                    let (container, place) = (Some(container), name.span(self.source));
                    let change = ContainerChange::Image(image);
                    edits.push(ContainerEditConfig { container, place, change });
                }
            }
            Some(RawDefinitions::Named(pairs)) => {
                for (name, image) in pairs {
                    let Some(image) = self.image(image) else { continue };
                    let change = ContainerChange::Image(image);
                    edits.extend(self.container_edit("images", name, change));
                }
            }
            None => {}
        }
        edits
    }

    /// A variable has one value.
    fn refuse_both(&mut self, map: &RawArtifactMap) {
        let (Some(environment), Some(secrets)) = (&map.environment, &map.secrets) else { return };
        for (container, secrets) in secrets {
            let Some(variables) = environment.get(container) else { continue };
            for name in secrets.keys().filter(|name| variables.contains_key(*name)) {
                let message = format!(
                    "`{name}` of the container `{container}` stands in `environment` and in `secrets`"
                );
                let place = self.place(&["secrets", container, name]);
                self.found.push(Diagnostic::at(place, message).with_hint("take one of them away"));
            }
        }
    }

    fn size(
        &mut self,
        key: &'static str,
        raw: Option<&RawSize>,
        change: fn(WholeNumber) -> ContainerChange,
        containers: &mut Vec<ContainerEditConfig>,
    ) -> Option<Text> {
        match raw? {
            RawSize::Task(text) => self.text(&text.0),
            RawSize::Containers(sizes) => {
                for (name, size) in sizes {
                    let Some(number) = self.number(size, key, 0..=u32::MAX) else { continue };
                    containers.extend(self.container_edit(key, name, change(number)));
                }
                None
            }
        }
    }

    fn container_edit(
        &mut self,
        key: &str,
        name: &str,
        change: ContainerChange,
    ) -> Option<ContainerEditConfig> {
        let place = self.place(&[key, name]);
        self.check_names(key, name, &change);
        let container = match name {
            EVERY => None,
            name => Some(keep(Text::at_key(name, place.clone()), self.found)?),
        };
        Some(ContainerEditConfig { container, place, change })
    }

    /// There is a name, and in it no expression: only values are filled, and ECS would take the name as
    /// it is written.
    fn check_names(&mut self, key: &str, container: &str, change: &ContainerChange) {
        let maps = match change {
            ContainerChange::Environment(texts)
            | ContainerChange::Secrets(texts)
            | ContainerChange::DockerLabels(texts) => vec![texts],
            ContainerChange::Log(log) => vec![&log.options, &log.secret_options],
            _ => return,
        };
        for name in maps.into_iter().flat_map(IndexMap::keys) {
            let message = if name.trim().is_empty() {
                "the name in front of this value is empty".to_owned()
            } else if name.contains("${") {
                format!("the name `{name}` would not be filled: only values are")
            } else {
                continue;
            };
            let place = self.place(&[key, container, name]);
            self.found.push(Diagnostic::at(place, message));
        }
    }

    fn scalars(&mut self, raw: &IndexMap<String, RawScalar>) -> IndexMap<String, Text> {
        let texts = raw.iter();
        texts.filter_map(|(name, text)| Some((name.clone(), self.text(&text.0)?))).collect()
    }

    /// Where ECS fetches values: the name of a parameter of this file stands for its ARN.
    fn sources(&mut self, raw: &IndexMap<String, RawText>) -> IndexMap<String, Text> {
        let mut sources = IndexMap::new();
        for (name, from) in raw {
            let parameter = from.as_str();
            let root = parameter.split('.').next().unwrap_or_default();
            let text = if self.parameters.contains(&root) {
                let arn = Text::arn_of(parameter, from.span(self.source));
                if arn.is_none() {
                    let message = format!("`{parameter}` cannot be named without a function");
                    let hint = format!("write `${{arn('{parameter}')}}`");
                    let span = from.span(self.source);
                    self.found.push(Diagnostic::at(span, message).with_hint(hint));
                }
                arn
            } else {
                self.text(from)
            };
            sources.extend(text.map(|text| (name.clone(), text)));
        }
        sources
    }
}

/// The keys of an artifact that change a task definition, as far as they are said.
pub(super) fn said(map: &RawArtifactMap) -> impl Iterator<Item = &'static str> {
    let keys = [
        ("images", map.images.is_some()),
        ("environment", map.environment.is_some()),
        ("secrets", map.secrets.is_some()),
        ("docker_labels", map.docker_labels.is_some()),
        ("command", map.command.is_some()),
        ("log", map.log.is_some()),
        ("cpu", map.cpu.is_some()),
        ("memory", map.memory.is_some()),
    ];
    keys.into_iter().filter_map(|(key, is_said)| is_said.then_some(key))
}

impl TryFrom<RawTree> for RawLog {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        let mut entries = Entries::of(tree)?;
        Ok(Self {
            driver: entries.needed("driver")?,
            options: entries.map("options")?.unwrap_or_default(),
            secret_options: entries.map("secret_options")?.unwrap_or_default(),
        })
    }
}

impl TryFrom<RawTree> for RawSize {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        match tree {
            RawTree::Map(sizes) => {
                let sizes = sizes.into_iter().map(|(name, size)| Ok((name, size.try_into()?)));
                Ok(Self::Containers(sizes.collect::<Result<_, Misshapen>>()?))
            }
            size => Ok(Self::Task(size.try_into()?)),
        }
    }
}
