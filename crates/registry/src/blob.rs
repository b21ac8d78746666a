//! Blobs: the layers and configurations that manifests are about.

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, StatusCode};
use shipspec_spec::image::Digest;

use crate::client::{CONTENT_DIGEST, Client, header};
use crate::error::RegistryError;
use crate::manifest::Manifest;

/// What a registry that says no more means with a `403` to a question for a layer: an answer without a
/// body cannot say why.
const CHECK_DENIED: &str = "it answered 403 when it was asked for layers; that is for who may perform: \
                            ecr:BatchCheckLayerAvailability";

/// A blob as a manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blob {
    /// Of its bytes.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
}

impl Client {
    /// The repository has the blob.
    ///
    /// # Errors
    ///
    /// [`RegistryError`]. That the repository itself is missing cannot be told from an answer without
    /// a body: then it merely does not have the blob.
    pub async fn has_blob(&self, digest: &Digest) -> Result<bool, RegistryError> {
        self.retry(async || {
            let request = self.request(Method::HEAD, &format!("blobs/{digest}"));
            let answer = self.send(request).await?;
            match answer.status() {
                StatusCode::NOT_FOUND => Ok(false),
                StatusCode::FORBIDDEN => {
                    let repository = self.repository().clone();
                    let message = CHECK_DENIED.into();
                    Err(RegistryError::Denied { repository, message })
                }
                _ => self.check(answer, None).await.map(|_| true),
            }
        })
        .await
    }

    /// Puts a manifest without a tag, with the very bytes that it has.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn put_by_digest(&self, manifest: &Manifest) -> Result<(), RegistryError> {
        self.retry(async || {
            let path = format!("manifests/{}", manifest.digest);
            let request = self.request(Method::PUT, &path);
            let request =
                request.header(CONTENT_TYPE, &manifest.media_type).body(manifest.bytes.clone());
            let answer = self.check(self.send(request).await?, None).await?;
            match header(&answer, CONTENT_DIGEST) {
                Some(found) => self.compare(manifest.digest.as_str(), &manifest.digest, found),
                None => Ok(()),
            }
        })
        .await
    }
}
