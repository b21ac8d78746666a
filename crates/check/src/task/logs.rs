//! Where a container's output goes.

use super::{Task, called};
use crate::codes::name as code;
use crate::finding::Sink;
use crate::nearest::slip;
use crate::value::{Data, Value};

/// What `awslogs` takes ([awslogs]).
///
/// [awslogs]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html
const OPTIONS: [&str; 10] = [
    "awslogs-create-group",
    "awslogs-region",
    "awslogs-endpoint",
    "awslogs-group",
    "awslogs-stream-prefix",
    "awslogs-stream",
    "awslogs-datetime-format",
    "awslogs-multiline-pattern",
    "mode",
    "max-buffer-size",
];

pub(super) fn check(task: &Task<'_>, sink: &mut Sink<'_>) {
    let has_router =
        task.containers.iter().any(|container| container.get("firelensConfiguration").is_some());
    for container in &task.containers {
        let Some(logs) = container.get("logConfiguration") else { continue };
        let Some(driver) = logs.get("logDriver") else { continue };
        match driver.text() {
            Some("awslogs") => check_options(container, logs, driver, task.is_fargate, sink),
            Some("awsfirelens") if !has_router => {
                let message = format!(
                    "{} logs through FireLens, and no container is its router",
                    called(container)
                );
                let fix = "add a container with `firelensConfiguration`";
                sink.tell(code::FIRELENS_MISSING, &driver.range, message, fix);
            }
            _ => {}
        }
    }
}

fn check_options(
    container: &Value,
    logs: &Value,
    driver: &Value,
    is_fargate: bool,
    sink: &mut Sink<'_>,
) {
    let options = logs.get("options");
    if options.is_some_and(|options| options.data == Data::Unknown) {
        return;
    }
    let entries = options.map_or(&[] as &[_], Value::entries);
    for entry in entries {
        if OPTIONS.contains(&&*entry.key) {
            continue;
        }
        if let Some(near) = slip(&entry.key, OPTIONS) {
            let message = format!("`awslogs` has no option `{}`", entry.key);
            sink.tell(code::LOG_OPTIONS, &entry.key_range, message, format!("write `{near}`"));
        }
    }
    let needed: &[&str] = if is_fargate {
        &["awslogs-group", "awslogs-region", "awslogs-stream-prefix"]
    } else {
        &["awslogs-group", "awslogs-region"]
    };
    for key in needed {
        let is_there = |name: &str| name == *key || slip(name, [*key]).is_some();
        if !entries.iter().any(|entry| is_there(&entry.key)) {
            let message = format!("`awslogs` needs `{key}` in {}", called(container));
            sink.tell(
                code::LOG_OPTIONS,
                &driver.range,
                message,
                format!("add `{key}` to its `options`"),
            );
        }
    }
}
