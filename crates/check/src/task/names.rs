//! Names, and what must be there though the model does not say so.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::{Task, called};
use crate::codes::name as code;
use crate::finding::Sink;
use crate::value::Value;

/// Of families, containers and volumes ([ContainerDefinition]).
///
/// [ContainerDefinition]: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("^[A-Za-z0-9_-]{1,255}$").ok());

/// Of port mappings ([PortMapping]).
///
/// [PortMapping]: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html
static PORT_NAME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("^[a-z0-9_][a-z0-9_-]{0,63}$").ok());

const LETTERS: &str = "up to 255 letters, digits, `-` and `_`";

pub(super) fn check(task: &Task<'_>, sink: &mut Sink<'_>) {
    check_name(task.root.get("family"), "the family", &NAME, LETTERS, sink);
    for container in &task.containers {
        for key in ["name", "image"] {
            if container.get(key).is_none() && !container.entries().is_empty() {
                let range = container.range.start..container.range.start + 1;
                let message = format!("{} has no `{key}`", called(container));
                sink.tell(code::TASKDEF_REQUIRED, &range, message, format!("add `{key}`"));
            }
        }
        check_name(container.get("name"), "the container", &NAME, LETTERS, sink);
        for mapping in container.list("portMappings") {
            let rule = "up to 64 lower-case letters, digits, `-` and `_`, no `-` first";
            check_name(mapping.get("name"), "the port", &PORT_NAME, rule, sink);
        }
    }
    for volume in task.root.list("volumes") {
        check_name(volume.get("name"), "the volume", &NAME, LETTERS, sink);
    }
    check_tags(task, sink);
}

fn check_name(
    name: Option<&Value>,
    what: &str,
    pattern: &LazyLock<Option<Regex>>,
    rule: &str,
    sink: &mut Sink<'_>,
) {
    let Some((value, text)) = name.and_then(|value| Some((value, value.text()?))) else { return };
    // Some clients leave an empty text out.
    if text.is_empty() && what == "the port" {
        return;
    }
    if pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text)) {
        let message = format!("`{text}` is no name for {what}");
        sink.tell(code::TASKDEF_NAME, &value.range, message, format!("a name has {rule}"));
    }
}

/// Keys are unique, and `aws:` is AWS's own ([Tag]).
///
/// [Tag]: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html
fn check_tags(task: &Task<'_>, sink: &mut Sink<'_>) {
    const MOST: usize = 50;
    let mut seen = BTreeSet::new();
    for tag in task.root.list("tags") {
        let Some((value, key)) = tag.get("key").and_then(|key| Some((key, key.text()?))) else {
            continue;
        };
        if key.to_lowercase().starts_with("aws:") {
            let message = format!("the tag `{key}` begins with `aws:`, which is AWS's own");
            sink.tell(code::TASKDEF_TAGS, &value.range, message, "take another beginning");
        }
        if !seen.insert(key) {
            let message = format!("the tag `{key}` is there twice");
            sink.tell(code::TASKDEF_TAGS, &value.range, message, "keep one of them");
        }
        let too_long = [("key", 128), ("value", 256)];
        for (part, most) in too_long {
            let Some(value) = tag.get(part) else { continue };
            if value.text().is_some_and(|text| text.chars().count() > most) {
                let message = format!("the {part} of a tag has more than {most} characters");
                sink.tell(code::TASKDEF_TAGS, &value.range, message, "shorten it");
            }
        }
    }
    if let Some(more) = task.root.list("tags").nth(MOST) {
        let message = format!("there are more than {MOST} tags");
        sink.tell(code::TASKDEF_TAGS, &more.range, message, "take some away");
    }
}
