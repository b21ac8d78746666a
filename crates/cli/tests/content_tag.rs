//! Tags that name what an image is made from: `content` in `tag:` and in `tags:`.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::{COMMIT, Project, SHORT};
use serde_json::Value;
use shipspec_testbed::{TestRepository, Testbed};

const SHIPSPEC: &str = r#"version: 1
tag: ["${RELEASE}", content]
images:
  app: { repository: "${REPOSITORY_URL}", tags: ["${IMAGE_TAG}", "${COMMIT_HASH}"], reuse: true }
artifacts:
  taskdef.json: taskdef_template.json
  imagedefinitions.json: { image_definitions: [app] }
  build.json: { json: { tag: "${IMAGE_TAG}" } }
"#;

const OTHER_COMMIT: &str = "fedcba9876543210fedcba9876543210fedcba98";

const FILES: [&str; 3] = ["taskdef.json", "imagedefinitions.json", "build.json"];

fn files(project: Project) -> Project {
    project
        .file(".dockerignore", "*\n!Dockerfile\n!made-from\n")
        .file("made-from", "one")
        .file("taskdef_template.json", "{\"family\": \"web\", \"containerDefinitions\": [{\"name\": \"app\", \"image\": \"${IMAGE_URI}\", \"memory\": 64}]}\n")
        .file("shipspec.yml", SHIPSPEC)
}

fn project(testbed: &Testbed, repository: &TestRepository) -> Project {
    let unique = testbed.unique("content");
    let project = Project::in_testbed(testbed).repository(repository);
    files(project).file("Dockerfile", &format!("FROM scratch\nCOPY made-from /{unique}\n"))
}

fn json(project: &Project, arguments: &[&str]) -> Value {
    let told = project.run(&[arguments, &["--output", "json"]].concat()).success();
    serde_json::from_str(&told.stdout).unwrap()
}

fn is_content(tag: &str) -> bool {
    tag.len() == 16 && tag.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[test]
fn without_a_key_it_is_told_that_the_tag_comes_later() {
    let project = files(Project::new())
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .variable("REPOSITORY_URL", "r.example/app");
    let told = project.run(&["plan", "--offline"]).success();
    assert!(told.stdout.contains("tag r.example/app:(known with its key)\n"), "{told}");
    assert!(told.stdout.contains("\"image\": \"r.example/app:(known with its key)\""), "{told}");
    assert!(told.stdout.contains("not known: the tag `content` of `app`"), "{told}");
    project.run(&["check"]).success();
    // Another entry has a value.
    let release = project.variable("RELEASE", "v7");
    let told = release.run(&["plan", "--offline"]).success();
    assert!(told.stdout.contains("tag r.example/app:v7\n"), "{told}");
    let project = release.without("RELEASE");
    let told = project.file(
        "shipspec.yml",
        &SHIPSPEC.replace("reuse: true", "build_args: { TAG: \"${IMAGE_TAG}\" }"),
    );
    let told = told.run(&["plan", "--offline"]).failure(2);
    assert!(told.stderr.contains("the content of `app` is made from this text"), "{told}");
}

#[test]
fn with_several_images_each_names_its_own() {
    let several = SHIPSPEC.replace("artifacts:", "  b: { repository: r.example/b }\nartifacts:");
    let project = files(Project::new())
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .variable("REPOSITORY_URL", "r.example/app")
        .file("shipspec.yml", &several);
    let told = project.run(&["plan", "--offline"]).failure(2);
    assert!(told.stderr.contains("name `images.app.tag`"), "{told}");
    let project = project
        .file(
            "shipspec.yml",
            &several.replace("tag: \"${IMAGE_TAG}\" }", "tag: \"${images.b.tag}\" }"),
        )
        .file("taskdef_template.json", "{\"image\": \"${images.app.uri}\"}\n");
    let told = project.run(&["plan", "--offline"]).success();
    assert!(told.stdout.contains("  | {\"tag\":\"(known with its key)\"}"), "{told}");
}

#[test]
#[ignore = "needs the testbed"]
fn another_commit_with_nothing_new_makes_the_same_files_by_tag() {
    let testbed = Testbed::current();
    let repository = testbed.repository_builder("content").immutable().create();
    let project = project(&testbed, &repository);
    let report = json(&project, &["run"]);
    let tag = report["tag"].as_str().unwrap_or_default().to_owned();
    assert!(is_content(&tag), "{report}");
    assert_eq!(report["images"][0]["tags"][0]["moving"], false);
    let key = report["images"][0]["key"].as_str().unwrap();
    assert!(key.starts_with(&tag));
    let tags = repository.tags();
    assert_eq!((&tags[&tag], &tags[SHORT]), (&tags[&format!("shipspec-{key}")], &tags[&tag]));
    let before = FILES.map(|name| project.read(name));
    assert!(before[1].contains(&format!(":{tag}\"")), "{}", before[1]);

    let project = project.variable("CODEBUILD_RESOLVED_SOURCE_VERSION", OTHER_COMMIT);
    let report = json(&project, &["run"]);
    assert_eq!(report["changed"], false, "{report}");
    assert_eq!(FILES.map(|name| project.read(name)), before);
    // A command of its own makes the same of it.
    for name in FILES {
        std::fs::remove_file(project.path(name)).unwrap();
    }
    project.run(&["render"]).success();
    assert_eq!(FILES.map(|name| project.read(name)), before);
    let env = project.run(&["env"]).success();
    assert!(env.stdout.contains(&format!("SHIPSPEC_APP_URI='[uri]:{tag}'")), "{env}");
    let plan = project.run(&["plan"]).success();
    assert!(plan.stdout.contains(&format!("tag {}:{tag}\n", "[uri]")), "{plan}");
    // Built again, where tags cannot be moved: both tags say so.
    let project = project.variable("CODEBUILD_RESOLVED_SOURCE_VERSION", &COMMIT.replace('0', "a"));
    let mut config = project.read("shipspec.yml");
    config = config.replace("reuse: true", "reuse: 90d");
    let project = project.file("shipspec.yml", &config);
    let report = json(&project, &["run"]);
    assert_eq!(report["images"][0]["uri"], *format!("[uri]:{tag}-2"));
    assert!(project.read("taskdef.json").contains(&format!("{tag}-2")));
    assert_eq!(repository.tags()[&tag], tags[&tag]);
    project.run(&["render"]).success();
    assert!(project.read("taskdef.json").contains(&format!("{tag}-2")));
    // Something new has another tag.
    let project = project.variable("CODEBUILD_RESOLVED_SOURCE_VERSION", &COMMIT.replace('0', "b"));
    let report = json(&project.file("made-from", "two"), &["run"]);
    assert_ne!(report["images"][0]["tags"][0]["tag"], *tag);
}

#[test]
#[ignore = "needs the testbed"]
fn an_image_gets_its_tag_when_the_one_that_it_is_made_from_is_there() {
    let testbed = Testbed::current();
    let repository = testbed.repository("content-base");
    let unique = testbed.unique("content-base");
    let image = |name: &str, more: &str| {
        format!(
            "  {name}: {{ context: {name}, repository: \"${{REPOSITORY_URL}}\", reuse: true{more} }}\n"
        )
    };
    let on = |form: &str| {
        let argument = format!(", build_args: {{ BASE: \"${{images.base.{form}}}\" }}");
        format!(
            "version: 1\ntag: content\nimages:\n{}{}artifacts: {{ a.json: {{ image_definitions: [web, base] }} }}\n",
            image("web", &argument),
            image("base", ", no_cache: false")
        )
    };
    let project = Project::in_testbed(&testbed)
        .repository(&repository)
        .file("base/Dockerfile", &format!("FROM scratch\nCOPY Dockerfile /{unique}\n"))
        .file("web/Dockerfile", "ARG BASE\nFROM ${BASE}\nCOPY Dockerfile /web\n")
        .file("shipspec.yml", &on("pinned"));
    let told = project.run(&["plan"]).success();
    assert!(told.stdout.contains("tag [uri]:(known with its key)"), "{told}");
    let report = json(&project, &["run"]);
    let tags: Vec<_> = report["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| image["tags"][0]["tag"].as_str().unwrap().to_owned())
        .collect();
    assert!(tags.iter().all(|tag| is_content(tag)) && tags[0] != tags[1], "{tags:?}");
    assert!(tags.iter().all(|tag| project.read("a.json").contains(tag)));
    let again =
        json(&project.variable("CODEBUILD_RESOLVED_SOURCE_VERSION", OTHER_COMMIT), &["run"]);
    assert_eq!(again["images"][0]["uri"], report["images"][0]["uri"]);
    assert_eq!(again["images"][0]["reused"], true);
    // By its tag only the engine has it, and nobody knows the content of what is made from it.
    let project = Project::in_testbed(&testbed)
        .repository(&repository)
        .file("base/Dockerfile", &format!("FROM scratch\nCOPY Dockerfile /{unique}\n"))
        .file("web/Dockerfile", "ARG BASE\nFROM ${BASE}\nCOPY Dockerfile /web\n")
        .file("shipspec.yml", &on("uri"));
    let told = project.run(&["run"]).failure(2);
    assert!(told.stderr.contains("the tag `content` of the image `web` is not known"), "{told}");
    assert!(told.stderr.contains("`….pinned` in place of `….uri`"), "{told}");
}

#[test]
#[ignore = "needs the testbed"]
fn steps_of_their_own_and_without_reuse_have_the_same_tag() {
    let testbed = Testbed::current();
    let repository = testbed.repository("content-steps");
    let project = project(&testbed, &repository);
    project.run(&["build"]).success();
    let pushed = project.run(&["push"]).success();
    project.run(&["render"]).success();
    let tags = repository.tags();
    let tag = tags.keys().find(|tag| is_content(tag)).unwrap().clone();
    assert!(project.read("taskdef.json").contains(&format!("{}:{tag}", repository.uri())));
    assert!(pushed.stdout.contains(&tags[&tag]), "{pushed}");
    let local = json(&project, &["run", "--no-push"]);
    assert_eq!(local["images"][0]["tags"][0]["tag"], *tag);
    let never = SHIPSPEC.replace("reuse: true", "reuse: false");
    let report = json(&project.file("shipspec.yml", &never), &["run"]);
    assert_eq!(report["images"][0]["tags"][0]["tag"], *tag);
    assert_eq!(report["images"][0].get("key"), None);
    assert!(!repository.tags().keys().any(|key| key.starts_with("shipspec-") && key.len() == 73));
}
