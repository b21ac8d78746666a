//! Where the value of a parameter comes from.

mod secret;
mod store;

pub use secret::SecretReference;
pub use store::{ParameterName, ParameterPath};

use std::fmt;
use std::str::FromStr;

/// Why a text names no parameter.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParameterError {
    /// The service in front is missing or unknown.
    #[error("`{0}` names no source; write `ssm:/path/name` or `secretsmanager:name:key`")]
    Source(String),
    /// The name in Parameter Store breaks its rules.
    #[error(
        "`{0}` is no parameter name: letters, digits, `_`, `.`, `-` and `/`, with a `/` in front if there is one inside"
    )]
    Name(String),
    /// The reference to a secret has another form.
    #[error(
        "`{0}` names no secret; write `name:json-key:version-stage:version-id`, of which all but the name may be left out"
    )]
    Secret(String),
}

/// Where a parameter is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ParameterSource {
    /// `ssm:NAME`: one parameter of SSM Parameter Store.
    Ssm(ParameterName),
    /// `ssm:/path/`: all parameters below a path, as a dictionary.
    SsmPath(ParameterPath),
    /// `secretsmanager:ID`: a secret, or one key of it.
    SecretsManager(SecretReference),
}

impl ParameterSource {
    /// The region and the account that an ARN in it names.
    #[must_use]
    pub fn arn_place(&self) -> Option<(&str, &str)> {
        let mut parts = self.arn()?.split(':').skip(3);
        Some((parts.next()?, parts.next()?))
    }

    fn arn(&self) -> Option<&str> {
        let text = match self {
            Self::Ssm(name) => name.as_str(),
            Self::SecretsManager(secret) => &secret.id,
            Self::SsmPath(_) => return None,
        };
        text.starts_with("arn:").then_some(text)
    }
}

impl fmt::Display for ParameterSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ssm(name) => write!(formatter, "ssm:{name}"),
            Self::SsmPath(path) => write!(formatter, "ssm:{path}"),
            Self::SecretsManager(secret) => write!(formatter, "secretsmanager:{secret}"),
        }
    }
}

impl FromStr for ParameterSource {
    type Err = ParameterError;

    /// Reads `ssm:NAME`, `ssm:/path/`, `secretsmanager:ID`, or an ARN of either service.
    fn from_str(text: &str) -> Result<Self, ParameterError> {
        let service = match text.strip_prefix("arn:") {
            Some(arn) => arn.split(':').nth(1).unwrap_or_default(),
            None => text.split(':').next().unwrap_or_default(),
        };
        let inner = text.strip_prefix(service).and_then(|rest| rest.strip_prefix(':'));
        match (service, inner.unwrap_or(text)) {
            _ if !text.contains(':') => Err(ParameterError::Source(text.into())),
            ("ssm", path) if path.ends_with('/') => path.parse().map(Self::SsmPath),
            ("ssm", name) => name.parse().map(Self::Ssm),
            ("secretsmanager", id) => id.parse().map(Self::SecretsManager),
            _ => Err(ParameterError::Source(text.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ParameterSource, ParameterError> {
        text.parse()
    }

    #[test]
    fn names_of_the_store_are_read() {
        for name in [
            "db_host",
            "/app/db-host",
            "/app/db:3",
            "x:stable",
            "/aws/service/global-infrastructure/current-region",
            "arn:aws:ssm:eu-west-1:123456789012:parameter/app/db",
        ] {
            let text = format!("ssm:{name}");
            let source = parse(&text).unwrap();
            assert_eq!(source.to_string(), text);
            assert!(matches!(source, ParameterSource::Ssm(_)), "{source:?}");
        }
        let arn = parse("arn:aws:ssm:eu-west-1:123456789012:parameter/app/db").unwrap();
        assert_eq!(arn.arn_place(), Some(("eu-west-1", "123456789012")));
    }

    #[test]
    fn a_slash_at_the_end_makes_a_dictionary() {
        let ParameterSource::SsmPath(path) = parse("ssm:/shop/dev/").unwrap() else { panic!() };
        assert_eq!(path.as_str(), "/shop/dev/");
        assert!(matches!(parse("ssm:/"), Ok(ParameterSource::SsmPath(_))));
    }

    #[test]
    fn secrets_are_read_as_the_buildspec_writes_them() {
        let read = |text: &str| match parse(&format!("secretsmanager:{text}")) {
            Ok(ParameterSource::SecretsManager(secret)) => {
                let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".into());
                let (key, stage) = (part(&secret.json_key), part(&secret.version_stage));
                format!("{} {key} {stage} {}", secret.id, part(&secret.version_id))
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(read("hub"), "hub - - -");
        assert_eq!(read("prod/hub:token"), "prod/hub token - -");
        assert_eq!(read("hub:token:AWSPREVIOUS"), "hub token AWSPREVIOUS -");
        assert_eq!(read("hub:::v1"), "hub - - v1");
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub-AbCdEf";
        assert_eq!(read(&format!("{arn}:token::")), format!("{arn} token - -"));
        assert!(matches!(parse(arn), Ok(ParameterSource::SecretsManager(_))));
    }

    #[test]
    fn what_names_no_parameter_is_refused() {
        for text in ["/app/db", "vault:x", "arn:aws:s3:::bucket", "arn:", "ssm"] {
            assert_eq!(parse(text), Err(ParameterError::Source(text.into())), "{text}");
        }
        for name in ["", "app/db", "/app db", "app/"] {
            assert_eq!(parse(&format!("ssm:{name}")), Err(ParameterError::Name(name.into())));
        }
        for id in ["", "a b", "hub:key:AWSCURRENT:id", "hub:a:b:c:d"] {
            assert_eq!(
                parse(&format!("secretsmanager:{id}")),
                Err(ParameterError::Secret(id.into()))
            );
        }
    }
}
