//! Numbers in their ranges, and sizes.

use super::Task;
use crate::codes::name as code;
use crate::finding::Sink;
use crate::value::Value;

/// Bytes of a task definition ([quotas]).
///
/// [quotas]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
const MOST_BYTES: usize = 65_536;

/// A number of a container, where it stands and what it may be ([ContainerDefinition], [HealthCheck]).
///
/// [ContainerDefinition]: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
/// [HealthCheck]: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
const RANGES: [(&[&str], i64, i64, Scope); 12] = [
    (&["healthCheck", "interval"], 5, 300, Scope::All),
    (&["healthCheck", "timeout"], 2, 60, Scope::All),
    (&["healthCheck", "retries"], 1, 10, Scope::All),
    (&["healthCheck", "startPeriod"], 0, 300, Scope::All),
    (&["restartPolicy", "restartAttemptPeriod"], 60, 1800, Scope::All),
    (&["startTimeout"], 2, 120, Scope::Fargate),
    (&["stopTimeout"], 2, 120, Scope::Fargate),
    (&["linuxParameters", "swappiness"], 0, 100, Scope::All),
    (&["portMappings", "containerPort"], 1, 65_535, Scope::All),
    (&["portMappings", "hostPort"], 0, 65_535, Scope::All),
    // Docker takes nothing below.
    (&["memory"], 4, i64::MAX, Scope::All),
    (&["memoryReservation"], 4, i64::MAX, Scope::All),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    All,
    Fargate,
}

pub(super) fn check(task: &Task<'_>, sink: &mut Sink<'_>) {
    for container in &task.containers {
        for (path, least, most, scope) in RANGES {
            if scope == Scope::All || task.is_fargate {
                check_range(container, path, (least, most), sink);
            }
        }
    }
    if task.is_fargate {
        check_range(task.root, &["ephemeralStorage", "sizeInGiB"], (21, 200), sink);
    }
    let size = task.root.compact_size();
    if size > MOST_BYTES {
        let range = task.root.range.start..task.root.range.start + 1;
        let message =
            format!("the task definition has {size} bytes; ECS takes {MOST_BYTES} at most");
        let fix = "move values to SSM parameters, or to a file that `environmentFiles` names";
        sink.tell(code::TASKDEF_SIZE, &range, message, fix);
    }
    for (key, most) in [("environmentFiles", 10), ("credentialSpecs", 1)] {
        for container in &task.containers {
            if let Some(more) = container.list(key).nth(most) {
                let message = format!("`{key}` has more than {most}");
                sink.tell(code::TASKDEF_RANGE, &more.range, message, "take some away");
            }
        }
    }
}

fn check_range(parent: &Value, path: &[&str], limits: (i64, i64), sink: &mut Sink<'_>) {
    let Some((key, rest)) = path.split_first() else { return };
    let Some(value) = parent.get(key) else { return };
    if !rest.is_empty() {
        let is_list = !value.items().is_empty();
        let parents = if is_list { value.items() } else { std::slice::from_ref(value) };
        return parents.iter().for_each(|parent| check_range(parent, rest, limits, sink));
    }
    let (least, most) = limits;
    let Some(number) = value.integer().filter(|number| !(least..=most).contains(number)) else {
        return;
    };
    let rule =
        if most == i64::MAX { format!("at least {least}") } else { format!("{least} to {most}") };
    let message = format!("`{key}` is {number}; ECS takes {rule}");
    sink.tell(code::TASKDEF_RANGE, &value.range, message, format!("write a number of {rule}"));
}
