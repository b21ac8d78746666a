//! The pipeline in `fixtures/pipelines/rolling-multi-account`: what its shell did and what shipspec does, in
//! the account for development and in the one for production.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{COMMIT, Outcome, Project};
use serde_json::{Value, json};
use shipspec_testbed::pipeline::{Artifact, Ecs, definition_of, rolling};
use shipspec_testbed::{OTHER_ACCOUNT, PRIMARY_ACCOUNT, PRIMARY_REGION, TestRepository, Testbed};

const SOURCES: [&str; 6] = [
    "shipspec.yml",
    "batch_template.json",
    "web/Dockerfile",
    "web/index.html",
    "app/Dockerfile",
    "app/greeting",
];

/// The first eight digits of the commit.
const EIGHT: &str = "01234567";

/// What CodeBuild calls the source of a build from a bucket: the version of an object, and no tag.
const OBJECT_VERSION: &str = ".Kd8x_Q1v.Gm2bTzJr0sYp7LwEoN4uH";

fn fixture(path: &str) -> PathBuf {
    let folder = "../../fixtures/pipelines/rolling-multi-account";
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(path)
}

/// An account's part of the pipeline: repositories, parameters, a bucket, and a service that runs.
struct Account {
    id: &'static str,
    name: String,
    web: TestRepository,
    app: TestRepository,
}

impl Account {
    fn create(testbed: &Testbed, id: &'static str, name: &str, stage: &str) -> Self {
        let repository = |part: &str| {
            let builder = testbed.repository_builder(part).account(id);
            builder.name(&format!("{name}/{part}")).create()
        };
        let account =
            Self { id, name: name.into(), web: repository("web"), app: repository("app") };
        account.put_parameter(testbed, &format!("{stage}/queue_url"), &format!("https://{stage}"));
        let role = format!("arn:aws:iam::{id}:role/{stage}");
        account.put_parameter(testbed, &format!("{stage}/task/role_arn"), &role);
        account
    }

    fn put_parameter(&self, testbed: &Testbed, name: &str, value: &str) {
        let name = format!("/{}/{name}", self.name);
        let input = json!({ "Name": name, "Type": "String", "Value": value, "Overwrite": true });
        testbed.call_in(self.id, "ssm", PRIMARY_REGION, "AmazonSSM.PutParameter", &input);
    }

    /// The parameter that the next stage reads: its text, and how often it was written.
    fn parameter(&self, testbed: &Testbed) -> Option<(String, i64)> {
        let input = json!({ "Names": [format!("/{}/imagedefinitions", self.name)] });
        let target = "AmazonSSM.GetParameters";
        let answer = testbed.call_in(self.id, "ssm", PRIMARY_REGION, target, &input);
        let found = answer["Parameters"][0].as_object()?;
        Some((found["Value"].as_str()?.to_owned(), found["Version"].as_i64()?))
    }

    fn tags(&self) -> [Vec<String>; 2] {
        [&self.web, &self.app].map(|repository| {
            let tags = repository.tags().into_keys();
            tags.filter(|tag| !tag.starts_with("shipspec-")).collect()
        })
    }

    /// The deployable images, by what their layers hold.
    fn layers(&self, tag: &str) -> [Value; 2] {
        [&self.web, &self.app]
            .map(|repository| repository.image_config(tag)["rootfs"]["diff_ids"].take())
    }

    fn delete(self) {
        self.web.delete();
        self.app.delete();
    }
}

/// A checkout in an account, with what CodeBuild and its project give the build.
fn checkout(testbed: &Testbed, account: &Account, stage: &str) -> Project {
    let mut project = Project::new();
    for (name, value) in testbed.environment_of(&testbed.default_role(account.id)) {
        project = project.variable(&name, &value);
    }
    project = project
        .variable("AWS_DEFAULT_REGION", PRIMARY_REGION)
        .variable("AWS_REGION", PRIMARY_REGION)
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .variable("ACCOUNT_ID", account.id)
        .variable("PROJECT", &account.name)
        .variable("STAGE", stage)
        .variable("DEPLOY_BUCKET", &account.name);
    for name in SOURCES {
        project = project.file(name, &std::fs::read_to_string(fixture(name)).expect(name));
    }
    for image in ["web", "app"] {
        std::fs::copy(testbed.busybox(), project.path(&format!("{image}/busybox"))).unwrap();
    }
    // No other test has these layers.
    project.file("web/index.html", &account.name)
}

fn command(project: &Project, words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir(project.folder()).env_clear();
    for (name, value) in project.command(&[]).get_envs() {
        command.env(name, value.unwrap());
    }
    command
}

fn shell(project: &Project) -> Outcome {
    let (run, buildspec) = (fixture("../run-shell"), fixture("before/buildspec.yml"));
    let words = ["bash", run.to_str().unwrap(), buildspec.to_str().unwrap()];
    project.outcome(&command(project, &words).output().unwrap())
}

fn aws(project: &Project, words: &[&str]) -> Vec<u8> {
    let output = command(project, &[&["aws"], words].concat()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A bucket as the source of a pipeline needs it.
fn bucket(project: &Project, name: &str) {
    aws(project, &["s3", "mb", &format!("s3://{name}")]);
    let versions = "Status=Enabled";
    let words = ["s3api", "put-bucket-versioning", "--bucket", name];
    aws(project, &[&words[..], &["--versioning-configuration", versions]].concat());
}

/// The source artifact that the write to the bucket started a pipeline with.
fn source(project: &Project, bucket: &str, stage: &str) -> Artifact {
    let key = format!("s3://{bucket}/{stage}/imagedefinitions.zip");
    Artifact::from_zip("Source", aws(project, &["s3", "cp", &key, "-"]))
}

/// Lets the pipeline of the account deploy what stands in its bucket; gives what it registers.
fn deploy(testbed: &Testbed, account: &Account, project: &Project, stage: &str) -> Value {
    let ecs = Ecs::new(testbed, account.id);
    let container = |name: &str| json!({ "name": name, "image": "before", "memory": 64 });
    let first = json!({
        "family": account.name,
        "containerDefinitions": [container("web"), container("app")],
    });
    let first = ecs.register(&first).unwrap();
    ecs.create_service(&account.name, &first).unwrap();
    let configuration = json!({ "ClusterName": account.name, "ServiceName": account.name });
    let artifacts = [source(project, &account.name, stage)];
    let revision = rolling(&ecs, &artifacts, &configuration).unwrap();
    assert_eq!(ecs.pull(&revision).unwrap().len(), 2);
    definition_of(&revision)
}

/// The files that a build is for.
fn files(project: &Project) -> BTreeMap<&'static str, String> {
    ["batch.json", "imagedefinitions.json"].map(|name| (name, project.read(name))).into()
}

/// Which services shipspec asked in this account.
fn services(testbed: &Testbed, account: &Account, since: usize) -> BTreeSet<String> {
    let key = testbed.default_role(account.id).access_key().to_owned();
    let requests = testbed.requests();
    let own = requests[since..].iter().filter(|request| {
        request.access_key.as_ref() == Some(&key) && request.path.contains(&account.name)
            || request.user_agent.starts_with("shipspec/")
    });
    own.map(|request| request.service.clone()).collect()
}

#[test]
#[ignore = "needs the testbed"]
fn shipspec_leaves_what_the_shell_left_and_the_next_stage_deploys_the_same() {
    let testbed = Testbed::current();
    let name = testbed.unique("shop");
    let dev = Account::create(&testbed, PRIMARY_ACCOUNT, &name, "dev");
    let before = checkout(&testbed, &dev, "dev");
    bucket(&before, &name);
    shell(&before).success();
    let (left, layers) = (files(&before), dev.layers(EIGHT));
    let (parameter, _) = dev.parameter(&testbed).unwrap();
    assert_eq!(parameter, left["imagedefinitions.json"]);
    assert_eq!(dev.tags(), [[EIGHT], [EIGHT]]);
    let registered = deploy(&testbed, &dev, &before, "dev");
    let packed = source(&before, &name, "dev");
    dev.delete();

    let dev = Account::create(&testbed, PRIMARY_ACCOUNT, &name, "dev");
    let after = checkout(&testbed, &dev, "dev");
    let since = testbed.requests().len();
    let told = after.run(&["run"]).success();
    // The text is there from the shell, and is not written again; the zip has other times in it.
    assert!(
        told.stderr.contains(&format!("ssm:/{name}/imagedefinitions holds the same")),
        "{told}"
    );
    let object = format!("published s3://{name}/dev/imagedefinitions.zip (changed, version ");
    assert!(told.stderr.contains(&object), "{told}");
    assert_eq!(files(&after), left);
    assert_eq!(dev.layers(EIGHT), layers);
    assert_eq!(dev.tags(), [[EIGHT], [EIGHT]]);
    assert_eq!(dev.parameter(&testbed), Some((parameter, 1)));
    let published = source(&after, &name, "dev");
    assert_eq!(published.paths(), packed.paths());
    let file = "imagedefinitions.json";
    assert_eq!(published.read(file), packed.read(file));
    assert_eq!(published.zip(), std::fs::read(after.path("imagedefinitions.zip")).unwrap());
    let told = services(&testbed, &dev, since);
    assert!(
        told.is_subset(&["ecr", "registry", "layers", "ssm", "s3", "sts"].map(String::from).into()),
        "{told:?}"
    );
    assert!(told.contains("s3"), "{told:?}");
    let revision = deploy_again(&testbed, &dev, &after, "dev");
    assert_eq!(revision, registered);

    // The batch task has no service: its definition is registered, and that is all.
    let batch: Value = serde_json::from_str(&after.read("batch.json")).unwrap();
    let batch = Ecs::new(&testbed, PRIMARY_ACCOUNT).register(&batch).unwrap();
    assert_eq!(batch["containerDefinitions"][0]["environment"][0]["value"], "https://dev");

    // Again nothing is written: no version of the parameter, no version of the object, no event.
    let told = after.run(&["run"]).success();
    assert_eq!(told.stderr.matches("holds the same already").count(), 2, "{told}");
    assert_eq!(dev.parameter(&testbed).unwrap().1, 1);
}

/// As [`deploy`], of the service that runs.
fn deploy_again(testbed: &Testbed, account: &Account, project: &Project, stage: &str) -> Value {
    let ecs = Ecs::new(testbed, account.id);
    let configuration = json!({ "ClusterName": account.name, "ServiceName": account.name });
    let artifacts = [source(project, &account.name, stage)];
    let revision = rolling(&ecs, &artifacts, &configuration).unwrap();
    assert_eq!(ecs.pull(&revision).unwrap().len(), 2);
    definition_of(&revision)
}

#[test]
#[ignore = "needs the testbed"]
fn where_the_tests_fail_nothing_is_published() {
    let testbed = Testbed::current();
    let name = testbed.unique("shop-broken");
    let dev = Account::create(&testbed, PRIMARY_ACCOUNT, &name, "dev");
    let project = checkout(&testbed, &dev, "dev").file("app/greeting", "go away\n");
    bucket(&project, &name);
    project.run(&["run"]).failure(5);
    assert_eq!(dev.tags(), [Vec::<String>::new(), Vec::new()]);
    assert_eq!(dev.parameter(&testbed), None);
    assert!(!project.has("imagedefinitions.json") && !project.has("imagedefinitions.zip"));
    let listed = aws(&project, &["s3", "ls", &format!("s3://{name}"), "--recursive"]);
    assert!(listed.is_empty(), "{}", String::from_utf8_lossy(&listed));

    // The shell tells the pipeline to deploy what its tests have refused.
    let told = shell(&project);
    assert_eq!(told.code, 1, "{told}");
    assert_eq!(dev.tags(), [[EIGHT], [EIGHT]]);
    assert!(dev.parameter(&testbed).is_some());
}

#[test]
#[ignore = "needs the testbed"]
fn production_gets_the_images_of_dev_and_a_source_without_a_commit_has_a_tag() {
    let testbed = Testbed::current();
    let name = testbed.unique("shop-two");
    let dev = Account::create(&testbed, PRIMARY_ACCOUNT, &name, "dev");
    let production = Account::create(&testbed, OTHER_ACCOUNT, &name, "prod");
    let project = checkout(&testbed, &dev, "dev");
    bucket(&project, &name);
    project.run(&["run"]).success();

    // Whoever builds in dev may push to the repositories of production: its registry has a role for it.
    let role = testbed.default_role(OTHER_ACCOUNT);
    let promoting = role
        .environment()
        .into_iter()
        .fold(project, |project, (name, value)| project.variable(&name, &value));
    let promoting = promoting.variable("PRODUCTION_ACCOUNT", OTHER_ACCOUNT);
    promoting.run(&["promote", "production"]).success();
    assert_eq!(production.tags(), [[EIGHT], [EIGHT]]);
    assert_eq!(production.web.tags()[EIGHT], dev.web.tags()[EIGHT]);
    assert_eq!(production.app.tags()[EIGHT], dev.app.tags()[EIGHT]);

    // The source of production is a bucket: its version is no tag, and an empty one there is never.
    let prod = checkout(&testbed, &production, "prod")
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", OBJECT_VERSION)
        .variable("DEPLOY_BUCKET", &format!("{name}-prod"));
    bucket(&prod, &format!("{name}-prod"));
    let told = prod.run(&["render", "--publish"]).failure(2);
    assert!(told.stderr.contains("`tag`") || told.stderr.contains("IMAGE_TAG"), "{told}");
    assert_eq!(production.parameter(&testbed), None);

    let prod = prod.variable("RELEASE", EIGHT).variable("DOCKER_HOST", "unix:///nowhere.sock");
    prod.run(&["render", "--publish"]).success();
    let definitions = prod.read("imagedefinitions.json");
    let image =
        format!("{OTHER_ACCOUNT}.dkr.ecr.{PRIMARY_REGION}.amazonaws.com/{name}/app:{EIGHT}");
    assert!(definitions.contains(&image), "{definitions}");
    assert_eq!(production.parameter(&testbed), Some((definitions, 1)));
    let batch: Value = serde_json::from_str(&prod.read("batch.json")).unwrap();
    let environment = &batch["containerDefinitions"][0]["environment"];
    assert_eq!(environment[0]["value"], "https://prod");
    let packed = source(&prod, &format!("{name}-prod"), "prod");
    assert_eq!(packed.paths(), ["imagedefinitions.json"]);
}

#[test]
fn check_finds_nothing_and_the_guide_shows_the_files_as_they_are() {
    let project = Project::new()
        .variable("ACCOUNT_ID", PRIMARY_ACCOUNT)
        .variable("AWS_DEFAULT_REGION", PRIMARY_REGION)
        .variable("PROJECT", "shop")
        .variable("STAGE", "dev")
        .variable("DEPLOY_BUCKET", "shop-artifacts");
    let names = SOURCES.iter().chain(&["buildspec.yml", "buildspec-production.yml"]);
    let project = names.fold(project, |project, name| {
        project.file(name, &std::fs::read_to_string(fixture(name)).expect(name))
    });
    let told = project.run(&["check", "--fail-on", "note", "--output", "json"]).success();
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["findings"], json!([]));

    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/pipeline-rolling.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let lines: BTreeSet<_> = guide.lines().collect();
    let text = project.read("shipspec.yml");
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        assert!(lines.contains(line), "the guide does not have `{line}`");
    }
}
