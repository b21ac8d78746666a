//! References to secrets in Secrets Manager.

use std::fmt;
use std::str::FromStr;

use super::ParameterError;

/// A secret in Secrets Manager, or a part of it, in the form of a buildspec's `env.secrets-manager`
/// ([syntax]): `secret-id:json-key:version-stage:version-id`.
///
/// [syntax]: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.env.secrets-manager
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretReference {
    /// The name or the ARN of the secret.
    pub id: String,
    /// The key of its JSON; without it, the whole text.
    pub json_key: Option<String>,
    /// Such as `AWSPREVIOUS`; without it and without an id, `AWSCURRENT`.
    pub version_stage: Option<String>,
    /// The id of one version.
    pub version_id: Option<String>,
}

impl fmt::Display for SecretReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.id)?;
        let parts = [&self.json_key, &self.version_stage, &self.version_id];
        let count = parts.iter().rposition(|part| part.is_some()).map_or(0, |last| last + 1);
        for part in &parts[..count] {
            write!(formatter, ":{}", part.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }
}

impl FromStr for SecretReference {
    type Err = ParameterError;

    fn from_str(text: &str) -> Result<Self, ParameterError> {
        /// `arn:aws:secretsmanager:region:account:secret:name`
        const ARN_COLONS: usize = 6;
        let colons = if text.starts_with("arn:") { ARN_COLONS } else { 0 };
        let end = text.match_indices(':').nth(colons).map_or(text.len(), |(at, _)| at);
        let (id, rest) = text.split_at(end);
        let mut parts = rest.split(':').skip(1).map(|part| (!part.is_empty()).then(|| part.into()));
        let (json_key, version_stage, version_id) =
            (parts.next().flatten(), parts.next().flatten(), parts.next().flatten());
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-:".contains(&byte);
        let is_legal = !id.is_empty()
            && id.bytes().all(is_allowed)
            && parts.next().is_none()
            // A version has one of them; asking for both is refused by the service.
            && !(version_stage.is_some() && version_id.is_some());
        if is_legal {
            Ok(Self { id: id.into(), json_key, version_stage, version_id })
        } else {
            Err(ParameterError::Secret(text.into()))
        }
    }
}
