//! What ECS takes where a task definition says nothing ([defaults]), and partly writes into it.
//!
//! [defaults]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html

use serde_json::Value as Json;

enum Default {
    Flag(bool),
    Number(i64),
    Word(&'static str),
}

use Default::{Flag, Number, Word};

/// By the key of the list or map that the key is in; none for the task definition itself.
const DEFAULTS: [(&str, &str, Default); 30] = [
    ("", "networkMode", Word("bridge")),
    ("", "enableFaultInjection", Flag(false)),
    ("containerDefinitions", "cpu", Number(0)),
    ("containerDefinitions", "essential", Flag(true)),
    ("containerDefinitions", "disableNetworking", Flag(false)),
    ("containerDefinitions", "interactive", Flag(false)),
    ("containerDefinitions", "privileged", Flag(false)),
    ("containerDefinitions", "pseudoTerminal", Flag(false)),
    ("containerDefinitions", "readonlyRootFilesystem", Flag(false)),
    ("containerDefinitions", "versionConsistency", Word("enabled")),
    ("portMappings", "protocol", Word("tcp")),
    ("portMappings", "hostPort", Number(0)),
    ("mountPoints", "readOnly", Flag(false)),
    ("volumesFrom", "readOnly", Flag(false)),
    ("linuxParameters", "initProcessEnabled", Flag(false)),
    ("healthCheck", "interval", Number(30)),
    ("healthCheck", "timeout", Number(5)),
    ("healthCheck", "retries", Number(3)),
    ("healthCheck", "startPeriod", Number(0)),
    ("runtimePlatform", "cpuArchitecture", Word("X86_64")),
    ("runtimePlatform", "operatingSystemFamily", Word("LINUX")),
    ("volumes", "configuredAtLaunch", Flag(false)),
    ("efsVolumeConfiguration", "rootDirectory", Word("/")),
    ("efsVolumeConfiguration", "transitEncryption", Word("DISABLED")),
    ("authorizationConfig", "iam", Word("DISABLED")),
    ("dockerVolumeConfiguration", "scope", Word("task")),
    ("dockerVolumeConfiguration", "autoprovision", Flag(false)),
    ("restartPolicy", "restartAttemptPeriod", Number(300)),
    ("proxyConfiguration", "type", Word("APPMESH")),
    ("ephemeralStorage", "sizeInGiB", Number(20)),
];

/// The value says nothing that would not be so without it.
pub(super) fn is_default(parent: &str, key: &str, value: &Json) -> bool {
    DEFAULTS.iter().any(|(of, name, default)| {
        *of == parent
            && *name == key
            && match default {
                Flag(flag) => value.as_bool() == Some(*flag),
                Number(number) => value.as_i64() == Some(*number),
                Word(word) => value.as_str() == Some(word),
            }
    })
}
