//! Containers that name each other.

use std::collections::{BTreeMap, BTreeSet};

use super::{Task, called};
use crate::codes::name as code;
use crate::finding::Sink;
use crate::nearest::slip;
use crate::value::{Data, Value};

pub(super) fn check(task: &Task<'_>, sink: &mut Sink<'_>) {
    if let Some(names) = task.container_names() {
        for container in &task.containers {
            let depends = container.list("dependsOn").filter_map(|it| it.get("containerName"));
            let volumes = container.list("volumesFrom").filter_map(|it| it.get("sourceContainer"));
            for value in depends.chain(volumes) {
                if let Some(text) = value.text() {
                    check_name(value, text, &names, sink);
                }
            }
            for link in container.list("links") {
                if let Some(text) = link.text() {
                    check_name(link, text.split(':').next().unwrap_or(text), &names, sink);
                }
            }
        }
        let proxy = task.root.get("proxyConfiguration").and_then(|it| it.get("containerName"));
        if let Some((value, text)) = proxy.and_then(|value| Some((value, value.text()?))) {
            check_name(value, text, &names, sink);
        }
    }
    for container in &task.containers {
        for dependency in container.list("dependsOn") {
            check_condition(task, dependency, sink);
        }
    }
    check_cycles(task, sink);
    check_mesh(task, sink);
}

fn check_name(value: &Value, name: &str, names: &[&str], sink: &mut Sink<'_>) {
    if names.contains(&name) {
        return;
    }
    let message = format!("no container has the name `{name}`");
    let fix = match slip(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there is {}", names.join(", ")),
    };
    sink.tell(code::CONTAINER_REFERENCE, &value.range, message, fix);
}

/// What a container can wait for ([ContainerDependency]).
///
/// [ContainerDependency]: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html
fn check_condition(task: &Task<'_>, dependency: &Value, sink: &mut Sink<'_>) {
    let Some(value) = dependency.get("condition") else { return };
    let Some(name) = dependency.text_of("containerName") else { return };
    let (Some(condition), Some(other)) = (value.text(), task.container(name)) else { return };
    match condition {
        "HEALTHY" if other.get("healthCheck").is_none() => {
            let message = format!("`{name}` has no `healthCheck`, so that it never gets healthy");
            let fix = format!("add a `healthCheck` to `{name}`: that of its image does not count");
            sink.tell(code::DEPENDS_CONDITION, &value.range, message, fix);
        }
        "COMPLETE" | "SUCCESS" if is_essential(other) => {
            let message = format!("`{name}` is essential, so that the task ends when it does");
            let fix = format!("set `\"essential\": false` in `{name}`");
            sink.tell(code::DEPENDS_CONDITION, &value.range, message, fix);
        }
        _ => {}
    }
}

fn is_essential(container: &Value) -> bool {
    container.get("essential").is_none_or(Value::is_true)
}

fn check_cycles(task: &Task<'_>, sink: &mut Sink<'_>) {
    let mut waits: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for container in &task.containers {
        let Some(name) = container.text_of("name") else { continue };
        let names = container.list("dependsOn").filter_map(|it| it.text_of("containerName"));
        waits.entry(name).or_default().extend(names);
    }
    let mut told = BTreeSet::new();
    for container in &task.containers {
        let Some(name) = container.text_of("name") else { continue };
        let Some(cycle) = cycle(name, &waits) else { continue };
        if told.insert(BTreeSet::from_iter(cycle.clone())) {
            let range = container.get("dependsOn").map_or(&container.range, |it| &it.range);
            let message =
                format!("{} waits for itself: {} → {name}", called(container), cycle.join(" → "));
            let fix = "take one `dependsOn` away";
            sink.tell(code::DEPENDS_CYCLE, range, message, fix);
        }
    }
}

/// The way from a container back to itself.
fn cycle<'a>(start: &'a str, waits: &BTreeMap<&'a str, Vec<&'a str>>) -> Option<Vec<&'a str>> {
    let mut open = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while let Some(path) = open.pop() {
        let last = path.last()?;
        for next in waits.get(last).into_iter().flatten() {
            if *next == start {
                return Some(path);
            }
            if seen.insert(*next) {
                let mut longer = path.clone();
                longer.push(next);
                open.push(longer);
            }
        }
    }
    None
}

/// App Mesh has ended, and its proxy with it ([App Mesh]).
///
/// [App Mesh]: https://docs.aws.amazon.com/app-mesh/latest/userguide/what-is-app-mesh.html
fn check_mesh(task: &Task<'_>, sink: &mut Sink<'_>) {
    if let Some(entry) = task.root.entry("proxyConfiguration")
        && entry.value.data != Data::Null
    {
        let message = "App Mesh, which `proxyConfiguration` is for, ended on 2026-09-30";
        let fix = "take it and the Envoy container away; ECS Service Connect does the same";
        sink.tell(code::APP_MESH, &entry.key_range, message, fix);
    }
}
