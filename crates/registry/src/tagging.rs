//! Tags, put by manifest, and put back if that turns out to have been too early.

use shipspec_spec::image::{Digest, Repository};
use shipspec_spec::tag::Tag;

use crate::client::Client;
use crate::error::{ImmutableTag, RegistryError};
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
    /// It names another image, and was left there: a newer run has put it.
    Kept,
    /// It named another image before, and names it again, because the run failed.
    PutBack,
}

/// A tag that names an image now.
#[derive(Debug)]
pub struct Put<'a> {
    /// What was done for it.
    pub change: TagChange,
    /// The tag.
    pub tag: &'a Tag,
    client: &'a Client,
    digest: Digest,
    before: Option<Manifest>,
}

/// A tag that was not put.
#[derive(Debug)]
pub struct NotPut<'a> {
    /// Why.
    pub error: RegistryError,
    /// The tag, if it may name the image all the same: the request may have arrived, and only its
    /// answer not.
    pub unsure: Option<Put<'a>>,
}

impl From<RegistryError> for NotPut<'_> {
    fn from(error: RegistryError) -> Self {
        Self { error, unsure: None }
    }
}

/// What became of a tag that was to be put back.
#[derive(Debug, PartialEq, Eq)]
pub enum PutBack {
    /// It names again what it named before: this image.
    Done(Digest),
    /// It names that still: it was never moved.
    Unmoved,
    /// It names another image by now than the one that it was put on, and was left alone.
    Taken,
    /// There was nothing that it named before: a registry is not asked to delete anything.
    Stays,
}

/// Puts a tag on an image that the repository holds, with the very bytes of its manifest. A tag that
/// names it already is left alone: an immutable one must not even be put again. So is one that names
/// `newer`. `before` is what it named a moment ago.
///
/// # Errors
///
/// [`RegistryError::Immutable`] with both digests if the tag may not be moved, and the others.
pub async fn put_tag<'a>(
    client: &'a Client,
    manifest: &Manifest,
    tag: &'a Tag,
    before: Option<Manifest>,
    newer: Option<&Digest>,
) -> Result<Put<'a>, NotPut<'a>> {
    let change = match &before {
        Some(before) if before.digest == manifest.digest => TagChange::Unchanged,
        Some(before) if Some(&before.digest) == newer => TagChange::Kept,
        Some(_) => TagChange::Moved,
        None => TagChange::New,
    };
    let digest = manifest.digest.clone();
    let put = Put { change, tag, client, digest, before };
    if matches!(change, TagChange::Unchanged | TagChange::Kept) {
        return Ok(put);
    }
    match client.put_manifest(tag, manifest).await {
        Ok(()) => Ok(put),
        Err(RegistryError::Immutable(refused)) => {
            let change = look_again(client, manifest, tag, *refused).await?;
            Ok(Put { change, ..put })
        }
        Err(error) => Err(NotPut { error, unsure: Some(put) }),
    }
}

/// A refusal of an immutable tag may come because our own request arrived and its answer did not,
/// or because another run of the same commit was faster: then the tag names our image already.
async fn look_again(
    client: &Client,
    manifest: &Manifest,
    tag: &Tag,
    refused: ImmutableTag,
) -> Result<TagChange, RegistryError> {
    let there = digest_of(client, tag).await?;
    if there.as_ref() == Some(&manifest.digest) {
        return Ok(TagChange::Unchanged);
    }
    Err(refuse_immutable(client, ImmutableTag { there, ..refused }).await)
}

/// The refusal with the times at which both images were pushed, as far as they are to be had.
pub async fn refuse_immutable(client: &Client, refused: ImmutableTag) -> RegistryError {
    let both: Vec<_> = std::iter::once(&refused.wanted).chain(&refused.there).collect();
    let pushed = client.pushed_at(&both).await;
    RegistryError::Immutable(Box::new(ImmutableTag {
        wanted_pushed: pushed.get(&refused.wanted).copied(),
        there_pushed: refused.there.as_ref().and_then(|there| pushed.get(there).copied()),
        ..refused
    }))
}

async fn digest_of(client: &Client, tag: &Tag) -> Result<Option<Digest>, RegistryError> {
    Ok(client.manifest(tag.as_str()).await?.map(|manifest| manifest.digest))
}

impl Put<'_> {
    /// The reference by the tag.
    #[must_use]
    pub fn reference(&self) -> String {
        self.client.repository().tagged(self.tag)
    }

    /// Where the tag is.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        self.client.repository()
    }

    /// Gives the tag back to the image that it named before, unless somebody else has moved it on.
    ///
    /// # Errors
    ///
    /// [`RegistryError`]; the tag names what it was put on then.
    pub async fn put_back(&self) -> Result<PutBack, RegistryError> {
        let (Some(before), TagChange::Moved) = (&self.before, self.change) else {
            return Ok(PutBack::Stays);
        };
        let there = digest_of(self.client, self.tag).await?;
        if there.as_ref() == Some(&before.digest) {
            return Ok(PutBack::Unmoved);
        }
        if there.as_ref() != Some(&self.digest) {
            return Ok(PutBack::Taken);
        }
        self.client.put_manifest(self.tag, before).await?;
        Ok(PutBack::Done(before.digest.clone()))
    }
}
