//! What is asked of an image without taking it: its digest, and what its configuration says.

use std::collections::BTreeMap;

use reqwest::header::ACCEPT;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use shipspec_spec::image::Digest;

use crate::blob::Blob;
use crate::client::{CONTENT_DIGEST, Client, header};
use crate::download::Download;
use crate::error::RegistryError;
use crate::manifest::{MEDIA_TYPES, Manifest, Part};

/// Bytes of the largest configuration that is read.
const LARGEST: u64 = 4 << 20;

/// What is read of an image configuration.
#[derive(Default, Deserialize)]
struct Configuration {
    #[serde(default)]
    config: Inner,
}

#[derive(Default, Deserialize)]
struct Inner {
    #[serde(default, rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

impl Client {
    /// The digest of what stands under a tag, without reading it; nothing if there is nothing.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn digest(&self, reference: &str) -> Result<Option<Digest>, RegistryError> {
        let told = self
            .retry(async || {
                let request = self.request(Method::HEAD, &format!("manifests/{reference}"));
                let answer = self.send(request.header(ACCEPT, MEDIA_TYPES.join(", "))).await?;
                let is_failure = answer.status().is_server_error()
                    || answer.status() == StatusCode::TOO_MANY_REQUESTS;
                if is_failure {
                    return self.check(answer, Some(reference)).await.map(|_| None);
                }
                let digest = header(&answer, CONTENT_DIGEST).and_then(|text| text.parse().ok());
                Ok(digest.filter(|_| answer.status().is_success()))
            })
            .await?;
        match told {
            Some(digest) => Ok(Some(digest)),
            // An answer without a body does not say why it is none, and a registry need not tell digests.
            None => Ok(self.manifest(reference).await?.map(|manifest| manifest.digest)),
        }
    }

    /// A label of an image; of an index, that of its first image.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn label(
        &self,
        manifest: &Manifest,
        name: &str,
    ) -> Result<Option<String>, RegistryError> {
        let mut config = manifest.config();
        if config.is_none() {
            let parts = manifest.all_parts().unwrap_or_default();
            let mut images = parts.into_iter().filter_map(|part| match part {
                Part::Manifest(digest) => Some(digest),
                Part::Blob(_) | Part::Absent(_) => None,
            });
            if let Some(digest) = images.next() {
                let image = self.manifest(digest.as_str()).await?;
                config = image.and_then(|image| image.config());
            }
        }
        let Some(config) = config.filter(|config| config.size <= LARGEST) else { return Ok(None) };
        let bytes = self.blob(&config).await?;
        let configuration: Configuration = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(configuration.config.labels.and_then(|mut labels| labels.remove(name)))
    }

    /// What a blob holds, in memory.
    async fn blob(&self, blob: &Blob) -> Result<Vec<u8>, RegistryError> {
        let mut download = Download::new(self, blob);
        let mut bytes = Vec::new();
        while download.offset() < blob.size {
            bytes.extend_from_slice(&download.read(blob.size - download.offset()).await?);
        }
        download.verify()?;
        Ok(bytes)
    }
}
