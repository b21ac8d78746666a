//! The pipeline in `fixtures/pipelines/cloudformation-changeset`: what its shell did and what shipspec
//! does, where the password is there and where its parameter has another name.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{COMMIT, Outcome, Project};
use shipspec_testbed::{PRIMARY_ACCOUNT, PRIMARY_REGION, TestRepository, Testbed};

const PASSWORD: &str = "hunter2-canary \"quoted\" 5d41";

fn fixture(path: &str) -> PathBuf {
    let folder = "../../fixtures/pipelines/cloudformation-changeset";
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(path)
}

/// A checkout with the environment that CodeBuild and its project give the build.
fn checkout(testbed: &Testbed, repository: &TestRepository) -> Project {
    let project = Project::in_testbed(testbed)
        .repository(repository)
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .variable("AWS_ACCOUNT_ID", PRIMARY_ACCOUNT)
        .variable("AWS_DEFAULT_REGION", PRIMARY_REGION)
        .variable("IMAGE_REPO_NAME", repository.name());
    let files = [
        "Dockerfile",
        "Dockerfile.old",
        ".dockerignore",
        "prepare.sh",
        "shipspec.yml",
        "shipspec-old-dockerfile.yml",
    ];
    for name in files {
        std::fs::copy(fixture(name), project.path(name)).expect(name);
    }
    std::fs::copy(testbed.busybox(), project.path("busybox")).unwrap();
    project
}

/// Runs the old shell in the checkout.
fn shell(project: &Project) -> Outcome {
    let mut command = Command::new("bash");
    command.args([fixture("../run-shell"), fixture("before/buildspec.yml")]);
    command.current_dir(project.folder()).env_clear();
    for (name, value) in project.command(&[]).get_envs() {
        command.env(name, value.unwrap());
    }
    project.outcome(&command.output().unwrap())
}

/// What the step that had the password left in the image.
fn left_behind(repository: &TestRepository) -> String {
    let image = format!("{}:{COMMIT}", repository.uri());
    let run = ["run", "--rm", &image, "cat", "/app/public/index.html"];
    let output = Command::new("docker").args(run).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Everything that the registry has of the image: manifest, configuration with its history, layers.
fn everything(repository: &TestRepository) -> Vec<u8> {
    let manifest = repository.manifest(COMMIT);
    let parsed: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let mut bytes = manifest;
    bytes.extend(repository.image_config(COMMIT).to_string().into_bytes());
    for layer in parsed["layers"].as_array().unwrap() {
        let packed = repository.blob(layer["digest"].as_str().unwrap());
        bytes.extend(common::unpacked(&packed));
    }
    bytes
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
#[ignore = "needs the testbed"]
fn the_shell_deploys_the_password_none_and_shipspec_refuses_then_both_build() {
    let testbed = Testbed::current();
    let input = serde_json::json!({ "Names": ["rds_pass"] });
    testbed.call("ssm", PRIMARY_REGION, "AmazonSSM.DeleteParameters", &input);
    testbed.put_parameter("rds-pass", "SecureString", PASSWORD);

    // No parameter has the name that is asked for.
    let before = testbed.repository("changeset-none");
    let project = checkout(&testbed, &before);
    shell(&project).success();
    assert_eq!(left_behind(&before), "prepared with a password of 4 characters\n");
    assert!(before.image_config(COMMIT)["config"]["Env"].to_string().contains("DB_PASSWORD=None"));
    let after = testbed.repository("changeset-refused");
    let project = checkout(&testbed, &after);
    let told = project.run(&["run"]).failure(3);
    assert!(told.stderr.contains("`ssm:rds_pass` (there is `ssm:rds-pass`)"), "{told}");
    assert!(after.tags().is_empty() && !project.has("build.json"), "{told}");

    // It is there: both build, push the same tag and write the same file.
    testbed.put_parameter("rds_pass", "SecureString", PASSWORD);
    let before = testbed.repository("changeset-before");
    let project = checkout(&testbed, &before);
    // The shell splits a password at its spaces.
    assert_ne!(shell(&project).code, 0);
    testbed.put_parameter("rds_pass", "SecureString", &PASSWORD.replace(' ', "_"));
    shell(&project).success();
    let written = project.read("build.json");
    assert_eq!(written, format!("{{\"tag\":\"{COMMIT}\"}}"));
    testbed.put_parameter("rds_pass", "SecureString", PASSWORD);

    let after = testbed.repository("changeset-after");
    let project = checkout(&testbed, &after);
    let told = project.run(&["run"]).success();
    assert_eq!(project.read("build.json"), written);
    let length = format!("prepared with a password of {} characters\n", PASSWORD.len());
    assert_eq!(left_behind(&after), length);
    let own = |tag: &&String| !tag.starts_with("shipspec-");
    assert_eq!(after.tags().keys().filter(own).collect::<Vec<_>>(), [COMMIT]);
    let image = everything(&after);
    assert!(has(&image, "prepared with a password of"));
    for form in common::forms_of(PASSWORD) {
        assert!(!has(&image, &form), "{form} stands in the image");
        assert!(!told.to_string().contains(&form), "{form}\n{told}");
    }

    // The old Dockerfile, by the explicit word for it: the image holds the password, and that is said.
    let old = testbed.repository("changeset-old");
    let project = checkout(&testbed, &old);
    let told = project.run(&["run", "--file", "shipspec-old-dockerfile.yml"]).success();
    assert!(
        told.stderr.contains("app: `DB_PASSWORD` can be read by everybody who can pull it"),
        "{told}"
    );
    assert!(!told.to_string().contains("hunter2"), "{told}");
    assert_eq!(left_behind(&old), length);
    assert!(old.image_config(COMMIT)["config"]["Env"].to_string().contains("hunter2"));
    assert_eq!(project.read("build.json"), written);
}
