//! Where an artifact goes beside the disk: a parameter of Parameter Store, or an object of S3.

mod bucket;

pub use bucket::BucketName;

use std::fmt;
use std::str::FromStr;

use crate::parameter::{ParameterError, ParameterName};
use crate::place::Place;

/// The most bytes that a parameter holds, in its advanced tier ([quotas]).
///
/// [quotas]: https://docs.aws.amazon.com/general/latest/gr/ssm.html
pub const LARGEST_PARAMETER: usize = 8192;

/// The most bytes that an object's key has ([naming]).
///
/// [naming]: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
const LONGEST_KEY: usize = 1024;

/// The most levels that a parameter's name has ([PutParameter]).
///
/// [PutParameter]: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
const MOST_LEVELS: usize = 15;

/// Where the content of an artifact is put.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Destination {
    /// `ssm:NAME`: a parameter of SSM Parameter Store.
    Parameter(ParameterName),
    /// `s3://BUCKET/KEY`: an object of S3.
    Object {
        /// Its bucket.
        bucket: BucketName,
        /// Its key, without a slash in front.
        key: String,
    },
}

/// A destination, and as whom it is written to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Publication {
    /// Where the content goes.
    pub destination: Destination,
    /// Where in AWS that is.
    pub place: Place,
    /// The parameter is a `SecureString`.
    pub is_secret: bool,
}

/// Why a text names no place that an artifact can be put to.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DestinationError {
    /// The service in front is missing or unknown.
    #[error("`{0}` names no place to publish to; write `ssm:/path/name` or `s3://bucket/key`")]
    Service(String),
    /// The name of the parameter breaks the rules of reading.
    #[error(transparent)]
    Name(#[from] ParameterError),
    /// The name of the parameter breaks the rules of writing.
    #[error("the parameter `{name}` cannot be written: {problem}")]
    Parameter {
        /// The name.
        name: String,
        /// The rule that it breaks.
        problem: &'static str,
    },
    /// The bucket breaks the rules.
    #[error(
        "`{0}` is no name of a bucket: 3 to 63 lower-case letters, digits, `-` and `.`, with a letter or digit at both ends"
    )]
    Bucket(String),
    /// The key breaks the rules.
    #[error("`{text}` names no object: {problem}")]
    Key {
        /// The whole text.
        text: String,
        /// The rule that it breaks.
        problem: &'static str,
    },
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter(name) => write!(formatter, "ssm:{name}"),
            Self::Object { bucket, key } => write!(formatter, "s3://{bucket}/{key}"),
        }
    }
}

impl FromStr for Destination {
    type Err = DestinationError;

    /// Reads `ssm:NAME` or `s3://BUCKET/KEY`.
    fn from_str(text: &str) -> Result<Self, DestinationError> {
        if let Some(rest) = text.strip_prefix("s3://") {
            return object(text, rest);
        }
        let name = text.strip_prefix("ssm:");
        let name = name.ok_or_else(|| DestinationError::Service(text.into()))?;
        let name: ParameterName = name.parse()?;
        match refusal(&name) {
            None => Ok(Self::Parameter(name)),
            Some(problem) => Err(DestinationError::Parameter { name: name.to_string(), problem }),
        }
    }
}

fn object(text: &str, rest: &str) -> Result<Destination, DestinationError> {
    let wrong = |problem| Err(DestinationError::Key { text: text.into(), problem });
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    let bucket = bucket.parse()?;
    if key.is_empty() {
        return wrong("a key is missing behind the bucket");
    }
    if key.starts_with('/') || key.ends_with('/') {
        return wrong("a slash at an end of the key makes a folder without a name");
    }
    if key.len() > LONGEST_KEY {
        return wrong("the key is longer than 1024 bytes");
    }
    if key.chars().any(char::is_control) || key.split('/').any(|part| matches!(part, "." | "..")) {
        return wrong(
            "control characters, `.` and `..` are no part of a key that tools can ask for",
        );
    }
    Ok(Destination::Object { bucket, key: key.into() })
}

/// Why Parameter Store does not take a parameter of this name, though it may read one.
fn refusal(name: &ParameterName) -> Option<&'static str> {
    let plain = name.plain();
    let first = plain.trim_start_matches('/').to_ascii_lowercase();
    if name.as_str().starts_with("arn:") {
        Some("write its name, and `region` and `role` where it is elsewhere")
    } else if name.has_selector() {
        Some("a version or a label is given by Parameter Store")
    } else if first.starts_with("aws") || first.starts_with("ssm") {
        Some("names that begin with `aws` or `ssm` are AWS's own")
    } else if plain.trim_start_matches('/').split('/').count() > MOST_LEVELS {
        Some("a name has 15 levels at most")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        match text.parse::<Destination>() {
            Ok(destination) => {
                assert_eq!(destination.to_string(), text);
                "taken".into()
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn parameters_and_objects_are_read() {
        for text in [
            "ssm:/shop/imagedefinitions",
            "ssm:imagedefinitions",
            "s3://shop-artifacts/dev/imagedefinitions.zip",
            "s3://shop.artifacts/a b+c=d.zip",
        ] {
            assert_eq!(told(text), "taken", "{text}");
        }
    }

    #[test]
    fn what_the_services_would_refuse_is_refused() {
        let deep = format!("ssm:{}", "/a".repeat(16));
        for (text, part) in [
            ("/shop/x", "names no place"),
            ("secretsmanager:x", "names no place"),
            ("arn:aws:s3:::b/k", "names no place"),
            ("ssm:arn:aws:ssm:eu-west-1:123456789012:parameter/x", "write its name"),
            ("ssm:/shop/", "no parameter name"),
            ("ssm:/shop/x:3", "a version or a label"),
            ("ssm:/aws/x", "AWS's own"),
            ("ssm:SSMthing", "AWS's own"),
            (&deep, "15 levels"),
            ("s3://bucket", "a key is missing"),
            ("s3://bucket//x", "a slash"),
            ("s3://bucket/x/", "a slash"),
            ("s3://bucket/a/../x", "`..`"),
            ("s3://Bucket/x", "no name of a bucket"),
        ] {
            assert!(told(text).contains(part), "{text}: {}", told(text));
        }
    }
}
