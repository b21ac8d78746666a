//! The pipeline in `fixtures/pipelines/codedeploy-blue-green`: what its shell did and what
//! shipspec does, compared; and what shipspec asks for on the way.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::{COMMIT, Project, SHORT};
use serde_json::{Value, json};
use shipspec_testbed::pipeline::{Buildspec, Ecs, blue_green, definition_of};
use shipspec_testbed::{PRIMARY_ACCOUNT, Role, TestRepository, Testbed};

/// What the role of such a pipeline is allowed of ECR.
const TWELVE: [&str; 12] = [
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:GetRepositoryPolicy",
    "ecr:DescribeRepositories",
    "ecr:ListImages",
    "ecr:DescribeImages",
    "ecr:BatchGetImage",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
];

/// Those of them that change something.
const WRITES: [&str; 4] =
    ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"];

/// The files of the repository that is built.
const SOURCES: [&str; 6] = [
    "Dockerfile",
    ".dockerignore",
    "taskdef_template.json",
    "appspec_template.yaml",
    "shipspec.yml",
    "buildspec.yml",
];

/// What the build makes for the Deploy action.
const ARTIFACTS: [&str; 2] = ["taskdef.json", "appspec.yaml"];

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/pipelines/codedeploy-blue-green")
        .join(path)
}

/// A checkout of the pipeline's repository, without any environment of CodeBuild's.
///
/// The page names the test, so that no other test has its layer.
fn checkout(testbed: &Testbed, page: &str) -> Project {
    let project = Project::in_testbed(testbed).file("index.html", page);
    for name in SOURCES {
        std::fs::copy(fixture(name), project.path(name)).expect(name);
    }
    std::fs::copy(testbed.busybox(), project.path("busybox")).expect("busybox");
    project
}

/// The environment that CodeBuild and its project give the build.
fn in_codebuild(project: Project, role: &Role, repository: &TestRepository) -> Project {
    project
        .role(role)
        .repository(repository)
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .variable("TASK_FAMILY", "shop-web")
        .variable("EXECUTION_ROLE_ARN", "arn:aws:iam::111111111111:role/shop-web-execution")
        .variable("CONTAINER_NAME", "web")
}

/// What one build has left behind.
#[derive(Debug, PartialEq)]
struct Left {
    artifacts: BTreeMap<&'static str, String>,
    /// Files that are neither sources nor artifacts.
    other_files: BTreeSet<String>,
    tags: BTreeSet<String>,
    image: Value,
    /// The task definition that the Deploy action registers from it.
    registered: Value,
    /// The AppSpec that it hands to CodeDeploy, but for the number of the revision.
    appspec: Value,
}

impl Left {
    fn of(project: &Project, repository: &TestRepository, testbed: &Testbed, spec: &str) -> Self {
        let (registered, appspec) = deploy(testbed, project, spec);
        let tags = repository.tags();
        let images: BTreeSet<_> =
            tags.iter().filter(|(tag, _)| !is_own(tag)).map(|(_, digest)| digest).collect();
        assert_eq!(images.len(), 1, "all tags name one image: {tags:?}");
        let known = |name: &String| {
            let name = name.as_str();
            SOURCES.contains(&name)
                || ARTIFACTS.contains(&name)
                || ["busybox", "index.html"].contains(&name)
        };
        let files = std::fs::read_dir(project.folder()).expect("the folder");
        let files =
            files.map(|entry| entry.expect("a file").file_name().into_string().expect("UTF-8"));
        Self {
            artifacts: ARTIFACTS.map(|name| (name, project.read(name))).into(),
            other_files: files.filter(|name| !known(name)).collect(),
            tags: tags.keys().filter(|tag| !is_own(tag)).cloned().collect(),
            image: image_of(repository),
            registered,
            appspec,
        }
    }
}

/// Lets the pipeline's Deploy action take what the build left.
fn deploy(testbed: &Testbed, project: &Project, buildspec: &str) -> (Value, Value) {
    let buildspec = Buildspec::read(&fixture(buildspec)).expect("a buildspec");
    let artifacts = buildspec.upload(project.folder(), &["BuildArtifact"]).expect("artifacts");
    assert_eq!(artifacts[0].paths(), ["appspec.yaml", "taskdef.json"]);
    let ecs = Ecs::new(testbed, PRIMARY_ACCOUNT);
    let configuration = json!({
        "ApplicationName": "shop-web",
        "DeploymentGroupName": "shop-web",
        "TaskDefinitionTemplateArtifact": "BuildArtifact",
        "AppSpecTemplateArtifact": "BuildArtifact",
    });
    let deployed = blue_green(&ecs, &artifacts, &configuration).expect("deployed");
    ecs.pull(&deployed.revision).expect("the image is there");
    let mut appspec = deployed.appspec;
    let definition = &mut appspec["Resources"][0]["TargetService"]["Properties"]["TaskDefinition"];
    assert_eq!(definition.take(), deployed.revision["taskDefinitionArn"]);
    (definition_of(&deployed.revision), appspec)
}

fn is_own(tag: &str) -> bool {
    tag.starts_with("shipspec-")
}

/// What decides how the image runs. Times and history differ between two runs of the same shell,
/// and labels may be shipspec's own.
fn image_of(repository: &TestRepository) -> Value {
    let mut image = repository.image_config(SHORT);
    let config = ["Cmd", "Entrypoint", "Env", "ExposedPorts", "User", "WorkingDir"]
        .map(|name| (name.to_owned(), without_nothing(image["config"][name].take())));
    json!({
        "architecture": image["architecture"],
        "os": image["os"],
        "config": serde_json::Map::from_iter(config),
        "layers": image["rootfs"]["diff_ids"],
    })
}

/// Builders differ in how they write that there is nothing, which means the same.
fn without_nothing(value: Value) -> Value {
    if value == json!("") || value == json!([]) || value == json!({}) { Value::Null } else { value }
}

/// Runs another program with the environment of a project; gives its output.
fn run(project: &Project, program: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(project.folder()).env_clear();
    for (name, value) in project.command(&[]).get_envs() {
        command.env(name, value.expect("a value"));
    }
    let outcome = project.outcome(&command.output().expect("it starts")).success();
    outcome.stdout + &outcome.stderr
}

fn docker(project: &Project, arguments: &[&str]) -> String {
    run(project, Path::new("docker"), arguments)
}

#[test]
#[ignore = "needs the testbed"]
fn shipspec_leaves_what_the_shell_left() {
    let testbed = Testbed::current();
    let page = format!("<h1>{}</h1>\n", testbed.unique("before"));

    let repository = testbed.repository("blue-green");
    let before = in_codebuild(checkout(&testbed, &page), &testbed.role(&TWELVE), &repository);
    let buildspec = fixture("before/buildspec.yml").display().to_string();
    run(&before, &fixture("../run-shell"), &[&buildspec]);
    let shell = Left::of(&before, &repository, &testbed, "before/buildspec.yml");
    repository.delete();

    // The name must be the same, for it stands in the task definition.
    let repository = testbed.repository_builder("").name(repository.name()).create();
    let after = in_codebuild(checkout(&testbed, &page), &testbed.role(&TWELVE), &repository);
    after.run(&["run"]).success();
    let shipspec = Left::of(&after, &repository, &testbed, "buildspec.yml");

    assert_eq!(shipspec, shell);
    assert_eq!(shell.other_files, BTreeSet::new());
    assert_eq!(shell.tags, BTreeSet::from([SHORT.to_owned(), "latest".to_owned()]));
    assert!(shell.artifacts["taskdef.json"].contains(&format!("{}:{SHORT}", repository.uri())));
    assert!(shell.artifacts["appspec.yaml"].contains("TaskDefinition: <TASK_DEFINITION>\n"));
    let container = &shell.registered["containerDefinitions"][0];
    assert_eq!(container["image"], format!("{}:{SHORT}", repository.uri()));
    assert_eq!(shell.registered["family"], "shop-web");
}

#[test]
#[ignore = "needs the testbed"]
fn the_pushed_image_serves_its_page() {
    let testbed = Testbed::current();
    let page = format!("<h1>{}</h1>\n", testbed.unique("serves"));
    let repository = testbed.repository("serves");
    let role = testbed.role(&TWELVE);
    let project = in_codebuild(checkout(&testbed, &page), &role, &repository);
    project.run(&["run"]).success();

    // Nothing of the build may be left in the engine that a pull could find.
    let image = format!("{}:{SHORT}", repository.uri());
    let left = docker(&project, &["images", "-q", "--no-trunc", &repository.uri()]);
    for id in left.lines().collect::<BTreeSet<_>>() {
        docker(&project, &["rmi", "--force", id]);
    }
    let login = format!(
        "aws ecr get-login-password | docker login --username AWS --password-stdin {}",
        repository.registry()
    );
    run(&project, Path::new("sh"), &["-ec", &login]);
    let pulled = docker(&project, &["pull", &image]);
    assert!(pulled.contains("Downloaded newer image"), "{pulled}");

    let container = docker(&project, &["run", "--detach", "--publish", "127.0.0.1::80", &image]);
    let container = Container { project: &project, id: container.trim().to_owned() };
    let address = docker(&project, &["port", &container.id, "80/tcp"]);
    assert_eq!(fetch(address.trim()), page);
}

/// A container that ends with the test.
struct Container<'a> {
    project: &'a Project,
    id: String,
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        docker(self.project, &["rm", "--force", &self.id]);
    }
}

/// The page at an address, once something listens there.
fn fetch(address: &str) -> String {
    use std::io::{Read as _, Write as _};

    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(50));
        let Ok(mut stream) = std::net::TcpStream::connect(address) else { continue };
        let (mut answer, request) = (String::new(), b"GET / HTTP/1.0\r\n\r\n");
        // The engine listens a moment before the server in the container does.
        if stream.write_all(request).is_ok()
            && stream.read_to_string(&mut answer).is_ok()
            && let Some((head, body)) = answer.split_once("\r\n\r\n")
        {
            assert_eq!(head.split(' ').nth(1), Some("200"), "{head}");
            return body.to_owned();
        }
    }
    panic!("nothing serves at {address}");
}

#[test]
#[ignore = "needs the testbed"]
fn twelve_actions_of_ecr_are_enough_and_nothing_else_is_asked() {
    let testbed = Testbed::current();
    let page = format!("<h1>{}</h1>\n", testbed.unique("actions"));
    let repository = testbed.repository("actions");
    let role = testbed.role(&TWELVE);
    let project = in_codebuild(checkout(&testbed, &page), &role, &repository);
    for arguments in [&["run"][..], &["build"], &["push"], &["render"], &["run"]] {
        project.run(arguments).success();
    }

    let requests = role.requests();
    let asked: BTreeSet<_> = requests.iter().map(|request| request.action.as_str()).collect();
    let other: Vec<_> = asked.iter().filter(|action| !TWELVE.contains(*action)).collect();
    // The registry's front page needs no action.
    assert!(other.is_empty() || other == [&""], "{other:?}");
    assert!(asked.contains("ecr:PutImage"), "{asked:?}");
    let refused: Vec<_> = requests.iter().filter(|request| request.status == 403).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    // Nobody else did the work.
    let others: Vec<_> = repository
        .requests()
        .into_iter()
        .filter(|request| request.access_key.as_deref() != Some(role.access_key()))
        .filter(|request| request.status != 401)
        .collect();
    assert!(others.is_empty(), "{others:#?}");
    // No token was left behind in a `.docker/config.json`, as `docker login` leaves it.
    let command = project.command(&[]);
    let home = command.get_envs().find(|(name, _)| *name == "HOME");
    let home = home.and_then(|(_, folder)| folder).expect("a folder");
    assert_eq!(std::fs::read_dir(home).expect("it is there").count(), 0);
}

#[test]
#[ignore = "needs the testbed"]
fn the_first_push_from_a_laptop_needs_flags_alone_and_can_be_repeated() {
    let testbed = Testbed::current();
    let page = format!("<h1>{}</h1>\n", testbed.unique("laptop"));
    let repository = testbed.repository("laptop");
    let role = testbed.role(&TWELVE);
    let application = checkout(&testbed, &page);
    std::fs::remove_file(application.path("shipspec.yml")).expect("it was there");

    // Terraform runs its commands in its own folder, and gives none of CodeBuild's variables. The
    // region stands in the repository's name alone.
    let mut terraform = Project::new();
    for (name, value) in testbed.environment_of(&role) {
        if !["AWS_REGION", "AWS_DEFAULT_REGION"].contains(&&*name) {
            terraform = terraform.variable(&name, &value);
        }
    }
    let (context, uri) = (application.folder().display().to_string(), repository.uri());
    let push = ["run", "--context", &context, "--repository", &uri, "--tag", "latest"];
    terraform.run(&push).success();
    let tags = repository.tags();
    let names: Vec<_> = tags.keys().filter(|tag| !is_own(tag)).collect();
    assert_eq!(names, ["latest"]);
    assert_eq!(std::fs::read_dir(terraform.folder()).expect("the folder").count(), 0);

    let first = repository.requests().len();
    terraform.run(&push).success();
    let again = &repository.requests()[first..];
    let writes: Vec<_> =
        again.iter().filter(|request| WRITES.contains(&&*request.action)).collect();
    let is_record = |path: &str| path.contains("/manifests/shipspec-release-");
    let only_records = writes.iter().all(|request| is_record(&request.path));
    assert!(only_records, "nothing is uploaded again: {writes:#?}");
    assert_eq!(repository.tags()["latest"], tags["latest"]);
}
