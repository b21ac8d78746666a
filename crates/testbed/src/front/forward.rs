//! Services that moto's server stands for: rights, faults and the journal are the front's.

use hyper::Method;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use serde_json::Value;
use shipspec_testbed::control::RoleSpecification;
use shipspec_testbed::{PRIMARY_ACCOUNT, PRIMARY_REGION};

use super::Front;
use super::answer::{Answer, Protocol, with_body};
use super::body::{AnyBody, full, whole};
use super::call::Call;
use super::dispatch::{Incident, Work, text_of};
use super::identity::{Caller, Credential};
use crate::inside::Fatal;

/// What a request to another service asks for.
pub(crate) async fn classify(
    front: &Front,
    host: String,
    parts: Parts,
    body: AnyBody,
) -> Result<Incident, Fatal> {
    let credential = Credential::parse(&parts.headers, parts.uri.query().unwrap_or_default());
    let caller = front.identities.signer(credential.as_ref());
    let service = credential
        .as_ref()
        .map_or_else(|| service_of(&host), |credential| credential.service.clone());
    let region =
        credential.map_or_else(|| PRIMARY_REGION.to_owned(), |credential| credential.region);
    let account = match &caller {
        Caller::Known(role) => role.account.clone(),
        _ => PRIMARY_ACCOUNT.to_owned(),
    };

    let target = text_of(parts.headers.get("x-amz-target"));
    let (protocol, operation, resource, body) = if let Some((_, operation)) =
        target.rsplit_once('.')
    {
        let bytes = whole(body).await?;
        let input = serde_json::from_slice(&bytes).unwrap_or_default();
        (
            Protocol::Json,
            operation.to_owned(),
            resource_of(&service, &region, &account, &input),
            full(bytes),
        )
    } else if service == "s3" {
        let (operation, resource) = s3_operation(&parts, &host);
        (Protocol::S3, operation.to_owned(), resource, body)
    } else {
        let bytes = whole(body).await?;
        let form = String::from_utf8_lossy(&bytes).into_owned();
        let query = parts.uri.query().unwrap_or_default();
        let action =
            form.split('&').chain(query.split('&')).find_map(|pair| pair.strip_prefix("Action="));
        let resource = role_of(&form).unwrap_or_else(|| "*".to_owned());
        (Protocol::Query, action.unwrap_or_default().to_owned(), resource, full(bytes))
    };
    let kind = format!("{service}:{operation}");
    // Everyone may ask who they are.
    let action = if kind == WHO_AM_I { String::new() } else { kind.clone() };
    let access_key = caller.access_key();
    let call = Call { service, kind, action, resource, repository: None, access_key, protocol };
    Ok(Incident { parts, host, call, caller, body, work: Work::Forward })
}

const WHO_AM_I: &str = "sts:GetCallerIdentity";

/// Passes the request on, with the account of the role that asks.
pub(crate) async fn perform(
    front: &Front,
    call: &Call,
    role: Option<&RoleSpecification>,
    parts: &Parts,
    body: AnyBody,
) -> Result<Answer, Fatal> {
    let account = role.map_or(PRIMARY_ACCOUNT, |role| &role.account);
    if let (WHO_AM_I, Some(role)) = (call.kind.as_str(), role) {
        return Ok(with_body(200, "text/xml", caller_identity(role)));
    }
    let mut headers = parts.headers.clone();
    headers.insert("x-moto-account-id", HeaderValue::from_str(account)?);
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let answer = front.moto.ask(&parts.method, path, headers, body).await?;
    if call.kind != ASSUME_ROLE {
        return Ok(answer);
    }
    let (parts, body) = answer.into_parts();
    let bytes = whole(body).await?;
    let text = String::from_utf8_lossy(&bytes);
    if let Some(key) = between(&text, "<AccessKeyId>", "</AccessKeyId>") {
        front.identities.add(session(key, &call.resource));
    }
    Ok(Answer::from_parts(parts, full(bytes)))
}

const ASSUME_ROLE: &str = "sts:AssumeRole";

/// Who holds the keys of a session of a role.
fn session(access_key: &str, role: &str) -> RoleSpecification {
    let account = role.split(':').nth(4).unwrap_or(PRIMARY_ACCOUNT);
    let name = role.rsplit('/').next().unwrap_or_default();
    RoleSpecification {
        access_key: access_key.to_owned(),
        name: name.to_owned(),
        ..RoleSpecification::of_everything(account)
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

/// The role that a request wants to be.
fn role_of(form: &str) -> Option<String> {
    let role = form.split('&').find_map(|pair| pair.strip_prefix("RoleArn="))?;
    Some(role.replace("%3A", ":").replace("%2F", "/"))
}

/// moto knows only its own user; a role here has a name.
fn caller_identity(role: &RoleSpecification) -> String {
    format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>{arn}</Arn><UserId>{user}:session</UserId><Account>{account}</Account></GetCallerIdentityResult>\
         <ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata>\
         </GetCallerIdentityResponse>",
        arn = role.arn(),
        user = role.access_key.replacen("AKIA", "AROA", 1),
        account = role.account,
    )
}

/// The service that a host without a signature is.
fn service_of(host: &str) -> String {
    if host.contains(".s3.") || host.starts_with("s3.") {
        return "s3".to_owned();
    }
    host.split('.').next().unwrap_or_default().to_owned()
}

/// What a refusal names; only parameters are worth more than a star.
fn resource_of(service: &str, region: &str, account: &str, input: &Value) -> String {
    let name = input["Name"]
        .as_str()
        .or_else(|| input["Names"][0].as_str())
        .or_else(|| input["Path"].as_str());
    match (service, name) {
        ("ssm", Some(name)) => {
            format!("arn:aws:ssm:{region}:{account}:parameter/{}", name.trim_start_matches('/'))
        }
        _ => "*".to_owned(),
    }
}

/// S3 has no operation's name; method and path stand for it.
fn s3_operation(parts: &Parts, host: &str) -> (&'static str, String) {
    let path = parts.uri.path().trim_start_matches('/');
    let path = match host.split_once(".s3.") {
        Some((bucket, _)) => format!("{bucket}/{path}"),
        None => path.to_owned(),
    };
    let has_key = path.split_once('/').is_some_and(|(_, key)| !key.is_empty());
    let asks_for_versions = parts.uri.query().is_some_and(|query| query.starts_with("versioning"));
    let operation = match (&parts.method, has_key) {
        (&Method::GET, false) if asks_for_versions => "GetBucketVersioning",
        (&Method::GET | &Method::HEAD, true) => "GetObject",
        (&Method::GET | &Method::HEAD, false) => "ListBucket",
        (&Method::DELETE, true) => "DeleteObject",
        (&Method::DELETE, false) => "DeleteBucket",
        (_, true) => "PutObject",
        (_, false) => "CreateBucket",
    };
    (operation, format!("arn:aws:s3:::{}", path.trim_end_matches('/')))
}
