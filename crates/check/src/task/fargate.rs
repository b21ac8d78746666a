//! What Fargate asks for and what it does not have ([Fargate]).
//!
//! [Fargate]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html

use super::containers::{cpu_units, mebibytes};
use super::{Task, called};
use crate::codes::name as code;
use crate::finding::Sink;
use crate::value::{Data, Value};

/// CPU units, and the MiB of memory that go with them: from, to, in steps of ([sizes]). 32 vCPU have
/// three sizes of their own.
///
/// [sizes]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
const SIZES: [(i64, i64, i64, i64); 7] = [
    (256, 512, 2048, 512),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16_384, 1024),
    (4096, 8192, 30_720, 1024),
    (8192, 16_384, 61_440, 4096),
    (16_384, 32_768, 122_880, 8192),
];

/// 32 vCPU, and what goes with them.
const LARGEST: (i64, [i64; 3]) = (32_768, [61_440, 122_880, 249_856]);

/// Drivers that send logs on ([LogConfiguration]).
///
/// [LogConfiguration]: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LogConfiguration.html
const LOG_DRIVERS: [&str; 3] = ["awslogs", "splunk", "awsfirelens"];

pub(super) fn check(task: &Task<'_>, sink: &mut Sink<'_>) {
    if !task.is_fargate {
        return;
    }
    check_network(task, sink);
    check_size(task, sink);
    check_task(task, sink);
    for container in &task.containers {
        check_container(container, sink);
    }
}

fn start(value: &Value) -> std::ops::Range<usize> {
    value.range.start..value.range.start + 1
}

fn check_network(task: &Task<'_>, sink: &mut Sink<'_>) {
    let fix = "write `\"networkMode\": \"awsvpc\"`";
    match task.root.get("networkMode") {
        None => {
            let message = "Fargate needs the network mode `awsvpc`, and there is none";
            sink.tell(code::FARGATE_NETWORK, &start(task.root), message, fix);
        }
        Some(value) => {
            if let Some(mode) = value.text().filter(|mode| *mode != "awsvpc") {
                let message = format!("Fargate has no network mode `{mode}`");
                sink.tell(code::FARGATE_NETWORK, &value.range, message, fix);
            }
        }
    }
}

fn check_size(task: &Task<'_>, sink: &mut Sink<'_>) {
    for key in ["cpu", "memory"] {
        if task.root.get(key).is_none() {
            let message = format!("Fargate needs `{key}` of the whole task");
            let fix =
                if key == "cpu" { "add `\"cpu\": \"256\"`" } else { "add `\"memory\": \"512\"`" };
            sink.tell(code::FARGATE_SIZE, &start(task.root), message, fix);
        }
    }
    let wrong: Vec<_> = SIZE_KEYS.iter().filter_map(|key| wrong_size(task, key)).collect();
    for (value, message, fix) in &wrong {
        sink.tell(code::FARGATE_SIZE, &value.range, message.clone(), *fix);
    }
    let (Some(cpu), Some(memory), true) =
        (task.root.get("cpu"), task.root.get("memory"), wrong.is_empty())
    else {
        return;
    };
    let units = amount(cpu, cpu_units);
    let (Some(units), Some(mib)) = (units, amount(memory, mebibytes)) else { return };
    if units == LARGEST.0 {
        return;
    }
    let Some((_, least, most, step)) = SIZES.iter().find(|size| size.0 == units) else {
        let message =
            format!("Fargate, as it is known here, has no size with {units} units of cpu");
        let sizes: Vec<_> = SIZES.iter().map(|size| size.0.to_string()).collect();
        let fix = format!("it has {} and {}", sizes.join(", "), LARGEST.0);
        return sink.tell(code::FARGATE_SIZE_UNKNOWN, &cpu.range, message, fix);
    };
    if mib < *least || mib > *most || mib % step != 0 {
        let message =
            format!("Fargate has no size with {units} units of cpu and {mib} MiB of memory");
        let fix = format!("with this `cpu`, `memory` is {least} to {most} in steps of {step}");
        sink.tell(code::FARGATE_SIZE, &memory.range, message, fix);
    }
}

/// A key of a size, how it is read, and what to write.
type SizeKey = (&'static str, fn(&str) -> Option<i64>, &'static str);

/// The sizes of a task ([sizes]).
///
/// [sizes]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html#task_size
const SIZE_KEYS: [SizeKey; 2] = [
    ("cpu", cpu_units, "write units, such as `256`, or `0.25 vCPU`"),
    ("memory", mebibytes, "write MiB, such as `512`, or `0.5 GB`"),
];

/// A text that is no size, whatever else the task says: why, and what to write.
fn wrong_size<'t>(
    task: &Task<'t>,
    (key, read, fix): &SizeKey,
) -> Option<(&'t Value, String, &'static str)> {
    let value = task.root.get(key)?;
    let text = value.text()?;
    let message = match read(text) {
        Some(size) if size > 0 => return None,
        Some(_) => format!("`{key}` of a task is more than 0, and this is `{text}`"),
        None if text.trim().is_empty() => format!("`{key}` is empty: a variable was not set"),
        None => format!("`{text}` is no `{key}` of a task"),
    };
    Some((value, message, fix))
}

/// A size, also where it is a number and should be text: that is told already.
fn amount(value: &Value, read: fn(&str) -> Option<i64>) -> Option<i64> {
    value.integer().or_else(|| read(value.text()?))
}

fn check_task(task: &Task<'_>, sink: &mut Sink<'_>) {
    if let Some(value) = task.root.get("pidMode").filter(|it| it.text() == Some("host")) {
        let message = "Fargate has no `pidMode` `host`";
        sink.tell(code::FARGATE_FORBIDDEN, &value.range, message, "write `task`, or leave it out");
    }
    for key in ["ipcMode", "placementConstraints", "inferenceAccelerators"] {
        forbid(task.root, key, sink);
    }
    for volume in task.root.list("volumes") {
        forbid(volume, "dockerVolumeConfiguration", sink);
        if let Some(host) = volume.get("host") {
            forbid(host, "sourcePath", sink);
        }
    }
}

fn check_container(container: &Value, sink: &mut Sink<'_>) {
    for key in [
        "disableNetworking",
        "dnsSearchDomains",
        "dnsServers",
        "dockerSecurityOptions",
        "privileged",
    ] {
        forbid(container, key, sink);
    }
    if let Some(linux) = container.get("linuxParameters") {
        for key in ["maxSwap", "swappiness", "devices", "sharedMemorySize", "tmpfs"] {
            forbid(linux, key, sink);
        }
        let added = linux.get("capabilities").into_iter().flat_map(|it| it.list("add"));
        for value in added {
            if let Some(text) = value.text().filter(|text| *text != "SYS_PTRACE") {
                let message = format!("Fargate does not give the capability `{text}`");
                let fix = "`SYS_PTRACE` is the only one that it adds";
                sink.tell(code::FARGATE_FORBIDDEN, &value.range, message, fix);
            }
        }
    }
    for requirement in container.list("resourceRequirements") {
        if let Some(kind) = requirement.get("type").filter(|it| it.text() == Some("GPU")) {
            let message = "Fargate has no GPUs";
            sink.tell(code::FARGATE_FORBIDDEN, &kind.range, message, "run it on EC2");
        }
    }
    let driver = container.get("logConfiguration").and_then(|it| it.get("logDriver"));
    if let Some((value, text)) = driver.and_then(|value| Some((value, value.text()?)))
        && !LOG_DRIVERS.contains(&text)
    {
        let message = format!("Fargate has no log driver `{text}` ({})", called(container));
        let fix = format!("it has {}", LOG_DRIVERS.join(", "));
        sink.tell(code::FARGATE_FORBIDDEN, &value.range, message, fix);
    }
}

fn forbid(parent: &Value, key: &str, sink: &mut Sink<'_>) {
    let Some(entry) = parent.entry(key) else { return };
    // A zero is what clients send where nothing is said.
    let is_zero = entry.value.integer() == Some(0);
    if entry.value.says_something() && !is_zero && entry.value.data != Data::Unknown {
        let message = format!("Fargate does not take `{key}`");
        sink.tell(
            code::FARGATE_FORBIDDEN,
            &entry.key_range,
            message,
            "take it away, or run it on EC2",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_is_in_its_own_steps() {
        for (cpu, least, most, step) in SIZES {
            assert_eq!((least % step, most % step), (0, 0), "{cpu}");
        }
        assert!(LARGEST.1.iter().all(|mib| mib % 1024 == 0));
    }
}
