//! What each repository holds. Layers are in the storage; manifests and tags are here.

use std::collections::BTreeMap;
use std::sync::Mutex;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use serde_json::Value;
use shipspec_testbed::Mutability;

use super::call::RepositoryKey;

/// All repositories of all registries.
#[derive(Default)]
pub(crate) struct Repositories {
    map: Mutex<BTreeMap<RepositoryKey, Repository>>,
}

/// One repository.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repository {
    /// Seconds since 1970.
    pub(crate) created_at: f64,
    /// Whether tags move.
    pub(crate) mutability: Mutability,
    /// Exclusions of that rule.
    pub(crate) filters: Vec<String>,
    /// The repository's policy, as it was set.
    pub(crate) policy: Option<String>,
    /// The lifecycle policy, as it was set.
    pub(crate) lifecycle: Option<String>,
    /// Scanning, encryption and tags, as they were asked for.
    pub(crate) settings: Value,
    /// Manifests by digest.
    pub(crate) images: BTreeMap<String, Image>,
    /// Digests by tag.
    pub(crate) tags: BTreeMap<String, String>,
}

/// One manifest or index.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    /// The manifest, byte for byte.
    pub(crate) manifest: Bytes,
    /// Its media type.
    pub(crate) media_type: String,
    /// Seconds since 1970.
    pub(crate) pushed_at: f64,
    /// The last download, in seconds since 1970.
    pub(crate) pulled_at: Option<f64>,
}

impl Repositories {
    /// Makes a repository unless there is one of that name.
    pub(crate) fn create(&self, key: &RepositoryKey, repository: Repository) -> bool {
        let mut map = self.map.lock().expect("the repositories");
        if map.contains_key(key) {
            return false;
        }
        map.insert(key.clone(), repository);
        true
    }

    /// Removes a repository and gives what it was.
    pub(crate) fn remove(&self, key: &RepositoryKey) -> Option<Repository> {
        self.map.lock().expect("the repositories").remove(key)
    }

    /// Reads or changes a repository, if it is there.
    pub(crate) fn with<T>(
        &self,
        key: &RepositoryKey,
        change: impl FnOnce(&mut Repository) -> T,
    ) -> Option<T> {
        self.map.lock().expect("the repositories").get_mut(key).map(change)
    }

    /// Every repository of a registry, by name.
    pub(crate) fn of_registry(
        &self,
        account: &str,
        region: &str,
    ) -> Vec<(RepositoryKey, Repository)> {
        let map = self.map.lock().expect("the repositories");
        let of_registry =
            map.iter().filter(|(key, _)| key.account == account && key.region == region);
        of_registry.map(|(key, repository)| (key.clone(), repository.clone())).collect()
    }
}

impl Repository {
    /// The digest that a tag or digest leads to, if its image is there.
    pub(crate) fn resolve(&self, reference: &str) -> Option<&str> {
        let digest = self.tags.get(reference).map_or(reference, String::as_str);
        self.images.get_key_value(digest).map(|(digest, _)| digest.as_str())
    }

    /// Whether a tag is taken and must stay where it is. ECR refuses the same digest as well.
    pub(crate) fn refuses_tag(&self, tag: &str) -> bool {
        self.tags.contains_key(tag) && self.mutability.freezes(tag, &self.filters)
    }

    /// The tags that lead to a digest.
    pub(crate) fn tags_of(&self, digest: &str) -> Vec<&str> {
        let of_digest = self.tags.iter().filter(|(_, of)| *of == digest);
        of_digest.map(|(tag, _)| tag.as_str()).collect()
    }

    /// The size that ECR tells: the layers of an image, the largest image of an index; in bytes.
    pub(crate) fn size_of(&self, digest: &str) -> u64 {
        let Some(image) = self.images.get(digest) else { return 0 };
        let manifest = image.json();
        if let Some(children) = manifest["manifests"].as_array() {
            let sizes = children
                .iter()
                .filter_map(|child| child["digest"].as_str())
                .map(|child| self.size_of(child));
            return sizes.max().unwrap_or(0);
        }
        let layers = manifest["layers"].as_array().into_iter().flatten();
        layers.chain([&manifest["config"]]).filter_map(|blob| blob["size"].as_u64()).sum()
    }
}

impl Image {
    /// The manifest as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.manifest).unwrap_or_default()
    }
}

/// The digest of these bytes.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("sha256:");
    for byte in digest(&SHA256, bytes).as_ref() {
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(manifest: &str) -> Image {
        Image {
            manifest: Bytes::copy_from_slice(manifest.as_bytes()),
            media_type: String::new(),
            pushed_at: 0.0,
            pulled_at: None,
        }
    }

    #[test]
    fn an_index_is_as_large_as_its_largest_image() {
        let mut repository = Repository::default();
        repository.images.insert(
            "a".into(),
            image(r#"{"config":{"size":1},"layers":[{"size":10},{"size":5}]}"#),
        );
        repository
            .images
            .insert("b".into(), image(r#"{"config":{"size":1},"layers":[{"size":7}]}"#));
        repository
            .images
            .insert("i".into(), image(r#"{"manifests":[{"digest":"a"},{"digest":"b"}]}"#));
        assert_eq!(repository.size_of("a"), 16);
        assert_eq!(repository.size_of("i"), 16);
        assert_eq!(repository.size_of("none"), 0);
    }

    #[test]
    fn a_tag_leads_to_a_digest_and_a_digest_to_itself() {
        let mut repository =
            Repository { mutability: Mutability::Immutable, ..Repository::default() };
        repository.images.insert("sha256:1".into(), image("{}"));
        repository.tags.insert("v1".into(), "sha256:1".into());
        assert_eq!(repository.resolve("v1"), Some("sha256:1"));
        assert_eq!(repository.resolve("sha256:1"), Some("sha256:1"));
        assert_eq!(repository.resolve("v2"), None);
        assert!(repository.refuses_tag("v1"));
        assert!(!repository.refuses_tag("v2"));
    }

    #[test]
    fn the_digest_is_sha256() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest_of(b""), empty);
    }
}
