//! What services of AWS answer instead of what was asked for.

use std::sync::LazyLock;

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use regex::Regex;
use shipspec_spec::aws::{CREDENTIALS_HINT, causes, connection_hint, is_credentials_code};
use shipspec_spec::hint::Hint;

/// Why AWS did not answer a question, whichever service it was asked of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The role may not do that.
    #[error("access denied: {message}")]
    Denied {
        /// The action that is not allowed, such as `ecs:DescribeServices`.
        action: String,
        /// What it is not allowed on, if AWS said so.
        resource: Option<String>,
        /// AWS's own words.
        message: String,
    },
    /// There are no AWS credentials, or none that are valid.
    #[error("no valid AWS credentials: {0}")]
    Credentials(String),
    /// The role that was to ask cannot be assumed.
    #[error("the role cannot be assumed: {0}")]
    Role(String),
    /// Too much was asked at once, and asking again did not help.
    #[error("AWS limits the rate of requests: {0}")]
    Throttled(String),
    /// AWS refused the request for another reason, or it did not arrive.
    #[error("{message}")]
    Request {
        /// What AWS said, or what came in between.
        message: String,
        /// No answer came.
        is_connection: bool,
    },
}

impl Hint for Refusal {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Denied { action, resource, .. } => Some(allow(action, resource.as_deref())),
            Self::Credentials(_) => Some(CREDENTIALS_HINT.into()),
            Self::Role(_) => Some(TRUST.into()),
            Self::Throttled(_) => Some("wait a moment and run it again".into()),
            Self::Request { message, is_connection: true } => Some(connection_hint(message).into()),
            Self::Request { .. } => None,
        }
    }
}

/// Advice for an action that is not allowed.
pub(crate) fn allow(action: &str, resource: Option<&str>) -> String {
    let resource = resource.map(|resource| format!(" on `{resource}`")).unwrap_or_default();
    format!(
        "allow `{action}`{resource} to the role that shipspec runs with; `shipspec policy` prints all that is needed"
    )
}

/// Advice for a role that cannot be assumed.
pub(crate) const TRUST: &str =
    "allow `sts:AssumeRole` on it to the role that shipspec runs with, and let it trust that role";

impl Refusal {
    /// What an SDK's error means; `action` is what was asked for, as IAM names it.
    pub fn of<E: ProvideErrorMetadata + std::error::Error + 'static>(
        action: &str,
        error: &SdkError<E>,
    ) -> Self {
        let whole = causes(error);
        let message = error.message().map_or_else(|| whole.clone(), str::to_owned);
        match error.code() {
            None if whole.contains("AssumeRole") => Self::Role(whole),
            None if whole.contains("credential") => Self::Credentials(whole),
            None => Self::Request { message: whole, is_connection: true },
            Some("AccessDeniedException" | "AccessDenied") => Self::denied(action, message),
            Some(code) if is_credentials_code(code) => Self::Credentials(message),
            Some(code) if code.contains("Throttling") || code == "TooManyRequestsException" => {
                Self::Throttled(message)
            }
            Some(_) => Self::Request { message, is_connection: false },
        }
    }

    /// AWS names the action and the resource in its words, and sometimes another action than the one that
    /// was asked for: that of the key.
    pub(crate) fn denied(asked: &str, message: String) -> Self {
        static WORDS: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"perform: (?P<action>[a-z0-9-]+:[A-Za-z*]+)(?: on (?:the )?resource: (?P<resource>[^ ]+))?")
                .expect("the pattern is right")
        });
        let found = WORDS.captures(&message);
        let part = |name: &str| {
            let part = found.as_ref().and_then(|found| found.name(name));
            part.map(|part| part.as_str().trim_end_matches(['.', ',']).to_owned())
        };
        let (action, resource) = (part("action"), part("resource"));
        Self::Denied { action: action.unwrap_or_else(|| asked.into()), resource, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_names_what_to_allow() {
        let told =
            |message: &str| Refusal::denied("ssm:GetParameters", message.into()).hint().unwrap();
        let arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/rds_pass";
        let words = format!(
            "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: ssm:GetParameters on resource: {arn} because no identity-based policy allows it"
        );
        assert!(told(&words).starts_with(&format!("allow `ssm:GetParameters` on `{arn}` to")));
        assert!(told("User is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext").starts_with("allow `kms:Decrypt` to"));
        assert!(told("no").starts_with("allow `ssm:GetParameters` to"));
    }
}
