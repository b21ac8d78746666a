//! An AppSpec for ECS ([reference]).
//!
//! [reference]: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html

use serde_json::{Map, Value as Json, json};
use shipspec_spec::config::{AppSpecConfig, CapacityProviderConfig, TaskNetworkConfig};
use shipspec_spec::value::UNKNOWN;

use super::Parts;

/// The AppSpec, in the order in which the documentation has its keys.
pub(super) fn app_spec(config: &AppSpecConfig, parts: &mut Parts<'_>) -> Json {
    let mut properties = Map::new();
    properties.insert(
        "TaskDefinition".into(),
        parts.filled_text(&config.task_definition, "`task_definition`").into(),
    );
    let container = parts.filled_text(&config.container, "`container`");
    let port = parts.number(&config.port);
    let info = json!({ "ContainerName": container, "ContainerPort": port });
    properties.insert("LoadBalancerInfo".into(), info);
    if let Some(version) = &config.platform_version {
        properties.insert(
            "PlatformVersion".into(),
            parts.filled_text(version, "`platform_version`").into(),
        );
    }
    if let Some(config) = &config.network {
        let network = json!({ "AwsvpcConfiguration": network(config, parts) });
        properties.insert("NetworkConfiguration".into(), network);
    }
    if !config.capacity_providers.is_empty() {
        let strategy: Json =
            config.capacity_providers.iter().map(|one| capacity_provider(one, parts)).collect();
        properties.insert("CapacityProviderStrategy".into(), strategy);
    }
    let service = json!({ "Type": "AWS::ECS::Service", "Properties": properties });
    // The number: as a text, the version is another one.
    let mut app_spec = json!({ "version": 0.0, "Resources": [{ "TargetService": service }] });
    if !config.hooks.is_empty() {
        let hook = |(moment, function)| {
            let (moment, function): (&str, _) = (moment, parts.filled_text(function, "a hook"));
            json!({ moment: function })
        };
        app_spec["Hooks"] =
            config.hooks.iter().map(|(moment, function)| (*moment, function)).map(hook).collect();
    }
    app_spec
}

fn network(config: &TaskNetworkConfig, parts: &mut Parts<'_>) -> Json {
    let subnets = parts.texts(&config.subnets);
    if let (true, Some(text)) = (subnets.iter().all(String::is_empty), config.subnets.first()) {
        parts.fail(text, "`subnets` comes to nothing, and a task needs one");
    }
    let security_groups = parts.texts(&config.security_groups);
    let assign = parts.text(&config.assign_public_ip);
    let assign = match &*assign.to_lowercase() {
        "true" | "enabled" => "ENABLED",
        "false" | "disabled" => "DISABLED",
        other if other.contains(UNKNOWN) => &assign,
        _ => {
            let text = &config.assign_public_ip;
            parts.fail(text, "`assign_public_ip` must be true or false");
            ""
        }
    };
    json!({ "Subnets": subnets, "SecurityGroups": security_groups, "AssignPublicIp": assign })
}

fn capacity_provider(config: &CapacityProviderConfig, parts: &mut Parts<'_>) -> Json {
    let mut provider =
        json!({ "CapacityProvider": parts.filled_text(&config.provider, "`provider`") });
    if let Some(base) = &config.base {
        provider["Base"] = parts.number(base);
    }
    if let Some(weight) = &config.weight {
        provider["Weight"] = parts.number(weight);
    }
    provider
}
