//! Tags of an image that the registry holds: put by manifest, and put back if the run fails after all.

use shipspec_registry::error::{ImmutableTag, RegistryError};
use shipspec_registry::manifest::Manifest;
use shipspec_spec::image::Digest;
use shipspec_spec::tag::Tag;

use crate::progress::{Event, Reporter, TagChange};
use crate::publish::{PublishError, Staged, registry_error};

/// A tag that names the image now.
#[derive(Debug)]
pub struct Put<'a> {
    /// What the tag did.
    pub change: TagChange,
    staged: &'a Staged,
    tag: &'a Tag,
    before: Option<Manifest>,
}

/// What became of a tag that was to be put back.
#[derive(Debug)]
pub enum PutBack {
    /// It names again what it named before.
    Done,
    /// It names another image by now than the run's, and was left alone.
    Taken,
    /// There was nothing that it named before: a registry is not asked to delete anything.
    Stays,
}

impl Staged {
    /// Puts a tag on the image, with the very bytes of its manifest. A tag that names it already is
    /// left alone: an immutable one must not even be put again.
    ///
    /// # Errors
    ///
    /// [`PublishError::Registry`]; for an immutable tag it tells both digests.
    pub async fn put_tag<'a>(
        &'a self,
        tag: &'a Tag,
        reporter: &dyn Reporter,
    ) -> Result<Put<'a>, PublishError> {
        let error = |source| registry_error("tag", &self.image, source);
        let before = self.client.manifest(tag.as_str()).await.map_err(error)?;
        let change = match &before {
            Some(before) if before.digest == self.manifest.digest => TagChange::Unchanged,
            Some(_) => TagChange::Moved,
            None => TagChange::New,
        };
        let change = match change {
            TagChange::Unchanged => change,
            change => match self.client.put_manifest(tag, &self.manifest).await {
                Ok(()) => change,
                Err(refusal) => self.look_again(tag, refusal).await.map_err(error)?,
            },
        };
        let reference = self.published().repository.tagged(tag);
        reporter.report(Event::Tagged { image: &self.image, reference: &reference, change });
        Ok(Put { change, staged: self, tag, before })
    }

    /// A refusal of an immutable tag may come because our own request arrived and its answer did not,
    /// or because another run of the same commit was faster: then the tag names our image already.
    async fn look_again(
        &self,
        tag: &Tag,
        refusal: RegistryError,
    ) -> Result<TagChange, RegistryError> {
        let RegistryError::Immutable(refused) = refusal else { return Err(refusal) };
        let there = self.digest_of(tag).await?;
        if there.as_ref() == Some(&self.manifest.digest) {
            return Ok(TagChange::Unchanged);
        }
        let both: Vec<_> = std::iter::once(&refused.wanted).chain(&there).collect();
        let pushed = self.client.pushed_at(&both).await;
        Err(RegistryError::Immutable(Box::new(ImmutableTag {
            wanted_pushed: pushed.get(&refused.wanted).copied(),
            there_pushed: there.as_ref().and_then(|there| pushed.get(there).copied()),
            there,
            ..*refused
        })))
    }

    async fn digest_of(&self, tag: &Tag) -> Result<Option<Digest>, RegistryError> {
        Ok(self.client.manifest(tag.as_str()).await?.map(|manifest| manifest.digest))
    }
}

impl Put<'_> {
    /// The image's name in shipspec.yml.
    #[must_use]
    pub fn image(&self) -> &str {
        &self.staged.image
    }

    /// The tag.
    #[must_use]
    pub fn tag(&self) -> &Tag {
        self.tag
    }

    /// The reference by that tag.
    #[must_use]
    pub fn reference(&self) -> String {
        self.staged.published().repository.tagged(self.tag)
    }

    /// Gives the tag back to the image that it named before, unless somebody else has moved it on.
    ///
    /// # Errors
    ///
    /// [`PublishError::Registry`]; the tag names the run's image then.
    pub async fn put_back(&self, reporter: &dyn Reporter) -> Result<PutBack, PublishError> {
        let (staged, tag) = (self.staged, self.tag);
        let error = |source| registry_error("tag", &staged.image, source);
        let (Some(before), TagChange::Moved) = (&self.before, self.change) else {
            return Ok(PutBack::Stays);
        };
        if staged.digest_of(tag).await.map_err(error)?.as_ref() != Some(&staged.manifest.digest) {
            return Ok(PutBack::Taken);
        }
        staged.client.put_manifest(tag, before).await.map_err(error)?;
        let reference = self.reference();
        let (image, digest) = (&*staged.image, &before.digest);
        reporter.report(Event::PutBack { image, reference: &reference, digest });
        Ok(PutBack::Done)
    }
}
