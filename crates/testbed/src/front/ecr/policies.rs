//! Repository and lifecycle policies: kept, never judged.

use serde_json::json;

use super::super::Front;
use super::super::answer::ServiceError;
use super::super::call::RepositoryKey;
use super::Outcome;
use super::input::{Input, invalid};

/// `SetRepositoryPolicy`.
pub(super) fn set(front: &Front, input: &Input<'_>) -> Outcome {
    let text = input.text("policyText").ok_or_else(|| invalid("policyText", "must not be null"))?;
    input.with(front, |key, repository| {
        repository.policy = Some(text.to_owned());
        json!({ "registryId": key.account, "repositoryName": key.name, "policyText": text })
    })
}

/// `GetRepositoryPolicy`.
pub(super) fn get(front: &Front, input: &Input<'_>) -> Outcome {
    input.with(front, |key, repository| {
        let RepositoryKey { account, name, .. } = key;
        if let Some(text) = &repository.policy {
            return Ok(json!({ "registryId": account, "repositoryName": name, "policyText": text }));
        }
        let message = format!(
            "Repository policy does not exist for the repository with name '{name}' in the registry with id '{account}'"
        );
        Err(ServiceError::new(400, "RepositoryPolicyNotFoundException", message))
    })?
}

/// `PutLifecyclePolicy`.
pub(super) fn put_lifecycle(front: &Front, input: &Input<'_>) -> Outcome {
    let field = "lifecyclePolicyText";
    let text = input.text(field).ok_or_else(|| invalid(field, "must not be null"))?;
    input.with(front, |key, repository| {
        repository.lifecycle = Some(text.to_owned());
        json!({ "registryId": key.account, "repositoryName": key.name, field: text })
    })
}

/// `GetLifecyclePolicy`.
pub(super) fn get_lifecycle(front: &Front, input: &Input<'_>) -> Outcome {
    input.with(front, |key, repository| {
        let RepositoryKey { account, name, .. } = key;
        if let Some(text) = &repository.lifecycle {
            return Ok(json!({
                "registryId": account, "repositoryName": name, "lifecyclePolicyText": text,
            }));
        }
        let message = format!(
            "Lifecycle policy does not exist for the repository with name '{name}' in the registry with id '{account}'"
        );
        Err(ServiceError::new(400, "LifecyclePolicyNotFoundException", message))
    })?
}
