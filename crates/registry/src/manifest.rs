//! Manifests, byte for byte as the registry has them.

use bytes::Bytes;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use shipspec_spec::image::Digest;

use crate::blob::Blob;

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
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Debug, Deserialize)]
struct Descriptor {
    digest: String,
    #[serde(default)]
    size: u64,
    #[serde(default, rename = "mediaType")]
    media_type: String,
    #[serde(default)]
    urls: Vec<String>,
}

/// Something that has to be in a repository before a manifest can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A layer or a configuration.
    Blob(Blob),
    /// The manifest of a platform, or another index.
    Manifest(Digest),
    /// A layer of so many bytes that is fetched from elsewhere; no registry is expected to hold it.
    Absent(u64),
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

    /// The image configuration; an index has none.
    #[must_use]
    pub fn config(&self) -> Option<Blob> {
        let config = self.parts().config?;
        Some(Blob { digest: config.digest.parse().ok()?, size: config.size })
    }

    /// What the manifest, the configuration and the layers weigh together, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        let parts = self.parts();
        let blobs: u64 = parts.config.iter().chain(&parts.layers).map(|part| part.size).sum();
        blobs + self.bytes.len() as u64
    }

    /// Everything that it names, configuration and layers or other manifests.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words: it is no manifest that we know.
    pub fn all_parts(&self) -> Result<Vec<Part>, String> {
        if !MEDIA_TYPES.contains(&self.media_type.split(';').next().unwrap_or_default().trim()) {
            return Err(format!("has the type `{}`, which cannot be copied", self.media_type));
        }
        let parts: Parts = serde_json::from_slice(&self.bytes)
            .map_err(|error| format!("cannot be read: {error}"))?;
        let blobs = parts.config.iter().chain(&parts.layers);
        blobs.chain(&parts.manifests).map(Descriptor::part).collect()
    }

    fn parts(&self) -> Parts {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }
}

impl Descriptor {
    fn part(&self) -> Result<Part, String> {
        let is_foreign =
            self.media_type.contains("foreign") || self.media_type.contains("nondistributable");
        if is_foreign && !self.urls.is_empty() {
            return Ok(Part::Absent(self.size));
        }
        let digest = self.digest.parse().map_err(|error| format!("names a part: {error}"))?;
        // An index may also name what is no manifest, as BuildKit's caches do.
        Ok(if MEDIA_TYPES.contains(&&*self.media_type) {
            Part::Manifest(digest)
        } else {
            Part::Blob(Blob { digest, size: self.size })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_told_by_its_kind() {
        let digest = |digit: &str| format!("sha256:{}", digit.repeat(64));
        let text = serde_json::json!({
            "config": { "digest": digest("1"), "size": 1, "mediaType": "application/vnd.oci.image.config.v1+json" },
            "layers": [
                { "digest": digest("2"), "size": 2, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip" },
                { "digest": digest("3"), "size": 3, "urls": ["https://example.com/3"],
                  "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" },
            ],
            "manifests": [{ "digest": digest("4"), "size": 4, "mediaType": MEDIA_TYPES[2] }],
        });
        let blob =
            |digit: &str, size| Part::Blob(Blob { digest: digest(digit).parse().unwrap(), size });
        let manifest = Manifest::new(Bytes::from(text.to_string()), MEDIA_TYPES[3]);
        assert_eq!(
            manifest.all_parts().unwrap(),
            [
                blob("1", 1),
                blob("2", 2),
                Part::Absent(3),
                Part::Manifest(digest("4").parse().unwrap()),
            ]
        );
        let other = Manifest::new(Bytes::from_static(b"{}"), "text/html");
        assert_eq!(
            other.all_parts().unwrap_err(),
            "has the type `text/html`, which cannot be copied"
        );
    }

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
