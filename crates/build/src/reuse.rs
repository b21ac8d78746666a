//! Images that a registry holds already, by the content keys that they were made from.
//!
//! An image has its key as a tag, `shipspec-` and the key. Where tags cannot be moved, one that was built
//! again has `-2` behind it, then `-3`: the highest counts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use shipspec_registry::access::Access;
use shipspec_registry::client::Client;
use shipspec_registry::error::RegistryError;
use shipspec_registry::manifest::Manifest;
use shipspec_spec::image::{Digest, ImageReference};
use shipspec_spec::tag::Tag;

use crate::docker::{Engine, LocalImage};
use crate::key::ContentKey;
use crate::plan::ImagePlan;
use crate::progress::{Event, Reporter};
use crate::publish::{PublishError, Staged, registry_error};
use crate::push::push;

/// The label with the second in which an image was built, counted from 1970. Only images whose
/// `reuse` is an age have it: it makes each build another image.
pub const BUILT_LABEL: &str = "shipspec.built";

/// How often an image may have been built again where tags cannot be moved.
const MOST: u32 = 1000;

/// How often a push is tried that is refused because its tag is there by now.
const MOST_REFUSALS: u32 = 5;

/// Whether an image is built that the registry holds already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reuse {
    /// Nothing is said: as [`Reuse::Always`], and what speaks against it is told.
    #[default]
    Default,
    /// It is not.
    Always,
    /// It is.
    Never,
    /// It is if the one in the registry is older.
    For(Duration),
}

/// The base images of a key, which the engine has to build with.
///
/// One reference may stand there with several digests, and without one.
pub type BaseDigests = BTreeMap<ImageReference, BTreeSet<Digest>>;

/// What a repository holds for a key.
#[derive(Debug)]
pub struct Held {
    client: Client,
    /// The newest image, and the number of its tag.
    newest: Option<(u32, Manifest)>,
}

/// An image in its registry under its key.
#[derive(Debug)]
pub struct Kept {
    /// Where it is.
    pub staged: Staged,
    /// The number of its tag.
    pub number: u32,
    /// Somebody else was faster: it is the image of another run, made from the same.
    pub is_adopted: bool,
}

/// Asks a repository for the image of a key.
///
/// # Errors
///
/// [`PublishError::Registry`]. A repository that does not exist holds nothing.
pub async fn find(
    access: &Access,
    plan: &ImagePlan,
    key: &ContentKey,
) -> Result<Held, PublishError> {
    let error = |source| registry_error(&plan.name, source);
    let client = access.client(&plan.repository).map_err(error)?;
    let newest = newest(&client, key).await.map_err(error)?;
    Ok(Held { client, newest })
}

/// As many are asked for at once as one request takes: a lifecycle policy may have removed the first of
/// them, and the highest counts.
async fn newest(
    client: &Client,
    key: &ContentKey,
) -> Result<Option<(u32, Manifest)>, RegistryError> {
    let (mut newest, mut begin) = (None, 1);
    loop {
        let end = begin + client.batch();
        let tag = |number| Tag::of_key(key, number).to_string();
        let tags: Vec<_> = (begin..end).map(tag).collect();
        let mut found = client.manifests(&tags).await?;
        let highest =
            (begin..end).rev().find_map(|number| Some((number, found.remove(&tag(number))?)));
        let is_last = highest.as_ref().is_some_and(|(number, _)| *number == end - 1);
        newest = highest.or(newest);
        if !is_last || end > MOST {
            return Ok(newest);
        }
        begin = end;
    }
}

impl Held {
    /// The digest of the newest image.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.newest.as_ref().map(|(_, manifest)| &manifest.digest)
    }

    /// The number of the newest image's tag; 1 if there is none.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.newest.as_ref().map_or(1, |(number, _)| *number)
    }

    /// How long ago the newest image was built; nothing if it does not say.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn age(&self) -> Result<Option<Duration>, RegistryError> {
        let Some((_, manifest)) = &self.newest else { return Ok(None) };
        let built = self.client.label(manifest, BUILT_LABEL).await?;
        let built = built.and_then(|text| text.parse().ok()).map(Duration::from_secs);
        Ok(built.map(|built| now().saturating_sub(built)))
    }

    /// The newest image, as if this run had brought it there.
    #[must_use]
    pub fn take(self, plan: &ImagePlan) -> Option<Staged> {
        let (_, manifest) = self.newest?;
        Some(Staged::new(self.client, plan, manifest))
    }
}

/// Since 1970.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// What [`BUILT_LABEL`] holds now.
#[must_use]
pub fn built_now() -> String {
    now().as_secs().to_string()
}

/// Brings an image from the engine to the registry under its key, and has the registry confirm it.
/// `replaced` is the one that was there and is not wanted any more. Where another run of the same
/// sources was faster, its image is taken.
///
/// # Errors
///
/// [`PublishError`]. No tag that anybody deploys has changed then.
pub async fn keep(
    engine: &Engine,
    plan: &ImagePlan,
    image: &LocalImage,
    (key, replaced): (&ContentKey, Option<&Digest>),
    access: &Access,
    reporter: &dyn Reporter,
) -> Result<Kept, PublishError> {
    let error = |source| registry_error(&plan.name, source);
    let Held { client, newest: mut there } = find(access, plan, key).await?;
    let mut refusals = 0;
    loop {
        let number = match there {
            Some((number, manifest)) if Some(&manifest.digest) != replaced => {
                return Ok(kept(client, plan, (number, manifest), true, reporter));
            }
            // The one that is replaced stays for good where tags cannot be moved.
            Some((number, _)) => number + u32::from(refusals > 0),
            None => 1,
        };
        let tag = Tag::of_key(key, number);
        let refusal = match push(engine, plan, image, &tag, access, reporter).await {
            Ok(pushed) => {
                let (manifest, is_ours) = confirm(&client, plan, &tag, pushed).await?;
                return Ok(kept(client, plan, (number, manifest), !is_ours, reporter));
            }
            Err(refusal) => refusal,
        };
        refusals += 1;
        if !refusal.is_immutable_tag() || refusals == MOST_REFUSALS {
            return Err(PublishError::Push { image: plan.name.clone(), source: refusal });
        }
        there = newest(&client, key).await.map_err(error)?;
    }
}

/// What the registry has under a tag after a push, and whether it is what was pushed.
async fn confirm(
    client: &Client,
    plan: &ImagePlan,
    tag: &Tag,
    pushed: Digest,
) -> Result<(Manifest, bool), PublishError> {
    let found = client.manifest(tag.as_str()).await;
    match found.map_err(|source| registry_error(&plan.name, source))? {
        Some(found) => {
            let is_ours = found.digest == pushed;
            Ok((found, is_ours))
        }
        None => Err(PublishError::Unconfirmed {
            reference: plan.repository.tagged(tag),
            pushed,
            found: None,
        }),
    }
}

fn kept(
    client: Client,
    plan: &ImagePlan,
    (number, manifest): (u32, Manifest),
    is_adopted: bool,
    reporter: &dyn Reporter,
) -> Kept {
    let staged = Staged::new(client, plan, manifest);
    reporter.report(Event::Pushed { image: &plan.name, published: staged.published() });
    Kept { staged, number, is_adopted }
}
