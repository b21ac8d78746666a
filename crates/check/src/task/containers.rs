//! Containers beside each other: their number, names, and what they share.

use std::collections::BTreeSet;

use super::{Task, called};
use crate::codes::name as code;
use crate::finding::Sink;
use crate::value::{Data, Value};

/// Containers of a task definition ([quotas]).
///
/// [quotas]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
const MOST: usize = 10;

pub(super) fn check(task: &Task<'_>, sink: &mut Sink<'_>) {
    check_count(task, sink);
    check_names(task, sink);
    check_memory(task, sink);
    check_sums(task, sink);
}

fn check_count(task: &Task<'_>, sink: &mut Sink<'_>) {
    let Some(list) = task.root.get("containerDefinitions") else { return };
    if let Some(more) = task.containers.get(MOST) {
        let message =
            format!("there are {} containers; a task has {MOST} at most", task.containers.len());
        let fix = "move some to a task definition of their own";
        return sink.tell(code::CONTAINER_COUNT, &more.range, message, fix);
    }
    if task.containers.is_empty() && matches!(list.data, Data::List(_)) {
        let message = "there is no container";
        return sink.tell(code::CONTAINER_COUNT, &list.range, message, "add one");
    }
    let is_inessential = |container: &&Value| {
        container.get("essential").is_some_and(|it| it.data == Data::Bool(false))
    };
    if !task.containers.is_empty() && task.containers.iter().all(is_inessential) {
        let first = task.containers[0].get("essential").map_or(&list.range, |it| &it.range);
        let message = "no container is essential";
        let fix =
            "the task ends with its essential container: take `\"essential\": false` from one";
        sink.tell(code::CONTAINER_ESSENTIAL, first, message, fix);
    }
}

fn check_names(task: &Task<'_>, sink: &mut Sink<'_>) {
    let mut seen = BTreeSet::new();
    for container in &task.containers {
        let Some(name) = container.get("name") else { continue };
        if let Some(text) = name.text().filter(|text| !seen.insert(*text)) {
            let message = format!("two containers have the name `{text}`");
            sink.tell(code::CONTAINER_TWICE, &name.range, message, "give each its own name");
        }
    }
}

/// A container has a limit of its own, or the task has one ([memory]).
///
/// [memory]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html#container_definition_memory
fn check_memory(task: &Task<'_>, sink: &mut Sink<'_>) {
    for container in &task.containers {
        let (limit, reserved) = (container.get("memory"), container.get("memoryReservation"));
        let is_map = !container.entries().is_empty();
        if is_map && task.root.get("memory").is_none() && limit.is_none() && reserved.is_none() {
            // On Fargate the task's own size is asked for already.
            if !task.is_fargate {
                let range = container.range.start..container.range.start + 1;
                let message = format!(
                    "neither {} nor the task says how much memory it gets",
                    called(container)
                );
                let fix = "add `memory` or `memoryReservation` to the container, in MiB";
                sink.tell(code::CONTAINER_MEMORY, &range, message, fix);
            }
        }
        let numbers = (limit.and_then(Value::integer), reserved.and_then(Value::integer));
        if let ((Some(limit), Some(reserved)), Some(value)) = (numbers, reserved)
            && reserved > limit
        {
            let message =
                format!("`memoryReservation` is {reserved}, more than the limit of {limit}");
            let fix = "reserve less than `memory`, at which the container is ended";
            sink.tell(code::CONTAINER_MEMORY, &value.range, message, fix);
        }
    }
}

/// What containers reserve fits into what the task has ([sizes]).
///
/// [sizes]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html#task_size
fn check_sums(task: &Task<'_>, sink: &mut Sink<'_>) {
    for (key, unit, of_task) in [
        ("cpu", "units", task.root.text_of("cpu").and_then(cpu_units)),
        ("memory", "MiB", task.root.text_of("memory").and_then(mebibytes)),
    ] {
        // On Fargate, what is no size is told as that.
        let of_task = of_task.filter(|most| *most > 0 || !task.is_fargate);
        let Some(most) = of_task else { continue };
        let reserved = |container: &&&Value| match key {
            "memory" => container.integer_of("memoryReservation").or(container.integer_of(key)),
            key => container.integer_of(key),
        };
        let sum: i64 = task.containers.iter().filter_map(|it| reserved(&it)).sum();
        let Some(value) = task.root.get(key) else { continue };
        if sum > most {
            let message =
                format!("the containers reserve {sum} {unit} of {key}, and the task has {most}");
            let fix = format!("raise the task's `{key}`, or let containers reserve less");
            sink.tell(code::CONTAINER_SUM, &value.range, message, fix);
            continue;
        }
        for container in &task.containers {
            let Some(own) = container.get(key) else { continue };
            if let Some(number) = own.integer().filter(|number| *number > most) {
                let message = format!(
                    "{} has {number} {unit} of {key}, and the task {most}",
                    called(container)
                );
                sink.tell(
                    code::CONTAINER_SUM,
                    &own.range,
                    message,
                    format!("give it {most} at most"),
                );
            }
        }
    }
}

/// CPU units from `256`, `.25 vCPU` or `1 vcpu`.
#[must_use]
pub fn cpu_units(text: &str) -> Option<i64> {
    let lower = text.trim().to_lowercase();
    match lower.strip_suffix("vcpu") {
        Some(number) => scaled(number.trim()),
        None => lower.parse().ok(),
    }
}

/// MiB from `512`, `1GB`, `0.5 GB`.
#[must_use]
pub fn mebibytes(text: &str) -> Option<i64> {
    let lower = text.trim().to_lowercase();
    match lower.strip_suffix("gb") {
        Some(number) => scaled(number.trim()),
        None => lower.parse().ok(),
    }
}

/// 1024 times a number such as `.25`.
fn scaled(number: &str) -> Option<i64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let digits = u32::try_from(part.len()).ok().filter(|digits| *digits <= 6)?;
    let part: i64 = if part.is_empty() { 0 } else { part.parse().ok()? };
    whole.checked_mul(1024)?.checked_add(part * 1024 / 10_i64.pow(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_may_be_written_in_units_or_in_words() {
        assert_eq!(cpu_units(".25 vCPU"), Some(256));
        assert_eq!(cpu_units("1vcpu"), Some(1024));
        assert_eq!(cpu_units("512"), Some(512));
        assert_eq!(mebibytes("0.5 GB"), Some(512));
        assert_eq!(mebibytes("30GB"), Some(30_720));
        assert_eq!((mebibytes("much"), cpu_units("1 cpu")), (None, None));
    }
}
