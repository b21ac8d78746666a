//! What ECS runs beside what was rendered, and what `doctor` finds in AWS.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::Project;
use common::ecs::{Deployed, SHIPSPEC};
use insta::assert_snapshot;
use serde_json::{Value, json};
use shipspec_testbed::{Fault, PRIMARY_ACCOUNT, PRIMARY_REGION};

fn running_container() -> Value {
    json!({
        "name": "web", "image": "web:1",
        "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
        "environment": [
            {"name": "STAGE", "value": "prod"}, {"name": "DB_PASSWORD", "value": "hunter2"},
        ],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "/ecs/web", "awslogs-region": PRIMARY_REGION},
        },
    })
}

fn rendered_container() -> Value {
    json!({
        "name": "web", "image": "web:2", "portMappings": [{"containerPort": 80}],
        "environment": [
            {"name": "DB_PASSWORD", "value": "hunter3"}, {"name": "PORT", "value": "80"},
        ],
    })
}

#[test]
#[ignore = "needs the testbed"]
fn what_is_lost_is_told_first_and_no_secret_is_shown() {
    let deployed = Deployed::new();
    deployed.register(&json!([running_container()]));
    let project = deployed.project(&json!([rendered_container()]));
    assert_snapshot!(project.run(&["diff"]), @r#"
    exit: 0
    --- stdout
    taskdef.json: compared with [shop]:1 (the family `[shop]`)
    lost     containerDefinitions[web].environment[STAGE]
             - "prod"
    lost     containerDefinitions[web].logConfiguration
             - {
             -   "logDriver": "awslogs",
             -   "options": {
             -     "awslogs-group": "/ecs/web",
             -     "awslogs-region": "ap-northeast-1"
             -   }
             - }
    lost     executionRoleArn
             - "arn:aws:iam::111111111111:role/[shop]"
    changed  containerDefinitions[web].image
             - "web:1"
             + "web:2"
    changed  containerDefinitions[web].environment[DB_PASSWORD]
             - "****"
             + "****"
    changed  cpu
             - "256"
             + "512"
    changed  memory
             - "512"
             + "1024"
    added    containerDefinitions[web].environment[PORT]
             + "80"
    --- stderr
    "#);
    for (fail_on, code) in [("loss", 6), ("change", 6)] {
        let outcome = project.run(&["diff", "--fail-on", fail_on]).failure(code);
        assert!(outcome.stdout.contains("lost     executionRoleArn"), "{outcome}");
    }
    let told = project.run(&["diff", "--output", "json", "--fail-on", "loss"]).failure(6);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let comparison = &told["comparisons"][0];
    assert_eq!(comparison["compared"], true);
    assert_eq!(comparison["lost"][0]["path"], "containerDefinitions[web].environment[STAGE]");
    assert!(!told.to_string().contains("hunter"), "{told}");
    assert_eq!(told["error"]["exit_code"], 6);
}

#[test]
#[ignore = "needs the testbed"]
fn the_same_is_no_difference_and_a_new_family_is_all_new() {
    let deployed = Deployed::new();
    let mut container = running_container();
    let project = deployed.project(&json!([container]));
    let first = project.run(&["diff", "--fail-on", "loss"]).success();
    assert!(first.stdout.contains("the family `[shop]` has no revision yet"), "{first}");
    assert!(first.stdout.contains("added    containerDefinitions"), "{first}");
    container["portMappings"][0]["hostPort"] = json!(80);
    let input = json!({
        "family": deployed.name, "networkMode": "awsvpc", "cpu": "512", "memory": "1024",
        "requiresCompatibilities": ["FARGATE"], "containerDefinitions": [container],
    });
    deployed.ecs("RegisterTaskDefinition", &input);
    let same = project.run(&["diff", "--fail-on", "change"]).success();
    assert_eq!(
        same.stdout,
        "taskdef.json: compared with [shop]:1 (the family `[shop]`)\nno difference\n"
    );
}

#[test]
#[ignore = "needs the testbed"]
fn a_service_is_compared_with_the_revision_that_it_runs() {
    let deployed = Deployed::new();
    deployed.register(&json!([rendered_container()]));
    deployed.serve();
    // A newer revision that the service does not run.
    deployed.register(&json!([running_container()]));
    let project = deployed.project(&json!([rendered_container()]));
    let name = &deployed.name;
    let outcome = project.run(&["diff", "--service", &format!("{name}/{name}")]).success();
    assert!(outcome.stdout.contains("compared with [shop]:1"), "{outcome}");
    assert!(!outcome.stdout.contains("logConfiguration"), "{outcome}");
    let service = deployed.service();
    let project = project.file("shipspec.yml", &format!("{SHIPSPEC}{service}"));
    let outcome = project.run(&["diff"]).success();
    assert!(outcome.stdout.contains("(the service `[shop]/[shop]`)"), "{outcome}");
    let wrong = service.replace(&format!("name: {name}"), &format!("name: {name}x"));
    let project = project.file("shipspec.yml", &format!("{SHIPSPEC}{wrong}"));
    let outcome = project.run(&["diff", "--fail-on", "loss"]).failure(3);
    assert!(outcome.stderr.contains("(there is `[shop]`)"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn what_may_not_be_asked_is_never_no_difference() {
    let deployed = Deployed::new();
    deployed.register(&json!([running_container()]));
    let role = deployed.testbed.role_without(&["ecs:DescribeTaskDefinition"]);
    let project = deployed.project(&json!([running_container()])).role(&role);
    let outcome = project.run(&["diff"]).success();
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("not compared: taskdef.json: "), "{outcome}");
    assert!(outcome.stderr.contains("allow `ecs:DescribeTaskDefinition`"), "{outcome}");
    let told = project.run(&["diff", "--output", "json"]).success();
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["comparisons"][0]["compared"], false);
    assert!(told["comparisons"][0]["reason"].as_str().unwrap().contains("access denied"));
    project.run(&["diff", "--fail-on", "loss"]).failure(3);
}

#[test]
#[ignore = "needs the testbed"]
fn no_credentials_and_too_many_requests_are_told_apart() {
    let deployed = Deployed::new();
    let role = deployed.testbed.role(&["*"]);
    role.fault(Fault::throttle().on("ecs:DescribeTaskDefinition").always());
    let project = deployed.project(&json!([running_container()])).role(&role);
    let outcome = project.run(&["diff", "--fail-on", "loss"]).failure(3);
    assert!(outcome.stderr.contains("AWS limits the rate of requests"), "{outcome}");
    let asked = role.requests().iter().filter(|it| it.kind == "ecs:DescribeTaskDefinition").count();
    assert_eq!(asked, 6);
    let project = project.without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    let outcome = project.run(&["diff", "--fail-on", "loss"]).failure(3);
    assert!(outcome.stderr.contains("no valid AWS credentials"), "{outcome}");
    assert!(!outcome.stdout.contains("no difference"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn a_member_that_the_sdk_does_not_know_is_compared_and_told() {
    let deployed = Deployed::new();
    let body = json!({
        "taskDefinition": {
            "taskDefinitionArn": format!("arn:aws:ecs:{PRIMARY_REGION}:{PRIMARY_ACCOUNT}:task-definition/{}:4", deployed.name),
            "family": deployed.name, "revision": 4, "networkMode": "awsvpc", "cpu": "512", "memory": "1024",
            "requiresCompatibilities": ["FARGATE"], "registeredAt": 1.5, "newAnswer": null,
            "containerDefinitions": [{"name": "web", "image": "web:1", "warmStart": {"seconds": 5}}],
        },
        "tags": [{"key": "team", "value": "shop"}],
    });
    let role = deployed.testbed.role(&["*"]);
    let answer = Fault::answer(200, "application/x-amz-json-1.1", &body.to_string());
    role.fault(answer.on("ecs:DescribeTaskDefinition"));
    let project = deployed.project(&json!([{"name": "web", "image": "web:1"}])).role(&role);
    assert_snapshot!(project.run(&["diff"]), @r#"
    exit: 0
    --- stdout
    taskdef.json: compared with [shop]:4 (the family `[shop]`)
    lost     containerDefinitions[web].warmStart
             - {"seconds":5}
    lost     tags
             - {"team":"shop"}
    --- stderr
    note: `containerDefinitions[web].warmStart` of [shop]:4 is in no model of ECS that is known here; it is kept
    "#);
}

#[test]
#[ignore = "needs the testbed"]
fn images_of_the_rolling_action_are_compared_with_the_service() {
    let deployed = Deployed::new();
    deployed.register(&json!([running_container()]));
    deployed.serve();
    let uri = format!("{PRIMARY_ACCOUNT}.dkr.ecr.{PRIMARY_REGION}.amazonaws.com/shop");
    let shipspec = |containers: &str| {
        format!(
            "version: 1\n{}images:\n  app: {{ repository: {uri} }}\nartifacts:\n  imagedefinitions.json: {{ image_definitions: {containers} }}\n",
            deployed.service()
        )
    };
    let project = deployed.project(&json!([])).file("shipspec.yml", &shipspec("{ web: app }"));
    let image = format!("app={uri}:7");
    assert_snapshot!(project.run(&["diff", "--image", &image]), @r#"
    exit: 0
    --- stdout
    imagedefinitions.json: compared with [shop]:1 (the service `[shop]/[shop]`)
    changed  containerDefinitions[web].image
             - "web:1"
             + "111111111111.dkr.ecr.ap-northeast-1.amazonaws.com/shop:7"
    --- stderr
    "#);
    let project = project.file("shipspec.yml", &shipspec("{ wbe: app }"));
    let outcome = project.run(&["diff", "--image", &image, "--fail-on", "loss"]).failure(3);
    let told =
        "not compared: imagedefinitions.json: [shop]:1 has no container `wbe` (there is `web`)";
    assert!(outcome.stderr.contains(told), "{outcome}");
    assert_eq!(outcome.stdout, "");
}

/// Makes a role that this service may assume.
fn make_role(project: &Project, name: &str, service: &str) {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"},
    ]});
    let output = project
        .program("aws")
        .args(["iam", "create-role", "--role-name", name])
        .args(["--assume-role-policy-document", &policy.to_string()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A project whose task definition names a role, secrets and a log group.
fn named(deployed: &Deployed) -> Project {
    let name = &deployed.name;
    let secret = deployed.testbed.put_secret(name, "{\"key\": \"hunter2\"}");
    let container = json!({
        "name": "web", "image": "web:2",
        "secrets": [
            {"name": "A", "valueFrom": format!("/{name}/there")},
            {"name": "B", "valueFrom": format!("{secret}:key::")},
        ],
        "logConfiguration": {"logDriver": "awslogs", "options": {
            "awslogs-group": format!("/ecs/{name}"), "awslogs-region": PRIMARY_REGION,
            "awslogs-stream-prefix": "web",
        }},
    });
    let template = json!({
        "family": name, "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "requiresCompatibilities": ["FARGATE"], "containerDefinitions": [container],
        "executionRoleArn": format!("arn:aws:iam::{PRIMARY_ACCOUNT}:role/{name}"),
    });
    deployed.project(&json!([])).file("taskdef_template.json", &template.to_string())
}

#[test]
#[ignore = "needs the testbed"]
fn doctor_looks_at_what_a_task_definition_names() {
    let deployed = Deployed::new();
    let project = named(&deployed);
    let outcome = project.run(&["doctor"]).failure(3);
    for line in [
        "failed       role arn:",
        "failed       secret /[shop]/there",
        "ok           secret arn:",
        "not checked  key `key` of secret arn:",
        "failed       log group /ecs/[shop]",
    ] {
        assert!(outcome.stderr.contains(line), "{line}: {outcome}");
    }
    let name = &deployed.name;
    make_role(&project, name, "ec2.amazonaws.com");
    let outcome = project.run(&["doctor"]).failure(3);
    assert!(outcome.stderr.contains("does not trust `ecs-tasks.amazonaws.com`"), "{outcome}");
    let other = format!("{name}-tasks");
    make_role(&project, &other, "ecs-tasks.amazonaws.com");
    let text = project
        .read("taskdef_template.json")
        .replace(&format!(":role/{name}"), &format!(":role/{other}"));
    let project = project.file("taskdef_template.json", &text);
    deployed.testbed.put_parameter(&format!("/{name}/there"), "SecureString", "hunter2");
    let group = json!({ "logGroupName": format!("/ecs/{name}") });
    deployed.testbed.call("logs", PRIMARY_REGION, "Logs_20140328.CreateLogGroup", &group);
    let outcome = project.run(&["doctor"]).success();
    assert!(!outcome.stderr.contains("failed"), "{outcome}");
    assert!(!outcome.stderr.contains("hunter2"), "{outcome}");
    assert!(outcome.stderr.contains("exists, and tasks can have it"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn doctor_does_not_call_checked_what_it_may_not_ask() {
    let deployed = Deployed::new();
    let role = deployed.testbed.role(&["ecr:*"]);
    let project = named(&deployed).role(&role);
    let outcome = project.run(&["doctor"]).success();
    for (subject, action) in [
        ("role arn:", "iam:GetRole"),
        ("secret /[shop]/there", "ssm:DescribeParameters"),
        ("secret arn:", "secretsmanager:DescribeSecret"),
        ("log group /ecs/[shop]", "logs:DescribeLogGroups"),
    ] {
        assert!(
            outcome.stderr.contains(&format!("not checked  {subject}")),
            "{subject}: {outcome}"
        );
        assert!(outcome.stderr.contains(&format!("allow `{action}`")), "{action}: {outcome}");
    }
}

#[test]
#[ignore = "needs the testbed"]
fn doctor_tells_containers_that_the_service_has_not() {
    let deployed = Deployed::new();
    deployed.register(&json!([running_container()]));
    deployed.serve();
    let repository = deployed.testbed.repository("doctor");
    let shipspec = |containers: &str| {
        format!(
            "version: 1\n{}images:\n  app: {{ repository: \"${{REPOSITORY_URL}}\" }}\nartifacts:\n  imagedefinitions.json: {{ image_definitions: {containers} }}\n",
            deployed.service()
        )
    };
    let project = Project::in_testbed(&deployed.testbed)
        .shown_as(&deployed.name, "[shop]")
        .repository(&repository)
        .dockerfile(&deployed.testbed, "CMD [\"true\"]")
        .file("shipspec.yml", &shipspec("{ web: app }"));
    let outcome = project.run(&["doctor"]).success();
    assert!(
        outcome.stderr.contains("ok           the service `[shop]/[shop]`: runs [shop]:1"),
        "{outcome}"
    );
    assert!(
        outcome.stderr.contains("ok           containers of imagedefinitions.json"),
        "{outcome}"
    );
    let project = project.file("shipspec.yml", &shipspec("{ wbe: app }"));
    let outcome = project.run(&["doctor"]).failure(3);
    assert!(outcome.stderr.contains("has no container `wbe` (there is `web`)"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn an_image_for_another_platform_stops_a_run_before_its_build() {
    let deployed = Deployed::new();
    let repository = deployed.testbed.repository("platform");
    let project = deployed
        .project(&json!([]))
        .file("taskdef_template.json", "{\"family\": \"web\", \"containerDefinitions\": [{\"name\": \"web\", \"image\": \"${IMAGE_URI}\", \"memory\": 64}]}")
        .repository(&repository)
        .dockerfile(&deployed.testbed, "CMD [\"true\"]")
        .file(
            "shipspec.yml",
            "version: 1\nimages:\n  app: { repository: \"${REPOSITORY_URL}\", platform: linux/arm64 }\nartifacts:\n  taskdef.json: taskdef_template.json\n",
        );
    let outcome = project.run(&["run"]).failure(2);
    assert_snapshot!(outcome, @r#"
    exit: 2
    --- stdout
    --- stderr
    error: the container `web` runs on LINUX/X86_64, and its image `app` is built for linux/arm64
     --> shipspec.yml:5:3
      |
    5 |   taskdef.json: taskdef_template.json
      |   ^^^^^^^^^^^^
      |
      = hint: say `platform: linux/amd64` for the image, or `runtimePlatform` in the task definition; without it ECS takes LINUX and X86_64
    "#);
    assert!(repository.tags().is_empty());
}
