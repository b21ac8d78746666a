//! Base images from registries that want to know who asks.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::{Project, SHORT, project};
use shipspec_testbed::{Fault, OTHER_REGION, Testbed};

#[test]
#[ignore = "needs the testbed"]
fn a_base_image_in_another_registry_is_pulled_with_its_own_token() {
    let testbed = Testbed::current();
    let bases = testbed.repository_builder("base").region(OTHER_REGION).create();
    project(&testbed, &bases).run(&["run"]).success();
    let base = format!("{}:{SHORT}", bases.uri());
    let removed = std::process::Command::new("docker").args(["rmi", "-f", &base]).output().unwrap();
    assert!(removed.status.success(), "{removed:?}");

    let repository = testbed.repository("derived");
    let derived = Project::in_testbed(&testbed)
        .repository(&repository)
        .file("Dockerfile", &format!("FROM {base}\nRUN echo more > /more\n"))
        .file(
            "shipspec.yml",
            "version: 1\nimages: { app: { repository: \"${REPOSITORY_URL}\" } }\n",
        );
    let outcome = derived.run(&["build"]).success();
    assert!(outcome.stderr.contains(&base), "{outcome}");
    derived.run(&["run"]).success();
    let config = repository.image_config(SHORT);
    assert_eq!(config["config"]["Cmd"][1], "/greeting");
}

#[test]
#[ignore = "needs the testbed"]
fn a_base_image_that_is_missing_denied_or_limited_is_told_apart() {
    let testbed = Testbed::current();
    let repository = testbed.repository("on-base");
    let run = |base: &str| {
        let dockerfile = format!("FROM {base}\nRUN echo {} > /x\n", testbed.unique("x"));
        let project = Project::in_testbed(&testbed)
            .repository(&repository)
            .file("Dockerfile", &dockerfile)
            .file(
                "shipspec.yml",
                "version: 1\nimages: { app: { repository: \"${REPOSITORY_URL}\" } }\n",
            );
        let told = project.run(&["run"]).failure(4);
        assert!(told.stderr.contains("cannot be pulled"), "{told}");
        assert!(repository.tags().is_empty(), "{told}");
        told
    };
    let bases = testbed.repository("missing");
    let told = run(&format!("{}:none", bases.uri()));
    assert!(told.stderr.contains("hint: check its name and tag"), "{told}");
    for kind in ["manifest-head", "manifest-get"] {
        bases.fault(Fault::registry_error(403, "DENIED", "not for you").on(kind).always());
    }
    let told = run(&format!("{}:denied", bases.uri()));
    assert!(told.stderr.contains("hint: allow `ecr:BatchGetImage`"), "{told}");
    bases.clear_faults();
    for kind in ["manifest-head", "manifest-get"] {
        bases.fault(Fault::throttle().on(kind).always());
    }
    let told = run(&format!("{}:limited", bases.uri()));
    assert!(told.stderr.contains("hint: the registry limits how often it is asked"), "{told}");
}
