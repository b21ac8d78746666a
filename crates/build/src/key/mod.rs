//! The content key of an image: a hash of everything that it is made from. Two builds with one key
//! make the same image, as far as that can be known before a build.
//!
//! `docs/reference/content-key.md` has the encoding, `docs/design/content-key.md` the reasons.

mod bases;
mod compare;
mod encode;
mod entry;
mod inputs;
mod listing;
mod parts;
mod snapshot;

use std::fmt;
use std::str::FromStr;

use blake3::Hash;

pub use bases::{Bases, bases_of};
pub use compare::{Change, How, compare};
pub use inputs::{KeyError, KeyInputs};
pub use parts::KeyParts;
pub use snapshot::{Snapshot, SnapshotError};

/// The number of the encoding. A change of it changes every key.
pub const FORMAT: u32 = 1;

/// The content key of an image: 64 hexadecimal digits. Shorter ones would be long enough for chance, but
/// not for somebody who looks for two contexts with one key; a tag has room for 128.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentKey(Hash);

/// A text is no content key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no content key: 64 hexadecimal digits")]
pub struct ContentKeyError(String);

impl FromStr for ContentKey {
    type Err = ContentKeyError;

    fn from_str(text: &str) -> Result<Self, ContentKeyError> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let hash = Hash::from_hex(text).ok().filter(|_| text.bytes().all(is_digit));
        hash.map(Self).ok_or_else(|| ContentKeyError(text.into()))
    }
}

impl fmt::Display for ContentKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.to_hex())
    }
}

#[cfg(test)]
mod tests;
