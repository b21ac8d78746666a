//! Publishing without halves: an image goes up under a tag that nobody deploys, and gets its own tags
//! by manifest when everything else is sure.

use shipspec_registry::client::Client;
use shipspec_registry::credentials::Credentials;
use shipspec_registry::error::RegistryError;
use shipspec_registry::manifest::Manifest;
use shipspec_registry::tagging::{self, Tagged};
use shipspec_spec::hint::Hint;
use shipspec_spec::image::Digest;
use shipspec_spec::published::Published;
use shipspec_spec::tag::Tag;

use crate::docker::{Engine, EngineError, LocalImage, PushError};
use crate::plan::ImagePlan;
use crate::progress::{Event, Reporter, TagChange};

/// An image that the registry holds, under its staging tag only.
#[derive(Debug)]
pub struct Staged {
    image: String,
    manifest: Manifest,
    client: Client,
    published: Published,
}

/// Why an image was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The engine's push failed, and the registry says why.
    #[error("failed to push the image `{image}`")]
    Push {
        /// Its name in shipspec.yml.
        image: String,
        /// What happened.
        #[source]
        source: PushError,
    },
    /// The registry refused something.
    #[error("failed to {action} the image `{image}`")]
    Registry {
        /// `stage`, `push` or `tag`.
        action: &'static str,
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
    /// The engine refused something.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Hint for PublishError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Registry { source, .. } => source.hint(),
            Self::Engine(source) | Self::Push { source: PushError::Engine(source), .. } => {
                source.hint()
            }
            Self::Push { .. } => {
                Some("nothing was tagged; run it again when the registry answers".into())
            }
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
    credentials: Option<Credentials>,
    reporter: &dyn Reporter,
) -> Result<Staged, PublishError> {
    let error = |source| registry_error("stage", &plan.name, source);
    let client = Client::new(plan.repository.clone(), credentials.clone()).map_err(error)?;
    let tag = Tag::staging(&image.id);
    let there = client.manifest(tag.as_str()).await.map_err(error)?;
    let manifest = if let Some(manifest) = there {
        manifest
    } else {
        let pushed = push(engine, plan, image, &tag, credentials.as_ref(), reporter).await?;
        confirm(&client, plan, &tag, pushed).await?
    };
    let published = Published {
        repository: plan.repository.clone(),
        digest: manifest.digest.clone(),
        size: manifest.size(),
    };
    reporter.report(Event::Pushed { image: &plan.name, published: &published });
    Ok(Staged { image: plan.name.clone(), manifest, client, published })
}

async fn push(
    engine: &Engine,
    plan: &ImagePlan,
    image: &LocalImage,
    tag: &Tag,
    credentials: Option<&Credentials>,
    reporter: &dyn Reporter,
) -> Result<Digest, PublishError> {
    let reference = plan.repository.tagged(tag);
    reporter.report(Event::PushStarted { image: &plan.name, reference: &reference });
    engine.tag(image.id.as_str(), &plan.repository, tag).await?;
    let pushed = engine.push(&plan.name, &plan.repository, tag, credentials, reporter).await;
    // The name was for the push alone; that it is left behind harms nobody.
    let _ = engine.untag(&reference).await;
    pushed.map_err(|source| push_error(plan, source))
}

/// The engine passes the registry's refusal on as words; those that are known mean the same as if
/// the registry had said them to us.
fn push_error(plan: &ImagePlan, source: PushError) -> PublishError {
    let repository = || plan.repository.clone();
    let refusal = match &source {
        PushError::Refused { message, .. } => message.as_str(),
        _ => "",
    };
    let known = if refusal.contains("token has expired") {
        RegistryError::Unauthorized { repository: repository(), message: refusal.into() }
    } else if let Some(message) = refusal.strip_prefix("denied: ") {
        RegistryError::Denied { repository: repository(), message: message.into() }
    } else if let Some(message) = refusal.strip_prefix("unauthorized: ") {
        RegistryError::Unauthorized { repository: repository(), message: message.into() }
    } else if refusal.contains("HTTP 403 response body") {
        // The answer to a HEAD has no body to say why, and layers are the only thing so asked for.
        let message = "it answered 403 when it was asked for layers; that is for who may perform: \
                       ecr:BatchCheckLayerAvailability";
        RegistryError::Denied { repository: repository(), message: message.into() }
    } else if refusal.starts_with("name unknown: ") {
        RegistryError::NoRepository(repository())
    } else {
        return PublishError::Push { image: plan.name.clone(), source };
    };
    registry_error("push", &plan.name, known)
}

/// What the registry has under the staging tag, which must be what the engine pushed.
async fn confirm(
    client: &Client,
    plan: &ImagePlan,
    tag: &Tag,
    pushed: Digest,
) -> Result<Manifest, PublishError> {
    let found = client.manifest(tag.as_str()).await;
    let found = found.map_err(|source| registry_error("stage", &plan.name, source))?;
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
    /// What the registry holds.
    #[must_use]
    pub fn published(&self) -> &Published {
        &self.published
    }

    /// Puts a tag on the image, with the very bytes of its manifest. A tag that names it already is
    /// left alone: an immutable one must not even be put again.
    ///
    /// # Errors
    ///
    /// [`PublishError::Registry`]; for an immutable tag it tells both digests.
    pub async fn put_tag(
        &self,
        tag: &Tag,
        reporter: &dyn Reporter,
    ) -> Result<TagChange, PublishError> {
        let error = |source| registry_error("tag", &self.image, source);
        let Tagged { change, .. } =
            tagging::put_tag(&self.client, &self.manifest, tag).await.map_err(error)?;
        let reference = self.published.repository.tagged(tag);
        reporter.report(Event::Tagged { image: &self.image, reference: &reference, change });
        Ok(change)
    }
}

fn registry_error(action: &'static str, image: &str, source: RegistryError) -> PublishError {
    PublishError::Registry { action, image: image.into(), source }
}
