//! Ports and names in the network mode of the task.

use std::collections::BTreeMap;

use super::{Task, called};
use crate::codes::name as code;
use crate::finding::Sink;
use crate::value::Value;

pub(super) fn check(task: &Task<'_>, sink: &mut Sink<'_>) {
    // Without its own word, Fargate's mode is told already.
    let Some(mode) = task.network else { return };
    let mode =
        if task.is_fargate && task.root.get("networkMode").is_none() { "awsvpc" } else { mode };
    for container in &task.containers {
        check_keys(container, mode, sink);
        for mapping in container.list("portMappings") {
            check_mapping(mapping, mode, sink);
        }
    }
    if matches!(mode, "awsvpc" | "host") {
        check_twice(task, sink);
    }
}

/// Host and container share their ports in these modes ([PortMapping]).
///
/// [PortMapping]: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html
fn check_mapping(mapping: &Value, mode: &str, sink: &mut Sink<'_>) {
    if mode == "none" {
        let message = "with the network mode `none` there are no ports";
        return sink.tell(code::NETWORK_PORTS, &mapping.range, message, "take the mapping away");
    }
    let (Some(value), Some(port)) = (mapping.get("hostPort"), mapping.integer_of("containerPort"))
    else {
        return;
    };
    // A 0 is what clients send where nothing is said.
    let is_other = |host: &i64| *host != 0 && *host != port;
    if matches!(mode, "awsvpc" | "host")
        && let Some(host) = value.integer().filter(is_other)
    {
        let message = format!(
            "`hostPort` is {host} and `containerPort` {port}; with `{mode}` they are the same"
        );
        let fix = "leave `hostPort` out";
        sink.tell(code::NETWORK_PORTS, &value.range, message, fix);
    }
}

/// What a container may not say in some modes ([ContainerDefinition]).
///
/// [ContainerDefinition]: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
fn check_keys(container: &Value, mode: &str, sink: &mut Sink<'_>) {
    let refused: &[(&str, &str)] = match mode {
        "awsvpc" => &[
            ("links", "containers of a task reach each other at `localhost`"),
            ("hostname", "take it away"),
            ("extraHosts", "take it away"),
        ],
        "host" | "none" => &[("links", "take it away")],
        _ => &[],
    };
    for (key, fix) in refused {
        let Some(entry) = container.entry(key).filter(|entry| entry.value.says_something()) else {
            continue;
        };
        let message = format!(
            "{} has `{key}`, which the network mode `{mode}` does not take",
            called(container)
        );
        sink.tell(code::NETWORK_MODE, &entry.key_range, message, *fix);
    }
}

/// Containers of a task share one network, so that a port has room for one of them.
fn check_twice(task: &Task<'_>, sink: &mut Sink<'_>) {
    let mut seen: BTreeMap<(i64, &str), &Value> = BTreeMap::new();
    for container in &task.containers {
        for mapping in container.list("portMappings") {
            let Some(port) = mapping.get("containerPort") else { continue };
            let Some(number) = port.integer() else { continue };
            let protocol = mapping.text_of("protocol").unwrap_or("tcp");
            match seen.get(&(number, protocol)) {
                Some(other) if !std::ptr::eq(*other, *container) => {
                    let message = format!(
                        "{} and {} both listen on port {number}",
                        called(other),
                        called(container)
                    );
                    let fix = "containers of this task share one network: give one another port";
                    sink.tell(code::PORT_TWICE, &port.range, message, fix);
                }
                _ => drop(seen.insert((number, protocol), container)),
            }
        }
    }
}
