//! A task definition: what ECS takes, and what would fail when it starts.

mod containers;
mod environment;
mod fargate;
mod image;
mod limits;
mod logs;
mod names;
mod network;
mod process;
mod references;
mod roles;
mod secrets;
mod volumes;

use crate::codes::name as code;
use crate::finding::Sink;
use crate::model;
use crate::value::{Data, Value};

pub use containers::{cpu_units, mebibytes};
pub(crate) use image::{check_reference, is_placeholder, references as image_references};

/// A task definition with the parts that many rules ask for.
pub(crate) struct Task<'a> {
    pub(crate) root: &'a Value,
    pub(crate) containers: Vec<&'a Value>,
    /// It is to run on Fargate.
    is_fargate: bool,
    /// Its network mode, if it is known; `bridge` where it says nothing.
    network: Option<&'a str>,
}

impl<'a> Task<'a> {
    /// `root` is the file, or what its wrapper holds.
    pub(crate) fn new(root: &'a Value) -> Self {
        let is_fargate =
            root.list("requiresCompatibilities").any(|it| it.text() == Some("FARGATE"));
        let network = match root.get("networkMode") {
            Some(value) => value.text(),
            None => Some("bridge"),
        };
        Self { root, containers: root.list("containerDefinitions").collect(), is_fargate, network }
    }

    /// The names of its containers; nothing if one of them is not known.
    pub(crate) fn container_names(&self) -> Option<Vec<&'a str>> {
        let list = self.root.get("containerDefinitions")?;
        if matches!(list.data, Data::Unknown) {
            return None;
        }
        self.containers.iter().map(|container| container.text_of("name")).collect()
    }

    pub(crate) fn container(&self, name: &str) -> Option<&'a Value> {
        self.containers.iter().copied().find(|container| container.text_of("name") == Some(name))
    }
}

/// The task definition itself, out of the wrapper that `describe-task-definition` puts around it.
pub(crate) fn unwrap(root: &Value) -> &Value {
    match root.get("taskDefinition") {
        Some(inner)
            if root.get("containerDefinitions").is_none() && !inner.entries().is_empty() =>
        {
            inner
        }
        _ => root,
    }
}

/// Everything that is wrong in a task definition by itself.
pub(crate) fn check(file: &Value, sink: &mut Sink<'_>) {
    let root = unwrap(file);
    if let Some(entry) = file.entry("taskDefinition").filter(|_| !std::ptr::eq(root, file)) {
        let message = "the task definition is wrapped in `taskDefinition`";
        let fix = "keep only what the wrapper holds: `--query taskDefinition` prints it so";
        sink.tell(code::TASKDEF_WRAPPER, &entry.key_range, message, fix);
    }
    model::validate(root, sink);
    let task = Task::new(root);
    limits::check(&task, sink);
    names::check(&task, sink);
    containers::check(&task, sink);
    references::check(&task, sink);
    volumes::check(&task, sink);
    network::check(&task, sink);
    fargate::check(&task, sink);
    roles::check(&task, sink);
    for container in &task.containers {
        image::check(container, sink);
        secrets::check(container, sink);
        environment::check(container, sink);
        process::check(container, sink);
    }
    logs::check(&task, sink);
}

/// How a container is called in a message.
fn called(container: &Value) -> String {
    match container.text_of("name") {
        Some(name) => format!("container `{name}`"),
        None => "a container".into(),
    }
}
