//! Volumes, and who mounts them.

use std::collections::BTreeSet;

use super::Task;
use crate::codes::name as code;
use crate::finding::Sink;
use crate::nearest::slip;
use crate::value::{Data, Value};

pub(super) fn check(task: &Task<'_>, sink: &mut Sink<'_>) {
    let mut names = BTreeSet::new();
    for volume in task.root.list("volumes") {
        let Some(name) = volume.get("name") else { continue };
        let Some(text) = name.text() else { continue };
        if !names.insert(text) {
            let message = format!("two volumes have the name `{text}`");
            sink.tell(code::VOLUME_TWICE, &name.range, message, "give each its own name");
        }
    }
    let volumes = task.root.get("volumes");
    let is_known = volumes.is_none_or(|volumes| {
        volumes.data != Data::Unknown
            && volumes.items().iter().all(|it| it.get("name").is_none_or(|it| it.text().is_some()))
    });
    if !is_known {
        return;
    }
    for mount in task.containers.iter().flat_map(|container| container.list("mountPoints")) {
        let Some(value) = mount.get("sourceVolume") else { continue };
        if let Some(text) = value.text().filter(|text| !names.contains(text)) {
            unknown(value, text, &names, sink);
        }
    }
}

fn unknown(value: &Value, name: &str, names: &BTreeSet<&str>, sink: &mut Sink<'_>) {
    let message = format!("no volume has the name `{name}`");
    let fix = match slip(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => format!("add `\"volumes\": [{{\"name\": \"{name}\"}}]`"),
        None => format!("there is {}", names.iter().copied().collect::<Vec<_>>().join(", ")),
    };
    sink.tell(code::VOLUME_UNKNOWN, &value.range, message, fix);
}
