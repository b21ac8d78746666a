//! Operations on images.

use hyper::{HeaderMap, Method};
use serde_json::{Map, Value, json};

use super::super::Front;
use super::super::answer::ServiceError;
use super::super::body::full;
use super::super::call::RepositoryKey;
use super::super::identity::now;
use super::super::repositories::{Image, Repository};
use super::Outcome;
use super::input::Input;
use crate::inside::Fatal;

/// `DescribeImages`: those that are named, or all that the filter lets through.
pub(super) fn describe(front: &Front, input: &Input<'_>) -> Outcome {
    let ids = input.list("imageIds");
    let found = input.with(front, |key, repository| {
        if ids.is_empty() {
            let images =
                repository.images.iter().filter(|(digest, _)| passes(input, repository, digest));
            return Ok(images
                .map(|(digest, image)| described(key, repository, digest, image))
                .collect());
        }
        let one = |id: &Value| match find(repository, id) {
            Ok((digest, image)) => Ok(described(key, repository, digest, image)),
            Err(_) => Err(image_not_found(key, id)),
        };
        ids.iter().map(one).collect::<Result<Vec<Value>, ServiceError>>()
    })??;
    input.page("imageDetails", &found)
}

/// `ListImages`: an entry for each tag, and one for each image without a tag.
pub(super) fn list(front: &Front, input: &Input<'_>) -> Outcome {
    let found = input.with(front, |_, repository| {
        let mut found = Vec::new();
        for digest in repository.images.keys().filter(|digest| passes(input, repository, digest)) {
            let tags = repository.tags_of(digest);
            if tags.is_empty() {
                found.push(json!({ "imageDigest": digest }));
            }
            found.extend(
                tags.into_iter().map(|tag| json!({ "imageDigest": digest, "imageTag": tag })),
            );
        }
        found
    })?;
    input.page("imageIds", &found)
}

/// `BatchGetImage`: the manifests; what is not there is a failure inside of a success.
pub(super) fn batch_get(front: &Front, input: &Input<'_>) -> Outcome {
    input.with(front, |key, repository| {
        let (mut images, mut failures) = (Vec::new(), Vec::new());
        for id in input.list("imageIds") {
            let found = find(repository, id)
                .map(|(digest, image)| (digest.to_owned(), image_of(key, id, digest, image)));
            match found {
                Ok((digest, image)) => {
                    if let Some(image) = repository.images.get_mut(&digest) {
                        image.pulled_at = Some(now());
                    }
                    images.push(image);
                }
                Err(failure) => failures.push(failure),
            }
        }
        json!({ "images": images, "failures": failures })
    })
}

/// `BatchDeleteImage`: a tag alone is taken away; a digest goes with all its tags.
pub(super) async fn batch_delete(front: &Front, input: &Input<'_>) -> Result<Outcome, Fatal> {
    let mut gone = Vec::new();
    let outcome = input.with(front, |key, repository| {
        let (mut deleted, mut failures) = (Vec::new(), Vec::new());
        for id in input.list("imageIds") {
            let digest = match find(repository, id) {
                Ok((digest, _)) => digest.to_owned(),
                Err(failure) => {
                    failures.push(failure);
                    continue;
                }
            };
            let named = id["imageTag"].as_str();
            let tags: Vec<String> = match named {
                Some(tag) => vec![tag.to_owned()],
                None => repository.tags_of(&digest).into_iter().map(str::to_owned).collect(),
            };
            for tag in &tags {
                repository.tags.remove(tag);
                deleted.push(json!({ "imageDigest": digest, "imageTag": tag }));
            }
            if named.is_none() && tags.is_empty() {
                deleted.push(json!({ "imageDigest": digest }));
            }
            if repository.tags_of(&digest).is_empty() {
                repository.images.remove(&digest);
                gone.push(format!("/v2/{key}/manifests/{digest}"));
            }
        }
        json!({ "imageIds": deleted, "failures": failures })
    });
    for path in gone {
        front.storage.ask(&Method::DELETE, &path, HeaderMap::new(), full("")).await?;
    }
    Ok(outcome)
}

/// `BatchCheckLayerAvailability`.
pub(super) async fn check_layers(front: &Front, input: &Input<'_>) -> Result<Outcome, Fatal> {
    let key = match input.with(front, |key, _| key.clone()) {
        Ok(key) => key,
        Err(error) => return Ok(Err(error)),
    };
    let (mut layers, mut failures) = (Vec::new(), Vec::new());
    for digest in input.list("layerDigests").iter().filter_map(Value::as_str) {
        let path = format!("/v2/{key}/blobs/{digest}");
        let found = front.storage.ask(&Method::HEAD, &path, HeaderMap::new(), full("")).await?;
        let size =
            found.headers().get(hyper::header::CONTENT_LENGTH).and_then(|size| size.to_str().ok());
        match (found.status().as_u16(), size.and_then(|size| size.parse::<u64>().ok())) {
            (200, Some(size)) => layers.push(json!({
                "layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": size,
                "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
            })),
            (404, _) => layers.push(json!({ "layerDigest": digest, "layerAvailability": "UNAVAILABLE" })),
            _ => failures.push(json!({
                "layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": "Invalid layer digest",
            })),
        }
    }
    Ok(Ok(json!({ "layers": layers, "failures": failures })))
}

/// The image that an identifier means, or the failure that `BatchGetImage` tells.
fn find<'a>(repository: &'a Repository, id: &Value) -> Result<(&'a str, &'a Image), Value> {
    let failure = |code: &str, reason: &str| {
        Err(json!({ "imageId": id, "failureCode": code, "failureReason": reason }))
    };
    let (tag, digest) = (id["imageTag"].as_str(), id["imageDigest"].as_str());
    let Some(reference) = tag.or(digest) else {
        return failure(
            "MissingDigestAndTag",
            "Invalid request parameters: both tag and digest cannot be null",
        );
    };
    if digest.is_some_and(|digest| !digest.starts_with("sha256:")) {
        return failure(
            "InvalidImageDigest",
            "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
        );
    }
    let Some(found) = repository.resolve(reference) else {
        return failure("ImageNotFound", "Requested image not found");
    };
    if digest.is_some_and(|digest| digest != found) {
        return failure(
            "ImageTagDoesNotMatchDigest",
            "Requested image tag does not match the digest",
        );
    }
    Ok((found, &repository.images[found]))
}

/// Whether the filter's `tagStatus` lets an image through.
fn passes(input: &Input<'_>, repository: &Repository, digest: &str) -> bool {
    let tagged = !repository.tags_of(digest).is_empty();
    match input.value["filter"]["tagStatus"].as_str() {
        Some("TAGGED") => tagged,
        Some("UNTAGGED") => !tagged,
        _ => true,
    }
}

fn image_of(key: &RepositoryKey, id: &Value, digest: &str, image: &Image) -> Value {
    let mut image_id = Map::new();
    image_id.insert("imageDigest".to_owned(), digest.into());
    if let Some(tag) = id["imageTag"].as_str() {
        image_id.insert("imageTag".to_owned(), tag.into());
    }
    json!({
        "registryId": key.account,
        "repositoryName": key.name,
        "imageId": image_id,
        "imageManifest": String::from_utf8_lossy(&image.manifest),
        "imageManifestMediaType": image.media_type,
    })
}

fn described(key: &RepositoryKey, repository: &Repository, digest: &str, image: &Image) -> Value {
    let mut detail = json!({
        "registryId": key.account,
        "repositoryName": key.name,
        "imageDigest": digest,
        "imageSizeInBytes": repository.size_of(digest),
        "imagePushedAt": image.pushed_at,
        "imageManifestMediaType": image.media_type,
        "imageStatus": "ACTIVE",
    });
    let manifest = image.json();
    let optional = [
        (
            "imageTags",
            Some(repository.tags_of(digest)).filter(|tags| !tags.is_empty()).map(Value::from),
        ),
        ("artifactMediaType", manifest["config"]["mediaType"].as_str().map(Value::from)),
        ("subjectManifestDigest", manifest["subject"]["digest"].as_str().map(Value::from)),
        ("lastRecordedPullTime", image.pulled_at.map(Value::from)),
    ];
    for (field, value) in optional {
        if let Some(value) = value {
            detail[field] = value;
        }
    }
    detail
}

fn image_not_found(key: &RepositoryKey, id: &Value) -> ServiceError {
    let shown = |field: &str| id[field].as_str().unwrap_or("null").to_owned();
    let message = format!(
        "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the repository with name \
         '{}' in the registry with id '{}'",
        shown("imageDigest"),
        shown("imageTag"),
        key.name,
        key.account
    );
    ServiceError::new(400, "ImageNotFoundException", message)
}
