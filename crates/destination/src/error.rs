//! Why an artifact was not published.

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use shipspec_spec::aws::{CREDENTIALS_HINT, causes, connection_hint, is_credentials_code};
use shipspec_spec::hint::Hint;

/// Why an artifact was not published. No message holds what is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicationError {
    /// The role may not do that.
    #[error("access denied: {message}")]
    Denied {
        /// The action that is not allowed, such as `ssm:PutParameter`.
        action: &'static str,
        /// AWS's own words.
        message: String,
    },
    /// There are no AWS credentials, or none that are valid.
    #[error("no valid AWS credentials to publish with: {0}")]
    Credentials(String),
    /// The role of a place cannot be assumed.
    #[error("the role to publish with cannot be assumed: {0}")]
    Role(String),
    /// There is no such bucket.
    #[error("there is no bucket `{0}`")]
    NoBucket(String),
    /// The parameter is there, with another type.
    #[error("the parameter `{name}` is a `{is}`, and a `{wanted}` would be written")]
    OtherType {
        /// Its name.
        name: String,
        /// Its type.
        is: String,
        /// The type that is wanted.
        wanted: String,
    },
    /// The service refused the request for another reason.
    #[error("{service} refused the request: {message}")]
    Refused {
        /// The service, in words.
        service: &'static str,
        /// What it said.
        message: String,
    },
    /// No answer came. What was written then may be there, or not.
    #[error("no answer from {service}: {message}")]
    NoAnswer {
        /// The service, in words.
        service: &'static str,
        /// What came in between.
        message: String,
        /// Something was to be written.
        was_writing: bool,
    },
}

impl PublicationError {
    /// The service may have done what it was asked for, all the same.
    #[must_use]
    pub fn is_unsure(&self) -> bool {
        matches!(self, Self::NoAnswer { was_writing: true, .. })
    }

    /// Only the right to look is missing; what is written does not depend on it.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }
}

impl Hint for PublicationError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Denied { action, .. } => Some(format!(
                "allow `{action}` to the role that publishes; `shipspec policy` prints all that is needed"
            )),
            Self::Credentials(_) => Some(CREDENTIALS_HINT.into()),
            Self::Role(_) => Some(
                "allow `sts:AssumeRole` on it to the role that shipspec runs with, and let it trust that role".into(),
            ),
            Self::NoBucket(_) => Some(
                "check its name and the account; shipspec makes no buckets".into(),
            ),
            Self::OtherType { is, .. } if is == "SecureString" => {
                Some("say `secret: true` for this place, or publish to another name".into())
            }
            Self::OtherType { .. } => Some(
                "the type of a parameter cannot be changed: publish to another name, or delete the parameter first".into(),
            ),
            Self::NoAnswer { message, .. } => Some(connection_hint(message).into()),
            Self::Refused { .. } => None,
        }
    }
}

/// What a service was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    service: &'static str,
    action: &'static str,
    is_write: bool,
}

impl Asked {
    pub(crate) fn reading(service: &'static str, action: &'static str) -> Self {
        Self { service, action, is_write: false }
    }

    pub(crate) fn writing(service: &'static str, action: &'static str) -> Self {
        Self { service, action, is_write: true }
    }

    /// What an SDK's error means.
    pub(crate) fn explain<E>(self, error: &SdkError<E>) -> PublicationError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let whole = causes(error);
        let message = error.message().map_or_else(|| whole.clone(), str::to_owned);
        match error.code() {
            None if whole.contains("AssumeRole") => PublicationError::Role(whole),
            None if whole.contains("credential") => PublicationError::Credentials(whole),
            None => self.no_answer(whole),
            Some(code) => self.refused(code, message),
        }
    }

    /// Nobody answered.
    pub(crate) fn no_answer(self, message: String) -> PublicationError {
        let Self { service, is_write, .. } = self;
        PublicationError::NoAnswer { service, message, was_writing: is_write }
    }

    /// What the code of a refusal means.
    pub(crate) fn refused(self, code: &str, message: String) -> PublicationError {
        let Self { service, action, .. } = self;
        match code {
            "AccessDenied" | "AccessDeniedException" | "AllAccessDisabled" => {
                PublicationError::Denied { action, message }
            }
            // S3 has a word of its own for a key that there is not.
            "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" => {
                PublicationError::Credentials(message)
            }
            code if is_credentials_code(code) => PublicationError::Credentials(message),
            _ => PublicationError::Refused { service, message: format!("{message} ({code})") },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_to_do() {
        let asked = Asked::writing("S3", "s3:PutObject");
        let told = |code: &str| {
            let error = asked.refused(code, "no".into());
            (error.to_string(), error.hint().unwrap_or_default())
        };
        let (message, hint) = told("AccessDenied");
        assert_eq!(message, "access denied: no");
        assert!(hint.starts_with("allow `s3:PutObject`"), "{hint}");
        assert!(told("ExpiredToken").0.starts_with("no valid AWS credentials"));
        assert_eq!(told("SlowDown").0, "S3 refused the request: no (SlowDown)");
    }
}
