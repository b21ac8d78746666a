//! The pipeline in `fixtures/pipelines/terraform-app-mesh`: Terraform's templates, filled for two colours.
//! What its shell left for Terraform and what shipspec leaves, compared; and both with what HCL's own engine
//! makes of the templates.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{COMMIT, Project};
use serde_json::{Value, json};
use shipspec_testbed::pipeline::Ecs;
use shipspec_testbed::{PRIMARY_ACCOUNT, TestRepository, Testbed};

/// The image that the recorded results name.
const IMAGE: &str = "111111111111.dkr.ecr.ap-northeast-1.amazonaws.com/sample:01234567";

/// The tag that this pipeline makes of a commit.
const EIGHT: &str = "01234567";

const SOURCES: [&str; 7] = [
    ".dockerignore",
    "Dockerfile",
    "buildspec.yml",
    "index.html",
    "shipspec-service-connect.yml",
    "shipspec.yml",
    "tpl/task-def-service-connect.tpl",
];

const TEMPLATE: &str = "tpl/task-def-sample.tpl";

fn fixture(path: &str) -> PathBuf {
    let folder = "../../fixtures/pipelines/terraform-app-mesh";
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(fixture(path)).expect(path)
}

/// A checkout, with what the project and CodeBuild give the build.
fn checkout(project: Project) -> Project {
    let project = SOURCES
        .iter()
        .chain([&TEMPLATE])
        .fold(project, |project, name| project.file(name, &read(name)));
    project
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .variable("ACTIVE_COLORS", "blue green")
        .variable("REPOSITORY_URL", IMAGE.split_once(':').unwrap().0)
        .variable(
            "ENVOY_IMAGE",
            "840364872350.dkr.ecr.ap-northeast-1.amazonaws.com/aws-appmesh-envoy:v1.29.12.1-prod",
        )
        .variable("XRAY_IMAGE", "public.ecr.aws/xray/aws-xray-daemon:3.3.15")
}

/// The files that Terraform would read.
fn for_terraform(project: &Project) -> BTreeMap<&'static str, String> {
    let names = ["task-def-blue.json", "task-def-green.json", "terraform.tfvars.json"];
    names
        .into_iter()
        .filter(|name| project.has(name))
        .map(|name| (name, project.read(name)))
        .collect()
}

#[test]
fn the_task_definitions_are_those_of_terraform() {
    let project = checkout(Project::new());
    let image = format!("app={IMAGE}");
    project.run(&["render", "--image", &image]).success();
    for color in ["blue", "green"] {
        let name = format!("task-def-{color}.json");
        assert_eq!(project.read(&name), read(&format!("expected/{name}")));
    }
    let variables: Value = serde_json::from_str(&project.read("terraform.tfvars.json")).unwrap();
    assert_eq!(variables, json!({"image": IMAGE, "active_colors": "blue green"}));

    let project = checkout(Project::new()).variable("ACTIVE_COLORS", "blue");
    let file = "shipspec-service-connect.yml";
    project.run(&["render", "--file", file, "--image", &image]).success();
    assert_eq!(project.read("task-def-blue.json"), read("expected/service-connect-blue.json"));
    assert!(!project.has("task-def-green.json"), "only blue is active");
}

#[test]
fn the_end_of_app_mesh_is_told_and_nothing_else() {
    let codes = |project: &Project, flags: &[&str]| {
        let told = project.run(&[&["check", "--output", "json"], flags].concat());
        let told: Value = serde_json::from_str(&told.stdout).unwrap();
        let codes = told["findings"].as_array().unwrap().iter();
        codes.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(codes(&checkout(Project::new()), &[]), ["app-mesh", "app-mesh"]);

    let project = checkout(Project::new());
    std::fs::remove_file(project.path(TEMPLATE)).unwrap();
    let none: [String; 0] = [];
    assert_eq!(codes(&project, &["--file", "shipspec-service-connect.yml"]), none);
}

#[test]
fn a_name_that_terraform_would_miss_is_told_with_its_place() {
    let project = checkout(Project::new()).without("ENVOY_IMAGE");
    let template = project.read(TEMPLATE).replace("${xray_cpu}", "${xray_cup}");
    let project = project.file(TEMPLATE, &template);
    let told = project.run(&["render", "--image", &format!("app={IMAGE}")]).failure(2);
    for part in [
        "shipspec.yml:12:24",
        "`ENVOY_IMAGE` has no value",
        "task-def-sample.tpl:68:16",
        "`xray_cup` has no value",
    ] {
        assert!(told.stderr.contains(part), "{part} is missing in {told}");
    }
}

/// Runs the old shell in the checkout.
fn shell(project: &Project) {
    let mut command = Command::new("bash");
    command.args([fixture("../run-shell"), fixture("before/buildspec.yml")]);
    command.current_dir(project.folder()).env_clear();
    for (name, value) in project.command(&[]).get_envs() {
        command.env(name, value.unwrap());
    }
    project.outcome(&command.output().unwrap()).success();
}

fn tags(repository: &TestRepository) -> Vec<String> {
    repository.tags().into_keys().filter(|tag| !tag.starts_with("shipspec-")).collect()
}

/// What `terraform apply` does with the files: it registers what they hold. The images of others are in no
/// repository of the testbed.
fn apply(testbed: &Testbed, repository: &TestRepository, project: &Project, colors: &str) {
    let ecs = Ecs::new(testbed, PRIMARY_ACCOUNT);
    for color in colors.split(' ') {
        let definition = project.read(&format!("task-def-{color}.json"));
        let revision = ecs.register(&serde_json::from_str(&definition).unwrap()).unwrap();
        assert_eq!(revision["family"], format!("sample-{color}"));
        let images: Vec<_> = revision["containerDefinitions"].as_array().unwrap().iter().collect();
        assert_eq!(images.len(), 3);
        let digest = ecs.pull_image(images[0]["image"].as_str().unwrap()).unwrap();
        assert_eq!(digest, repository.tags()[EIGHT]);
    }
}

#[test]
#[ignore = "needs the testbed"]
fn shipspec_leaves_for_terraform_what_the_shell_left() {
    let testbed = Testbed::current();
    for colors in ["blue green", "green"] {
        let repository = testbed.repository("app-mesh");
        let page = testbed.unique("app-mesh");
        let project = |repository: &TestRepository| {
            let project = checkout(Project::in_testbed(&testbed)).repository(repository);
            std::fs::copy(testbed.busybox(), project.path("busybox")).unwrap();
            project.variable("ACTIVE_COLORS", colors).file("index.html", &page)
        };
        let before = project(&repository);
        shell(&before);
        let layers = repository.image_config(EIGHT)["rootfs"]["diff_ids"].take();
        let left = (for_terraform(&before), tags(&repository), layers);
        assert_eq!(left.0.len(), 1 + colors.split(' ').count());
        repository.delete();

        // The name must be the same, for it stands in the task definitions.
        let repository = testbed.repository_builder("").name(repository.name()).create();
        let after = project(&repository);
        after.run(&["run"]).success();
        let layers = repository.image_config(EIGHT)["rootfs"]["diff_ids"].take();
        assert_eq!((for_terraform(&after), tags(&repository), layers), left);
        apply(&testbed, &repository, &after, colors);
    }
}
