//! The container and port that an AppSpec sends traffic to.

use super::{beside, of_kind};
use crate::codes::name as code;
use crate::file::{File, Kind, Role};
use crate::finding::Finding;
use crate::nearest::slip;
use crate::task::{Task, unwrap};
use crate::value::{Data, Value};

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut found = Vec::new();
    for role in [Role::Artifact, Role::Source] {
        for (file, root) in of_kind(files, Kind::AppSpec, role) {
            let tasks = beside(file, Kind::TaskDefinition, files);
            let tasks: Vec<_> =
                tasks.into_iter().map(|(_, root)| Task::new(unwrap(root))).collect();
            if !tasks.is_empty() {
                found.extend(check_app_spec(file, root, &tasks));
            }
        }
    }
    found
}

fn check_app_spec(file: &File, root: &Value, tasks: &[Task<'_>]) -> Option<Finding> {
    let resources = root.get("Resources").or(root.get("resources"))?;
    let properties = resources.items().first()?.get("TargetService")?.get("Properties")?;
    // An ARN that is written out names a revision that is not ours.
    if properties.text_of("TaskDefinition").is_some_and(|text| text.starts_with("arn:")) {
        return None;
    }
    let info = properties.get("LoadBalancerInfo")?;
    let value = info.get("ContainerName")?;
    let name = value.text()?;
    let mut names = Vec::new();
    for task in tasks {
        names.extend(task.container_names()?);
    }
    if !names.contains(&name) {
        let message = format!("the task definition has no container `{name}`");
        let fix = match slip(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", names.join(", ")),
        };
        return Some(file.finding(code::AGREE_CONTAINER, &value.range, message, fix));
    }
    check_port(file, info, name, tasks)
}

fn check_port(file: &File, info: &Value, name: &str, tasks: &[Task<'_>]) -> Option<Finding> {
    let value = info.get("ContainerPort")?;
    let port = value.integer().or_else(|| value.text()?.parse().ok())?;
    let mut ports = Vec::new();
    for container in tasks.iter().filter_map(|task| task.container(name)) {
        ports.extend(ports_of(container)?);
    }
    if ports.contains(&port) {
        return None;
    }
    let message = format!("the container `{name}` has no port {port}");
    let fix = match ports.as_slice() {
        [] => format!("add `\"portMappings\": [{{\"containerPort\": {port}}}]` to it"),
        ports => {
            format!("it has {}", ports.iter().map(i64::to_string).collect::<Vec<_>>().join(", "))
        }
    };
    Some(file.finding(code::AGREE_PORT, &value.range, message, fix))
}

/// The ports of a container; nothing if one of them is not known.
fn ports_of(container: &Value) -> Option<Vec<i64>> {
    if container.get("portMappings").is_some_and(|list| list.data == Data::Unknown) {
        return None;
    }
    container
        .list("portMappings")
        .map(|mapping| {
            let port = mapping.get("containerPort")?;
            // A number in quotes is told already.
            port.integer().or_else(|| port.text()?.parse().ok())
        })
        .collect()
}
