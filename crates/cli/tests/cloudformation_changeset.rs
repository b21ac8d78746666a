//! The pipeline in `fixtures/pipelines/cloudformation-changeset`: what its shell did and what shipspec
//! does, where the password is there and where its parameter has another name.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{COMMIT, Outcome, Project};
use serde_json::json;
use shipspec_testbed::pipeline::{Artifact, Buildspec, Ecs, cloud_formation};
use shipspec_testbed::{PRIMARY_ACCOUNT, PRIMARY_REGION, TestRepository, Testbed};

const PASSWORD: &str = "hunter2-canary \"quoted\" 5d41";

fn fixture(path: &str) -> PathBuf {
    let folder = "../../fixtures/pipelines/cloudformation-changeset";
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(path)
}

/// The checkouts of both sources, as CodeBuild lays them out: each in a folder of its own.
struct Checkouts {
    /// The primary source, in whose folder the commands run.
    project: Project,
    /// The application, which the build finds by `CODEBUILD_SRC_DIR_App` alone.
    _app: tempfile::TempDir,
}

impl std::ops::Deref for Checkouts {
    type Target = Project;

    fn deref(&self) -> &Project {
        &self.project
    }
}

/// Both checkouts, with the environment that CodeBuild and its project give the build.
fn checkout(testbed: &Testbed, repository: &TestRepository) -> Checkouts {
    let app = tempfile::tempdir().unwrap();
    for name in ["Dockerfile", "Dockerfile.old", ".dockerignore", "prepare.sh"] {
        std::fs::copy(fixture("app").join(name), app.path().join(name)).expect(name);
    }
    std::fs::copy(testbed.busybox(), app.path().join("busybox")).unwrap();
    let project = Project::in_testbed(testbed)
        .repository(repository)
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .variable("CODEBUILD_BUILD_ID", "web:5d41402a-bc4b-2a76-b971-9d911017c592")
        .variable("CODEBUILD_SRC_DIR_App", &app.path().display().to_string())
        .variable("AWS_ACCOUNT_ID", PRIMARY_ACCOUNT)
        .variable("AWS_DEFAULT_REGION", PRIMARY_REGION)
        .variable("IMAGE_REPO_NAME", repository.name());
    for name in ["shipspec.yml", "shipspec-old-dockerfile.yml", "template.yml"] {
        std::fs::copy(fixture(name), project.path(name)).expect(name);
    }
    Checkouts { project, _app: app }
}

/// Lets the pipeline's Deploy action take what the build left; gives the stack's parameters.
///
/// The image that they name is there, and the stack's own template takes them.
fn deploy(
    testbed: &Testbed,
    project: &Project,
    repository: &TestRepository,
    buildspec: &str,
) -> BTreeMap<String, String> {
    let source = [("template.yml".to_owned(), project.read("template.yml").into_bytes())];
    let mut artifacts = vec![Artifact::pack("Source", &source.into())];
    let buildspec = Buildspec::read(&fixture(buildspec)).unwrap();
    artifacts.extend(buildspec.upload(project.folder(), &["Build"]).unwrap());
    let overrides = json!({
        "Repository": repository.name(),
        "ImageTag": { "Fn::GetParam": ["Build", "build.json", "tag"] },
        "Build": { "Fn::GetParam": ["Build", "build.json", "build"] },
    });
    let configuration = json!({
        "ActionMode": "CHANGE_SET_REPLACE",
        "StackName": "web",
        "ChangeSetName": "next",
        "TemplatePath": "Source::template.yml",
        "ParameterOverrides": overrides.to_string(),
    });
    let update = cloud_formation(&artifacts, &configuration).unwrap();
    let image = format!("{}:{}", repository.uri(), update.parameters["ImageTag"]);
    Ecs::new(testbed, PRIMARY_ACCOUNT).pull_image(&image).unwrap();
    update.parameters
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
    assert!(after.tags().is_empty() && !project.has("deploy"), "{told}");

    // It is there: both build, push the same tag and write the same file.
    testbed.put_parameter("rds_pass", "SecureString", PASSWORD);
    let before = testbed.repository("changeset-before");
    let project = checkout(&testbed, &before);
    // The shell splits a password at its spaces.
    assert_ne!(shell(&project).code, 0);
    testbed.put_parameter("rds_pass", "SecureString", &PASSWORD.replace(' ', "_"));
    shell(&project).success();
    let written = project.read("deploy/build.json");
    let build = "web-5d41402a-bc4b-2a76-b971-9d911017c592";
    assert_eq!(written, format!("{{\"tag\":\"{COMMIT}\",\"build\":\"{build}\"}}"));
    let mut parameters = deploy(&testbed, &project, &before, "before/buildspec.yml");
    assert_eq!(parameters["ImageTag"], COMMIT);
    assert_eq!(parameters["Build"], build);
    assert_eq!(parameters["ExecutionRole"], "web-execution");
    testbed.put_parameter("rds_pass", "SecureString", PASSWORD);

    let after = testbed.repository("changeset-after");
    let project = checkout(&testbed, &after);
    let told = project.run(&["run"]).success();
    assert_eq!(project.read("deploy/build.json"), written);
    // Each has a repository of its own.
    parameters.insert("Repository".to_owned(), after.name().to_owned());
    assert_eq!(deploy(&testbed, &project, &after, "buildspec.yml"), parameters);
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
    assert_eq!(project.read("deploy/build.json"), written);
}
