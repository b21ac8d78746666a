//! Images that others build: named, asked for their digests, made use of.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::{COMMIT, Project};
use insta::assert_snapshot;
use serde_json::Value;
use shipspec_testbed::{OTHER_ACCOUNT, TestRepository, Testbed};

/// A proxy beside an image that is built, named in every way.
const SHIPSPEC: &str = r#"version: 1
images:
  app: { repository: "${REPOSITORY_URL}", reuse: true }
  envoy: { reference: "${ENVOY}" }
artifacts:
  taskdef.json: taskdef_template.json
  imagedefinitions.json: { image_definitions: [app, envoy] }
  envoy/imageDetail.json: { image_detail: envoy }
check: { allow: [agree-image-detail, agree-rolling] }
"#;

const TEMPLATE: &str = r#"{"family": "web", "containerDefinitions": [
  {"name": "app", "image": "${IMAGE_URI}", "memory": 64},
  {"name": "envoy", "image": "${images.envoy.uri}", "memory": 64, "essential": false}
]}
"#;

fn project(testbed: &Testbed, repository: &TestRepository) -> Project {
    let unique = testbed.unique("beside");
    Project::in_testbed(testbed)
        .repository(repository)
        .file("Dockerfile", &format!("FROM scratch\nCOPY Dockerfile /{unique}\n"))
        .file(".dockerignore", "*\n!Dockerfile\n")
        .file("taskdef_template.json", TEMPLATE)
        .file("shipspec.yml", SHIPSPEC)
}

fn run(project: &Project) -> Value {
    let told = project.run(&["run", "--output", "json"]).success();
    serde_json::from_str(&told.stdout).unwrap()
}

/// An image of somebody else's, under the tag `v1`.
fn foreign(testbed: &Testbed, repository: &TestRepository, text: &str) -> String {
    let project = Project::in_testbed(testbed)
        .repository(repository)
        .file("Dockerfile", "FROM scratch\nCOPY text /text\n")
        .file("text", text)
        .file(
            "shipspec.yml",
            "version: 1\nimages: { envoy: { repository: \"${REPOSITORY_URL}\", tags: [v1] } }\n",
        );
    project.run(&["run"]).success();
    repository.tags()["v1"].clone()
}

fn without_network() -> Project {
    Project::new()
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .variable("REPOSITORY_URL", "r.example/app")
        .variable(
            "ENVOY",
            "840364872350.dkr.ecr.ap-northeast-1.amazonaws.com/aws-appmesh-envoy:v1.20.0.1-prod",
        )
        .file("taskdef_template.json", TEMPLATE)
        .file("shipspec.yml", &SHIPSPEC.replace("reuse: true", "platform: linux/amd64"))
}

#[test]
fn an_image_of_others_is_named_without_asking_anybody() {
    let project = without_network();
    assert_snapshot!(project.run(&["plan", "--offline"]).success(), @r#"
    exit: 0
    --- stdout
    commit 0123456789abcdef0123456789abcdef01234567, tag 0123456

    image app: build for linux/amd64
      tag r.example/app:0123456

    image envoy: not built, 840364872350.dkr.ecr.ap-northeast-1.amazonaws.com/aws-appmesh-envoy:v1.20.0.1-prod

    artifact taskdef.json
      | {"family": "web", "containerDefinitions": [
      |   {"name": "app", "image": "r.example/app:0123456", "memory": 64},
      |   {"name": "envoy", "image": "840364872350.dkr.ecr.ap-northeast-1.amazonaws.com/aws-appmesh-envoy:v1.20.0.1-prod", "memory": 64, "essential": false}
      | ]}

    artifact imagedefinitions.json
      | [{"name":"app","imageUri":"r.example/app:0123456"},{"name":"envoy","imageUri":"840364872350.dkr.ecr.ap-northeast-1.amazonaws.com/aws-appmesh-envoy:v1.20.0.1-prod"}]

    artifact envoy/imageDetail.json
      | {"ImageURI":"840364872350.dkr.ecr.ap-northeast-1.amazonaws.com/aws-appmesh-envoy:v1.20.0.1-prod"}
    --- stderr
    "#);
    // Where only such images are named, nothing else need be known.
    let project = project
        .without("REPOSITORY_URL")
        .file("taskdef_template.json", "{\"image\": \"${images.envoy.uri} ${images.envoy.tag} ${images.envoy.registry} ${images.envoy.repository}\"}\n")
        .file("shipspec.yml", &SHIPSPEC.replace("[app, envoy]", "[envoy]"));
    project.run(&["render"]).success();
    assert_snapshot!(project.read("taskdef.json"), @r#"{"image": "840364872350.dkr.ecr.ap-northeast-1.amazonaws.com/aws-appmesh-envoy:v1.20.0.1-prod v1.20.0.1-prod 840364872350.dkr.ecr.ap-northeast-1.amazonaws.com aws-appmesh-envoy"}"#);
    assert_snapshot!(project.read("imagedefinitions.json"), @r#"[{"name":"envoy","imageUri":"840364872350.dkr.ecr.ap-northeast-1.amazonaws.com/aws-appmesh-envoy:v1.20.0.1-prod"}]"#);
    assert_snapshot!(project.read("envoy/imageDetail.json"), @r#"{"ImageURI":"840364872350.dkr.ecr.ap-northeast-1.amazonaws.com/aws-appmesh-envoy:v1.20.0.1-prod"}"#);
}

#[test]
fn what_cannot_be_meant_is_told() {
    let told = |reference: &str| {
        without_network().variable("ENVOY", reference).run(&["plan", "--offline"]).failure(2)
    };
    assert_snapshot!(told("r.example/envoy"), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: `r.example/envoy` has neither a tag nor a digest
     --> shipspec.yml:4:23
      |
    4 |   envoy: { reference: "${ENVOY}" }
      |                       ^^^^^^^^^^
    "#);
    assert!(told("https://r.example/envoy:1").stderr.contains("is no image reference"));
    for arguments in ["run --only envoy", "run --rebuild envoy", "explain envoy"] {
        let arguments: Vec<_> = arguments.split(' ').collect();
        let outcome = without_network().run(&arguments).failure(2);
        assert!(outcome.stderr.contains("`envoy` is not built: it has a `reference`"), "{outcome}");
    }
}

#[test]
#[ignore = "needs the testbed"]
fn an_image_of_others_is_asked_for_only_if_its_digest_is_named() {
    let testbed = Testbed::current();
    let (repository, envoys) = (
        testbed.repository("mesh"),
        testbed.repository_builder("envoy").account(OTHER_ACCOUNT).create(),
    );
    let digest = foreign(&testbed, &envoys, "one");
    let asked = envoys.requests().len();
    let project = project(&testbed, &repository).variable("ENVOY", &format!("{}:v1", envoys.uri()));
    let told = project.run(&["run"]).success();
    assert!(
        told.stderr.lines().any(|line| line.starts_with("envoy ") && line.ends_with("not built")),
        "{told}"
    );
    assert_eq!(envoys.requests().len(), asked);
    assert!(project.read("taskdef.json").contains(&format!("{}:v1", envoys.uri())));
    // Another commit, then another text.
    let project = project.variable("CODEBUILD_RESOLVED_SOURCE_VERSION", &COMMIT.replace('0', "f"));
    assert_eq!(run(&project)["changed"], false);
    let project =
        project.file("taskdef_template.json", &TEMPLATE.replace("envoy.uri", "envoy.pinned"));
    let report = run(&project);
    assert_eq!(report["changed"], true);
    assert_eq!(report["references"][0]["digest"], *digest);
    assert!(project.read("taskdef.json").contains(&format!("{}@{digest}", envoys.uri())));
    let record = String::from_utf8(repository.manifest("shipspec-release-default")).unwrap();
    assert!(record.contains(&digest), "{record}");
    // Somebody moves the tag: that is another release of the same text.
    foreign(&testbed, &envoys, "two");
    let told = project.run(&["run"]).success();
    assert!(told.stderr.contains("): envoy"), "{told}");
    let told = project.variable("ENVOY", &format!("{}:v9", envoys.uri())).run(&["run"]).failure(4);
    assert!(told.stderr.contains("has no image `v9`"), "{told}");
}

#[test]
#[ignore = "needs the testbed"]
fn an_image_is_made_from_one_of_others_by_its_digest() {
    let testbed = Testbed::current();
    let (repository, bases) = (testbed.repository("from"), testbed.repository("foreign-base"));
    let digest = foreign(&testbed, &bases, "one");
    let shipspec = "version: 1\nimages:\n  app:\n    repository: ${REPOSITORY_URL}\n    build_args: { BASE: \"${images.base.pinned}\" }\n    reuse: true\n  base: { reference: \"${ENVOY}\" }\n";
    let project = project(&testbed, &repository)
        .file("shipspec.yml", shipspec)
        .file(
            "Dockerfile",
            &format!("ARG BASE\nFROM ${{BASE}}\nCOPY Dockerfile /{}\n", testbed.unique("x")),
        )
        .variable("ENVOY", &format!("{}:v1", bases.uri()));
    let told = project.run(&["plan"]).success();
    assert!(
        told.stdout.contains(&format!("image base: not built, {}:v1, {digest}", bases.uri())),
        "{told}"
    );
    let told = project.run(&["run"]).success();
    assert!(told.stderr.contains(&format!("FROM {}@{digest}", bases.uri())), "{told}");
    assert_eq!(run(&project)["images"][0]["reused"], true);
    foreign(&testbed, &bases, "two");
    let told = project.run(&["run"]).success();
    assert!(told.stderr.contains("app: building"), "{told}");
    let policy = project.run(&["policy"]).success();
    assert!(policy.stdout.contains("EcrReferencedLayers"), "{policy}");
}
