//! Roles, secrets and log groups that a task definition names.

use serde_json::Value as Json;
use shipspec_ecs::error::EcsError;
use shipspec_ecs::roles::RoleState;
use shipspec_ecs::running::containers;
use shipspec_ecs::{log_groups, roles};
use shipspec_parameters::error::{FetchError, Missing};
use shipspec_parameters::request::Caller;
use shipspec_parameters::{account, existence};
use shipspec_spec::parameter::ParameterSource;
use shipspec_spec::place::Place;

use super::{Planned, place_of, unanswered, unanswered_by_store};
use crate::failure;
use crate::preflight::{Check, bad, good, not_checked};

/// Something that has to be there when a task starts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named {
    Role(String),
    /// As `valueFrom` names it.
    Secret(String),
    LogGroup(String),
}

/// Everything that an artifact names, and where it is asked for.
pub(super) fn of(planned: &Planned<'_>) -> Vec<(Named, Place)> {
    let task = &planned.content;
    let place = place_of(planned);
    let text = |value: &Json| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let mut found = Vec::new();
    if !task["containerDefinitions"].is_array() {
        return found;
    }
    for key in ["taskRoleArn", "executionRoleArn"] {
        found.extend(text(&task[key]).map(|role| (Named::Role(role), place.clone())));
    }
    for container in containers(task) {
        let logs = &container["logConfiguration"];
        let lists = [&container["secrets"], &logs["secretOptions"]];
        let values = lists.into_iter().filter_map(Json::as_array).flatten();
        let values = values.map(|secret| &secret["valueFrom"]);
        let values = values.chain([&container["repositoryCredentials"]["credentialsParameter"]]);
        found.extend(values.filter_map(text).map(|name| (Named::Secret(name), place.clone())));
        let options = &logs["options"];
        let is_made = options["awslogs-create-group"].as_str() == Some("true");
        if logs["logDriver"].as_str() == Some("awslogs") && !is_made {
            let region = text(&options["awslogs-region"]).or_else(|| place.region.clone());
            let group = text(&options["awslogs-group"]);
            found.extend(
                group.map(|group| (Named::LogGroup(group), Place { region, ..place.clone() })),
            );
        }
    }
    found
}

pub(super) async fn check(caller: Caller<'_>, place: &Place, named: &Named) -> Vec<Check> {
    match named {
        Named::Role(role) => vec![check_role(caller, place, role).await],
        Named::Secret(name) => check_secret(caller, place, name).await,
        Named::LogGroup(name) => vec![check_log_group(caller, place, name).await],
    }
}

async fn check_role(caller: Caller<'_>, place: &Place, role: &str) -> Check {
    let subject = format!("role {role}");
    if let Some(owner) = role.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(3)) {
        match account::account(caller, place).await {
            Ok(own) if own == owner => {}
            Ok(_) => return not_checked(subject, format!("it is in the account {owner}")),
            Err(refusal) => {
                return unanswered(subject, EcsError::Refused { service: "STS", refusal });
            }
        }
    }
    match roles::look_up(caller, place, role).await {
        Ok(RoleState::Usable) => good(subject, "exists, and tasks can have it"),
        Ok(RoleState::Untrusting) => bad(subject, EcsError::Untrusting(role.to_owned())),
        Ok(RoleState::Missing) => bad(subject, EcsError::NoRole(role.to_owned())),
        Err(error) => unanswered(subject, error),
    }
}

async fn check_secret(caller: Caller<'_>, place: &Place, name: &str) -> Vec<Check> {
    let subject = format!("secret {name}");
    let text = if name.starts_with("arn:") { name.to_owned() } else { format!("ssm:{name}") };
    let source: ParameterSource = match text.parse() {
        Ok(source) => source,
        Err(error) => return vec![bad(subject, failure::input(error.to_string(), None))],
    };
    let region = source.arn_place().map(|(region, _)| region.to_owned());
    let place = Place { region: region.or_else(|| place.region.clone()), ..place.clone() };
    let mut checks = match existence::exists(caller, &place, &source).await {
        Ok(true) => vec![good(&*subject, "exists")],
        Ok(false) => {
            let missing = vec![Missing { source, near: None }];
            return vec![bad(subject, FetchError::Missing { missing, region: place.region })];
        }
        Err(error) => return vec![unanswered_by_store(subject, error)],
    };
    if let ParameterSource::SecretsManager(secret) = &source
        && let Some(key) = &secret.json_key
    {
        let subject = format!("key `{key}` of {subject}");
        checks.push(not_checked(subject, "only a look at the value would tell"));
    }
    checks
}

async fn check_log_group(caller: Caller<'_>, place: &Place, name: &str) -> Check {
    let subject = format!("log group {name}");
    match log_groups::exists(caller, place, name).await {
        Ok(true) => good(subject, "exists"),
        Ok(false) => bad(subject, EcsError::NoLogGroup(name.to_owned())),
        Err(error) => unanswered(subject, error),
    }
}
