//! Tags, put by manifest.

use shipspec_spec::image::Digest;
use shipspec_spec::tag::Tag;

use crate::client::Client;
use crate::error::RegistryError;
use crate::manifest::Manifest;

/// What putting a tag came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagChange {
    /// There was no such tag before.
    New,
    /// It named this image already.
    Unchanged,
    /// It named another image before.
    Moved,
}

/// A tag that names an image now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// What was done for it.
    pub change: TagChange,
    /// What the tag named before, if that is another image.
    pub before: Option<Digest>,
}

/// Puts a tag on an image that the repository holds, with the very bytes of its manifest. A tag that
/// names it already is left alone: an immutable one must not even be put again.
///
/// # Errors
///
/// [`RegistryError::Immutable`] with both digests if the tag may not be moved, and the others.
pub async fn put_tag(
    client: &Client,
    manifest: &Manifest,
    tag: &Tag,
) -> Result<Tagged, RegistryError> {
    let there = digest_of(client, tag).await?;
    let change = match &there {
        Some(digest) if *digest == manifest.digest => {
            return Ok(Tagged { change: TagChange::Unchanged, before: None });
        }
        Some(_) => TagChange::Moved,
        None => TagChange::New,
    };
    match client.put_manifest(tag, manifest).await {
        Ok(()) => Ok(Tagged { change, before: there }),
        Err(refusal) => look_again(client, manifest, tag, refusal).await,
    }
}

/// A refusal of an immutable tag may come because our own request arrived and its answer did not,
/// or because another run of the same commit was faster: then the tag names our image already.
async fn look_again(
    client: &Client,
    manifest: &Manifest,
    tag: &Tag,
    refusal: RegistryError,
) -> Result<Tagged, RegistryError> {
    let RegistryError::Immutable { repository, tag: refused, wanted, .. } = refusal else {
        return Err(refusal);
    };
    let there = digest_of(client, tag).await?;
    if there.as_ref() == Some(&manifest.digest) {
        return Ok(Tagged { change: TagChange::Unchanged, before: None });
    }
    Err(RegistryError::Immutable { repository, tag: refused, wanted, there })
}

async fn digest_of(client: &Client, tag: &Tag) -> Result<Option<Digest>, RegistryError> {
    Ok(client.manifest(tag.as_str()).await?.map(|manifest| manifest.digest))
}
