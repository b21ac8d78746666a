//! What a registry has taken.

use crate::image::{Digest, Repository};

/// An image that a registry holds, by the digest that the registry itself confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Where it is.
    pub repository: Repository,
    /// The digest of its manifest.
    pub digest: Digest,
    /// The media type of its manifest, as the registry told it.
    pub media_type: String,
    /// What the manifest and the blobs that it names weigh together, in bytes, compressed.
    pub size: u64,
}
