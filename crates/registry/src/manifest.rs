//! Manifests, byte for byte as the registry has them.

use bytes::Bytes;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use shipspec_spec::image::Digest;

/// The media types of everything that can stand under a tag: images and indexes, Docker's and OCI's.
pub const MEDIA_TYPES: [&str; 4] = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
];

/// A manifest. Its bytes are never written anew: one more newline would be another image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// As the registry sent it.
    pub bytes: Bytes,
    /// As the registry named it.
    pub media_type: String,
    /// Of the bytes.
    pub digest: Digest,
}

/// What a manifest says of its parts.
#[derive(Debug, Default, Deserialize)]
struct Parts {
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Debug, Deserialize)]
struct Descriptor {
    digest: String,
    #[serde(default)]
    size: u64,
}

impl Manifest {
    /// A manifest as it was received.
    #[must_use]
    pub fn new(bytes: Bytes, media_type: impl Into<String>) -> Self {
        let digest = Digest::from_sha256(Sha256::digest(&bytes).into());
        Self { bytes, media_type: media_type.into(), digest }
    }

    /// The digest of the image configuration, which is what a classic Docker engine calls the
    /// image's id; an index has none.
    #[must_use]
    pub fn config_digest(&self) -> Option<Digest> {
        self.parts().config?.digest.parse().ok()
    }

    /// What the manifest, the configuration and the layers weigh together, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        let parts = self.parts();
        let blobs: u64 = parts.config.iter().chain(&parts.layers).map(|part| part.size).sum();
        blobs + self.bytes.len() as u64
    }

    fn parts(&self) -> Parts {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_known_by_the_hash_of_its_bytes() {
        let empty = Manifest::new(Bytes::from_static(b"{}"), MEDIA_TYPES[0]);
        assert_eq!(
            empty.digest.as_str(),
            "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
        assert_eq!(empty.config_digest(), None);
    }

    #[test]
    fn its_size_is_that_of_all_its_parts() {
        let text = format!(
            r#"{{"config":{{"digest":"sha256:{0}","size":10}},"layers":[{{"digest":"sha256:{0}","size":32}}]}}"#,
            "0".repeat(64)
        );
        let length = text.len() as u64;
        let manifest = Manifest::new(Bytes::from(text), MEDIA_TYPES[0]);
        assert_eq!(manifest.size(), 42 + length);
        assert_eq!(manifest.config_digest().unwrap().hex(), "0".repeat(64));
    }
}
