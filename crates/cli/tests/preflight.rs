//! What is found before anything is built: `run`, `doctor`, `plan`, `policy`.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::{Project, SHORT};
use insta::assert_snapshot;
use serde_json::Value;
use shipspec_testbed::{Mutability, TestRepository, Testbed};

const SHIPSPEC: &str = r#"version: 1
images:
  app:
    repository: ${REPOSITORY_URL}
    tags: ["${IMAGE_TAG}", latest]
artifacts:
  taskdef.json: taskdef_template.json
  pinned.json: { json: { image: "${images.app.pinned}" } }
"#;

fn project(testbed: &Testbed, repository: &TestRepository) -> Project {
    Project::in_testbed(testbed)
        .repository(repository)
        .dockerfile(testbed, "CMD [\"true\"]")
        .variable("FAMILY", "web")
        .file("taskdef_template.json", "{\"family\": \"$FAMILY\", \"containerDefinitions\": [{\"name\": \"web\", \"image\": \"${IMAGE_URI}\", \"memory\": 64}]}\n")
        .file("shipspec.yml", SHIPSPEC)
}

#[test]
#[ignore = "needs the testbed"]
fn everything_that_is_wrong_is_told_in_one_go_and_nothing_is_built() {
    let testbed = Testbed::current();
    let repository = testbed.repository_builder("nothing").missing();
    let project = project(&testbed, &repository)
        .without("FAMILY")
        .variable("DOCKER_HOST", "unix:///nowhere.sock")
        .file("shipspec.yml", &format!("{SHIPSPEC}parameters: {{ A: \"ssm:/none/a\" }}\n"));
    let outcome = project.run(&["run", "--docker-wait", "0"]);
    assert_snapshot!(outcome, @r#"
    exit: 2
    --- stdout
    --- stderr
    error: no Docker engine answers at `unix:///nowhere.sock`: there is no such socket
      hint: start Docker (`shipspec daemon ensure`), or set DOCKER_HOST; in CodeBuild, the project needs privileged mode
    error: parameters not found in ap-northeast-1: `ssm:/none/a`
      hint: check the names, the account and the region (`AWS_REGION`)
    error: `FAMILY` has no value
     --> taskdef_template.json:1:13
      |
    1 | {"family": "$FAMILY", "containerDefinitions": [{"name": "web", "image": "${IMAGE_URI}", "memory": 64}]}
      |             ^^^^^^^
      |
      = hint: set `FAMILY` in the environment or under `variables:`; to keep the text itself, write `$$FAMILY`
    error: the repository `[uri]` does not exist
      hint: create it: aws ecr create-repository --repository-name [repository] --region ap-northeast-1
    "#);
}

#[test]
#[ignore = "needs the testbed"]
fn what_may_not_be_asked_is_not_checked_and_the_run_goes_on() {
    let testbed = Testbed::current();
    let repository = testbed.repository("unasked");
    let role = testbed.role_without(&["ecr:DescribeRepositories"]);
    let project = project(&testbed, &repository).role(&role);
    let outcome = project.run(&["run"]).success();
    assert!(outcome.stderr.contains("not checked: tag mutability of [uri]"), "{outcome}");
    assert!(outcome.stderr.contains("ecr:DescribeRepositories"), "{outcome}");
    assert!(repository.tags().contains_key(SHORT));
}

/// What the build role of a usual pipeline may do in ECR.
const USUAL_ACTIONS: [&str; 12] = [
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

#[test]
#[ignore = "needs the testbed"]
fn doctor_tells_each_denied_permission_or_that_it_did_not_check_it() {
    let testbed = Testbed::current();
    for action in USUAL_ACTIONS {
        let repository = testbed.repository("doctor");
        let project = project(&testbed, &repository).role(&testbed.role_without(&[action]));
        let outcome = project.run(&["doctor"]);
        match action {
            "ecr:GetAuthorizationToken" | "ecr:BatchGetImage" => {
                assert_eq!(outcome.code, 4, "{action}: {outcome}");
                assert!(outcome.stderr.contains("failed       repository [uri]"), "{outcome}");
                assert!(outcome.stderr.contains(&format!("hint: allow `{action}`")), "{outcome}");
            }
            "ecr:DescribeRepositories" => {
                assert_eq!(outcome.code, 0, "{action}: {outcome}");
                assert!(
                    outcome.stderr.contains("not checked  tag mutability of [uri]"),
                    "{outcome}"
                );
            }
            _ => {
                assert_eq!(outcome.code, 0, "{action}: {outcome}");
                assert!(outcome.stderr.contains("not checked  push to [uri]"), "{outcome}");
            }
        }
    }
}

#[test]
#[ignore = "needs the testbed"]
fn doctor_tells_parameters_that_may_not_be_read() {
    let testbed = Testbed::current();
    let repository = testbed.repository("doctor");
    let project = project(&testbed, &repository)
        .role(&testbed.role_without(&["ssm:GetParameters"]))
        .file("shipspec.yml", &format!("{SHIPSPEC}parameters: {{ A: \"ssm:/none/a\" }}\n"));
    let outcome = project.run(&["doctor"]).failure(3);
    assert!(outcome.stderr.contains("failed       parameters"), "{outcome}");
    assert!(outcome.stderr.contains("hint: allow `ssm:GetParameters`"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn a_moving_tag_in_an_immutable_repository_is_found_before_the_build() {
    let testbed = Testbed::current();
    let repository = testbed.repository_builder("moving").immutable().create();
    let project = project(&testbed, &repository);
    let first = project.run(&["run"]).success();
    assert!(first.stderr.contains("only the first run can put it"), "{first}");
    let second = project.run(&["run"]).failure(4);
    assert!(second.stderr.contains("the tag `latest` of `[uri]` cannot be moved"), "{second}");
    assert!(!second.stderr.contains("building"), "{second}");
    repository.set_mutability(Mutability::ImmutableWithExclusion, &["latest"]);
    project.run(&["run"]).success();
}

#[test]
#[ignore = "needs the testbed"]
fn doctor_shows_every_name_with_its_source_and_no_secret() {
    let testbed = Testbed::current();
    let repository = testbed.repository("names");
    let name = format!("/{}", testbed.unique("password"));
    testbed.put_parameter(&name, "SecureString", "hunter2-canary");
    let more = format!(
        "parameters: {{ PASSWORD: \"ssm:{name}\" }}\nvariables: {{ STAGE: \"${{STAGE:-dev}}\" }}\n"
    );
    let project = project(&testbed, &repository).file("shipspec.yml", &format!("{SHIPSPEC}{more}"));
    let outcome = project.run(&["doctor"]).success();
    assert!(!outcome.to_string().contains("hunter2"), "{outcome}");
    let line = |name: &str| {
        let line = outcome.stderr.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("{name}: {outcome}"))
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(line("PASSWORD"), format!("PASSWORD **** ssm:{name}"));
    assert_eq!(line("STAGE"), "STAGE \"dev\" shipspec.yml:10:21");
    assert_eq!(line("FAMILY"), "FAMILY \"web\" the environment");
    assert_eq!(line("COMMIT_HASH"), format!("COMMIT_HASH \"{SHORT}\" made by shipspec"));
    assert!(
        line("images.app.pinned").ends_with("is not known before the registry has taken the image")
    );
}

#[test]
#[ignore = "needs the testbed"]
fn plan_shows_what_run_does_and_changes_nothing() {
    let testbed = Testbed::current();
    let repository = testbed.repository("plan");
    let engine = testbed.watched_engine();
    let project = project(&testbed, &repository).variable("DOCKER_HOST", &engine.docker_host());
    assert_snapshot!(project.run(&["plan"]), @r#"
    exit: 0
    --- stdout
    commit 0123456789abcdef0123456789abcdef01234567, tag 0123456

    image app: build for linux/amd64; not reused, because its registry holds none that is made from the same
      tag [uri]:0123456
      tag [uri]:latest (moving)

    artifact taskdef.json
      | {"family": "web", "containerDefinitions": [{"name": "web", "image": "[uri]:0123456", "memory": 64}]}

    artifact pinned.json
      | {"image":"[uri]@sha256:(known after the push)"}
    --- stderr
    "#);
    assert!(engine.requests().is_empty());
    let is_read = |kind: &str| kind == "manifest-get" || kind.ends_with("BatchGetImage");
    assert!(repository.requests().iter().all(|request| is_read(&request.kind)));
    assert!(!project.has("taskdef.json"));
}

#[test]
fn plan_without_a_network_shows_what_is_known() {
    let project = Project::new()
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", common::COMMIT)
        .file("t.json", "{\"a\": \"$A\"}")
        .file("shipspec.yml", "version: 1\nparameters: { A: \"ssm:/a\" }\nimages: { app: { repository: r.example/app } }\nartifacts:\n  out.json: t.json\n  i.json: { image_detail: app }\n");
    assert_snapshot!(project.run(&["plan", "--offline"]), @r#"
    exit: 0
    --- stdout
    commit 0123456789abcdef0123456789abcdef01234567, tag 0123456

    image app: build for linux/amd64
      tag r.example/app:0123456

    artifact out.json
      not shown: t.json:1:8: `A` is not known before the parameters are fetched

    artifact i.json
      | {"ImageURI":"r.example/app:0123456"}
    --- stderr
    "#);
}

#[test]
#[ignore = "needs the testbed"]
fn results_are_told_as_one_json_document() {
    let testbed = Testbed::current();
    let repository = testbed.repository("json");
    let project = project(&testbed, &repository);
    let document = |arguments: &[&str]| -> Value {
        let outcome = project.run(arguments).success();
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome}"))
    };
    let run = document(&["run", "--output", "json"]);
    let digest = &repository.tags()[SHORT];
    assert_eq!(run["command"], "run");
    assert_eq!(run["images"][0]["digest"], **digest);
    assert_eq!(run["images"][0]["tags"][1]["change"], "new");
    assert_eq!(run["artifacts"][0]["path"], "taskdef.json");
    assert!(run["images"][0]["size"].as_u64().unwrap() > 100_000);
    assert_eq!(document(&["plan", "--output", "json"])["images"][0]["uri"], "[uri]:0123456");
    let built = document(&["build", "--output", "json"]);
    assert!(built["images"][0]["build_seconds"].is_number());
    let pushed = document(&["push", "--output", "json"]);
    assert_eq!(pushed["images"][0]["tags"][0]["change"], "unchanged", "{run}\n{built}\n{pushed}");

    let failed = project.without("FAMILY").run(&["run", "--output", "json"]).failure(2);
    let failed: Value = serde_json::from_str(&failed.stdout).unwrap();
    assert_eq!(failed["error"]["findings"][0]["place"], "taskdef_template.json:1:13");
}

#[test]
#[ignore = "needs the testbed"]
fn the_policy_is_enough_and_not_more_than_is_used() {
    let testbed = Testbed::current();
    let repository = testbed.repository("policy");
    let name = format!("/{}", testbed.unique("family"));
    testbed.put_parameter(&name, "String", "web");
    let shipspec = format!("{SHIPSPEC}parameters: {{ FAMILY: \"ssm:{name}\" }}\n");
    let project = project(&testbed, &repository).without("FAMILY").file("shipspec.yml", &shipspec);
    let policy: Value = serde_json::from_str(&project.run(&["policy"]).success().stdout).unwrap();
    let mut allowed = Vec::new();
    for statement in policy["Statement"].as_array().unwrap() {
        match &statement["Action"] {
            Value::String(action) => allowed.push(action.clone()),
            actions => allowed.extend(
                actions
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|action| action.as_str().unwrap().to_owned()),
            ),
        }
    }
    let allowed: Vec<_> = allowed.iter().map(String::as_str).collect();
    let role = testbed.role(&allowed);
    project.role(&role).run(&["run"]).success();
    let used: Vec<_> = role.requests().into_iter().map(|request| request.action).collect();
    // containerd sends each layer in the request that completes it.
    let unused = if testbed.has_containerd_store() { "ecr:UploadLayerPart" } else { "" };
    // Tags are listed only where the last record is not this build's.
    let unseen = ["kms:Decrypt", "ecr:ListImages", unused];
    for action in allowed.iter().filter(|action| !unseen.contains(action)) {
        assert!(used.iter().any(|used| used == action), "{action} is allowed and not used");
    }
    let resource = policy["Statement"][1]["Resource"][0].as_str().unwrap();
    assert_eq!(resource.replace("[repository]", repository.name()), repository.arn());
}

#[test]
fn a_role_that_nobody_can_ask_for_is_no_parameter() {
    let role = "arn:aws:iam::111111111111:role/web";
    let shipspec = format!(
        "version: 1\nartifacts:\n  taskdef.json:\n    json:\n      family: web\n      executionRoleArn: {role}\n      containerDefinitions: [{{ name: web, image: \"web:1\", memory: 64 }}]\n"
    );
    let project = Project::new()
        .variable("AWS_EC2_METADATA_DISABLED", "true")
        .variable("AWS_REGION", "eu-west-1")
        .file("shipspec.yml", &shipspec);
    let told = project.run(&["doctor"]).failure(3);
    assert!(told.stderr.contains("failed to ask STS: no valid AWS credentials"), "{told}");
    assert!(!told.stderr.contains("to read parameters"), "{told}");
}
