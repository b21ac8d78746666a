//! Tags, and the commit that they are made from.

use std::fmt;
use std::str::FromStr;

use crate::image::Digest;

/// A tag of an image: at most 128 letters, digits, `_`, `.` and `-`, not beginning with `.` or `-`
/// ([OCI distribution specification]).
///
/// [OCI distribution specification]: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

/// A text cannot be a tag.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TagError {
    /// Nothing at all, as a variable that is empty leaves it.
    #[error("the tag is empty")]
    Empty,
    /// A character that no tag may have, or not in front.
    #[error("`{0}` cannot be a tag: {1:?} is not allowed there")]
    Character(String, char),
    /// More than 128 characters.
    #[error("`{0}` cannot be a tag: it has more than 128 characters")]
    Length(String),
}

impl Tag {
    /// The tag under which an image waits until everything else of a run is sure. It is made from
    /// what the engine knows the image by, so that it never names another one.
    #[must_use]
    pub fn staging(id: &Digest) -> Self {
        Self(format!("shipspec-run-{}", id.hex()))
    }

    /// The tag of an image that is known by what it was made from. The second and later ones are for
    /// images that were built again from the same, where tags cannot be moved.
    #[must_use]
    pub fn of_key(key: impl fmt::Display, number: u32) -> Self {
        match number {
            0 | 1 => Self(format!("shipspec-{key}")),
            number => Self(format!("shipspec-{key}-{number}")),
        }
    }

    /// The tag that people read in place of [`Tag::of_key`]: the beginning of the key, and the same number.
    #[must_use]
    pub fn of_content(key: impl fmt::Display, number: u32) -> Self {
        let digits: String = key.to_string().chars().take(CONTENT_DIGITS).collect();
        match number {
            0 | 1 => Self(digits),
            number => Self(format!("{digits}-{number}")),
        }
    }

    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        let wrong = text.chars().enumerate().find(|(index, character)| {
            let word = character.is_ascii_alphanumeric() || *character == '_';
            !(word || *index > 0 && matches!(character, '.' | '-'))
        });
        match wrong {
            _ if text.is_empty() => Err(TagError::Empty),
            Some((_, character)) => Err(TagError::Character(text.into(), character)),
            None if text.len() > 128 => Err(TagError::Length(text.into())),
            None => Ok(Self(text.into())),
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Digits of a content key that are in a tag: enough that no two images of a repository share them by
/// chance. Images are found by all 64.
pub const CONTENT_DIGITS: usize = 16;

/// Marks a commit whose work tree held changes that were not committed.
const DIRTY: &str = "-dirty";

/// The commit that is built, whole: 40 or 64 hexadecimal digits, with `-dirty` behind them if the
/// work tree holds changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit(String);

impl Commit {
    /// Reads a commit id; anything else, such as an S3 version id or an image digest, is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = matches!(text.len(), 40 | 64)
            && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        digits.then(|| Self(text.into()))
    }

    /// The same commit, marked as changed since.
    #[must_use]
    pub fn dirty(self) -> Self {
        Self(self.0 + DIRTY)
    }

    /// All digits, and the mark.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The first `count` characters of a commit or any other text; the mark `-dirty` is kept, so that
/// a short tag tells it too.
#[must_use]
pub fn short(text: &str, count: usize) -> String {
    let (text, mark) = match text.strip_suffix(DIRTY) {
        Some(digits) => (digits, DIRTY),
        None => (text, ""),
    };
    text.chars().take(count).chain(mark.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_follow_the_specification() {
        for text in ["latest", "v1.2-rc_3", "_x", &"a".repeat(128)] {
            assert_eq!(text.parse::<Tag>().unwrap().as_str(), text);
        }
        assert_eq!("".parse::<Tag>(), Err(TagError::Empty));
        assert_eq!("a/b".parse::<Tag>(), Err(TagError::Character("a/b".into(), '/')));
        assert_eq!("-a".parse::<Tag>(), Err(TagError::Character("-a".into(), '-')));
        assert!("a".repeat(129).parse::<Tag>().is_err());
    }

    #[test]
    fn only_whole_commit_ids_are_commits() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let commit = Commit::parse(id).unwrap();
        assert_eq!(short(commit.as_str(), 7), "0123456");
        assert_eq!(short(commit.dirty().as_str(), 8), "01234567-dirty");
        for text in
            ["", "0123456", "sha256:0123", "pYR8zUFu.Bn5y9u_0wOzNVpBYWqHZjzW", &id.to_uppercase()]
        {
            assert_eq!(Commit::parse(text), None, "{text}");
        }
    }
}
