//! A run that is older than the last release, and ends after it.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::process::Command;

use common::{COMMIT, Project};
use serde_json::Value;
use shipspec_testbed::{TestRepository, Testbed};

const SHIPSPEC: &str = r#"version: 1
images:
  app: { repository: "${REPOSITORY_URL}", tags: ["${IMAGE_TAG}", latest], reuse: true }
"#;

fn project(testbed: &Testbed, repository: &TestRepository) -> Project {
    let unique = testbed.unique("moving");
    Project::in_testbed(testbed)
        .repository(repository)
        .file("Dockerfile", &format!("FROM scratch\nCOPY made-from /{unique}\n"))
        .file(".dockerignore", "*\n!Dockerfile\n!made-from\n")
        .file("shipspec.yml", SHIPSPEC)
}

/// A build that began at this time, with sources of its own.
fn begun(project: Project, time: u32) -> Project {
    project
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", &format!("{time}{}", &COMMIT[1..]))
        .variable("CODEBUILD_START_TIME", &format!("{time}000"))
        .file("made-from", &time.to_string())
}

fn latest(report: &Value) -> Value {
    report["images"][0]["tags"][1].clone()
}

fn run(project: &Project, arguments: &[&str]) -> Value {
    let arguments = [&["run", "--output", "json"], arguments].concat();
    serde_json::from_str(&project.run(&arguments).success().stdout).unwrap()
}

#[test]
#[ignore = "needs the testbed"]
fn latest_is_not_moved_back_by_a_build_that_began_before() {
    let testbed = Testbed::current();
    let repository = testbed.repository("older");
    let project = begun(project(&testbed, &repository), 5);
    run(&project, &[]);
    let newest = repository.tags()["latest"].clone();
    let project = begun(project, 3);
    let told = project.run(&["run"]).success();
    let stays = "app: [uri]:latest stays: it was put by a newer run (commit 5123456); `--force-moving` moves it";
    assert!(told.stderr.contains(stays), "{told}");
    assert_eq!(repository.tags()["latest"], newest);
    assert_ne!(repository.tags()["3123456"], newest);
    // The last release is the older one by now; who put the tag is still known.
    let project = begun(project, 4);
    let told = latest(&run(&project, &[]));
    assert_eq!(told["change"], "kept", "{told}");
    assert_eq!(told["moved"], false);
    assert_eq!(told["reason"], "it was put by a newer run (commit 5123456)");
    assert_eq!(repository.tags()["latest"], newest);
    // By word it moves, and so it does for whoever is newer, or has no time.
    assert_eq!(latest(&run(&project, &["--force-moving"]))["change"], "moved");
    assert_eq!(repository.tags()["latest"], repository.tags()["4123456"]);
    let project = begun(project, 6);
    assert_eq!(latest(&run(&project, &[]))["change"], "moved");
    let project = begun(project, 2).without("CODEBUILD_START_TIME");
    assert_eq!(latest(&run(&project, &[]))["change"], "moved");
}

#[test]
#[ignore = "needs the testbed"]
fn a_push_by_itself_does_not_move_it_back_either() {
    let testbed = Testbed::current();
    let repository = testbed.repository("older-push");
    let project = begun(project(&testbed, &repository), 5);
    run(&project, &[]);
    let newest = repository.tags()["latest"].clone();
    let project = begun(project, 3);
    project.run(&["build"]).success();
    let told = project.run(&["push"]).success();
    assert!(told.stderr.contains("latest stays: it was put by a newer run"), "{told}");
    assert_eq!(repository.tags()["latest"], newest);
    project.run(&["push", "--force-moving"]).success();
    assert_eq!(repository.tags()["latest"], repository.tags()["3123456"]);
}

#[test]
#[ignore = "needs the testbed"]
fn some_images_by_themselves_do_not_move_it_back_either() {
    let testbed = Testbed::current();
    let (repository, other) = (testbed.repository("older-only"), testbed.repository("older-other"));
    let shipspec = format!(
        "{SHIPSPEC}  side: {{ repository: \"${{SIDE}}\", tags: [\"${{IMAGE_TAG}}\", latest], reuse: true }}\n"
    );
    let project = project(&testbed, &repository)
        .variable("SIDE", &other.uri())
        .file("shipspec.yml", &shipspec);
    let project = begun(project, 5);
    run(&project, &[]);
    let newest = other.tags()["latest"].clone();
    // The releases are in the repository of an image that is not among these.
    let project = begun(project, 3);
    let told = latest(&run(&project, &["--only", "side"]));
    assert_eq!(told["reason"], "it was put by a newer run (commit 5123456)", "{told}");
    assert_eq!(other.tags()["latest"], newest);
    assert_ne!(other.tags()["3123456"], newest);
    // Nor does the run after it, although the last thing put out was the older one's.
    let project = begun(project, 4);
    let told = run(&project, &[]);
    for image in 0..2 {
        assert_eq!(told["images"][image]["tags"][1]["change"], "kept", "{told}");
    }
    run(&project, &["--only", "side", "--force-moving"]);
    assert_eq!(other.tags()["latest"], other.tags()["4123456"]);
}

fn git(project: &Project, arguments: &[&str], time: u32) -> String {
    let date = format!("2026-01-0{time}T00:00:00Z");
    let output = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args(arguments)
        .current_dir(project.folder())
        .env("GIT_COMMITTER_DATE", &date)
        .env("GIT_AUTHOR_DATE", &date)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
#[ignore = "needs the testbed"]
fn an_older_commit_is_older_whenever_it_is_built() {
    let testbed = Testbed::current();
    let repository = testbed.repository("older-commit");
    let project = project(&testbed, &repository)
        .file("made-from", "one")
        .variable("PATH", &std::env::var("PATH").unwrap())
        .without("CODEBUILD_RESOLVED_SOURCE_VERSION");
    git(&project, &["init", "--quiet", "--initial-branch=main"], 1);
    git(&project, &["add", "Dockerfile", "made-from", "shipspec.yml", ".dockerignore"], 1);
    git(&project, &["commit", "--quiet", "-m", "one"], 1);
    let project = project.file("made-from", "two");
    git(&project, &["commit", "--quiet", "-am", "two"], 2);
    let project = project.variable("CODEBUILD_START_TIME", "1000");
    run(&project, &[]);
    let newest = repository.tags()["latest"].clone();
    git(&project, &["checkout", "--quiet", "-B", "main", "HEAD~1"], 3);
    let project = project.variable("CODEBUILD_START_TIME", "2000");
    let told = latest(&run(&project, &[]));
    assert_eq!(told["moved"], false, "{told}");
    assert_eq!(repository.tags()["latest"], newest);
    // What is not committed yet is newer than any commit.
    let project = project.file("made-from", "three");
    assert_eq!(latest(&run(&project, &[]))["change"], "moved");
}
