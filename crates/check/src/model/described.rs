//! From what `DescribeTaskDefinition` answers to what `RegisterTaskDefinition` takes.

use serde_json::{Map, Value as Json};

use super::{MODEL, Shape};

/// A task definition as it can be registered again, and what was not taken over as it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Registrable {
    /// The task definition, its keys in the order of the answer.
    pub task_definition: Json,
    /// Keys that ECS answers and does not take; they are left out.
    pub dropped: Vec<String>,
    /// Keys that are in no model of the API that is known here; they are kept, because they may be newer.
    pub unknown: Vec<String>,
}

/// What can be registered of what ECS answers. What is known to be taken is kept, and so is what is not
/// known at all; a null says nothing, and is left out.
#[must_use]
pub fn registrable(described: &Json) -> Registrable {
    let mut walk = Walk::default();
    let root = MODEL.shape(&MODEL.root);
    let task_definition = walk.value(described, root, "");
    Registrable { task_definition, dropped: walk.dropped, unknown: walk.unknown }
}

#[derive(Default)]
struct Walk {
    dropped: Vec<String>,
    unknown: Vec<String>,
}

impl Walk {
    fn value(&mut self, value: &Json, shape: Option<&Shape>, path: &str) -> Json {
        match value {
            Json::Object(members) => self.members(members, shape, path),
            Json::Array(items) => {
                let shape = shape.and_then(|shape| MODEL.shape(shape.member.as_deref()?));
                let items = items.iter().enumerate().filter(|(_, item)| !item.is_null());
                let items = items.map(|(index, item)| {
                    let label = item["name"].as_str().map_or_else(|| index.to_string(), Into::into);
                    self.value(item, shape, &format!("{path}[{label}]"))
                });
                items.collect()
            }
            other => other.clone(),
        }
    }

    fn members(&mut self, members: &Map<String, Json>, shape: Option<&Shape>, path: &str) -> Json {
        let mut kept = Map::new();
        for (key, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            let name = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let inner = match shape {
                None => None,
                // A map's keys are the user's own.
                Some(shape) if shape.value.is_some() => None,
                Some(shape) => match shape.members.get(key) {
                    Some(inner) => MODEL.shape(inner),
                    None if path.is_empty() && MODEL.output_only.contains(key) => {
                        self.dropped.push(name);
                        continue;
                    }
                    None => {
                        self.unknown.push(name.clone());
                        None
                    }
                },
            };
            kept.insert(key.clone(), self.value(value, inner, &name));
        }
        Json::Object(kept)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_ecs_answers_becomes_what_it_takes() {
        let described = json!({
            "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7",
            "containerDefinitions": [{
                "name": "web",
                "image": "web:1",
                "cpu": 0,
                "command": null,
                "newer": { "deep": null },
                "logConfiguration": { "logDriver": "awslogs", "options": { "of-the-user": "x", "none": null } },
            }],
            "family": "web",
            "revision": 7,
            "status": "ACTIVE",
            "requiresAttributes": [],
            "placement": { "newer": true },
            "volumes": [],
            "registeredBy": "arn:aws:iam::123456789012:root",
        });
        let found = registrable(&described);
        assert_eq!(
            found.task_definition.to_string(),
            r#"{"containerDefinitions":[{"name":"web","image":"web:1","cpu":0,"newer":{},"logConfiguration":{"logDriver":"awslogs","options":{"of-the-user":"x"}}}],"family":"web","placement":{"newer":true},"volumes":[]}"#
        );
        assert_eq!(
            found.dropped,
            ["taskDefinitionArn", "revision", "status", "requiresAttributes", "registeredBy"]
        );
        assert_eq!(found.unknown, ["containerDefinitions[web].newer", "placement"]);
    }
}
