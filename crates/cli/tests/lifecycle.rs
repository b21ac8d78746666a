//! What removes images by itself, and what is left of them.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::{Project, SHORT};
use serde_json::json;
use shipspec_testbed::{TestRepository, Testbed};

const SHIPSPEC: &str = r#"version: 1
images:
  app:
    repository: "${REPOSITORY_URL}"
    tags: ["${IMAGE_TAG}", latest]
    reuse: true
    create_repository: { lifecycle: "${file('lifecycle.json')}" }
"#;

fn project(testbed: &Testbed, repository: &TestRepository) -> Project {
    let unique = testbed.unique("lifecycle");
    Project::in_testbed(testbed)
        .repository(repository)
        .file("Dockerfile", &format!("FROM scratch\nCOPY made-from /{unique}\n"))
        .file(".dockerignore", "*\n!Dockerfile\n!made-from\n")
        .file("made-from", "one")
        .file("shipspec.yml", SHIPSPEC)
}

/// A policy whose rules count images: each with what it is about, and how many it leaves.
fn policy(rules: &[(&str, &str, u32)]) -> String {
    let rule = |(index, (key, word, count)): (usize, &(&str, &str, u32))| {
        let mut selection = json!({ "tagStatus": "tagged", "countType": "imageCountMoreThan", "countNumber": count });
        match *key {
            "any" => selection["tagStatus"] = "any".into(),
            key => selection[key] = json!([word]),
        }
        json!({ "rulePriority": index + 1, "selection": selection, "action": { "type": "expire" } })
    };
    json!({ "rules": rules.iter().enumerate().map(rule).collect::<Vec<_>>() }).to_string()
}

#[test]
#[ignore = "needs the testbed"]
fn doctor_knows_what_a_policy_would_remove() {
    let testbed = Testbed::current();
    let repository = testbed.repository_builder("expires").missing();
    let project =
        project(&testbed, &repository).file("lifecycle.json", &policy(&[("any", "", 10)]));
    project.run(&["run"]).success();
    let told = project.run(&["doctor"]).success();
    for words in [
        "warning      lifecycle policy of [uri]: rule 1 (any: more than 10) also counts the image `app` that runs",
        "expires images under their content keys too, which a rule before it for `shipspec-` would keep",
        "expires the records of releases too, which a rule before it for `shipspec-release-` would keep",
        "ok           tags of [uri]:latest: 3 of 1000",
    ] {
        assert!(told.stderr.contains(words), "{words}: {told}");
    }
    // As the guide has it.
    let repository = testbed.repository_builder("keeps").missing();
    let rules = [
        ("tagPatternList", "latest", 1),
        ("tagPrefixList", "shipspec-release-", 100),
        ("tagPrefixList", "shipspec-", 500),
    ];
    let project = project.repository(&repository).file("lifecycle.json", &policy(&rules));
    project.run(&["run"]).success();
    let told = project.run(&["doctor"]).success();
    assert!(
        told.stderr.contains("ok           lifecycle policy of [uri]: keeps what is needed"),
        "{told}"
    );
    let role = testbed.role_without(&["ecr:GetLifecyclePolicy", "ecr:DescribeImages"]);
    let told = project.role(&role).run(&["doctor"]).success();
    for subject in ["lifecycle policy of [uri]", "tags of [uri]:latest"] {
        assert!(told.stderr.contains(&format!("not checked  {subject}: ")), "{told}");
    }
}

#[test]
#[ignore = "needs the testbed"]
fn many_tags_of_one_image_are_told_before_there_are_too_many() {
    let testbed = Testbed::current();
    let repository = testbed.repository("tags");
    let project = project(&testbed, &repository)
        .file("shipspec.yml", SHIPSPEC.split("    create").next().unwrap());
    project.run(&["run"]).success();
    let manifest = repository.manifest("latest");
    let kind = serde_json::from_slice::<serde_json::Value>(&manifest).unwrap()["mediaType"]
        .as_str()
        .unwrap()
        .to_owned();
    for number in 0..900 {
        repository.put_manifest(&manifest, &kind, Some(&format!("commit-{number}")));
    }
    let told = project.run(&["doctor"]).success();
    assert!(
        told.stderr
            .contains("warning      tags of [uri]:latest: 903, and ECR takes 1000 for one image"),
        "{told}"
    );
    assert!(told.stderr.contains("lifecycle policy of [uri]: none: nothing expires"), "{told}");
}

#[test]
#[ignore = "needs the testbed"]
fn the_newest_image_of_a_key_is_found_behind_a_gap() {
    let testbed = Testbed::current();
    let repository = testbed.repository_builder("gap").immutable().create();
    let project = project(&testbed, &repository).file(
        "shipspec.yml",
        "version: 1\nimages: { app: { repository: \"${REPOSITORY_URL}\", reuse: true } }\n",
    );
    project.run(&["run"]).success();
    let tags = repository.tags();
    let key = tags.keys().find(|tag| tag.starts_with("shipspec-") && tag.len() == 73).unwrap();
    let manifest = repository.manifest(SHORT);
    let kind = serde_json::from_slice::<serde_json::Value>(&manifest).unwrap()["mediaType"]
        .as_str()
        .unwrap()
        .to_owned();
    // Another image, built again so often that the first of these are gone.
    let later = project
        .file("made-from", "two")
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", &"b".repeat(40));
    later.run(&["run"]).success();
    let other = repository.manifest("bbbbbbb");
    repository.put_manifest(&other, &kind, Some(&format!("{key}-7")));
    let wanted = repository.tags()["bbbbbbb"].clone();
    let project = later.file("made-from", "one").variable("DOCKER_HOST", "unix:///nowhere.sock");
    let told = project.run(&["plan"]).success();
    assert!(told.stdout.contains(&format!("image app: reused, {wanted}")), "{told}");
}
