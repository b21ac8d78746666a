//! The registry protocol as ECR speaks it. Uploads and blobs go through to the storage; manifests
//! and tags are kept here, by ECR's rules.

use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, LINK, LOCATION};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::Front;
use super::answer::{Answer, Protocol, ServiceError, with_body};
use super::body::{AnyBody, full, whole};
use super::call::{Call, RepositoryKey};
use super::dispatch::{Incident, Work, text_of};
use super::ecr::put::{PutError, put};
use super::identity::now;
use super::repositories::{Image, digest_of};
use super::route::{Operation, PUBLIC_ACCOUNT};
use crate::inside::Fatal;

const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// ECR takes manifests of up to four mebibytes.
const LARGEST_MANIFEST: usize = 4 * 1024 * 1024;

/// What a request to a registry asks for.
pub(crate) fn classify(
    front: &Front,
    account: &str,
    region: &str,
    host: String,
    parts: Parts,
    body: AnyBody,
) -> Incident {
    let caller = front.identities.token_holder(&parts.headers, region);
    let parsed = Operation::parse(&parts.method, parts.uri.path());
    let is_public = account == PUBLIC_ACCOUNT;
    let (kind, action, repository, work) = if let Some((operation, name)) = parsed {
        let repository = (!name.is_empty()).then(|| RepositoryKey::new(account, region, &name));
        (operation.kind(), operation.action(), repository, Work::Registry(operation))
    } else if is_public && parts.uri.path() == "/token/" {
        ("token", "", None, Work::Token)
    } else {
        let error = ServiceError::new(405, "UNSUPPORTED", "The operation is unsupported.");
        ("unsupported", "", None, Work::Refuse(error))
    };
    let call = Call {
        service: "registry".to_owned(),
        kind: kind.to_owned(),
        action: if is_public { action.replace("ecr:", "ecr-public:") } else { action.to_owned() },
        resource: repository.as_ref().map_or_else(|| "*".to_owned(), RepositoryKey::arn),
        repository,
        access_key: caller.access_key(),
        protocol: Protocol::Registry,
    };
    Incident { parts, host, call, caller, body, work }
}

/// Does what is asked.
pub(crate) async fn perform(
    front: &Front,
    operation: &Operation,
    call: &Call,
    parts: &Parts,
    host: &str,
    body: AnyBody,
) -> Result<Answer, Fatal> {
    let Some(key) = &call.repository else {
        return Ok(versioned(with_body(200, "application/json", "{}")));
    };
    if front.repositories.with(key, |_| ()).is_none() {
        super::body::read_up_to(body, u64::MAX).await;
        return Ok(refusal(404, "NAME_UNKNOWN", repository_missing(key)));
    }
    let query = parts.uri.query().unwrap_or_default();
    let answer = match operation {
        Operation::Ping => with_body(200, "application/json", "{}"),
        Operation::BlobHead(digest) => blob_head(front, key, digest).await?,
        Operation::BlobGet(digest) => blob_get(front, call, key, digest).await?,
        Operation::UploadStart => {
            // Layers are not shared between repositories unless an account asks for it.
            upload(front, key, host, parts, "/blobs/uploads/", body).await?
        }
        Operation::UploadPart
        | Operation::UploadFinish
        | Operation::UploadStatus
        | Operation::UploadCancel => {
            let id = parts.uri.path().rsplit('/').next().unwrap_or_default();
            upload(front, key, host, parts, &format!("/blobs/uploads/{id}?{query}"), body).await?
        }
        Operation::ManifestHead(reference) | Operation::ManifestGet(reference) => {
            let is_download = matches!(operation, Operation::ManifestGet(_));
            manifest_get(front, key, reference, is_download)
        }
        Operation::ManifestPut(reference) => {
            manifest_put(front, key, host, parts, reference, body).await?
        }
        Operation::TagsList => tags_list(front, key, query),
        Operation::Referrers(digest) => referrers(front, key, digest),
    };
    Ok(versioned(answer))
}

/// ECR Public's token server: who comes with user and password gets the password as a token.
pub(crate) fn token(parts: &Parts) -> Answer {
    let password = super::identity::password(&parts.headers).unwrap_or_default();
    with_body(200, "application/json", json!({ "token": password }).to_string())
}

/// What ECR says of a repository that is not there.
pub(crate) fn repository_missing(key: &RepositoryKey) -> String {
    format!(
        "The repository with name '{}' does not exist in the registry with id '{}'",
        key.name, key.account
    )
}

async fn blob_head(front: &Front, key: &RepositoryKey, digest: &str) -> Result<Answer, Fatal> {
    front
        .storage
        .ask(&Method::HEAD, &format!("/v2/{key}/blobs/{digest}"), HeaderMap::new(), full(""))
        .await
}

async fn blob_get(
    front: &Front,
    call: &Call,
    key: &RepositoryKey,
    digest: &str,
) -> Result<Answer, Fatal> {
    let found = blob_head(front, key, digest).await?;
    if found.status() != StatusCode::OK {
        return Ok(refusal(404, "BLOB_UNKNOWN", "blob unknown to registry"));
    }
    let mut answer = with_body(307, "text/plain", "");
    let address = front.downloads.address(key, digest, call.access_key.clone());
    answer.headers_mut().insert(LOCATION, HeaderValue::from_str(&address)?);
    Ok(answer)
}

/// Passes a part of an upload on to the storage; its addresses become the front's.
async fn upload(
    front: &Front,
    key: &RepositoryKey,
    host: &str,
    parts: &Parts,
    tail: &str,
    body: AnyBody,
) -> Result<Answer, Fatal> {
    let mut headers = parts.headers.clone();
    headers.remove(hyper::header::AUTHORIZATION);
    headers.remove(hyper::header::HOST);
    let mut answer =
        front.storage.ask(&parts.method, &format!("/v2/{key}{tail}"), headers, body).await?;
    let location = text_of(answer.headers().get(LOCATION));
    if let Some((_, rest)) = location.split_once(&format!("/v2/{key}/")) {
        let location = format!("https://{host}/v2/{}/{rest}", key.name);
        answer.headers_mut().insert(LOCATION, HeaderValue::from_str(&location)?);
    }
    Ok(answer)
}

fn manifest_get(front: &Front, key: &RepositoryKey, reference: &str, is_download: bool) -> Answer {
    let found = front.repositories.with(key, |repository| {
        let digest = repository.resolve(reference)?.to_owned();
        let image = repository.images.get_mut(&digest)?;
        if is_download {
            image.pulled_at = Some(now());
        }
        Some((digest, image.clone()))
    });
    let Some((digest, image)) = found.flatten() else {
        return refusal(404, "MANIFEST_UNKNOWN", "Requested image not found");
    };
    let mut answer = with_body(200, &image.media_type, image.manifest);
    insert(&mut answer, DIGEST, &digest);
    answer
}

async fn manifest_put(
    front: &Front,
    key: &RepositoryKey,
    host: &str,
    parts: &Parts,
    reference: &str,
    body: AnyBody,
) -> Result<Answer, Fatal> {
    let manifest = whole(body).await?;
    if manifest.len() > LARGEST_MANIFEST {
        return Ok(refusal(413, "SIZE_INVALID", "the manifest is larger than 4 MiB"));
    }
    let digest = digest_of(&manifest);
    let tag = (!reference.contains(':')).then_some(reference);
    if tag.is_none() && reference != digest {
        return Ok(refusal(
            400,
            "DIGEST_INVALID",
            "provided digest did not match uploaded content",
        ));
    }
    let media_type = text_of(parts.headers.get(CONTENT_TYPE));
    match put(front, key, manifest, Some(media_type), tag).await? {
        Ok(_) => {
            let mut answer = with_body(201, "text/plain", "");
            insert(&mut answer, DIGEST, &digest);
            insert(
                &mut answer,
                LOCATION,
                &format!("https://{host}/v2/{}/manifests/{digest}", key.name),
            );
            Ok(answer)
        }
        Err(error) => {
            let code = match error {
                PutError::TagTaken(_) => "TAG_INVALID",
                PutError::RepositoryMissing => "NAME_UNKNOWN",
                PutError::LayersMissing(_) | PutError::ImagesMissing(_) => "MANIFEST_BLOB_UNKNOWN",
                PutError::Invalid(_) => "MANIFEST_INVALID",
            };
            let status = if error == PutError::RepositoryMissing { 404 } else { 400 };
            Ok(refusal(status, code, error.message(key)))
        }
    }
}

/// A page of tags: those after `last`, at most `n`.
fn tags_list(front: &Front, key: &RepositoryKey, query: &str) -> Answer {
    let parameter =
        |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let last = parameter("last").unwrap_or_default();
    let most = parameter("n").and_then(|n| n.parse().ok()).unwrap_or(1000).min(1000);
    let all: Vec<String> = front
        .repositories
        .with(key, |repository| repository.tags.keys().cloned().collect())
        .unwrap_or_default();
    let mut rest = all.into_iter().filter(|tag| tag.as_str() > last);
    let tags: Vec<String> = rest.by_ref().take(most).collect();
    let more = rest.next().is_some();
    let body = json!({ "name": key.name, "tags": tags });
    let mut answer = with_body(200, "application/json", body.to_string());
    if let (true, Some(tag)) = (more, tags.last()) {
        insert(
            &mut answer,
            LINK,
            &format!("</v2/{}/tags/list?last={tag}&n={most}>; rel=\"next\"", key.name),
        );
    }
    answer
}

/// An index of the manifests whose subject is this one.
fn referrers(front: &Front, key: &RepositoryKey, subject: &str) -> Answer {
    let describe = |digest: &String, image: &Image| {
        let manifest = image.json();
        (manifest["subject"]["digest"] == subject).then(|| {
            json!({
                "mediaType": image.media_type,
                "digest": digest,
                "size": image.manifest.len(),
                "artifactType": manifest.get("artifactType").unwrap_or(&manifest["config"]["mediaType"]),
                "annotations": manifest.get("annotations").cloned().unwrap_or_else(|| json!({})),
            })
        })
    };
    let found: Vec<Value> = front
        .repositories
        .with(key, |repository| {
            repository.images.iter().filter_map(|(digest, image)| describe(digest, image)).collect()
        })
        .unwrap_or_default();
    let media_type = "application/vnd.oci.image.index.v1+json";
    let index = json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": found });
    with_body(200, media_type, index.to_string())
}

fn refusal(status: u16, code: &str, message: impl Into<String>) -> Answer {
    versioned(ServiceError::new(status, code, message).answer(Protocol::Registry))
}

fn versioned(mut answer: Answer) -> Answer {
    let version = HeaderValue::from_static("registry/2.0");
    answer.headers_mut().insert("docker-distribution-api-version", version);
    answer
}

fn insert(answer: &mut Answer, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}
