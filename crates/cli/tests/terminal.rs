//! What somebody sees who watches in a terminal.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::process::Command;

use common::{COMMIT, Project};
use shipspec_testbed::{TestRepository, Testbed};

const DOCKERFILE: &str = "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"sh\", \"-c\", \"for i in 1 2 3; do echo line $i; /bin/busybox sleep 0.3; done; END\"]\n";

/// What a terminal gets from a run, and its exit code.
fn watched(testbed: &Testbed, repository: &TestRepository, end: &str) -> (String, i32) {
    let unique = testbed.unique("watched");
    let project = Project::in_testbed(testbed)
        .repository(repository)
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .variable("TERM", "xterm")
        .file("Dockerfile", &DOCKERFILE.replace("END", &format!("{end}; : {unique}")))
        .file(
            "shipspec.yml",
            "version: 1\nimages: { app: { repository: \"${REPOSITORY_URL}\" } }\n",
        );
    std::fs::copy(testbed.busybox(), project.path("busybox")).unwrap();
    let plain = project.command(&["run"]);
    let mut script = Command::new("script");
    let line = format!("{} run", plain.get_program().to_str().unwrap());
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.current_dir(project.folder()).env_clear();
    for (name, value) in plain.get_envs() {
        script.env(name, value.unwrap());
    }
    let output = script.output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

#[test]
#[ignore = "needs the testbed"]
fn an_image_under_way_has_one_line_that_goes_when_it_is_done() {
    let testbed = Testbed::current();
    let repository = testbed.repository("terminal");
    let (screen, code) = watched(&testbed, &repository, "true");
    assert_eq!(code, 0, "{screen}");
    // Drawn over: output of a step is never a line of its own.
    assert!(screen.contains("line 2") && screen.contains('\u{1b}'), "{screen:?}");
    assert!(screen.lines().all(|line| line.trim_end() != "app:   | line 2"), "{screen:?}");
    for told in ["app: built in ", "app: the registry holds sha256:", "image  tag"] {
        assert!(screen.contains(told), "{told}: {screen:?}");
    }
}

#[test]
#[ignore = "needs the testbed"]
fn after_a_failure_the_end_of_the_output_is_there() {
    let testbed = Testbed::current();
    let repository = testbed.repository("terminal-failure");
    let (screen, code) = watched(&testbed, &repository, "exit 9");
    assert_eq!(code, 5, "{screen}");
    for told in ["failed with exit code 9", "  | line 1\r\n  | line 2\r\n  | line 3\r\n"] {
        assert!(screen.contains(told), "{told}: {screen:?}");
    }
}
