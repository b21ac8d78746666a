//! The pipeline in `fixtures/pipelines/firelens-blue-green`: two images, each with an `imageDetail.json`
//! in a folder of its own. What its shell did and what shipspec does, compared.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{COMMIT, Outcome, Project};
use serde_json::{Value, json};
use shipspec_testbed::pipeline::{
    Buildspec, Ecs, Entry, blue_green, definition_of, entry, environment_after,
};
use shipspec_testbed::{PRIMARY_REGION, TestRepository, Testbed};

/// An account is text: as a number it would lose its first digit.
const ACCOUNT: &str = "012345678901";

/// The tag that this pipeline makes of a commit.
const EIGHT: &str = "01234567";

const SOURCES: [&str; 10] = [
    "appspec.yml",
    "buildspec.yml",
    "firelens/.dockerignore",
    "firelens/Dockerfile",
    "firelens/routes.conf",
    "shipspec.yml",
    "taskdef.json",
    "webapp/.dockerignore",
    "webapp/Dockerfile",
    "webapp/index.html",
];

const DETAILS: [&str; 2] = ["webapp-image/imageDetail.json", "logrouter-image/imageDetail.json"];

fn fixture(path: &str) -> PathBuf {
    let folder = "../../fixtures/pipelines/firelens-blue-green";
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(path)
}

/// The two repositories of one pipeline.
struct Repositories {
    name: String,
    webapp: TestRepository,
    logrouter: TestRepository,
}

impl Repositories {
    fn create(testbed: &Testbed, name: &str) -> Self {
        let create = |image: &str| {
            let builder = testbed.repository_builder("").account(ACCOUNT);
            builder.name(&format!("{name}/{image}")).create()
        };
        Self { name: name.to_owned(), webapp: create("webapp"), logrouter: create("logrouter") }
    }

    fn delete(self) {
        self.webapp.delete();
        self.logrouter.delete();
    }
}

/// A checkout, with what CodeBuild and the pipeline's action give the build of a commit.
///
/// The page and the route name the test, so that no other test has their layers.
fn checkout(testbed: &Testbed, repositories: &Repositories, unique: &str) -> Project {
    let mut project = Project::in_testbed(testbed)
        .variable("AWS_DEFAULT_REGION", PRIMARY_REGION)
        .variable("ACCOUNT_ID", ACCOUNT)
        .variable("REPOSITORY_NAME", &repositories.name);
    for name in SOURCES {
        project = project.file(name, &std::fs::read_to_string(fixture(name)).expect(name));
    }
    for image in ["webapp", "firelens"] {
        std::fs::copy(testbed.busybox(), project.path(&format!("{image}/busybox"))).unwrap();
    }
    let routes = project.read("firelens/routes.conf").replace("library", unique);
    project.file("webapp/index.html", unique).file("firelens/routes.conf", &routes)
}

/// The same sources as those of another commit, in a build of its own.
fn next(project: Project, number: u32) -> Project {
    let commit = format!("{number}{}", &COMMIT[1..]);
    project
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", &commit)
        .variable("CODEBUILD_BUILD_ID", &format!("library:build-{number}"))
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

/// All files of a folder, and what is in them.
fn files_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The tags that are not shipspec's own.
fn tags(repository: &TestRepository) -> Vec<String> {
    repository.tags().into_keys().filter(|tag| !tag.starts_with("shipspec-")).collect()
}

/// What decides how an image runs. Builders differ in how they write that there is nothing.
fn image(repository: &TestRepository) -> Value {
    let mut image = repository.image_config(EIGHT);
    let nothing = [json!(""), json!([]), json!({})];
    let config = ["Cmd", "Entrypoint", "Env", "ExposedPorts", "User", "WorkingDir"].map(|name| {
        let value = image["config"][name].take();
        (name.to_owned(), if nothing.contains(&value) { Value::Null } else { value })
    });
    json!({
        "architecture": image["architecture"],
        "os": image["os"],
        "config": serde_json::Map::from_iter(config),
        "layers": image["rootfs"]["diff_ids"],
    })
}

fn left(repositories: &Repositories) -> [(Vec<String>, Value); 2] {
    [&repositories.webapp, &repositories.logrouter]
        .map(|repository| (tags(repository), image(repository)))
}

/// Lets the pipeline's Deploy action take what the build left; gives what it registers.
fn deploy(testbed: &Testbed, project: &Project, buildspec: &str) -> Value {
    let buildspec = Buildspec::read(&fixture(buildspec)).unwrap();
    let outputs = ["Definitions", "WebappImage", "LogrouterImage"];
    let artifacts = buildspec.upload(project.folder(), &outputs).unwrap();
    let configuration = json!({
        "ApplicationName": "library",
        "DeploymentGroupName": "library",
        "TaskDefinitionTemplateArtifact": "Definitions",
        "AppSpecTemplateArtifact": "Definitions",
        "AppSpecTemplatePath": "appspec.yml",
        "Image1ArtifactName": "WebappImage",
        "Image1ContainerName": "IMAGE1_NAME",
        "Image2ArtifactName": "LogrouterImage",
        "Image2ContainerName": "IMAGE2_NAME",
    });
    let ecs = Ecs::new(testbed, ACCOUNT);
    let deployed = blue_green(&ecs, &artifacts, &configuration).unwrap();
    assert_eq!(ecs.pull(&deployed.revision).unwrap().len(), 2);
    definition_of(&deployed.revision)
}

/// The stage that deploys, as the guide has it for CodePipeline.
fn stage_of_the_guide() -> Value {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/skip-deploy.md");
    let text = std::fs::read_to_string(guide).unwrap();
    let (_, json) = text.split_once("```json\n").unwrap();
    let pipeline: Value = serde_json::from_str(json.split_once("```").unwrap().0).unwrap();
    let stages = pipeline["pipeline"]["stages"].as_array().unwrap();
    stages.iter().find(|stage| stage["name"] == "Deploy").unwrap().clone()
}

/// Runs the build phase as CodeBuild does; tells what then becomes of the stage that deploys.
fn entry_after_build(project: Project) -> (Project, Entry) {
    let buildspec = Buildspec::read(&fixture("buildspec.yml")).unwrap();
    let mut shell = Command::new("bash");
    shell.current_dir(project.folder()).env_clear();
    for (name, value) in project.command(&[]).get_envs() {
        shell.env(name, value.unwrap());
    }
    let tool = Path::new(env!("CARGO_BIN_EXE_shipspec")).parent().unwrap();
    shell.env("PATH", format!("{}:/usr/bin:/bin", tool.display()));
    let environment = environment_after(shell, &buildspec.script("build")).unwrap();
    let variables = buildspec.exported(&environment).unwrap();
    assert_eq!(variables.len(), 2, "{variables:?}");
    let namespaces = [("BuildVariables".to_owned(), variables)].into();
    (project, entry(&stage_of_the_guide(), &namespaces).unwrap())
}

fn report(project: &Project) -> Value {
    let told = project.run(&["run", "--output", "json"]).success();
    serde_json::from_str(&told.stdout).unwrap()
}

#[test]
#[ignore = "needs the testbed"]
fn shipspec_leaves_what_the_shell_left_in_one_project_or_in_two() {
    let testbed = Testbed::current();
    let unique = testbed.unique("firelens");
    let repositories = Repositories::create(&testbed, &unique);
    let before = checkout(&testbed, &repositories, &unique);
    shell(&before).success();
    let (files, images) = (files_below(before.folder()), left(&repositories));
    let registered = deploy(&testbed, &before, "before/buildspec.yml");
    assert_eq!(images.each_ref().map(|(tags, _)| tags.as_slice()), [[EIGHT], [EIGHT]]);
    assert_eq!(files.len(), SOURCES.len() + 2 + DETAILS.len(), "{:?}", files.keys());
    for (path, name) in DETAILS.iter().zip(["webapp", "logrouter"]) {
        let repository =
            format!("{ACCOUNT}.dkr.ecr.{PRIMARY_REGION}.amazonaws.com/{unique}/{name}");
        let detail = format!("{{\"ImageURI\":\"{repository}:{EIGHT}\"}}");
        assert_eq!(before.read(path), detail);
    }
    repositories.delete();

    let repositories = Repositories::create(&testbed, &unique);
    let after = checkout(&testbed, &repositories, &unique);
    after.run(&["run"]).success();
    assert_eq!(files_below(after.folder()), files);
    assert_eq!(left(&repositories), images);
    assert_eq!(deploy(&testbed, &after, "buildspec.yml"), registered);
    let image = format!("{ACCOUNT}.dkr.ecr.{PRIMARY_REGION}.amazonaws.com/{unique}/webapp:{EIGHT}");
    assert_eq!(registered["containerDefinitions"][0]["image"], image);
    repositories.delete();

    // Each of two projects writes its own file; together they write what one run writes.
    let repositories = Repositories::create(&testbed, &unique);
    let mut both = BTreeMap::new();
    for (name, own, other) in
        [("webapp", DETAILS[0], DETAILS[1]), ("logrouter", DETAILS[1], DETAILS[0])]
    {
        let project = checkout(&testbed, &repositories, &unique);
        project.run(&["run", "--only", name]).success();
        assert!(project.has(own) && !project.has(other), "{name}");
        both.extend(files_below(project.folder()));
    }
    assert_eq!(both, files);
    assert_eq!(left(&repositories), images);
}

#[test]
#[ignore = "needs the testbed"]
fn only_what_changed_is_built_and_nothing_new_is_told() {
    let testbed = Testbed::current();
    let unique = testbed.unique("firelens-next");
    let repositories = Repositories::create(&testbed, &unique);
    let project = next(checkout(&testbed, &repositories, &unique), 1);
    let (project, deployment) = entry_after_build(project);
    assert_eq!(deployment, Entry::Entered);

    let project = next(project.file("webapp/index.html", &format!("{unique} again")), 2);
    let told = project.run(&["run"]).success();
    assert!(told.stderr.contains("webapp: building"), "{told}");
    assert!(told.stderr.contains("logrouter: reused"), "{told}");
    assert!(!told.stderr.contains("logrouter: building"), "{told}");
    assert_eq!(tags(&repositories.logrouter), ["11234567", "21234567"]);
    let digests = repositories.logrouter.tags();
    assert_eq!(digests["11234567"], digests["21234567"]);
    let digests = repositories.webapp.tags();
    assert_ne!(digests["11234567"], digests["21234567"]);

    // Another commit with nothing new in it needs no engine, and its tag makes no difference.
    let project = next(project, 3).variable("DOCKER_HOST", "unix:///nowhere.sock");
    let same = report(&project);
    assert_eq!(same["changed"], false, "{same}");
    assert_eq!([&same["images"][0]["reused"], &same["images"][1]["reused"]], [true, true]);
    assert!(project.read(DETAILS[0]).ends_with("/webapp:31234567\"}"));
    let (_, deployment) = entry_after_build(next(project, 4));
    assert_eq!(deployment, Entry::Skipped);
}

#[test]
fn the_definitions_have_a_place_for_each_image_and_nothing_is_found_in_them() {
    let project = Project::new()
        .variable("ACCOUNT_ID", ACCOUNT)
        .variable("AWS_DEFAULT_REGION", PRIMARY_REGION)
        .variable("REPOSITORY_NAME", "library");
    let project = SOURCES.iter().fold(project, |project, name| {
        project.file(name, &std::fs::read_to_string(fixture(name)).expect(name))
    });
    let told = project.run(&["check", "--fail-on", "note", "--output", "json"]).success();
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["findings"], json!([]));
    let definition: Value = serde_json::from_str(&project.read("taskdef.json")).unwrap();
    let containers = definition["containerDefinitions"].as_array().unwrap();
    let images: Vec<_> = containers.iter().map(|container| &container["image"]).collect();
    assert_eq!(images, ["<IMAGE1_NAME>", "<IMAGE2_NAME>"]);
}
