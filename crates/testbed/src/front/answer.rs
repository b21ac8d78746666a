//! Answers and errors in the forms of the protocols.

use hyper::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::body::{AnyBody, full};
use super::route::PUBLIC_HOST;

/// What the front answers.
pub(crate) type Answer = Response<AnyBody>;

/// How a service words its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// The registry protocol: a list of errors in JSON.
    Registry,
    /// AWS JSON 1.0 and 1.1: a `__type`.
    Json,
    /// AWS query: XML.
    Query,
    /// S3's XML.
    S3,
}

/// An error that a service tells its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceError {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The error's type or code.
    pub(crate) code: String,
    /// The text for people.
    pub(crate) message: String,
}

impl ServiceError {
    /// An error of this status and code.
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    /// The error as an answer.
    pub(crate) fn answer(&self, protocol: Protocol) -> Answer {
        let Self { status, code, message } = self;
        match protocol {
            Protocol::Registry => {
                let errors = json!({ "errors": [{ "code": code, "message": message }] });
                with_body(*status, "application/json; charset=utf-8", errors.to_string())
            }
            Protocol::Json => {
                // Errors of the framework before a service spell the field with a capital.
                let field = if code == "AccessDeniedException" { "Message" } else { "message" };
                let error = json!({ "__type": code, field: message });
                with_body(*status, "application/x-amz-json-1.1", error.to_string())
            }
            Protocol::Query => {
                let error = format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{}</Message></Error>\
                     <RequestId>{REQUEST_ID}</RequestId></ErrorResponse>",
                    escaped(message)
                );
                with_body(*status, "text/xml", error)
            }
            Protocol::S3 => {
                let error = format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{}</Message>\
                     <RequestId>{REQUEST_ID}</RequestId></Error>",
                    escaped(message)
                );
                with_body(*status, "application/xml", error)
            }
        }
    }
}

const REQUEST_ID: &str = "00000000-0000-0000-0000-000000000000";

/// A refusal of an action, by the role.
pub(crate) fn denied(protocol: Protocol, arn: &str, action: &str, resource: &str) -> ServiceError {
    let message = format!(
        "User: {arn} is not authorized to perform: {action} on resource: {resource} \
         because no identity-based policy allows the {action} action"
    );
    match protocol {
        Protocol::Registry => ServiceError::new(403, "DENIED", message),
        Protocol::Json => ServiceError::new(400, "AccessDeniedException", message),
        Protocol::Query | Protocol::S3 => ServiceError::new(403, "AccessDenied", message),
    }
}

/// Too many requests.
pub(crate) fn throttled(protocol: Protocol) -> ServiceError {
    match protocol {
        Protocol::Registry => ServiceError::new(429, "TOOMANYREQUESTS", "Rate exceeded"),
        Protocol::Json => ServiceError::new(400, "ThrottlingException", "Rate exceeded"),
        Protocol::Query => ServiceError::new(400, "Throttling", "Rate exceeded"),
        Protocol::S3 => ServiceError::new(503, "SlowDown", "Please reduce your request rate."),
    }
}

/// What a registry answers when a token has passed its twelve hours, and an API when a session has.
pub(crate) fn expired(protocol: Protocol) -> ServiceError {
    match protocol {
        Protocol::Registry => {
            let message = "Your authorization token has expired. Reauthenticate and try again.";
            ServiceError::new(403, "DENIED", message)
        }
        Protocol::Json => ServiceError::new(
            400,
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
        Protocol::Query => ServiceError::new(
            403,
            "ExpiredToken",
            "The security token included in the request is expired",
        ),
        Protocol::S3 => ServiceError::new(400, "ExpiredToken", "The provided token has expired."),
    }
}

/// What is answered where there are no credentials at all.
pub(crate) fn unauthorized(protocol: Protocol, host: &str) -> Answer {
    if protocol != Protocol::Registry {
        let message = "Missing Authentication Token";
        return ServiceError::new(400, "MissingAuthenticationTokenException", message)
            .answer(protocol);
    }
    let mut answer = with_body(401, "text/plain; charset=utf-8", "Not Authorized\n");
    let challenge = if host == PUBLIC_HOST {
        format!("Bearer realm=\"https://{host}/token/\",service=\"{host}\",scope=\"aws\"")
    } else {
        format!("Basic realm=\"https://{host}/\",service=\"ecr.amazonaws.com\"")
    };
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    answer
}

/// A status and a body.
pub(crate) fn with_body(status: u16, content_type: &str, body: impl Into<bytes::Bytes>) -> Answer {
    let mut answer = Response::new(full(body));
    *answer.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        answer.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    answer
}

/// An API's result.
pub(crate) fn json_answer(value: &Value) -> Answer {
    with_body(200, "application/x-amz-json-1.1", value.to_string())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
