//! Changes of shipspec.yml with their values.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use shipspec_spec::config::{
    ContainerChange, ContainerEditConfig, LogConfig, TaskDefinitionEdits, Text,
};
use shipspec_spec::diagnostic::Diagnostics;

use super::edit::{Change, ContainerEdit, Edits, Log};
use crate::made::{Making, Parts};

/// The changes, and the secrets that went into them.
///
/// # Errors
///
/// Everything that has no value.
pub(crate) fn evaluate(
    config: &TaskDefinitionEdits,
    making: &Making<'_>,
) -> Result<(Edits, BTreeSet<String>), Diagnostics> {
    let mut parts = making.parts();
    let mut edits = Edits::default();
    let mut found = Diagnostics::default();
    for one in &config.containers {
        match container_edit(one, making, &mut parts) {
            Ok(edit) => edits.containers.push(edit),
            Err(errors) => found.extend(errors),
        }
    }
    edits.cpu = config.cpu.as_ref().map(|text| parts.text(text));
    edits.memory = config.memory.as_ref().map(|text| parts.text(text));
    match parts.finish() {
        Ok(secrets) => found.or((edits, secrets)),
        Err(errors) => {
            found.extend(errors);
            Err(found)
        }
    }
}

fn container_edit(
    config: &ContainerEditConfig,
    making: &Making<'_>,
    parts: &mut Parts<'_>,
) -> Result<ContainerEdit, Diagnostics> {
    let container = config.container.as_ref();
    let container = container.map(|text| parts.public_text(text, "the name of a container"));
    let change = match &config.change {
        ContainerChange::Image(image) => Change::Image(making.reference(image)?),
        ContainerChange::Environment(texts) => Change::Environment(pairs(texts, parts)),
        ContainerChange::Secrets(texts) => Change::Secrets(pairs(texts, parts)),
        ContainerChange::DockerLabels(texts) => Change::DockerLabels(pairs(texts, parts)),
        ContainerChange::Command(words) => Change::Command(parts.texts(words)),
        ContainerChange::Log(log) => Change::Log(self::log(log, parts)),
        ContainerChange::Cpu(number) => Change::Cpu(parts.number(number)),
        ContainerChange::Memory(number) => Change::Memory(parts.number(number)),
    };
    Ok(ContainerEdit { container, place: config.place.clone(), change })
}

fn log(config: &LogConfig, parts: &mut Parts<'_>) -> Log {
    Log {
        driver: parts.text(&config.driver),
        options: pairs(&config.options, parts),
        secret_options: pairs(&config.secret_options, parts),
    }
}

fn pairs(texts: &IndexMap<String, Text>, parts: &mut Parts<'_>) -> Vec<(String, String)> {
    texts.iter().map(|(name, text)| (name.clone(), parts.text(text))).collect()
}
