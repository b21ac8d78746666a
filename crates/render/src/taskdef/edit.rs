//! Changes to the structure of a task definition, whoever made it. Nothing is asked and nothing is
//! read here: what comes out depends on what goes in alone.

use serde_json::{Map, Value as Json, json};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::nearest::nearest;
use shipspec_spec::source::Span;
use shipspec_spec::value::UNKNOWN;

/// Changes, with all their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits {
    /// What containers get, in the order in which it is put in.
    pub containers: Vec<ContainerEdit>,
    /// The CPU units of the task.
    pub cpu: Option<String>,
    /// The memory of the task.
    pub memory: Option<String>,
}

/// A change to a container, or to all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerEdit {
    /// Its name; nothing for every container.
    pub container: Option<String>,
    /// Where that is written.
    pub place: Span,
    /// What it gets.
    pub change: Change,
}

/// What a container gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Another image.
    Image(String),
    /// Variables, by their names.
    Environment(Vec<(String, String)>),
    /// Variables whose values ECS fetches, from where.
    Secrets(Vec<(String, String)>),
    /// Labels.
    DockerLabels(Vec<(String, String)>),
    /// Another command.
    Command(Vec<String>),
    /// Another place for its log.
    Log(Log),
    /// Other CPU units.
    Cpu(Json),
    /// Another limit of memory.
    Memory(Json),
}

/// Where a container's log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The driver.
    pub driver: String,
    /// Its options.
    pub options: Vec<(String, String)>,
    /// Options that ECS fetches, from where.
    pub secret_options: Vec<(String, String)>,
}

/// A task definition with its changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Edited {
    /// The whole of it.
    pub task_definition: Json,
    /// What its author may want to know.
    pub notes: Vec<String>,
}

/// The task definition with all changes; the order of its keys and everything else stay.
///
/// # Errors
///
/// What is no task definition, and every container that it lacks, at the place where it is named.
/// Errors without a place are about the task definition itself.
pub fn edit(mut task_definition: Json, edits: &Edits) -> Result<Edited, Diagnostics> {
    check(&task_definition)?;
    let mut notes = Vec::new();
    let mut found = Diagnostics::default();
    if let Some(Json::Array(containers)) = task_definition.get_mut("containerDefinitions") {
        for one in &edits.containers {
            if let Err(errors) = change_containers(containers, one, &mut notes) {
                found.extend(errors);
            }
        }
    }
    for (key, value) in [("cpu", &edits.cpu), ("memory", &edits.memory)] {
        if let Some(value) = value {
            task_definition[key] = value.as_str().into();
        }
    }
    found.or(Edited { task_definition, notes })
}

/// It is the input of `RegisterTaskDefinition`, as far as changes need it.
fn check(task_definition: &Json) -> Result<(), Diagnostic> {
    if task_definition["containerDefinitions"].is_array() {
        return Ok(());
    }
    if task_definition["taskDefinition"].is_object() {
        let message = "the task definition is inside of `taskDefinition`, as \
                       `aws ecs describe-task-definition` prints it, and ECS takes what is in there";
        let hint = "make what is inside the whole file: `jq .taskDefinition`";
        return Err(Diagnostic::new(message).with_hint(hint));
    }
    let message = "this is no task definition: it has no list `containerDefinitions`";
    Err(Diagnostic::new(message)
        .with_hint("`images`, `environment` and the like change task definitions only"))
}

fn change_containers(
    containers: &mut [Json],
    edit: &ContainerEdit,
    notes: &mut Vec<String>,
) -> Result<(), Diagnostics> {
    let is_meant = |container: &&mut Json| match &edit.container {
        Some(name) => container["name"] == **name,
        None => true,
    };
    let (mut changed, mut found) = (0, Diagnostics::default());
    for container in containers.iter_mut().filter(is_meant) {
        if let Some(container) = container.as_object_mut() {
            if let Err(message) = edit.change.apply(container, notes) {
                found.push(Diagnostic::at(edit.place.clone(), message));
            }
            changed += 1;
        }
    }
    match &edit.container {
        Some(name) if changed == 0 && !is_open(name, containers) => {
            Err(lacking(name, containers, edit.place.clone()).into())
        }
        _ => found.or(()),
    }
}

/// One of the names is not known yet, so that this container may be there.
fn is_open(name: &str, containers: &[Json]) -> bool {
    let has_unknown =
        |container: &Json| container["name"].as_str().is_some_and(|name| name.contains(UNKNOWN));
    name.contains(UNKNOWN) || containers.iter().any(has_unknown)
}

fn lacking(name: &str, containers: &[Json], place: Span) -> Diagnostic {
    let names: Vec<_> =
        containers.iter().filter_map(|container| container["name"].as_str()).collect();
    let message = format!("the task definition has no container `{name}`");
    let hint = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "it has no container at all".to_owned(),
        None => format!("it has: {}", names.join(", ")),
    };
    Diagnostic::at(place, message).with_hint(hint)
}

impl Change {
    /// # Errors
    ///
    /// What of the container is not what it has to be, so that nothing can be put in.
    fn apply(
        &self,
        container: &mut Map<String, Json>,
        notes: &mut Vec<String>,
    ) -> Result<(), String> {
        let mut set = |key: &str, value: Json| drop(container.insert(key.to_owned(), value));
        match self {
            Self::Image(image) => set("image", image.as_str().into()),
            Self::Command(words) => set("command", words.clone().into()),
            Self::Log(log) => set("logConfiguration", log.to_json()),
            Self::Cpu(units) => set("cpu", units.clone()),
            Self::Memory(limit) => set("memory", limit.clone()),
            Self::Environment(entries) => {
                move_from(container, "secrets", "environment", entries, notes);
                return upsert(container, "environment", "value", entries);
            }
            Self::Secrets(entries) => {
                move_from(container, "environment", "secrets", entries, notes);
                return upsert(container, "secrets", "valueFrom", entries);
            }
            Self::DockerLabels(entries) => return label(container, entries),
        }
        Ok(())
    }
}

impl Log {
    fn to_json(&self) -> Json {
        let mut log = json!({ "logDriver": self.driver });
        if !self.options.is_empty() {
            let options = self.options.iter().map(|(k, v)| (k.clone(), v.as_str().into()));
            log["options"] = Json::Object(options.collect());
        }
        if !self.secret_options.is_empty() {
            let entry = |(name, from): &(String, String)| entry(name, "valueFrom", from);
            log["secretOptions"] = self.secret_options.iter().map(entry).collect();
        }
        log
    }
}

fn entry(name: &str, key: &str, value: &str) -> Json {
    json!({ "name": name, key: value })
}

/// Sets entries of a list by their names: one that is there is changed in its place.
fn upsert(
    container: &mut Map<String, Json>,
    list: &str,
    key: &str,
    entries: &[(String, String)],
) -> Result<(), String> {
    if entries.is_empty() {
        return Ok(());
    }
    let items = match part(container, list, json!([])) {
        Json::Array(items) => items,
        other => return unfit(list, "list", other),
    };
    for (name, value) in entries {
        let mut is_there = false;
        // Readers may take the first or the last of several with one name.
        for item in items.iter_mut().filter(|item| item["name"] == **name) {
            item[key] = value.as_str().into();
            is_there = true;
        }
        if !is_there {
            items.push(entry(name, key, value));
        }
    }
    Ok(())
}

fn label(container: &mut Map<String, Json>, entries: &[(String, String)]) -> Result<(), String> {
    let labels = match part(container, "dockerLabels", json!({})) {
        Json::Object(labels) => labels,
        other => return unfit("dockerLabels", "map", other),
    };
    labels.extend(entries.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
    Ok(())
}

/// A part of a container; `empty` where it has none.
fn part<'a>(container: &'a mut Map<String, Json>, key: &str, empty: Json) -> &'a mut Json {
    let part = container.entry(key).or_insert(Json::Null);
    if part.is_null() {
        *part = empty;
    }
    part
}

/// The part is something else, unless it is not known yet.
fn unfit(key: &str, wanted: &str, part: &Json) -> Result<(), String> {
    match part.as_str() {
        Some(text) if text.contains(UNKNOWN) => Ok(()),
        _ => Err(format!("`{key}` of the container is no {wanted}, so that nothing can be put in")),
    }
}

/// A name may stand in one of the two lists only.
fn move_from(
    container: &mut Map<String, Json>,
    from: &str,
    to: &str,
    entries: &[(String, String)],
    notes: &mut Vec<String>,
) {
    let owner = container.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
    let Some(Json::Array(items)) = container.get_mut(from) else { return };
    for (name, _) in entries {
        let before = items.len();
        items.retain(|item| item["name"] != **name);
        if items.len() < before {
            notes.push(format!(
                "`{name}` of the container `{owner}` was under `{from}`, and is under `{to}` now"
            ));
        }
    }
}

#[cfg(test)]
mod tests;
