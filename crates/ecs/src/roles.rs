//! The roles that a task definition names. Nothing else knows the SDK of IAM.

use aws_sdk_iam::Client;
use aws_sdk_iam::operation::get_role::GetRoleError;
use percent_encoding::percent_decode_str;
use serde_json::Value as Json;
use shipspec_parameters::refusal::Refusal;
use shipspec_parameters::request::Caller;
use shipspec_spec::place::Place;

use crate::error::EcsError;

/// Who assumes the roles of a task ([trust]).
///
/// [trust]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
const TASKS: &str = "ecs-tasks.amazonaws.com";

/// What is known of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleState {
    /// It is there, and tasks can have it.
    Usable,
    /// It is there, and its trust policy does not name the service that tasks run in.
    Untrusting,
    /// It is not there.
    Missing,
}

/// What is known of a role, by its name or ARN.
///
/// # Errors
///
/// If IAM does not answer.
pub async fn look_up(caller: Caller<'_>, place: &Place, role: &str) -> Result<RoleState, EcsError> {
    let client = Client::new(&caller.at(place).await);
    let name = role.rsplit('/').next().unwrap_or(role);
    let reply = match client.get_role().role_name(name).send().await {
        Ok(reply) => reply,
        Err(error)
            if error.as_service_error().is_some_and(GetRoleError::is_no_such_entity_exception) =>
        {
            return Ok(RoleState::Missing);
        }
        Err(error) => {
            let refusal = Refusal::of("iam:GetRole", &error);
            return Err(EcsError::Refused { service: "IAM", refusal });
        }
    };
    let policy = reply.role().and_then(|role| role.assume_role_policy_document());
    let policy = policy.map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned());
    let policy: Json = serde_json::from_str(&policy.unwrap_or_default()).unwrap_or_default();
    Ok(if trusts(&policy, TASKS) { RoleState::Usable } else { RoleState::Untrusting })
}

/// A statement of a trust policy lets this service assume the role. Conditions are not judged.
fn trusts(policy: &Json, service: &str) -> bool {
    each(&policy["Statement"]).any(|statement| {
        let assumes = each(&statement["Action"]).filter_map(Json::as_str).any(|action| {
            ["sts:AssumeRole", "sts:*", "*"].iter().any(|it| it.eq_ignore_ascii_case(action))
        });
        let principal = &statement["Principal"];
        let is_it = principal == "*" || each(&principal["Service"]).any(|name| name == service);
        statement["Effect"] == "Allow" && assumes && is_it
    })
}

/// The items of a list, or the one that stands for a list.
fn each(value: &Json) -> impl Iterator<Item = &Json> {
    match value {
        Json::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    }
    .iter()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_trust_policy_names_the_service_one_way_or_another() {
        let policy = |principal: Json, action: Json| json!({"Statement": {"Effect": "Allow", "Principal": principal, "Action": action}});
        let tasks = json!({"Service": "ecs-tasks.amazonaws.com"});
        let several = json!({"Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]});
        assert!(trusts(&policy(tasks.clone(), json!("sts:AssumeRole")), TASKS));
        assert!(trusts(&policy(several, json!(["sts:TagSession", "sts:AssumeRole"])), TASKS));
        assert!(!trusts(
            &policy(json!({"Service": "ecs.amazonaws.com"}), json!("sts:AssumeRole")),
            TASKS
        ));
        assert!(!trusts(&policy(tasks, json!("sts:TagSession")), TASKS));
        assert!(!trusts(&Json::Null, TASKS));
    }
}
