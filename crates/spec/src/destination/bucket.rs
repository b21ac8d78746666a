//! Names of buckets ([rules]).
//!
//! [rules]: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html

use std::fmt;
use std::str::FromStr;

use super::DestinationError;

/// The name of a bucket of S3.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BucketName(String);

impl BucketName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// It can stand in front of S3's host: a certificate's star covers one label, and no dot.
    #[must_use]
    pub fn is_label(&self) -> bool {
        !self.0.contains('.')
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for BucketName {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, DestinationError> {
        let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = text.as_bytes();
        let is_legal = (3..=63).contains(&bytes.len())
            && bytes.iter().all(|byte| is_alphanumeric(*byte) || b".-".contains(byte))
            && [bytes.first(), bytes.last()].into_iter().flatten().all(|end| is_alphanumeric(*end))
            && !text.contains("..");
        if is_legal { Ok(Self(text.into())) } else { Err(DestinationError::Bucket(text.into())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_has_the_documented_form() {
        for name in ["abc", "shop-artifacts-123456789012", "a.b.c"] {
            assert_eq!(name.parse::<BucketName>().unwrap().as_str(), name);
        }
        assert!(!"a.b.c".parse::<BucketName>().unwrap().is_label());
        for name in ["", "ab", "-abc", "abc-", "a..b", "a_b", "ABC", &"a".repeat(64)] {
            assert!(name.parse::<BucketName>().is_err(), "{name}");
        }
    }
}
