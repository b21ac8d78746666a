//! What CodeDeploy wants of an AppSpec for ECS, and that it agrees with the revision.

use serde_json::{Map, Value};

use super::Refusal;

/// The moments that a hook can have.
const HOOKS: [&str; 5] = [
    "BeforeInstall",
    "AfterInstall",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AfterAllowTraffic",
];

/// Holds a filled AppSpec against the revision that it names.
pub(super) fn check(text: &str, revision: &Value) -> Result<Value, Refusal> {
    let appspec: Value = serde_saphyr::from_str(text)
        .map_err(|error| Refusal::AppSpec(vec![format!("it cannot be read: {error}")]))?;
    let mut faults = Faults::default();
    faults.root(&appspec, revision);
    if faults.0.is_empty() { Ok(appspec) } else { Err(Refusal::AppSpec(faults.0)) }
}

/// Everything that is wrong.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, fault: impl Into<String>) {
        self.0.push(fault.into());
    }

    fn root(&mut self, appspec: &Value, revision: &Value) {
        let Some(root) = self.map(appspec, "the file", &["version", "Resources", "Hooks"]) else {
            return;
        };
        if root.get("version").and_then(Value::as_f64) != Some(0.0) {
            self.add("`version` is not the number 0.0");
        }
        match root.get("Resources").and_then(Value::as_array).map(Vec::as_slice) {
            Some([resource]) => self.resource(resource, revision),
            _ => self.add("`Resources` is no list of one resource"),
        }
        if let Some(hooks) = root.get("Hooks") {
            self.hooks(hooks);
        }
    }

    fn resource(&mut self, resource: &Value, revision: &Value) {
        let service = &resource["TargetService"];
        let Some(service) = self.map(service, "`TargetService`", &["Type", "Properties"]) else {
            return;
        };
        if service.get("Type").and_then(Value::as_str) != Some("AWS::ECS::Service") {
            self.add("`Type` is not `AWS::ECS::Service`");
        }
        let properties = service.get("Properties").unwrap_or(&Value::Null);
        let known = [
            "TaskDefinition",
            "LoadBalancerInfo",
            "PlatformVersion",
            "NetworkConfiguration",
            "CapacityProviderStrategy",
        ];
        let Some(properties) = self.map(properties, "`Properties`", &known) else { return };
        if properties.get("TaskDefinition") != Some(&revision["taskDefinitionArn"]) {
            self.add("`TaskDefinition` is not the registered revision");
        }
        if properties.get("PlatformVersion").is_some_and(|version| !version.is_string()) {
            self.add("`PlatformVersion` is no text");
        }
        self.load_balancer(properties.get("LoadBalancerInfo").unwrap_or(&Value::Null), revision);
    }

    fn load_balancer(&mut self, info: &Value, revision: &Value) {
        let known = ["ContainerName", "ContainerPort"];
        let Some(info) = self.map(info, "`LoadBalancerInfo`", &known) else { return };
        let Some(name) = info.get("ContainerName").and_then(Value::as_str) else {
            return self.add("`ContainerName` is no text");
        };
        let Some(port) = info.get("ContainerPort").and_then(Value::as_u64) else {
            return self.add("`ContainerPort` is no integer");
        };
        let containers = revision["containerDefinitions"].as_array().into_iter().flatten();
        let Some(container) = containers.into_iter().find(|container| container["name"] == name)
        else {
            return self.add(format!("the revision has no container `{name}`"));
        };
        let ports = container["portMappings"].as_array().into_iter().flatten();
        if !ports.into_iter().any(|mapping| mapping["containerPort"] == port) {
            self.add(format!("the container `{name}` has no port {port}"));
        }
    }

    fn hooks(&mut self, hooks: &Value) {
        let Some(hooks) = hooks.as_array() else { return self.add("`Hooks` is no list") };
        for hook in hooks {
            let pairs = hook.as_object().into_iter().flatten();
            let is_function = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
            let is_one = hook.as_object().is_some_and(|pairs| pairs.len() == 1);
            let mut pairs = pairs.into_iter();
            if !is_one
                || !pairs.all(|(name, value)| HOOKS.contains(&name.as_str()) && is_function(value))
            {
                self.add(format!("{hook} is no hook with its function"));
            }
        }
    }

    fn map<'a>(
        &mut self,
        value: &'a Value,
        what: &str,
        known: &[&str],
    ) -> Option<&'a Map<String, Value>> {
        let Some(map) = value.as_object() else {
            self.add(format!("{what} is no map"));
            return None;
        };
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            self.add(format!("{what} has an unknown key `{key}`"));
        }
        Some(map)
    }
}
