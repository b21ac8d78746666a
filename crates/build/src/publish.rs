//! Publishing without halves: an image goes up under a tag that nobody deploys, and gets its own tags
//! by manifest when everything else is sure.

use shipspec_registry::access::Access;
use shipspec_registry::client::Client;
use shipspec_registry::error::RegistryError;
use shipspec_registry::manifest::Manifest;
use shipspec_spec::hint::Hint;
use shipspec_spec::image::Digest;
use shipspec_spec::published::Published;
use shipspec_spec::tag::Tag;

use crate::docker::{Engine, LocalImage};
use crate::plan::ImagePlan;
use crate::progress::{Event, Reporter};
pub use crate::push::UploadError;
use crate::push::push;

/// An image that the registry holds, under its staging tag only.
#[derive(Debug)]
pub struct Staged {
    manifest: Manifest,
    client: Client,
    published: Published,
}

/// Why an image was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The image did not reach the registry.
    #[error("failed to push the image `{image}`")]
    Push {
        /// Its name in shipspec.yml.
        image: String,
        /// What happened.
        #[source]
        source: UploadError,
    },
    /// The registry refused something.
    #[error("failed to stage the image `{image}`")]
    Registry {
        /// Its name in shipspec.yml.
        image: String,
        /// What happened.
        #[source]
        source: RegistryError,
    },
    /// The registry holds another image than the one that was pushed.
    #[error("the registry holds {} under `{reference}`, where the engine pushed {pushed}", .found.as_ref().map_or("nothing", Digest::as_str))]
    Unconfirmed {
        /// The reference by the staging tag.
        reference: String,
        /// What the engine pushed.
        pushed: Digest,
        /// What the registry has.
        found: Option<Digest>,
    },
}

impl Hint for PublishError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Registry { source, .. } => source.hint(),
            Self::Push { source, .. } => source.hint(),
            Self::Unconfirmed { .. } => None,
        }
    }
}

/// Brings an image from the engine to the registry, under its staging tag, and has the registry
/// confirm it. An image that is there already is not sent again.
///
/// # Errors
///
/// [`PublishError`]. No tag that anybody deploys has changed then.
pub async fn stage(
    engine: &Engine,
    plan: &ImagePlan,
    image: &LocalImage,
    access: &Access,
    reporter: &dyn Reporter,
) -> Result<Staged, PublishError> {
    let error = |source| registry_error(&plan.name, source);
    let client = access.client(&plan.repository).map_err(error)?;
    let tag = Tag::staging(&image.id);
    let there = client.manifest(tag.as_str()).await.map_err(error)?;
    let manifest = if let Some(manifest) = there {
        manifest
    } else {
        match push(engine, plan, image, &tag, access, reporter).await {
            Ok(pushed) => confirm(&client, plan, &tag, pushed).await?,
            Err(source) => arrived(&client, image, &tag).await.ok_or_else(|| {
                let image = plan.name.clone();
                PublishError::Push { image, source }
            })?,
        }
    };
    let staged = Staged::new(client, plan, manifest);
    reporter.report(Event::Pushed { image: &plan.name, published: &staged.published });
    Ok(staged)
}

/// The image, if it is in the registry although the push failed: an earlier attempt may have arrived and
/// its answer not, or another run of the same commit was faster. An immutable tag is refused then.
async fn arrived(client: &Client, image: &LocalImage, tag: &Tag) -> Option<Manifest> {
    let manifest = client.manifest(tag.as_str()).await.ok()??;
    let ids = [Some(manifest.digest.clone()), manifest.config_digest()];
    ids.contains(&Some(image.id.clone())).then_some(manifest)
}

/// What the registry has under the staging tag, which must be what the engine pushed.
async fn confirm(
    client: &Client,
    plan: &ImagePlan,
    tag: &Tag,
    pushed: Digest,
) -> Result<Manifest, PublishError> {
    let found = client.manifest(tag.as_str()).await;
    let found = found.map_err(|source| registry_error(&plan.name, source))?;
    match found {
        Some(manifest) if manifest.digest == pushed => Ok(manifest),
        other => Err(PublishError::Unconfirmed {
            reference: plan.repository.tagged(tag),
            pushed,
            found: other.map(|manifest| manifest.digest),
        }),
    }
}

impl Staged {
    pub(crate) fn new(client: Client, plan: &ImagePlan, manifest: Manifest) -> Self {
        let published = Published {
            repository: plan.repository.clone(),
            digest: manifest.digest.clone(),
            media_type: manifest.media_type.clone(),
            size: manifest.size(),
        };
        Self { manifest, client, published }
    }

    /// What the registry holds.
    #[must_use]
    pub fn published(&self) -> &Published {
        &self.published
    }

    /// Its manifest, as the registry sent it.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Who speaks to its repository.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }
}

pub(crate) fn registry_error(image: &str, source: RegistryError) -> PublishError {
    PublishError::Registry { image: image.into(), source }
}
