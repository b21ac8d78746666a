//! Taking a manifest, for `PutImage` and for the registry protocol alike.

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Method};
use serde_json::{Value, json};

use super::super::Front;
use super::super::answer::ServiceError;
use super::super::body::{full, whole};
use super::super::call::RepositoryKey;
use super::super::identity::now;
use super::super::registry::repository_missing;
use super::super::repositories::{Image, Repository, digest_of};
use super::Outcome;
use super::input::{Input, invalid};
use crate::inside::Fatal;

/// Why a manifest is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PutError {
    /// There is no such repository.
    RepositoryMissing,
    /// The tag is there and must not move.
    TagTaken(String),
    /// Layers that this repository does not have.
    LayersMissing(Vec<String>),
    /// Images of an index that this repository does not have.
    ImagesMissing(Vec<String>),
    /// It is no manifest.
    Invalid(String),
}

impl PutError {
    /// ECR's words for it.
    pub(crate) fn message(&self, key: &RepositoryKey) -> String {
        let RepositoryKey { account, name, .. } = key;
        let required = |what: &str, digests: &[String]| {
            format!(
                "{what} with digests '[{}]' required for pushing image into repository with name '{name}' in the \
                 registry with id '{account}' do not exist",
                digests.join(", ")
            )
        };
        match self {
            Self::RepositoryMissing => repository_missing(key),
            Self::TagTaken(tag) => format!(
                "The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the \
                 tag is immutable."
            ),
            Self::LayersMissing(digests) => required("Layers", digests),
            Self::ImagesMissing(digests) => required("Images", digests),
            Self::Invalid(reason) => reason.clone(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::RepositoryMissing => "RepositoryNotFoundException",
            Self::TagTaken(_) => "ImageTagAlreadyExistsException",
            Self::LayersMissing(_) => "LayersNotFoundException",
            Self::ImagesMissing(_) => "ReferencedImagesNotFoundException",
            Self::Invalid(_) => "InvalidParameterException",
        }
    }
}

/// What was taken.
pub(crate) struct Taken {
    digest: String,
    media_type: String,
    /// The same manifest was under that tag, or, without a tag, was there at all.
    was_there: bool,
}

/// Takes a manifest. The storage judges its form and knows whether its layers are there; the tag
/// is put here, by ECR's rules.
pub(crate) async fn put(
    front: &Front,
    key: &RepositoryKey,
    manifest: Bytes,
    media_type: Option<String>,
    tag: Option<&str>,
) -> Result<Result<Taken, PutError>, Fatal> {
    let digest = digest_of(&manifest);
    let Ok(document) = serde_json::from_slice::<Value>(&manifest) else {
        return Ok(Err(PutError::Invalid("manifest invalid: Invalid JSON syntax".to_owned())));
    };
    let written = document["mediaType"].as_str().map(str::to_owned);
    let media_type = media_type.filter(|media_type| !media_type.is_empty()).or(written);
    let Some(media_type) = media_type else {
        return Ok(Err(PutError::Invalid("manifest invalid: no media type".to_owned())));
    };
    let known = front.repositories.with(key, |repository| {
        taken_tag(repository, tag).map(|()| repository.images.contains_key(&digest))
    });
    let is_known = match known {
        None => return Ok(Err(PutError::RepositoryMissing)),
        Some(Err(error)) => return Ok(Err(error)),
        Some(Ok(is_known)) => is_known,
    };
    if !is_known
        && let Err(error) = store(front, key, &digest, &media_type, manifest.clone()).await?
    {
        return Ok(Err(error));
    }
    let taken = front.repositories.with(key, |repository| {
        // Another push may have been quicker.
        taken_tag(repository, tag)?;
        let was_there = match tag {
            Some(tag) => repository.tags.get(tag) == Some(&digest),
            None => repository.images.contains_key(&digest),
        };
        let image = || Image {
            manifest,
            media_type: media_type.clone(),
            pushed_at: now(),
            pulled_at: None,
        };
        repository.images.entry(digest.clone()).or_insert_with(image);
        if let Some(tag) = tag {
            repository.tags.insert(tag.to_owned(), digest.clone());
        }
        Ok(Taken { digest, media_type, was_there })
    });
    Ok(taken.unwrap_or(Err(PutError::RepositoryMissing)))
}

fn taken_tag(repository: &Repository, tag: Option<&str>) -> Result<(), PutError> {
    match tag {
        Some(tag) if repository.refuses_tag(tag) => Err(PutError::TagTaken(tag.to_owned())),
        _ => Ok(()),
    }
}

/// Gives the storage a manifest, by digest.
async fn store(
    front: &Front,
    key: &RepositoryKey,
    digest: &str,
    media_type: &str,
    manifest: Bytes,
) -> Result<Result<(), PutError>, Fatal> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_str(media_type)?);
    let path = format!("/v2/{key}/manifests/{digest}");
    let answer = front.storage.ask(&Method::PUT, &path, headers, full(manifest)).await?;
    if answer.status().is_success() {
        return Ok(Ok(()));
    }
    let refusal: Value =
        serde_json::from_slice(&whole(answer.into_body()).await?).unwrap_or_default();
    let errors = refusal["errors"].as_array().cloned().unwrap_or_default();
    let missing: Vec<String> = errors
        .iter()
        .filter(|error| {
            matches!(error["code"].as_str(), Some("MANIFEST_BLOB_UNKNOWN" | "BLOB_UNKNOWN"))
        })
        .filter_map(|error| error["detail"]["digest"].as_str().or_else(|| error["detail"].as_str()))
        .map(str::to_owned)
        .collect();
    Ok(Err(if missing.is_empty() {
        PutError::Invalid(format!("manifest invalid: {}", errors.first().unwrap_or(&refusal)))
    } else if media_type.contains("index") || media_type.contains("list") {
        PutError::ImagesMissing(missing)
    } else {
        PutError::LayersMissing(missing)
    }))
}

/// `PutImage`.
pub(super) async fn put_image(front: &Front, input: &Input<'_>) -> Result<Outcome, Fatal> {
    let key = match input.key() {
        Ok(key) => key,
        Err(error) => return Ok(Err(error)),
    };
    let Some(manifest) = input.text("imageManifest") else {
        return Ok(Err(invalid("imageManifest", "must not be null")));
    };
    let manifest = Bytes::copy_from_slice(manifest.as_bytes());
    let (tag, computed) = (input.text("imageTag"), digest_of(&manifest));
    if let Some(given) = input.text("imageDigest").filter(|given| *given != computed) {
        let message =
            format!("Given digest '{given}' does not match the computed digest '{computed}'");
        return Ok(Err(ServiceError::new(400, "ImageDigestDoesNotMatchException", message)));
    }
    let media_type = input.text("imageManifestMediaType").map(str::to_owned);
    let text = String::from_utf8_lossy(&manifest).into_owned();
    Ok(match put(front, &key, manifest, media_type, tag).await? {
        Ok(Taken { digest, was_there: true, .. }) => {
            let named = tag.map(|tag| format!(" and tag '{tag}'")).unwrap_or_default();
            let message = format!(
                "Image with digest '{digest}'{named} already exists in the repository with name '{}' in registry with \
                 id '{}'",
                key.name, key.account
            );
            Err(ServiceError::new(400, "ImageAlreadyExistsException", message))
        }
        Ok(Taken { digest, media_type, .. }) => {
            let mut image_id = json!({ "imageDigest": digest });
            if let Some(tag) = tag {
                image_id["imageTag"] = tag.into();
            }
            Ok(json!({ "image": {
                "registryId": key.account, "repositoryName": key.name, "imageId": image_id,
                "imageManifest": text, "imageManifestMediaType": media_type,
            }}))
        }
        Err(error) => Err(ServiceError::new(400, error.code(), error.message(&key))),
    })
}
