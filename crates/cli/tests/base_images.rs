//! Base images from registries that want to know who asks.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::{Project, SHORT, project};
use shipspec_testbed::{OTHER_REGION, Testbed};

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
