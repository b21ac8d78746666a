//! The task definition that runs, or would be run next.

use serde_json::Value as Json;
use shipspec_check::registrable;
use shipspec_parameters::request::Caller;
use shipspec_spec::place::Place;

use crate::client::Ecs;
use crate::error::EcsError;

/// Which task definition is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// The newest active revision of this family.
    Family(String),
    /// The revision that a service runs.
    Service(ServiceName),
}

/// A service, by the cluster that it is in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceName {
    /// The cluster, by name or ARN.
    pub cluster: String,
    /// The service, by name or ARN.
    pub name: String,
}

impl std::fmt::Display for ServiceName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.cluster, self.name)
    }
}

impl std::fmt::Display for Which {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Family(family) => write!(formatter, "the family `{family}`"),
            Self::Service(service) => write!(formatter, "the service `{service}`"),
        }
    }
}

/// A revision that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    /// Its ARN, which ends with family and revision.
    pub arn: String,
    /// What would register it again: its own tags are in it, those of AWS are not.
    pub task_definition: Json,
    /// Keys that are in no model of the API that is known here. They are kept.
    pub unknown: Vec<String>,
}

impl Running {
    /// `family:revision`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or(&self.arn)
    }

    /// The names of its containers.
    pub fn containers(&self) -> impl Iterator<Item = &str> {
        containers(&self.task_definition).filter_map(|container| container["name"].as_str())
    }

    fn new(answer: &Json) -> Self {
        let described = &answer["taskDefinition"];
        let found = registrable(described);
        let mut task_definition = found.task_definition;
        let is_own = |tag: &&Json| tag["key"].as_str().is_some_and(|key| !key.starts_with("aws:"));
        let tags: Vec<_> =
            answer["tags"].as_array().into_iter().flatten().filter(is_own).cloned().collect();
        if let (false, Some(members)) = (tags.is_empty(), task_definition.as_object_mut()) {
            members.insert("tags".into(), tags.into());
        }
        let arn = described["taskDefinitionArn"].as_str().unwrap_or_default().to_owned();
        Self { arn, task_definition, unknown: found.unknown }
    }
}

/// The containers of a task definition.
pub fn containers(task_definition: &Json) -> impl Iterator<Item = &Json> {
    task_definition["containerDefinitions"].as_array().into_iter().flatten()
}

/// Fetches the task definition that runs.
///
/// # Errors
///
/// [`EcsError::Refused`] if ECS does not answer, the others if there is nothing of that name.
pub async fn running(
    caller: Caller<'_>,
    place: &Place,
    which: &Which,
) -> Result<Running, EcsError> {
    let ecs = Ecs::new(&caller.at(place).await);
    let answer = match which {
        Which::Family(family) => ecs.describe(family).await?,
        Which::Service(service) => {
            let revision = ecs.revision_of(&service.cluster, &service.name).await?;
            ecs.describe(&revision).await?
        }
    };
    Ok(Running::new(&answer))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tags_move_into_the_task_definition_but_for_those_of_aws() {
        let running = Running::new(&json!({
            "taskDefinition": {
                "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7",
                "family": "web", "revision": 7, "containerDefinitions": [{"name": "web"}],
            },
            "tags": [{"key": "team", "value": "shop"}, {"key": "aws:cloudformation:stack-id", "value": "x"}],
        }));
        assert_eq!(running.name(), "web:7");
        assert_eq!(running.containers().collect::<Vec<_>>(), ["web"]);
        let tags = json!([{"key": "team", "value": "shop"}]);
        assert_eq!(running.task_definition["tags"], tags);
        assert_eq!(running.task_definition.get("revision"), None);
    }
}
