//! `shipspec promote` between the registries of two accounts and two regions.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::promotion::{
    INDEX, MANIFEST, SHIPSPEC, assert_arrived, both, noise, project, promote, put_image, sent,
};
use common::registry::Registry;
use common::{Outcome, Project, SHORT};
use serde_json::{Value, json};
use shipspec_testbed::{Fault, OTHER_ACCOUNT, Request, Testbed};

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
