//! Images to copy, and where they go.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

use serde_json::{Value, json};
use shipspec_testbed::{OTHER_ACCOUNT, OTHER_REGION, Request, TestRepository, Testbed};

use super::{Outcome, Project, SHORT};

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A shipspec.yml whose image goes to a second repository.
pub const SHIPSPEC: &str = r#"version: 1
images:
  app:
    repository: ${REPOSITORY_URL}
    tags: ["${IMAGE_TAG}", latest]
promote:
  production:
    repositories: { app: "${PRODUCTION}" }
artifacts:
  taskdef.json: taskdef_template.json
"#;

/// Bytes that no compression makes smaller, and others for each seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Puts an image of these layers; gives its digest.
pub fn put_image(repository: &TestRepository, layers: &[Vec<u8>], tag: Option<&str>) -> String {
    let config = json!({
        "architecture": "amd64", "os": "linux", "created": repository.name(),
        "rootfs": { "type": "layers", "diff_ids": [] },
    });
    let describe = |kind: &str, bytes: &[u8]| json!({ "mediaType": kind, "digest": repository.put_blob(bytes), "size": bytes.len() });
    let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": describe("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes()),
        "layers": layers.iter().map(|bytes| describe(layer, bytes)).collect::<Vec<_>>(),
    });
    // Nobody else would write it like this; the copy has to.
    let text = format!("{manifest:#}\n");
    repository.put_manifest(text.as_bytes(), MANIFEST, tag)
}

/// A repository, one in another account and region, and a project that copies from the first to the
/// second.
pub fn both(testbed: &Testbed, hint: &str) -> (TestRepository, TestRepository, Project) {
    let source = testbed.repository(hint);
    let target = testbed
        .repository_builder(&format!("{hint}-prod"))
        .account(OTHER_ACCOUNT)
        .region(OTHER_REGION)
        .create();
    let project = project(testbed, &source, &target);
    (source, target, project)
}

pub fn project(testbed: &Testbed, source: &TestRepository, target: &TestRepository) -> Project {
    Project::in_testbed(testbed)
        .variable("REPOSITORY_URL", &source.uri())
        .variable("PRODUCTION", &target.uri())
        .file("shipspec.yml", SHIPSPEC)
        .file("taskdef_template.json", "{\"image\": \"${images.app.pinned}\"}\n")
}

pub fn promote(project: &Project) -> Outcome {
    project.run(&["promote", "production"])
}

/// What was sent to a repository.
pub fn sent(repository: &TestRepository) -> Vec<Request> {
    let is_write = |request: &Request| matches!(&*request.method, "PUT" | "POST" | "PATCH");
    let requests =
        repository.requests().into_iter().filter(|request| request.service == "registry");
    requests.filter(is_write).collect()
}

/// The image is there, byte for byte, and under its tags.
pub fn assert_arrived(source: &TestRepository, target: &TestRepository, digest: &str) {
    assert_eq!(target.manifest(digest), source.manifest(digest));
    let manifest: Value = serde_json::from_slice(&source.manifest(digest)).unwrap();
    let layers = manifest["layers"].as_array().into_iter().flatten();
    for part in layers.chain([&manifest["config"]]).filter_map(|part| part["digest"].as_str()) {
        assert!(target.blob(part) == source.blob(part), "{part} differs");
    }
    let tags = target.tags();
    assert_eq!((&*tags[SHORT], &*tags["latest"]), (digest, digest));
}
