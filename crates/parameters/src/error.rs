//! Why values could not be read.

use std::fmt;
use std::sync::LazyLock;

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use regex::Regex;
use shipspec_spec::aws::{CREDENTIALS_HINT, causes, connection_hint, is_credentials_code};
use shipspec_spec::hint::Hint;
use shipspec_spec::parameter::ParameterSource;

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
            Self::Denied { action, resource, .. } => {
                let resource = resource.as_ref().map(|resource| format!(" on `{resource}`"));
                let resource = resource.unwrap_or_default();
                Some(format!("allow `{action}`{resource} to the role that shipspec runs with; `shipspec policy` prints all that is needed"))
            }
            Self::Credentials(_) => Some(CREDENTIALS_HINT.into()),
            Self::Role(_) => Some(
                "allow `sts:AssumeRole` on it to the role that shipspec runs with, and let it trust that role".into(),
            ),
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
    let message = error.message().map_or_else(|| causes(error), str::to_owned);
    let code = error.code();
    let whole = causes(error);
    if code.is_none() && whole.contains("AssumeRole") {
        return FetchError::Role(whole);
    }
    match code {
        Some("AccessDeniedException" | "AccessDenied") => denied(action, message),
        // Secrets Manager and Parameter Store tell so that they may not use the key.
        Some("DecryptionFailure" | "InvalidKeyId" | "InvalidKeyIdException") => {
            denied("kms:Decrypt", message)
        }
        Some(code) if is_credentials_code(code) => FetchError::Credentials(message),
        None if whole.contains("credential") => FetchError::Credentials(whole),
        Some(_) => FetchError::Request { service, message, is_connection: false },
        None => FetchError::Request { service, message: whole, is_connection: true },
    }
}

/// AWS names the action and the resource in its words, and sometimes another action than the one that
/// was asked for: that of the key.
fn denied(asked: &str, message: String) -> FetchError {
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
    FetchError::Denied { action: action.unwrap_or_else(|| asked.into()), resource, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_names_what_to_allow() {
        let told = |message: &str| denied("ssm:GetParameters", message.into()).hint().unwrap();
        let arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/rds_pass";
        let words = format!(
            "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: ssm:GetParameters on resource: {arn} because no identity-based policy allows it"
        );
        assert!(told(&words).starts_with(&format!("allow `ssm:GetParameters` on `{arn}` to")));
        assert!(told("User is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext").starts_with("allow `kms:Decrypt` to"));
        assert!(told("no").starts_with("allow `ssm:GetParameters` to"));
    }
}
