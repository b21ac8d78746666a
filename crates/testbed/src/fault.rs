use serde::{Deserialize, Serialize};

use crate::mutability::matches;

/// Something that goes wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The request is answered later; it then goes on, to the next fault if there is one.
    Delay {
        /// How much later.
        milliseconds: u64,
    },
    /// 429 `TOOMANYREQUESTS` from a registry, `ThrottlingException` from an API.
    Throttle {
        /// The `Retry-After` header, where there is to be one.
        retry_after_seconds: Option<u64>,
    },
    /// Any status, with any body.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The body's type.
        content_type: String,
        /// The body.
        body: String,
    },
    /// An API's error by its name, in the form of the service's protocol.
    ApiError {
        /// The HTTP status.
        status: u16,
        /// The error's type, `ExpiredTokenException` for one.
        code: String,
        /// The text for people.
        message: String,
    },
    /// A TCP reset once this many bytes of the request's body were read, or at its end.
    ResetRequest {
        /// Bytes of the body.
        after_bytes: u64,
    },
    /// A TCP reset once this many bytes of the response's body were sent.
    ResetResponse {
        /// Bytes of the body.
        after_bytes: u64,
    },
    /// The connection is closed once this many bytes of the response's body were sent.
    Truncate {
        /// Bytes of the body.
        after_bytes: u64,
    },
    /// A `Docker-Content-Digest` that is not the digest of the content.
    WrongDigest,
    /// 401, as for a request that has no credentials.
    Unauthorized,
    /// 403, as ECR's registries answer a token of more than twelve hours.
    ExpiredToken,
}

/// A fault: what happens, to which requests, how many times.
///
/// A fault that names no kind meets every request; it fires once unless [`times`](Self::times) or
/// [`always`](Self::always) say otherwise. Kinds are those of [`Request::kind`](crate::Request):
///
/// | kind | which requests |
/// | --- | --- |
/// | `ping` | `/v2/` |
/// | `blob-head`, `blob-get` | is the layer there; where is it |
/// | `layer-get` | the download itself, from the host that `blob-get` told |
/// | `upload-start`, `upload-part`, `upload-finish`, `upload-status`, `upload-cancel`; `blob-upload` for all of them | an upload |
/// | `manifest-head`, `manifest-get`, `manifest-put` | manifests |
/// | `tags-list`, `referrers` | lists |
/// | `api:PutImage` | an operation of ECR's API |
/// | `ssm:GetParameters` | an operation of any other service |
///
/// `*` stands for any text: `manifest-*`, `api:*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    kind: Option<String>,
    effect: Effect,
    /// How many times it still fires; without a number, for ever.
    remaining: Option<u64>,
}

impl Fault {
    /// A fault with this effect, once, on any request.
    #[must_use]
    pub fn new(effect: Effect) -> Self {
        Self { kind: None, effect, remaining: Some(1) }
    }

    /// Too many requests.
    #[must_use]
    pub fn throttle() -> Self {
        Self::new(Effect::Throttle { retry_after_seconds: None })
    }

    /// Too many requests, with a `Retry-After` header.
    #[must_use]
    pub fn throttle_for(seconds: u64) -> Self {
        Self::new(Effect::Throttle { retry_after_seconds: Some(seconds) })
    }

    /// Every answer comes this much later.
    #[must_use]
    pub fn delay(milliseconds: u64) -> Self {
        Self::new(Effect::Delay { milliseconds }).always()
    }

    /// An error of a registry: this status, and one error in the registry protocol's form.
    #[must_use]
    pub fn registry_error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({ "errors": [{ "code": code, "message": message }] });
        Self::answer(status, "application/json", &body.to_string())
    }

    /// A page from a proxy or load balancer that is no JSON at all.
    #[must_use]
    pub fn html(status: u16) -> Self {
        let body = format!(
            "<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n"
        );
        Self::answer(status, "text/html", &body)
    }

    /// Any status and body.
    #[must_use]
    pub fn answer(status: u16, content_type: &str, body: &str) -> Self {
        Self::new(Effect::Answer { status, content_type: content_type.into(), body: body.into() })
    }

    /// An error of an API.
    #[must_use]
    pub fn api_error(status: u16, code: &str, message: &str) -> Self {
        Self::new(Effect::ApiError { status, code: code.into(), message: message.into() })
    }

    /// A TCP reset after this many bytes of the request's body.
    #[must_use]
    pub fn reset_request(after_bytes: u64) -> Self {
        Self::new(Effect::ResetRequest { after_bytes })
    }

    /// A TCP reset after this many bytes of the response's body.
    #[must_use]
    pub fn reset_response(after_bytes: u64) -> Self {
        Self::new(Effect::ResetResponse { after_bytes })
    }

    /// A response that ends too early.
    #[must_use]
    pub fn truncate(after_bytes: u64) -> Self {
        Self::new(Effect::Truncate { after_bytes })
    }

    /// A `Docker-Content-Digest` that is wrong.
    #[must_use]
    pub fn wrong_digest() -> Self {
        Self::new(Effect::WrongDigest)
    }

    /// 401, as if there were no credentials.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(Effect::Unauthorized)
    }

    /// 403, as if the token were too old.
    #[must_use]
    pub fn expired_token() -> Self {
        Self::new(Effect::ExpiredToken)
    }

    /// From now on every connection is reset.
    #[must_use]
    pub fn killed() -> Self {
        Self::reset_request(0).always()
    }

    /// Only requests of this kind; see the table above.
    #[must_use]
    pub fn on(mut self, kind: &str) -> Self {
        self.kind = Some(kind.to_owned());
        self
    }

    /// Fires this many times.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.remaining = Some(count);
        self
    }

    /// Fires for ever.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.remaining = None;
        self
    }

    /// What happens.
    #[must_use]
    pub fn effect(&self) -> &Effect {
        &self.effect
    }

    /// Whether it is used up.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.remaining == Some(0)
    }

    /// Takes one firing, if a request of this kind is meant and there is one left.
    pub fn fire(&mut self, kind: &str) -> Option<Effect> {
        if self.is_spent() || !self.meets(kind) {
            return None;
        }
        if let Some(remaining) = &mut self.remaining {
            *remaining -= 1;
        }
        Some(self.effect.clone())
    }

    fn meets(&self, kind: &str) -> bool {
        match self.kind.as_deref() {
            None => true,
            Some("blob-upload") => kind.starts_with("upload-"),
            Some(pattern) => matches(pattern, kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_fires_as_often_as_it_says_on_the_kind_it_names() {
        let mut fault = Fault::throttle().on("manifest-put").times(2);
        assert_eq!(fault.fire("manifest-get"), None);
        assert!(fault.fire("manifest-put").is_some());
        assert!(fault.fire("manifest-put").is_some());
        assert_eq!(fault.fire("manifest-put"), None);
        assert!(fault.is_spent());
    }

    #[test]
    fn all_parts_of_an_upload_are_blob_upload() {
        let mut fault = Fault::killed().on("blob-upload");
        assert!(fault.fire("upload-start").is_some());
        assert!(fault.fire("upload-finish").is_some());
        assert!(fault.fire("blob-head").is_none());
    }
}
