//! What a run released: one JSON document, which stays in the repository of the first image.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use shipspec_build::key::KeyParts;
use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::image::Digest;
use shipspec_spec::tag::Tag;

use crate::age::Age;
use crate::images::Made;
use crate::project::Project;
use crate::report::Report;
use crate::tagging::{Newer, NewerPut};

/// The version of a record's form.
const VERSION: u32 = 1;

/// A release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Release {
    pub(crate) version: u32,
    /// The version of shipspec that made it.
    pub(crate) shipspec: String,
    /// The name of the pipeline.
    pub(crate) pipeline: String,
    /// What CodeBuild calls the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) build: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) commit: Option<String>,
    /// The run's tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tag: Option<String>,
    /// Milliseconds since 1970.
    pub(crate) time: u64,
    /// Something in it is not as in the release before.
    pub(crate) changed: bool,
    /// It is no release: something was put out, and not all that belongs to one. Images that the run did
    /// not make are as they were before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) partial: bool,
    pub(crate) images: BTreeMap<String, ReleasedImage>,
    pub(crate) artifacts: BTreeMap<String, ReleasedArtifact>,
    /// The images that others build.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) references: BTreeMap<String, ReleasedReference>,
}

/// An image of a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ReleasedImage {
    /// The reference by its first tag.
    pub(crate) uri: String,
    pub(crate) digest: String,
    pub(crate) tags: Vec<String>,
    /// Its moving tags: where they are since this run, or since a newer one that this run found.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) moving: BTreeMap<String, Moving>,
    pub(crate) changed: bool,
    pub(crate) reused: bool,
    /// The content key, and what it is made from; none if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parts: Option<KeyParts>,
}

/// A moving tag, and the run that it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moving {
    pub(crate) digest: String,
    pub(crate) age: Age,
}

/// An image of a release that others build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReleasedReference {
    /// The reference, as it is written.
    pub(crate) uri: String,
    /// None if nobody needed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<String>,
}

/// An artifact of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReleasedArtifact {
    /// Of the file; none if there is a secret in it, which a hash could be tried for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
    /// Of the file as it would be for any commit, with names in place of secrets; none if that cannot be
    /// made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) steady: Option<String>,
    /// The versions of the secrets in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) secrets: BTreeMap<String, Option<String>>,
}

/// What the names of a release are made from.
pub(crate) struct Names {
    pub(crate) pipeline: String,
    pub(crate) build: Option<String>,
    pub(crate) commit: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) time: u64,
}

impl Release {
    /// What a run releases, before it is compared.
    pub(crate) fn new(
        names: Names,
        images: &[Made],
        artifacts: BTreeMap<String, ReleasedArtifact>,
        references: BTreeMap<String, ReleasedReference>,
        age: &Age,
    ) -> Self {
        let image = |made: &Made| {
            let published = made.staged.as_ref()?.published();
            let moving = |tag: &Tag| {
                let digest = published.digest.to_string();
                (tag.to_string(), Moving { digest, age: age.clone() })
            };
            let released = ReleasedImage {
                uri: made.plan.repository.tagged(made.plan.main_tag()),
                digest: published.digest.to_string(),
                tags: made.plan.tags.iter().map(|planned| planned.tag.to_string()).collect(),
                moving: made.moving_tags().map(moving).collect(),
                changed: true,
                reused: made.is_reused,
                key: made.key.as_ref().map(|key| key.id.to_string()),
                parts: made.key.as_ref().map(|key| key.parts.for_record()),
            };
            Some((made.plan.name.clone(), released))
        };
        Self {
            version: VERSION,
            shipspec: env!("CARGO_PKG_VERSION").into(),
            pipeline: names.pipeline,
            build: names.build,
            commit: names.commit,
            tag: names.tag,
            time: names.time,
            changed: true,
            partial: false,
            images: images.iter().filter_map(image).collect(),
            artifacts,
            references,
        }
    }

    /// Reads a record; nothing if it is of a form that is not known.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|release: &Self| release.version == VERSION)
    }

    /// The moving tags that runs have put which are newer than one of this age.
    pub(crate) fn newer_tags(&self, age: &Age) -> Newer {
        let mut newer = BTreeMap::new();
        for (image, released) in &self.images {
            for (tag, moving) in &released.moving {
                let Ok(digest) = moving.digest.parse() else { continue };
                if age.is_older_than(&moving.age) {
                    let put = NewerPut { digest, by: moving.age.name() };
                    newer.insert((image.clone(), tag.clone()), put);
                }
            }
        }
        Newer(newer)
    }

    /// Notes the moving tags that stay where the last release, or one before, has them.
    pub(crate) fn keep_tags(&mut self, last: &Self, report: &Report) {
        let kept: BTreeSet<_> = report.kept_tags().collect();
        for (name, image) in &mut self.images {
            let Some(before) = last.images.get(name) else { continue };
            for (tag, moving) in &mut image.moving {
                let Some(before) = before.moving.get(tag) else { continue };
                // A newer run may have put it on the same image.
                let is_same = before.digest == moving.digest;
                let is_newer = moving.age.is_older_than(&before.age);
                if is_newer && is_same || kept.contains(&(&**name, &**tag)) {
                    moving.clone_from(before);
                }
            }
        }
    }

    /// Notes what is not as it was in the last release. After what is none, all of it counts as changed.
    pub(crate) fn compare(&mut self, last: Option<&Self>) {
        let Some(last) = last.filter(|last| !last.partial) else { return };
        for (name, image) in &mut self.images {
            let before = last.images.get(name);
            image.changed = before.is_none_or(|before| before.digest != image.digest);
        }
        let has_new = self.images.values().any(|image| image.changed);
        let has_less = last.images.keys().any(|name| !self.images.contains_key(name));
        let has_others = !self.changed_references(last).is_empty();
        self.changed =
            has_new || has_less || has_others || !self.changed_artifacts(last).is_empty();
    }

    /// The images that others build which are new, gone or another.
    pub(crate) fn changed_references(&self, last: &Self) -> Vec<String> {
        let names: BTreeSet<_> = self.references.keys().chain(last.references.keys()).collect();
        let is_other = |name: &&String| self.references.get(*name) != last.references.get(*name);
        names.into_iter().filter(is_other).cloned().collect()
    }

    /// The artifacts that are new, gone or another.
    pub(crate) fn changed_artifacts(&self, last: &Self) -> Vec<String> {
        let is_same = |path: &String| {
            let (now, before) = (self.artifacts.get(path), last.artifacts.get(path));
            let (Some(now), Some(before)) = (now, before) else { return false };
            let is_known = now.secrets.values().all(Option::is_some);
            now.steady.is_some()
                && now.steady == before.steady
                && now.secrets == before.secrets
                && is_known
        };
        let mut paths: Vec<_> = self.artifacts.keys().chain(last.artifacts.keys()).collect();
        paths.sort();
        paths.dedup();
        paths.into_iter().filter(|path| !is_same(path)).cloned().collect()
    }

    /// The document.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The images of a run that others build.
pub(crate) fn references(project: &Project) -> BTreeMap<String, ReleasedReference> {
    let released = project.foreign.iter().map(|plan| {
        let digest = project.foreign_digest(plan).map(|digest| digest.to_string());
        (plan.name.clone(), ReleasedReference { uri: plan.reference.clone(), digest })
    });
    released.collect()
}

/// The artifacts of a run, by their hashes.
pub(crate) fn artifacts(
    project: &Project,
    plans: Option<&ArtifactPlans>,
) -> BTreeMap<String, ReleasedArtifact> {
    let Some(plans) = plans else { return BTreeMap::new() };
    let filled = plans.fill_each(&project.scope);
    let steady = plans.fill_each(&project.scope.with_steady_names().without_secrets());
    let released = plans.paths().zip(filled).zip(steady).filter_map(|((path, filled), steady)| {
        let filled = filled.ok()?;
        let version = |name: &String| (name.clone(), project.secret_version(name));
        let released = ReleasedArtifact {
            sha256: filled.secrets.is_empty().then(|| hash(filled.content.bytes())),
            steady: steady.ok().map(|artifact| hash(artifact.content.bytes())),
            secrets: filled.secrets.iter().map(version).collect(),
        };
        Some((path.to_owned(), released))
    });
    released.collect()
}

fn hash(content: &[u8]) -> String {
    Digest::from_sha256(Sha256::digest(content).into()).hex().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(digest: &str, steady: Option<&str>) -> Release {
        let image = ReleasedImage {
            uri: "r.example/app:1".into(),
            digest: digest.into(),
            tags: vec!["1".into()],
            moving: BTreeMap::new(),
            changed: true,
            reused: false,
            key: None,
            parts: None,
        };
        let artifact = ReleasedArtifact {
            sha256: None,
            steady: steady.map(str::to_owned),
            secrets: BTreeMap::new(),
        };
        Release {
            version: VERSION,
            shipspec: "0".into(),
            pipeline: "main".into(),
            build: None,
            commit: None,
            tag: None,
            time: 0,
            changed: true,
            partial: false,
            images: [("app".to_owned(), image)].into(),
            artifacts: [("a.json".to_owned(), artifact)].into(),
            references: BTreeMap::new(),
        }
    }

    fn is_changed(before: &Release, now: &Release) -> bool {
        let mut now = now.clone();
        now.compare(Some(before));
        now.changed
    }

    #[test]
    fn a_release_is_unchanged_only_if_all_of_it_is_known_to_be() {
        let first = release("sha256:1", Some("x"));
        assert!(!is_changed(&first, &first));
        assert!(is_changed(&first, &release("sha256:2", Some("x"))));
        assert!(is_changed(&first, &release("sha256:1", Some("y"))));
        let unknown = release("sha256:1", None);
        assert!(is_changed(&unknown, &unknown));
        let mut less = first.clone();
        less.images.clear();
        assert!(is_changed(&first, &less) && is_changed(&less, &first));
        let mut secret = first.clone();
        let artifact = secret.artifacts.get_mut("a.json").unwrap();
        artifact.secrets.insert("TOKEN".into(), None);
        assert!(is_changed(&secret, &secret));
        let partial = Release { partial: true, ..first.clone() };
        assert!(is_changed(&partial, &first));
        assert_eq!(Release::parse(&first.json()), Some(first));
        assert_eq!(Release::parse(&partial.json()), Some(partial));
    }
}
