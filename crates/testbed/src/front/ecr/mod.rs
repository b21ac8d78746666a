//! ECR's API, JSON 1.1. Field names and errors are those of the service's model, version
//! 2015-09-21.

mod images;
mod input;
mod policies;
pub(crate) mod put;
mod repositories;

use hyper::http::request::Parts;
use serde_json::Value;
use shipspec_testbed::control::RoleSpecification;

use super::Front;
use super::answer::{Protocol, ServiceError};
use super::body::{AnyBody, full, whole};
use super::call::{Call, RepositoryKey};
use super::dispatch::{Incident, Work, text_of};
use super::identity::{Caller, Credential};
use crate::inside::Fatal;

/// What an operation gives its client.
pub(crate) type Outcome = Result<Value, ServiceError>;

const TARGET: &str = "AmazonEC2ContainerRegistry_V20150921.";
/// Of ECR Public, of which only tokens are to be had here.
const PUBLIC_TARGET: &str = "SpencerFrontendService.";

/// What a request to the API asks for.
pub(crate) async fn classify(
    front: &Front,
    region: String,
    host: String,
    parts: Parts,
    body: AnyBody,
) -> Result<Incident, Fatal> {
    let caller = front.identities.signer(Credential::parse(&parts.headers, "").as_ref());
    let target = text_of(parts.headers.get("x-amz-target"));
    let is_public = target.starts_with(PUBLIC_TARGET);
    let operation = target
        .strip_prefix(TARGET)
        .or_else(|| target.strip_prefix(PUBLIC_TARGET))
        .unwrap_or("UnknownOperation")
        .to_owned();
    let body = whole(body).await?;
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    let account = match &caller {
        Caller::Known(role) => role.account.clone(),
        _ => String::new(),
    };
    let repository = repository_of(&input, &account, &region);
    let call = Call {
        service: "ecr".to_owned(),
        kind: format!("api:{operation}"),
        action: format!("{}:{operation}", if is_public { "ecr-public" } else { "ecr" }),
        resource: resource_of(&operation, repository.as_ref(), &account, &region),
        repository,
        access_key: caller.access_key(),
        protocol: Protocol::Json,
    };
    Ok(Incident {
        parts,
        host,
        call,
        caller,
        body: full(body),
        work: Work::Ecr(region, if is_public { target } else { operation }, input),
    })
}

/// The repository that an input names, or the first of several.
fn repository_of(input: &Value, account: &str, region: &str) -> Option<RepositoryKey> {
    let name = input["repositoryName"].as_str().or_else(|| input["repositoryNames"][0].as_str())?;
    Some(RepositoryKey::new(input["registryId"].as_str().unwrap_or(account), region, name))
}

/// What a refusal names.
fn resource_of(
    operation: &str,
    repository: Option<&RepositoryKey>,
    account: &str,
    region: &str,
) -> String {
    match repository {
        Some(repository) => repository.arn(),
        None if operation == "GetAuthorizationToken" => "*".to_owned(),
        None => format!("arn:aws:ecr:{region}:{account}:repository/*"),
    }
}

/// Does one operation for a role that may.
pub(crate) async fn perform(
    front: &Front,
    role: &RoleSpecification,
    region: &str,
    operation: &str,
    input: &Value,
) -> Result<Outcome, Fatal> {
    let request = input::Input { value: input, account: &role.account, region };
    Ok(match operation {
        "GetAuthorizationToken" => Ok(authorization_token(front, role, region)),
        "SpencerFrontendService.GetAuthorizationToken" => {
            let mut answer = authorization_token(front, role, region);
            // The only difference: one object in place of a list.
            answer["authorizationData"] = answer["authorizationData"][0].take();
            Ok(answer)
        }
        "DescribeRepositories" => repositories::describe(front, &request),
        "CreateRepository" => repositories::create(front, &request),
        "DeleteRepository" => repositories::delete(front, &request),
        "PutImageTagMutability" => repositories::put_mutability(front, &request),
        "SetRepositoryPolicy" => policies::set(front, &request),
        "GetRepositoryPolicy" => policies::get(front, &request),
        "PutLifecyclePolicy" => policies::put_lifecycle(front, &request),
        "GetLifecyclePolicy" => policies::get_lifecycle(front, &request),
        "DescribeImages" => images::describe(front, &request),
        "ListImages" => images::list(front, &request),
        "BatchGetImage" => images::batch_get(front, &request),
        "BatchDeleteImage" => images::batch_delete(front, &request).await?,
        "BatchCheckLayerAvailability" => images::check_layers(front, &request).await?,
        "PutImage" => put::put_image(front, &request).await?,
        _ => Err(ServiceError::new(400, "UnknownOperationException", "")),
    })
}

/// One token serves every registry that its caller may reach, in one region.
fn authorization_token(front: &Front, role: &RoleSpecification, region: &str) -> Value {
    let (token, expires_at) = front.identities.mint(role, region);
    let endpoint = format!("https://{}", RepositoryKey::new(&role.account, region, "").host());
    let data = serde_json::json!({
        "authorizationToken": token, "expiresAt": expires_at, "proxyEndpoint": endpoint,
    });
    serde_json::json!({ "authorizationData": [data] })
}
