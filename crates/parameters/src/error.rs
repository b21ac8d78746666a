//! Why values could not be read.

use std::fmt;

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use shipspec_spec::aws::{CREDENTIALS_HINT, causes, connection_hint};
use shipspec_spec::hint::Hint;
use shipspec_spec::parameter::ParameterSource;

use crate::refusal::{Refusal, TRUST, allow};

/// Why values could not be read. No message holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// There are no such parameters or secrets where they were looked for.
    #[error("parameters not found{}: {}", place(.region.as_deref()), list(.missing))]
    Missing {
        /// Those that are missing.
        missing: Vec<Missing>,
        /// Where they were looked for, if that is known.
        region: Option<String>,
    },
    /// A file that stands in for the stores does not have them.
    #[error("the file of `--parameters` has no value for {}", list(.0))]
    NotInFile(Vec<Missing>),
    /// The role may not do that.
    #[error("access denied: {message}")]
    Denied {
        /// The action that is not allowed, such as `ssm:GetParameters`.
        action: String,
        /// What it is not allowed on, if AWS said so.
        resource: Option<String>,
        /// AWS's own words.
        message: String,
    },
    /// There are no AWS credentials, or none that are valid.
    #[error("no valid AWS credentials to read parameters: {0}")]
    Credentials(String),
    /// The role of a parameter cannot be assumed.
    #[error("the role to read parameters with cannot be assumed: {0}")]
    Role(String),
    /// A value is not what it has to be.
    #[error("`{source_text}` {problem}")]
    Content {
        /// Where the value is kept.
        source_text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// AWS refused the request for another reason, or it did not arrive.
    #[error("failed to read parameters from {service}: {message}")]
    Request {
        /// The service, in words.
        service: &'static str,
        /// What AWS said, or what came in between.
        message: String,
        /// No answer came.
        is_connection: bool,
    },
}

/// A parameter that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Where it was looked for.
    pub source: ParameterSource,
    /// The nearest that is there, if that could be looked up.
    pub near: Option<String>,
}

fn place(region: Option<&str>) -> String {
    region.map(|region| format!(" in {region}")).unwrap_or_default()
}

fn list(missing: &[Missing]) -> String {
    missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.source)?;
        match &self.near {
            Some(near) => write!(formatter, " (there is `{near}`)"),
            None => Ok(()),
        }
    }
}

impl Hint for FetchError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { missing, .. } if missing.iter().any(|one| one.near.is_some()) => {
                Some("write the name that is there, or put the missing one into the store".into())
            }
            Self::Missing { .. } => {
                Some("check the names, the account and the region (`AWS_REGION`)".into())
            }
            Self::NotInFile(_) => Some(
                "write them there by these names, or by those that shipspec.yml gives them".into(),
            ),
            Self::Denied { action, resource, .. } => Some(allow(action, resource.as_deref())),
            Self::Credentials(_) => Some(CREDENTIALS_HINT.into()),
            Self::Role(_) => Some(TRUST.into()),
            Self::Request { message, is_connection: true, .. } => {
                Some(connection_hint(message).into())
            }
            Self::Request { .. } | Self::Content { .. } => None,
        }
    }
}

/// What an SDK's error means; `action` is what was asked for.
pub(crate) fn explain<E: ProvideErrorMetadata + std::error::Error + 'static>(
    service: &'static str,
    action: &str,
    error: &SdkError<E>,
) -> FetchError {
    let refusal = match error.code() {
        // Secrets Manager and Parameter Store tell so that they may not use the key.
        Some("DecryptionFailure" | "InvalidKeyId" | "InvalidKeyIdException") => {
            let message = error.message().map_or_else(|| causes(error), str::to_owned);
            Refusal::denied("kms:Decrypt", message)
        }
        _ => Refusal::of(action, error),
    };
    refused(service, refusal)
}

/// A refusal of who was asked for values, or for what names them.
pub(crate) fn refused(service: &'static str, refusal: Refusal) -> FetchError {
    match refusal {
        Refusal::Denied { action, resource, message } => {
            FetchError::Denied { action, resource, message }
        }
        Refusal::Credentials(message) => FetchError::Credentials(message),
        Refusal::Role(message) => FetchError::Role(message),
        Refusal::Throttled(message) => {
            FetchError::Request { service, message, is_connection: false }
        }
        Refusal::Request { message, is_connection } => {
            FetchError::Request { service, message, is_connection }
        }
    }
}
