//! Where the value of a parameter comes from.

use std::fmt;
use std::str::FromStr;

/// The name of a parameter in SSM Parameter Store, as a request takes it: `db_host`, `/app/db_host`,
/// with `:3` or `:label` behind it, or a whole ARN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParameterName(String);

impl ParameterName {
    /// The name as the request takes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ParameterName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Why a text names no parameter.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParameterError {
    /// The service in front is missing or unknown.
    #[error("`{0}` names no source; write `ssm:/path/name`")]
    Source(String),
    /// The name in Parameter Store breaks its rules.
    #[error(
        "`{0}` is no parameter name: letters, digits, `_`, `.`, `-` and `/`, with a `/` in front if there is one inside"
    )]
    Name(String),
}

/// Where a parameter is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterSource {
    /// `ssm:NAME`: one parameter of SSM Parameter Store.
    Ssm(ParameterName),
}

impl FromStr for ParameterSource {
    type Err = ParameterError;

    /// Reads `ssm:NAME` ([rules for names]).
    ///
    /// [rules for names]: https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
    fn from_str(text: &str) -> Result<Self, ParameterError> {
        let name = text.strip_prefix("ssm:").ok_or_else(|| ParameterError::Source(text.into()))?;
        let plain = if name.starts_with("arn:") {
            name.split_once(":parameter").map_or("", |(_, path)| path)
        } else {
            name.split_once(':').map_or(name, |(plain, _)| plain)
        };
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-/:".contains(&byte);
        let is_legal = !plain.is_empty()
            && !plain.ends_with('/')
            && name.bytes().all(is_allowed)
            && (plain.starts_with('/') || !plain.contains('/'));
        if is_legal {
            Ok(Self::Ssm(ParameterName(name.into())))
        } else {
            Err(ParameterError::Name(name.into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_store_are_read() {
        for name in [
            "db_host",
            "/app/db-host",
            "/app/db:3",
            "x:stable",
            "arn:aws:ssm:eu-west-1:123456789012:parameter/app/db",
        ] {
            let ParameterSource::Ssm(found) = format!("ssm:{name}").parse().unwrap();
            assert_eq!(found.as_str(), name);
        }
    }

    #[test]
    fn what_names_no_parameter_is_refused() {
        assert_eq!(
            "/app/db".parse::<ParameterSource>(),
            Err(ParameterError::Source("/app/db".into()))
        );
        for name in ["", "app/db", "/app db", "/app/"] {
            assert_eq!(
                format!("ssm:{name}").parse::<ParameterSource>(),
                Err(ParameterError::Name(name.into()))
            );
        }
    }
}
