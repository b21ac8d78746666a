//! Records in a repository: a text in the annotation of a manifest that is no image, over the empty
//! configuration ([guidance]). To put one is one request.
//!
//! [guidance]: https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, LINK, LOCATION};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Value, json};
use shipspec_spec::image::Digest;
use shipspec_spec::tag::Tag;

use crate::client::{Client, header};
use crate::error::RegistryError;
use crate::manifest::{MEDIA_TYPES, Manifest};

/// What a record is.
const ARTIFACT_TYPE: &str = "application/vnd.shipspec.release.v1+json";

/// The annotation that holds it.
const ANNOTATION: &str = "shipspec.release";

/// The empty configuration, and its digest.
const EMPTY: &[u8] = b"{}";
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
const EMPTY_DIGEST: &str =
    "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

/// Pages of tags that are read at the most, a thousand tags each.
const MOST_PAGES: usize = 100;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// The manifest that holds a text.
fn manifest_of(text: &str) -> Manifest {
    let empty = json!({ "mediaType": EMPTY_TYPE, "digest": EMPTY_DIGEST, "size": EMPTY.len() });
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MEDIA_TYPES[2],
        "artifactType": ARTIFACT_TYPE,
        "config": empty,
        "layers": [empty],
        "annotations": { ANNOTATION: text },
    });
    Manifest::new(Bytes::from(manifest.to_string()), MEDIA_TYPES[2])
}

impl Client {
    /// Puts a record under a tag. The empty configuration is sent only to a repository that has none.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn put_record(&self, tag: &Tag, text: &str) -> Result<(), RegistryError> {
        let manifest = manifest_of(text);
        match self.put_manifest(tag, &manifest).await {
            Err(RegistryError::Answer { status: 400..500, .. }) => {
                self.put_empty().await?;
                self.put_manifest(tag, &manifest).await
            }
            other => other,
        }
    }

    /// The text of a record; nothing if there is none, or something else stands under the tag.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn record(&self, tag: &str) -> Result<Option<String>, RegistryError> {
        let Some(manifest) = self.manifest(tag).await? else { return Ok(None) };
        let manifest: Value = serde_json::from_slice(&manifest.bytes).unwrap_or_default();
        Ok(manifest["annotations"][ANNOTATION].as_str().map(str::to_owned))
    }

    /// All tags of the repository.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn tags(&self) -> Result<Vec<String>, RegistryError> {
        let (mut tags, mut path) = (Vec::new(), "tags/list?n=1000".to_owned());
        for _ in 0..MOST_PAGES {
            let (page, next) = self
                .retry(async || {
                    let answer = self.send(self.request(Method::GET, &path)).await?;
                    let answer = self.check(answer, None).await?;
                    let next = header(&answer, LINK.as_str());
                    let page: Page =
                        answer.json().await.map_err(|source| self.transport(source))?;
                    Ok((page, next))
                })
                .await?;
            tags.extend(page.tags.unwrap_or_default());
            match next.as_deref().and_then(query_of) {
                Some(query) => path = format!("tags/list?{query}"),
                None => break,
            }
        }
        Ok(tags)
    }

    async fn put_empty(&self) -> Result<(), RegistryError> {
        let digest: Digest = Manifest::new(Bytes::from_static(EMPTY), EMPTY_TYPE).digest;
        if self.has_blob(&digest).await? {
            return Ok(());
        }
        self.retry(async || {
            let begin = self.request(Method::POST, "blobs/uploads/").header(CONTENT_LENGTH, 0);
            let answer = self.check(self.send(begin).await?, None).await?;
            let address = header(&answer, LOCATION.as_str());
            let address = address.and_then(|address| answer.url().join(&address).ok());
            let mut address: Url = address.ok_or_else(|| {
                self.answer(answer.status(), "it began an upload and did not say where".into())
            })?;
            address.query_pairs_mut().append_pair("digest", digest.as_str());
            let request = self.request_at(Method::PUT, address.as_str());
            let request = request.header(CONTENT_TYPE, "application/octet-stream").body(EMPTY);
            self.check(self.send(request).await?, None).await.map(drop)
        })
        .await
    }
}

/// The query of the next page in `</v2/web/tags/list?n=1000&last=x>; rel="next"`.
fn query_of(link: &str) -> Option<&str> {
    let address = link.strip_prefix('<')?.split('>').next()?;
    address.split_once('?').map(|(_, query)| query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_a_manifest_over_the_empty_configuration() {
        let empty = Manifest::new(Bytes::from_static(EMPTY), EMPTY_TYPE);
        assert_eq!(empty.digest.as_str(), EMPTY_DIGEST);
        let manifest = manifest_of("{\"a\": 1}");
        assert_eq!(manifest.config_digest(), Some(empty.digest));
        assert_eq!(query_of("</v2/a/tags/list?n=2&last=b>; rel=\"next\""), Some("n=2&last=b"));
    }
}
