//! Names in SSM Parameter Store ([rules]).
//!
//! [rules]: https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html

use std::fmt;
use std::str::FromStr;

use super::ParameterError;

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

    /// The name without an ARN in front and a version or label behind it.
    #[must_use]
    pub fn plain(&self) -> &str {
        if self.0.starts_with("arn:") {
            // An ARN has `parameter/name` for `name` and for `/name`; only one inside tells.
            let path = self.0.split_once(":parameter").map_or("", |(_, path)| path);
            let path = path.split(':').next().unwrap_or_default();
            let bare = path.trim_start_matches('/');
            return if bare.contains('/') { path } else { bare };
        }
        self.0.split(':').next().unwrap_or_default()
    }

    /// It names a version or a label.
    #[must_use]
    pub fn has_selector(&self) -> bool {
        let colons = if self.0.starts_with("arn:") { 5 } else { 0 };
        self.0.matches(':').count() > colons
    }
}

impl fmt::Display for ParameterName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for ParameterName {
    type Err = ParameterError;

    fn from_str(name: &str) -> Result<Self, ParameterError> {
        let plain = if name.starts_with("arn:") {
            name.split_once(":parameter").map_or("", |(_, path)| path)
        } else {
            name.split_once(':').map_or(name, |(plain, _)| plain)
        };
        let is_legal = !plain.is_empty()
            && !plain.ends_with('/')
            && name.bytes().all(is_allowed)
            && (plain.starts_with('/') || !plain.contains('/'));
        if is_legal { Ok(Self(name.into())) } else { Err(ParameterError::Name(name.into())) }
    }
}

/// A path of SSM Parameter Store with a slash at both ends: all parameters below it are meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParameterPath(String);

impl ParameterPath {
    /// The path, with a slash at both ends.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ParameterPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for ParameterPath {
    type Err = ParameterError;

    fn from_str(path: &str) -> Result<Self, ParameterError> {
        let is_legal = path.starts_with('/')
            && path.ends_with('/')
            && !path.contains("//")
            && path.bytes().all(|byte| byte != b':' && is_allowed(byte));
        if is_legal { Ok(Self(path.into())) } else { Err(ParameterError::Name(path.into())) }
    }
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-/:".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_its_plain_part() {
        for (name, plain, has_selector) in [
            ("db", "db", false),
            ("/app/db:3", "/app/db", true),
            ("arn:aws:ssm:eu-west-1:123456789012:parameter/app/db", "/app/db", false),
            ("arn:aws:ssm:eu-west-1:123456789012:parameter/db:3", "db", true),
        ] {
            let name: ParameterName = name.parse().unwrap();
            assert_eq!((name.plain(), name.has_selector()), (plain, has_selector));
        }
    }
}
