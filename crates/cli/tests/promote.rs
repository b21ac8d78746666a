//! `shipspec promote` between the registries of two accounts and two regions.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::registry::Registry;
use common::{Outcome, Project, SHORT};
use serde_json::{Value, json};
use shipspec_testbed::{Fault, OTHER_ACCOUNT, OTHER_REGION, Request, TestRepository, Testbed};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A shipspec.yml whose image goes to a second repository.
const SHIPSPEC: &str = r#"version: 1
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
fn noise(seed: u64, length: usize) -> Vec<u8> {
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
fn put_image(repository: &TestRepository, layers: &[Vec<u8>], tag: Option<&str>) -> String {
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
fn both(testbed: &Testbed, hint: &str) -> (TestRepository, TestRepository, Project) {
    let source = testbed.repository(hint);
    let target = testbed
        .repository_builder(&format!("{hint}-prod"))
        .account(OTHER_ACCOUNT)
        .region(OTHER_REGION)
        .create();
    let project = project(testbed, &source, &target);
    (source, target, project)
}

fn project(testbed: &Testbed, source: &TestRepository, target: &TestRepository) -> Project {
    Project::in_testbed(testbed)
        .variable("REPOSITORY_URL", &source.uri())
        .variable("PRODUCTION", &target.uri())
        .file("shipspec.yml", SHIPSPEC)
        .file("taskdef_template.json", "{\"image\": \"${images.app.pinned}\"}\n")
}

fn promote(project: &Project) -> Outcome {
    project.run(&["promote", "production"])
}

/// What was sent to a repository.
fn sent(repository: &TestRepository) -> Vec<Request> {
    let is_write = |request: &Request| matches!(&*request.method, "PUT" | "POST" | "PATCH");
    let requests =
        repository.requests().into_iter().filter(|request| request.service == "registry");
    requests.filter(is_write).collect()
}

/// The image is there, byte for byte, and under its tags.
fn assert_arrived(source: &TestRepository, target: &TestRepository, digest: &str) {
    assert_eq!(target.manifest(digest), source.manifest(digest));
    let manifest: Value = serde_json::from_slice(&source.manifest(digest)).unwrap();
    let layers = manifest["layers"].as_array().into_iter().flatten();
    for part in layers.chain([&manifest["config"]]).filter_map(|part| part["digest"].as_str()) {
        assert!(target.blob(part) == source.blob(part), "{part} differs");
    }
    let tags = target.tags();
    assert_eq!((&*tags[SHORT], &*tags["latest"]), (digest, digest));
}

#[test]
#[ignore = "needs the testbed"]
fn an_image_goes_to_another_account_and_region_with_the_same_bytes() {
    let testbed = Testbed::current();
    let (source, target, project) = both(&testbed, "promote");
    let layers = [noise(1, 3_000_000), noise(2, 1000), noise(3, 1)];
    let digest = put_image(&source, &layers, Some(SHORT));
    let outcome = promote(&project).success();
    assert_eq!(outcome.stdout, format!("{}@{digest}\n", target.uri()));
    assert!(outcome.stderr.contains("(4 sent, 3.0 MB)"), "{outcome}");
    assert!(
        outcome.stderr.contains(&format!("tagged {}:{SHORT} (new)", target.uri())),
        "{outcome}"
    );
    assert_arrived(&source, &target, &digest);
    // Tags come last, and the one that moves is the last of all.
    let puts: Vec<_> = sent(&target)
        .into_iter()
        .filter(|request| request.kind == "manifest-put")
        .filter_map(|request| request.path.rsplit('/').next().map(str::to_owned))
        .collect();
    assert_eq!(puts, [digest.as_str(), SHORT, "latest"]);
    // The host of the layers refuses whoever brings credentials besides the address.
    let downloads: Vec<_> =
        source.requests().into_iter().filter(|request| request.kind == "layer-get").collect();
    assert_eq!(downloads.len(), 4);
    assert!(downloads.iter().all(|request| request.status == 200 && request.service == "layers"));
}

#[test]
#[ignore = "needs the testbed"]
fn again_sends_nothing_and_says_so() {
    let testbed = Testbed::current();
    let source = testbed.repository("again");
    let target =
        testbed.repository_builder("again-prod").account(OTHER_ACCOUNT).immutable().create();
    let project = project(&testbed, &source, &target);
    put_image(&source, &[noise(4, 5000)], Some(SHORT));
    promote(&project).success();
    let before = sent(&target).len();
    let outcome = project.run(&["promote", "production", "--output", "json"]).success();
    assert_eq!(sent(&target).len(), before);
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(report["command"], "promote");
    let image = &report["images"][0];
    assert_eq!(image["name"], "app");
    assert_eq!(image["tags"][0]["change"], "unchanged");
    assert_eq!(image["copied"]["sent"]["count"], 0);
    assert_eq!(
        image["copied"]["source"],
        format!("{}@{}", source.uri(), image["digest"].as_str().unwrap())
    );
}

#[test]
#[ignore = "needs the testbed"]
fn what_the_target_has_is_not_sent_again() {
    let testbed = Testbed::current();
    let (source, target, project) = both(&testbed, "some");
    let shared = noise(5, 200_000);
    drop(target.put_blob(&shared));
    let digest = put_image(&source, &[shared, noise(6, 7000)], Some(SHORT));
    let outcome = promote(&project).success();
    assert!(outcome.stderr.contains("2 sent, 7.1 kB; 1 skipped, 200.0 kB"), "{outcome}");
    assert_arrived(&source, &target, &digest);
}

#[test]
#[ignore = "needs the testbed"]
fn an_index_brings_all_its_platforms_and_comes_after_them() {
    let testbed = Testbed::current();
    let (source, target, project) = both(&testbed, "index");
    let children: Vec<_> = [("amd64", 7), ("arm64", 8)]
        .iter()
        .map(|(architecture, seed)| {
            let digest = put_image(&source, &[noise(*seed, 10_000), noise(9, 4000)], None);
            let size = source.manifest(&digest).len();
            json!({ "mediaType": MANIFEST, "digest": digest, "size": size,
                    "platform": { "os": "linux", "architecture": architecture } })
        })
        .collect();
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": children });
    let digest = source.put_manifest(index.to_string().as_bytes(), INDEX, Some(SHORT));
    let outcome = promote(&project).success();
    // Both have the same configuration and one layer in common.
    assert!(outcome.stderr.contains("(4 sent"), "{outcome}");
    assert_eq!(target.manifest("latest"), source.manifest(&digest));
    for child in &children {
        let child = child["digest"].as_str().unwrap();
        assert_eq!(target.manifest(child), source.manifest(child));
    }
    let puts: Vec<_> =
        sent(&target).into_iter().filter(|request| request.kind == "manifest-put").collect();
    assert!(puts[2].path.ends_with(&digest), "{puts:#?}");
}

#[test]
#[ignore = "needs the testbed"]
fn whatever_breaks_on_the_way_is_taken_up_again() {
    let testbed = Testbed::current();
    let upload = "(attempt 2 of 6)";
    for (name, at_source, fault) in [
        ("reset", false, Fault::reset_request(300_000).on("upload-part").times(2)),
        ("lost-part", false, Fault::reset_response(0).on("upload-part")),
        ("lost-finish", false, Fault::reset_response(0).on("upload-finish")),
        ("start", false, Fault::throttle_for(1).on("upload-start")),
        ("part-429", false, Fault::throttle().on("upload-part")),
        ("part-502", false, Fault::html(502).on("upload-part")),
        ("head", false, Fault::registry_error(503, "UNAVAILABLE", "later").on("blob-head")),
        ("manifest", false, Fault::throttle_for(1).on("manifest-put")),
        ("truncated", true, Fault::truncate(400_000).on("layer-get").times(3)),
        // One of them meets the configuration, which has come whole by then.
        ("download-reset", true, Fault::reset_response(100_000).on("layer-get").times(2)),
        ("slow-down", true, Fault::throttle_for(1).on("layer-get")),
        ("where", true, Fault::html(502).on("blob-get")),
        ("part-401", false, Fault::unauthorized().on("upload-part")),
        ("part-ended", false, Fault::expired_token().on("upload-part")),
    ] {
        let (source, target, project) = both(&testbed, name);
        let digest = put_image(&source, &[noise(10, 2_000_000)], Some(SHORT));
        let faulty = if at_source { &source } else { &target };
        faulty.fault(fault);
        let outcome = promote(&project).success();
        assert!(outcome.stderr.contains(upload), "{name}: {outcome}");
        assert_arrived(&source, &target, &digest);
    }
}

#[test]
#[ignore = "needs the testbed"]
fn a_download_goes_on_where_it_broke() {
    let testbed = Testbed::current();
    let (source, target, project) = both(&testbed, "range");
    let digest = put_image(&source, &[noise(11, 2_000_000)], Some(SHORT));
    source.fault(Fault::truncate(1_500_000).on("layer-get").times(2));
    promote(&project).success();
    assert_arrived(&source, &target, &digest);
    let parts: Vec<_> = source
        .requests()
        .into_iter()
        .filter(|request| request.kind == "layer-get" && request.status == 206)
        .collect();
    assert!(!parts.is_empty());
    assert!(parts.iter().all(|request| request.response_bytes <= 500_000), "{parts:#?}");
}

#[test]
#[ignore = "needs the testbed"]
fn an_upload_that_the_registry_forgot_begins_anew() {
    let testbed = Testbed::current();
    for kind in ["upload-part", "upload-finish"] {
        let (source, target, project) = both(&testbed, "forgot");
        let digest = put_image(&source, &[noise(12, 500_000)], Some(SHORT));
        target.fault(Fault::registry_error(404, "BLOB_UPLOAD_UNKNOWN", "no such upload").on(kind));
        promote(&project).success();
        assert_arrived(&source, &target, &digest);
    }
}

#[test]
#[ignore = "needs the testbed"]
fn a_target_that_stays_away_gets_no_tag_and_the_next_run_succeeds() {
    let testbed = Testbed::current();
    let (source, target, project) = both(&testbed, "away");
    let digest = put_image(&source, &[noise(13, 500_000)], Some(SHORT));
    target.fault(Fault::reset_request(1000).on("upload-part").always());
    let outcome = promote(&project).failure(4);
    assert!(outcome.stderr.contains("error: failed to copy the image `app`"), "{outcome}");
    assert!(outcome.stderr.contains("(attempt 6 of 6)"), "{outcome}");
    assert!(target.tags().is_empty());
    target.clear_faults();
    promote(&project).success();
    assert_arrived(&source, &target, &digest);
}

#[test]
#[ignore = "needs the testbed"]
fn each_denied_action_is_named() {
    let testbed = Testbed::current();
    for action in [
        "ecr:GetAuthorizationToken",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchCheckLayerAvailability",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:PutImage",
    ] {
        let (source, target, project) = both(&testbed, "denied");
        put_image(&source, &[noise(14, 5000)], Some(SHORT));
        let project = project.role(&testbed.role_without(&[action]));
        let outcome = promote(&project).failure(4);
        let error = outcome.stderr.split_once("error: ").unwrap().1;
        assert!(error.contains(action), "{action}: {outcome}");
        assert!(error.contains("hint: allow `ecr:"), "{action}: {outcome}");
        assert!(target.tags().is_empty());
    }
}

#[test]
#[ignore = "needs the testbed"]
fn what_may_not_be_described_is_not_checked_and_copied_all_the_same() {
    let testbed = Testbed::current();
    let (source, target, project) = both(&testbed, "described");
    let digest = put_image(&source, &[noise(15, 5000)], Some(SHORT));
    let role = testbed.role_without(&["ecr:DescribeRepositories"]);
    let outcome = promote(&project.role(&role)).success();
    assert!(outcome.stderr.contains("not checked: tag mutability of"), "{outcome}");
    assert_arrived(&source, &target, &digest);
}

#[test]
#[ignore = "needs the testbed"]
fn what_is_missing_is_told_before_anything_is_copied() {
    let testbed = Testbed::current();
    let source = testbed.repository("there");
    let missing = testbed.repository_builder("missing").account(OTHER_ACCOUNT).missing();
    put_image(&source, &[noise(16, 5000)], Some(SHORT));
    let outcome = promote(&project(&testbed, &source, &missing)).failure(4);
    let uri = missing.uri();
    assert!(
        outcome.stderr.contains(&format!("the repository `{uri}` does not exist")),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("aws ecr create-repository"), "{outcome}");

    let (source, target, project) = both(&testbed, "no-image");
    let outcome = promote(&project).failure(4);
    let error = format!("`{}` has no image `{SHORT}`", source.uri());
    assert!(outcome.stderr.contains(&error), "{outcome}");
    assert!(sent(&target).is_empty());
}

#[test]
#[ignore = "needs the testbed"]
fn bytes_that_are_not_what_they_should_be_do_not_arrive() {
    let testbed = Testbed::current();
    for (kind, fault) in [
        ("manifest", Fault::wrong_digest().on("manifest-get").always()),
        (
            "layer",
            Fault::answer(200, "application/octet-stream", &"x".repeat(5000))
                .on("layer-get")
                .always(),
        ),
    ] {
        let (source, target, project) = both(&testbed, "wrong");
        put_image(&source, &[noise(17, 5000)], Some(SHORT));
        source.fault(fault);
        let outcome = promote(&project).failure(4);
        assert!(
            outcome.stderr.contains("the registry answered with the digest sha256:")
                || outcome.stderr.contains("is larger than its manifest says"),
            "{kind}: {outcome}"
        );
        assert!(target.tags().is_empty());
        let is_kept = |request: &Request| request.kind == "manifest-put";
        assert!(!sent(&target).iter().any(is_kept), "{kind}");
    }
}

#[test]
#[ignore = "needs the testbed"]
fn the_host_of_the_layers_is_named_if_it_refuses() {
    let testbed = Testbed::current();
    let (source, _target, project) = both(&testbed, "bucket");
    put_image(&source, &[noise(18, 5000)], Some(SHORT));
    let xml = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
    source.fault(Fault::answer(403, "application/xml", xml).on("layer-get").always());
    let outcome = promote(&project).failure(4);
    assert!(outcome.stderr.contains("which answered 403: AccessDenied"), "{outcome}");
    assert!(outcome.stderr.contains("hint: allow `s3:GetObject` on `prod-"), "{outcome}");
    assert!(!outcome.stderr.contains("X-Amz"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn a_tag_that_may_not_move_is_told_before_anything_is_copied() {
    let testbed = Testbed::current();
    for (tag, error) in
        [(SHORT, "is immutable and names sha256:"), ("latest", "cannot be moved from sha256:")]
    {
        let source = testbed.repository("fixed");
        let target =
            testbed.repository_builder("fixed-prod").account(OTHER_ACCOUNT).immutable().create();
        put_image(&source, &[noise(19, 5000)], Some(SHORT));
        put_image(&target, &[noise(20, 5000)], Some(tag));
        let outcome = promote(&project(&testbed, &source, &target)).failure(4);
        assert!(outcome.stderr.contains(error), "{outcome}");
        assert!(sent(&target).is_empty());
    }
}

#[test]
#[ignore = "needs the testbed"]
fn a_role_is_assumed_for_the_target_alone() {
    let testbed = Testbed::current();
    let (source, target, project) = both(&testbed, "role");
    let digest = put_image(&source, &[noise(21, 5000)], Some(SHORT));
    let role = format!("arn:aws:iam::{OTHER_ACCOUNT}:role/push");
    let shipspec = SHIPSPEC.replace(
        "production:\n",
        &format!("production:\n    role: {role}\n    external_id: \"secret-canary\"\n"),
    );
    let project = project.file("shipspec.yml", &shipspec);
    promote(&project).success();
    assert_arrived(&source, &target, &digest);
    let is_session =
        |request: &Request| request.access_key.as_ref().is_some_and(|key| key.starts_with("ASIA"));
    assert!(target.requests().iter().all(is_session));
    assert!(!source.requests().iter().any(is_session));

    let project = project.role(&testbed.role_without(&["sts:AssumeRole"]));
    let outcome = promote(&project).failure(3);
    assert!(outcome.stderr.contains("cannot be assumed"), "{outcome}");
    assert!(outcome.stderr.contains("hint: allow `sts:AssumeRole`"), "{outcome}");
    assert!(!outcome.to_string().contains("secret-canary"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn flags_alone_copy_one_image() {
    let testbed = Testbed::current();
    let source = testbed.repository("from");
    let target = testbed.repository_builder("to").account(OTHER_ACCOUNT).create();
    let digest = put_image(&source, &[noise(22, 5000)], Some("v1"));
    let project = Project::in_testbed(&testbed);
    let from = format!("{}@{digest}", source.uri());
    let outcome = project.run(&["promote", "--from", &from, "--to", &target.uri()]).failure(2);
    assert!(outcome.stderr.contains("the copy would have no tag"), "{outcome}");
    let to = format!("{}:v2", target.uri());
    let outcome = project.run(&["promote", "--from", &from, "--to", &to]).success();
    assert_eq!(outcome.stdout, format!("{}@{digest}\n", target.uri()));
    assert_eq!(target.tags()["v2"], digest);
    let from = format!("{}:v1", source.uri());
    let role = format!("arn:aws:iam::{OTHER_ACCOUNT}:role/push");
    project.run(&["promote", "--from", &from, "--to", &target.uri(), "--to-role", &role]).success();
    assert_eq!(target.tags()["v1"], digest);
}

#[test]
#[ignore = "needs the testbed"]
fn several_images_are_all_there_before_the_first_tag() {
    let testbed = Testbed::current();
    let (source, target, project) = both(&testbed, "several");
    let (second, other) = (testbed.repository("job"), testbed.repository("job-prod"));
    put_image(&source, &[noise(23, 5000)], Some(SHORT));
    let digest = put_image(&second, &[noise(24, 5000)], Some("v3"));
    let shipspec = SHIPSPEC
        .replace("promote:\n", "  job:\n    repository: ${UNSET}\npromote:\n")
        .replace("\"${PRODUCTION}\"", &format!("\"${{PRODUCTION}}\", job: \"{}\"", other.uri()));
    let project = project.file("shipspec.yml", &shipspec);
    let job = format!("job={}:v3", second.uri());
    other.fault(Fault::registry_error(400, "MANIFEST_INVALID", "no").on("manifest-put"));
    promote_with(&project, &["--image", &job]).failure(4);
    assert!(target.tags().is_empty() && other.tags().is_empty());
    promote_with(&project, &["--image", &job, "--only", "job"]).success();
    assert!(target.tags().is_empty());
    assert_eq!(other.tags()[SHORT], digest);
    promote_with(&project, &["--image", &job]).success();
    assert_eq!(target.tags().len(), 2);
}

fn promote_with(project: &Project, arguments: &[&str]) -> Outcome {
    project.run(&[&["promote", "production"], arguments].concat())
}

#[test]
#[ignore = "needs the testbed"]
fn the_artifacts_of_the_other_account_name_its_copy() {
    let testbed = Testbed::current();
    let (source, target, project) = both(&testbed, "render");
    let digest = put_image(&source, &[noise(25, 5000)], Some(SHORT));
    let pinned = promote(&project).success().stdout;
    project.run(&["render", "--image", &format!("app={}", pinned.trim())]).success();
    assert_eq!(
        project.read("taskdef.json"),
        format!("{{\"image\": \"{}@{digest}\"}}\n", target.uri())
    );
}

#[test]
#[ignore = "needs the testbed"]
fn only_the_parameters_of_the_target_are_read() {
    let testbed = Testbed::current();
    let (source, target, project) = both(&testbed, "parameters");
    let name = format!("/{}", testbed.unique("production"));
    testbed.put_parameter(&name, "String", &target.uri());
    put_image(&source, &[noise(26, 5000)], Some(SHORT));
    let shipspec = SHIPSPEC.replace(
        "version: 1\n",
        &format!("version: 1\nparameters:\n  PRODUCTION: \"ssm:{name}\"\n  OTHER: \"ssm:/is/not/there\"\n"),
    );
    let project = project.without("PRODUCTION").file("shipspec.yml", &shipspec);
    promote(&project).success();
    assert_eq!(target.tags().len(), 2);
}

#[test]
#[ignore = "needs the testbed"]
fn a_registry_takes_layers_from_its_own_repositories() {
    let testbed = Testbed::current();
    let source = testbed.repository("mount");
    put_image(&source, &[noise(27, 900_000)], Some("v1"));
    let registry = Registry::open(&testbed);
    let project = Project::in_testbed(&testbed);
    let at = |name: &str| format!("127.0.0.1:{}/{name}", registry.port);
    let from = format!("{}:v1", source.uri());
    let outcome = project.run(&["promote", "--from", &from, "--to", &at("one")]).success();
    assert!(outcome.stderr.contains("(2 sent"), "{outcome}");
    let outcome =
        project.run(&["promote", "--from", &format!("{}:v1", at("one")), "--to", &at("two")]);
    let outcome = outcome.success();
    assert!(outcome.stderr.contains("(2 mounted"), "{outcome}");
    // ECR mounts only where the account says so; then they are sent.
    let neighbour = testbed.repository("neighbour");
    let outcome = project.run(&["promote", "--from", &from, "--to", &neighbour.uri()]).success();
    assert!(outcome.stderr.contains("(2 sent"), "{outcome}");
}
