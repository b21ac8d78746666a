//! An AppSpec for ECS ([resources], [hooks]).
//!
//! [resources]: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
//! [hooks]: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html

use crate::codes::name as code;
use crate::finding::Sink;
use crate::nearest::slip;
use crate::value::{Data, UNKNOWN, Value};

const HOOKS: [&str; 5] = [
    "BeforeInstall",
    "AfterInstall",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AfterAllowTraffic",
];

/// Events of CodeDeploy that run nothing of the user's.
const OWN_EVENTS: [&str; 5] = ["Start", "Install", "TestTraffic", "AllowTraffic", "End"];

/// What `<TASK_DEFINITION>` is to CodePipeline.
const PLACEHOLDER: &str = "<TASK_DEFINITION>";

pub(crate) fn check(root: &Value, sink: &mut Sink<'_>) {
    known_keys(root, &["version", "Resources", "Hooks", "resources", "hooks"], sink);
    check_version(root, sink);
    let resources = root.get("Resources").or(root.get("resources"));
    match resources {
        None => {
            let message = "the AppSpec has no `Resources`";
            sink.tell(
                code::APPSPEC_RESOURCES,
                &start(root),
                message,
                "add them: one `TargetService`",
            );
        }
        Some(resources) => check_resources(resources, sink),
    }
    if let Some(hooks) = root.get("Hooks").or(root.get("hooks")) {
        check_hooks(hooks, sink);
    }
}

fn start(value: &Value) -> std::ops::Range<usize> {
    value.range.start..value.range.start + 1
}

/// A key that is another one with a slip of the fingers.
fn known_keys(map: &Value, known: &[&str], sink: &mut Sink<'_>) {
    for entry in map.entries().iter().filter(|entry| !known.contains(&&*entry.key)) {
        if let Some(near) = slip(&entry.key, known.iter().copied()) {
            let message = format!("CodeDeploy knows no `{}` here", entry.key);
            sink.tell(code::APPSPEC_KEY, &entry.key_range, message, format!("write `{near}`"));
        }
    }
}

/// As the map has it, if not with another spelling, which is told as that.
fn has(map: &Value, key: &str) -> bool {
    map.entries().iter().any(|entry| entry.key == key || slip(&entry.key, [key]).is_some())
}

fn check_version(root: &Value, sink: &mut Sink<'_>) {
    let fix = "write `version: 0.0`, the only one there is";
    match root.get("version") {
        None if has(root, "version") => {}
        None => sink.tell(code::APPSPEC_VERSION, &start(root), "the AppSpec has no `version`", fix),
        Some(value) => {
            let text = match &value.data {
                Data::Number(text) | Data::Text(text) => text.as_str(),
                Data::Unknown => return,
                _ => "",
            };
            if text.parse::<f64>().ok() != Some(0.0) {
                let message = "the version of the AppSpec is not 0.0";
                sink.tell(code::APPSPEC_VERSION, &value.range, message, fix);
            }
        }
    }
}

fn check_resources(resources: &Value, sink: &mut Sink<'_>) {
    let one = "an ECS deployment has one resource: `TargetService`";
    let items = match &resources.data {
        Data::List(items) => items,
        Data::Unknown => return,
        _ => {
            let message = "`Resources` is no list";
            return sink.tell(
                code::APPSPEC_RESOURCES,
                &resources.range,
                message,
                "write `- TargetService:`",
            );
        }
    };
    if let Some(more) = items.get(1) {
        let message = format!("there are {} resources", items.len());
        sink.tell(code::APPSPEC_RESOURCES, &start(more), message, one);
    }
    let Some(first) = items.first() else {
        return sink.tell(code::APPSPEC_RESOURCES, &resources.range, "`Resources` is empty", one);
    };
    match first.entries() {
        [entry] if entry.key == "TargetService" => {
            check_service(&entry.value, &entry.key_range, sink);
        }
        [entry, ..] => {
            let message = format!("the resource is `{}`", entry.key);
            sink.tell(code::APPSPEC_RESOURCES, &entry.key_range, message, one);
        }
        [] => {}
    }
}

fn check_service(service: &Value, key: &std::ops::Range<usize>, sink: &mut Sink<'_>) {
    if service.data == Data::Unknown {
        return;
    }
    known_keys(service, &["Type", "Properties"], sink);
    need(service, key, "TargetService", &["Type", "Properties"], sink);
    if let Some(value) = service.get("Type")
        && let Some(text) = value.text().filter(|text| *text != "AWS::ECS::Service")
    {
        let message = format!("the type is `{text}`");
        sink.tell(code::APPSPEC_VALUE, &value.range, message, "write `AWS::ECS::Service`");
    }
    let Some(properties) = service.get("Properties") else { return };
    let known = [
        "TaskDefinition",
        "LoadBalancerInfo",
        "PlatformVersion",
        "NetworkConfiguration",
        "CapacityProviderStrategy",
    ];
    known_keys(properties, &known, sink);
    need(properties, key, "Properties", &["TaskDefinition", "LoadBalancerInfo"], sink);
    check_task_definition(properties, sink);
    if let Some(info) = properties.get("LoadBalancerInfo") {
        known_keys(info, &["ContainerName", "ContainerPort"], sink);
        need(info, key, "LoadBalancerInfo", &["ContainerName", "ContainerPort"], sink);
        check_port(info, sink);
    }
    if let Some(network) = properties.get("NetworkConfiguration") {
        check_network(network, sink);
    }
}

fn need(
    map: &Value,
    place: &std::ops::Range<usize>,
    name: &str,
    keys: &[&str],
    sink: &mut Sink<'_>,
) {
    if map.data == Data::Unknown {
        return;
    }
    for key in keys.iter().filter(|key| map.get(key).is_none()) {
        let is_empty = map.entry(key);
        if is_empty.is_none() && has(map, key) {
            continue;
        }
        let range = is_empty.map_or(place, |entry| &entry.key_range);
        let message = format!("`{name}` needs `{key}`");
        sink.tell(code::APPSPEC_REQUIRED, range, message, format!("add `{key}`"));
    }
}

fn check_task_definition(properties: &Value, sink: &mut Sink<'_>) {
    let Some(value) = properties.get("TaskDefinition") else { return };
    let Some(text) = value.written() else { return };
    if text == PLACEHOLDER || is_arn(text, "ecs", "task-definition/") {
        return;
    }
    let message = format!("`{text}` is neither `{PLACEHOLDER}` nor the ARN of a task definition");
    let fix = "write `<TASK_DEFINITION>`, for which CodePipeline puts the new revision";
    sink.tell(code::APPSPEC_VALUE, &value.range, message, fix);
}

/// An ARN of this service and kind, as far as it is known.
fn is_arn(text: &str, service: &str, resource: &str) -> bool {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    let [_, _, of, _, account, rest] = parts.as_slice() else { return text.contains(UNKNOWN) };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    text.contains(UNKNOWN)
        || text.starts_with("arn:") && *of == service && is_account && rest.starts_with(resource)
}

fn check_port(info: &Value, sink: &mut Sink<'_>) {
    let Some(value) = info.get("ContainerPort") else { return };
    match &value.data {
        Data::Text(text) if text.contains(UNKNOWN) => {}
        Data::Text(text) if text.parse::<u16>().is_ok() => {
            let message = "the port is text, where CodeDeploy documents a number";
            let fix = format!("write it without quotes: `{text}`");
            sink.tell(code::APPSPEC_QUOTED_PORT, &value.range, message, fix);
        }
        Data::Number(_) if value.integer().is_some_and(|port| (1..=65_535).contains(&port)) => {}
        Data::Unknown => {}
        _ => {
            let message = "`ContainerPort` is no port";
            sink.tell(code::APPSPEC_VALUE, &value.range, message, "write a number from 1 to 65535");
        }
    }
}

fn check_network(network: &Value, sink: &mut Sink<'_>) {
    const KEYS: [&str; 3] = ["Subnets", "SecurityGroups", "AssignPublicIp"];
    known_keys(network, &["AwsvpcConfiguration"], sink);
    let Some(entry) = network.entry("AwsvpcConfiguration") else { return };
    let config = &entry.value;
    known_keys(config, &KEYS, sink);
    let missing: Vec<_> = KEYS.iter().filter(|key| !has(config, key)).copied().collect();
    if !missing.is_empty() && config.data != Data::Unknown {
        let message = format!("the network has no {}", missing.join(" and no "));
        let fix =
            "say all three, or leave `NetworkConfiguration` out: then the service's own counts";
        sink.tell(code::APPSPEC_NETWORK, &entry.key_range, message, fix);
    }
    if let Some(value) = config.get("AssignPublicIp")
        && value.text().is_some_and(|text| !matches!(text, "ENABLED" | "DISABLED"))
    {
        let message = "`AssignPublicIp` is neither `ENABLED` nor `DISABLED`";
        sink.tell(code::APPSPEC_VALUE, &value.range, message, "write one of them");
    }
}

fn check_hooks(hooks: &Value, sink: &mut Sink<'_>) {
    if !matches!(hooks.data, Data::List(_) | Data::Unknown) {
        let message = "`Hooks` is no list";
        return sink.tell(
            code::APPSPEC_HOOK,
            &start(hooks),
            message,
            "write `- BeforeInstall: \"function\"`",
        );
    }
    for entry in hooks.items().iter().flat_map(Value::entries) {
        let key = entry.key.as_str();
        if OWN_EVENTS.contains(&key) {
            let message = format!("`{key}` is CodeDeploy's own, and runs no hook");
            sink.tell(
                code::APPSPEC_HOOK,
                &entry.key_range,
                message,
                format!("take one of {}", HOOKS.join(", ")),
            );
        } else if !HOOKS.contains(&key) {
            let message = format!("there is no hook `{key}` for ECS");
            let fix = match slip(key, HOOKS) {
                Some(near) => format!("write `{near}`"),
                None => format!("take one of {}", HOOKS.join(", ")),
            };
            sink.tell(code::APPSPEC_HOOK, &entry.key_range, message, fix);
        } else if let Some(text) = entry.value.written().filter(|text| text.starts_with("arn:"))
            && !is_arn(text, "lambda", "function:")
        {
            let message = format!("`{text}` is no ARN of a Lambda function");
            let fix = "it has the form `arn:aws:lambda:region:123456789012:function:name`";
            sink.tell(code::APPSPEC_HOOK, &entry.value.range, message, fix);
        } else if entry.value.written().is_none_or(str::is_empty)
            && entry.value.data != Data::Unknown
        {
            let message = format!("the hook `{key}` names no function");
            let fix = "write the name or the ARN of a Lambda function, or take the hook away";
            sink.tell(code::APPSPEC_HOOK, &entry.key_range, message, fix);
        }
    }
}
