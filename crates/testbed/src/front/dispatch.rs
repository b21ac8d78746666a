//! One request: what it is, which fault it meets, who may do it, and then the service.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::header::{HOST, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use shipspec_testbed::control::RoleSpecification;
use shipspec_testbed::{Effect, Request};

use super::Front;
use super::answer::{
    Answer, Protocol, ServiceError, denied, expired, throttled, unauthorized, with_body,
};
use super::body::{AnyBody, Count, counted, cut, incoming, read_up_to, whole};
use super::call::Call;
use super::connection::Breaker;
use super::identity::{Caller, now};
use super::route::Host;
use super::{downloads, ecr, forward, registry};
use crate::inside::Fatal;

/// A request that was looked at, but not yet done.
pub(crate) struct Incident {
    /// Method, path and headers.
    pub(crate) parts: Parts,
    /// The host that was asked.
    pub(crate) host: String,
    /// What is asked for.
    pub(crate) call: Call,
    /// By whom.
    pub(crate) caller: Caller,
    /// The body, if it has not been read.
    pub(crate) body: AnyBody,
    /// Who does it.
    pub(crate) work: Work,
}

/// Who does it.
pub(crate) enum Work {
    /// A registry.
    Registry(super::route::Operation),
    /// The token server of ECR Public.
    Token,
    /// ECR's API: region, operation, input.
    Ecr(String, String, serde_json::Value),
    /// The downloads of the registries.
    Layers,
    /// Another service.
    Forward,
    /// Nobody: it is wrong in form.
    Refuse(ServiceError),
}

/// Answers a request. An error here ends the connection.
pub(crate) async fn answer(
    front: Arc<Front>,
    breaker: Breaker,
    request: hyper::Request<Incoming>,
) -> Result<Answer, Fatal> {
    let (time, arrival) = (now(), Instant::now());
    let (received, sent) = (Count::default(), Count::default());
    let (parts, body) = request.into_parts();
    let body = counted(incoming(body), Arc::clone(&received));
    let incident = classify(&front, parts, body).await?;

    let call = incident.call.clone();
    let mut record = Request {
        time,
        milliseconds: 0,
        service: call.service.clone(),
        method: incident.parts.method.to_string(),
        host: incident.host.clone(),
        path: incident.parts.uri.to_string(),
        kind: call.kind.clone(),
        action: call.action.clone(),
        repository: call.repository.as_ref().map(ToString::to_string),
        access_key: call.access_key.clone(),
        user_agent: text_of(incident.parts.headers.get(USER_AGENT)),
        status: 0,
        request_bytes: 0,
        response_bytes: 0,
    };
    let outcome = meet_faults(&front, &breaker, incident).await;
    record.milliseconds = u64::try_from(arrival.elapsed().as_millis()).unwrap_or(u64::MAX);
    record.status = outcome.as_ref().map_or(0, |answer| answer.status().as_u16());
    front.journal.add(call, record, received, Arc::clone(&sent));
    outcome.map(|answer| answer.map(|body| counted(body, sent)))
}

/// What the request is, by its host.
async fn classify(front: &Front, parts: Parts, body: AnyBody) -> Result<Incident, Fatal> {
    let host = text_of(parts.headers.get(HOST)).to_ascii_lowercase();
    let host = host.split(':').next().unwrap_or_default().to_owned();
    match Host::parse(&host) {
        Host::Registry { account, region } => {
            Ok(registry::classify(front, &account, &region, host, parts, body))
        }
        Host::EcrApi { region } => ecr::classify(front, region, host, parts, body).await,
        Host::Layers => Ok(downloads::classify(front, host, parts, body)),
        Host::Other => forward::classify(front, host, parts, body).await,
    }
}

/// Does the request, with what goes wrong on the way.
async fn meet_faults(
    front: &Front,
    breaker: &Breaker,
    incident: Incident,
) -> Result<Answer, Fatal> {
    let verdict = front.faults.take(&incident.call);
    let latency = Duration::from_millis(front.latency.load(Ordering::Relaxed));
    if !(verdict.delay + latency).is_zero() {
        tokio::time::sleep(verdict.delay + latency).await;
    }
    let (protocol, is_head) = (incident.call.protocol, incident.parts.method == Method::HEAD);
    match verdict.effect {
        Some(Effect::ResetRequest { after_bytes }) => {
            read_up_to(incident.body, after_bytes).await;
            breaker.reset();
            Err("a fault resets this connection".into())
        }
        Some(Effect::ResetResponse { after_bytes }) => {
            let answer = perform(front, incident).await?;
            shorten(answer, after_bytes, is_head, Some(breaker)).await
        }
        Some(Effect::Truncate { after_bytes }) => {
            let answer = perform(front, incident).await?;
            shorten(answer, after_bytes, is_head, None).await
        }
        Some(Effect::WrongDigest) => {
            let mut answer = perform(front, incident).await?;
            let wrong = HeaderValue::from_static(WRONG_DIGEST);
            answer.headers_mut().insert("docker-content-digest", wrong);
            Ok(answer)
        }
        Some(effect) => {
            // Else the client may see a broken connection in place of the answer.
            read_up_to(incident.body, u64::MAX).await;
            Ok(prepared(&effect, protocol, &incident.host))
        }
        None => perform(front, incident).await,
    }
}

const WRONG_DIGEST: &str =
    "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// The answer of a fault that needs nothing from the service.
fn prepared(effect: &Effect, protocol: Protocol, host: &str) -> Answer {
    match effect {
        Effect::Throttle { retry_after_seconds } => {
            let mut answer = throttled(protocol).answer(protocol);
            if let Some(seconds) = retry_after_seconds {
                answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*seconds));
            }
            answer
        }
        Effect::Answer { status, content_type, body } => {
            with_body(*status, content_type, body.clone())
        }
        Effect::ApiError { status, code, message } => {
            ServiceError::new(*status, code, message).answer(protocol)
        }
        Effect::Unauthorized => unauthorized(protocol, host),
        _ => expired(protocol).answer(protocol),
    }
}

/// An answer whose connection ends before its body does.
async fn shorten(
    answer: Answer,
    after_bytes: u64,
    is_head: bool,
    reset: Option<&Breaker>,
) -> Result<Answer, Fatal> {
    let (mut parts, body) = answer.into_parts();
    let body = whole(body).await?;
    if body.is_empty() || is_head {
        if let Some(breaker) = reset {
            breaker.reset();
        }
        return Err("a fault ends this connection".into());
    }
    parts.headers.insert(hyper::header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    Ok(Answer::from_parts(parts, cut(&body, after_bytes, reset.cloned())))
}

/// Does the request, if its caller may.
async fn perform(front: &Front, incident: Incident) -> Result<Answer, Fatal> {
    let role = match authorize(&incident) {
        Ok(role) => role,
        Err(answer) => {
            read_up_to(incident.body, u64::MAX).await;
            return Ok(*answer);
        }
    };
    let Incident { parts, host, call, body, work, .. } = incident;
    match (work, role) {
        (Work::Registry(operation), _) => {
            registry::perform(front, &operation, &call, &parts, &host, body).await
        }
        (Work::Ecr(region, operation, input), Some(role)) => {
            let result = ecr::perform(front, &role, &region, &operation, &input).await?;
            Ok(result.map_or_else(
                |error| error.answer(call.protocol),
                |value| super::answer::json_answer(&value),
            ))
        }
        (Work::Token, _) => Ok(registry::token(&parts)),
        (Work::Layers, _) => downloads::perform(front, &parts).await,
        (Work::Forward, role) => forward::perform(front, &call, role.as_ref(), &parts, body).await,
        (Work::Refuse(error), _) => Ok(error.answer(call.protocol)),
        (Work::Ecr(..), None) => Err("a call of the API has no caller".into()),
    }
}

/// The role that asks, if it may; else the refusal. Downloads carry their right in the address.
fn authorize(incident: &Incident) -> Result<Option<RoleSpecification>, Box<Answer>> {
    let Call { protocol, action, resource, .. } = &incident.call;
    let refuse = |error: ServiceError| Err(Box::new(error.answer(*protocol)));
    let is_forward = matches!(incident.work, Work::Forward);
    match &incident.caller {
        Caller::Known(role) if action.is_empty() || role.permits(action) => Ok(Some(role.clone())),
        Caller::Known(role) => refuse(denied(*protocol, &role.arn(), action, resource)),
        Caller::Nobody if is_forward || matches!(incident.work, Work::Layers) => Ok(None),
        Caller::Nobody => Err(Box::new(unauthorized(*protocol, &incident.host))),
        Caller::Expired(_) => refuse(expired(*protocol)),
        Caller::Elsewhere(_) => refuse(invalid_token(StatusCode::FORBIDDEN)),
        Caller::Unknown => match protocol {
            Protocol::Registry => refuse(invalid_token(StatusCode::BAD_REQUEST)),
            Protocol::Json => {
                refuse(ServiceError::new(400, "UnrecognizedClientException", INVALID))
            }
            Protocol::Query => refuse(ServiceError::new(403, "InvalidClientTokenId", INVALID)),
            Protocol::S3 => refuse(ServiceError::new(403, "InvalidAccessKeyId", INVALID)),
        },
    }
}

const INVALID: &str = "The security token included in the request is invalid.";

fn invalid_token(status: StatusCode) -> ServiceError {
    ServiceError::new(status.as_u16(), "DENIED", "Your Authorization Token is invalid.")
}

/// A header as text.
pub(crate) fn text_of(value: Option<&HeaderValue>) -> String {
    value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
