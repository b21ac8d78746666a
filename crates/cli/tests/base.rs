//! Artifacts that begin from what ECS has, and what a run makes of what a service runs.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::ecs::Deployed;
use common::{COMMIT, Project};
use insta::assert_snapshot;
use serde_json::{Value, json};

fn container() -> Value {
    json!({
        "name": "web", "image": "web:1", "memory": 64,
        "environment": [{"name": "DB_PASSWORD", "value": "hunter2"}],
        "secrets": [{"name": "KEY", "valueFrom": "/web/key"}],
    })
}

fn of_family(deployed: &Deployed) -> Project {
    let name = &deployed.name;
    let shipspec =
        format!("version: 1\nartifacts:\n  taskdef.json: {{ base: {{ family: {name} }} }}\n");
    Project::in_testbed(&deployed.testbed)
        .shown_as(&deployed.name, "[shop]")
        .file("shipspec.yml", &shipspec)
}

#[test]
#[ignore = "needs the testbed"]
fn what_ecs_has_becomes_what_it_takes() {
    let deployed = Deployed::new();
    deployed.register(&json!([container()]));
    let project = of_family(&deployed);
    project.run(&["render"]).success();
    assert_snapshot!(project.read("taskdef.json").replace(&deployed.name, "[shop]"), @r#"
    {
      "containerDefinitions": [
        {
          "name": "web",
          "image": "web:1",
          "cpu": 0,
          "memory": 64,
          "portMappings": [],
          "essential": true,
          "environment": [
            {
              "name": "DB_PASSWORD",
              "value": "hunter2"
            }
          ],
          "mountPoints": [],
          "volumesFrom": [],
          "secrets": [
            {
              "name": "KEY",
              "valueFrom": "/web/key"
            }
          ]
        }
      ],
      "family": "[shop]",
      "executionRoleArn": "arn:aws:iam::111111111111:role/[shop]",
      "networkMode": "awsvpc",
      "volumes": [],
      "placementConstraints": [],
      "requiresCompatibilities": [
        "FARGATE"
      ],
      "cpu": "256",
      "memory": "512"
    }
    "#);
    // It can be registered as it is.
    let task: Value = serde_json::from_str(&project.read("taskdef.json")).unwrap();
    deployed.ecs("RegisterTaskDefinition", &task);
    let same = project.run(&["diff", "--fail-on", "change"]).success();
    assert!(same.stdout.contains("compared with [shop]:2"), "{same}");
    let plan = project.run(&["plan"]).success();
    assert!(plan.stdout.contains("\"valueFrom\": \"/web/key\""), "{plan}");
    assert!(!plan.to_string().contains("hunter2"), "{plan}");
}

#[test]
#[ignore = "needs the testbed"]
fn a_password_of_ecs_is_not_printed() {
    let deployed = Deployed::new();
    deployed.register(&json!([container()]));
    let project = of_family(&deployed);
    let told = project.run(&["render", "--stdout"]).failure(2);
    let problem = "`taskdef.json` has what looks like a password in `containerDefinitions[web].environment[DB_PASSWORD]`";
    assert!(told.stderr.contains(problem), "{told}");
    assert!(!told.to_string().contains("hunter2"), "{told}");
    let command = json!(["serve", "--token=hunter2"]);
    deployed
        .register(&json!([{"name": "web", "image": "web:1", "memory": 64, "command": command}]));
    let told = project.run(&["render", "--stdout"]).failure(2);
    assert!(!told.to_string().contains("hunter2"), "{told}");
    for flags in [&["plan"][..], &["plan", "--output", "json"]] {
        let plan = project.run(flags).success();
        assert!(plan.stdout.contains("--token=****"), "{plan}");
        assert!(!plan.to_string().contains("hunter2"), "{plan}");
    }
    deployed.register(&json!([{"name": "web", "image": "web:1", "memory": 64}]));
    assert!(project.run(&["render", "--stdout"]).success().stdout.contains("web:1"));
    // What the user's own template says is the user's.
    let own = "{\"containerDefinitions\": [{\"name\": \"web\", \"environment\": [{\"name\": \"TOKEN_URL\", \"value\": \"https://h\"}]}]}";
    let shipspec = project.read("shipspec.yml") + "  own.json: own_template.json\n";
    let project = project.file("shipspec.yml", &shipspec).file("own_template.json", own);
    assert!(project.run(&["render", "--stdout"]).success().stdout.contains("TOKEN_URL"));
}

#[test]
#[ignore = "needs the testbed"]
fn changes_are_made_to_what_ecs_has() {
    let deployed = Deployed::new();
    deployed.register(&json!([container()]));
    let name = &deployed.name;
    let shipspec = format!(
        "version: 1\nimages:\n  app: {{ repository: r.example/shop }}\nartifacts:\n  taskdef.json:\n    base: {{ family: {name} }}\n    images: {{ web: app }}\n    environment: {{ web: {{ STAGE: prod }} }}\n"
    );
    let project = Project::in_testbed(&deployed.testbed)
        .shown_as(name, "[shop]")
        .file("shipspec.yml", &shipspec);
    let outcome = project.run(&["diff", "--image", "app=r.example/shop:7"]);
    assert_snapshot!(outcome, @r#"
    exit: 0
    --- stdout
    taskdef.json: compared with [shop]:1 (the family `[shop]`)
    changed  containerDefinitions[web].image
             - "web:1"
             + "r.example/shop:7"
    added    containerDefinitions[web].environment[STAGE]
             + "prod"
    --- stderr
    "#);
}

#[test]
#[ignore = "needs the testbed"]
fn a_base_that_is_not_there_is_found_with_all_else_before_a_build() {
    let deployed = Deployed::new();
    let repository = deployed.testbed.repository_builder("base").missing();
    let name = &deployed.name;
    let shipspec = format!(
        "version: 1\nparameters: {{ A: \"ssm:/none/a\" }}\nimages:\n  app: {{ repository: \"${{REPOSITORY_URL}}\" }}\nartifacts:\n  taskdef.json: {{ base: {{ service: web, cluster: {name} }} }}\n"
    );
    let project = Project::in_testbed(&deployed.testbed)
        .shown_as(&deployed.name, "[shop]")
        .repository(&repository)
        .dockerfile(&deployed.testbed, "CMD [\"true\"]")
        .file("shipspec.yml", &shipspec);
    let outcome = project.run(&["run"]).failure(3);
    for text in [
        "parameters not found",
        "ECS has no cluster `[shop]`",
        "the repository `[uri]` does not exist",
    ] {
        assert!(outcome.stderr.contains(text), "{text}: {outcome}");
    }
    assert!(!outcome.stderr.contains("building"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn where_nobody_is_asked_a_base_is_not_known() {
    let deployed = Deployed::new();
    let project = of_family(&deployed);
    let plan = project.run(&["plan", "--offline"]).success();
    assert!(plan.stdout.contains("what ECS has as its `base` is not known here"), "{plan}");
    let check = project.run(&["check"]).success();
    assert!(
        check.stderr.contains("not checked: `taskdef.json`: it begins from what ECS has"),
        "{check}"
    );
    let role = deployed.testbed.role_without(&["ecs:DescribeTaskDefinition"]);
    let outcome = project.role(&role).run(&["render"]).failure(3);
    assert!(outcome.stderr.contains("hint: allow `ecs:DescribeTaskDefinition`"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn the_policy_has_what_a_base_and_a_service_need() {
    let deployed = Deployed::new();
    let project = of_family(&deployed);
    let shipspec = project.read("shipspec.yml") + &deployed.service();
    let project = project.file("shipspec.yml", &shipspec);
    let printed = project.run(&["policy", "--account", "111111111111"]).success();
    assert_snapshot!(printed.stdout, @r#"
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "Services",
          "Effect": "Allow",
          "Action": "ecs:DescribeServices",
          "Resource": [
            "arn:aws:ecs:ap-northeast-1:111111111111:service/[shop]/[shop]"
          ]
        },
        {
          "Sid": "TaskDefinitions",
          "Effect": "Allow",
          "Action": "ecs:DescribeTaskDefinition",
          "Resource": "*"
        }
      ]
    }
    "#);
    let printed = project.run(&["policy", "--account", "111111111111", "--doctor"]).success();
    for action in ["iam:GetRole", "ssm:DescribeParameters", "secretsmanager:DescribeSecret"] {
        assert!(printed.stdout.contains(action), "{action}: {printed}");
    }
}

#[test]
#[ignore = "needs the testbed"]
fn a_release_that_was_not_deployed_is_not_skipped() {
    let deployed = Deployed::new();
    let repository = deployed.testbed.repository("behind");
    let shipspec = format!(
        "version: 1\n{}images:\n  app: {{ repository: \"${{REPOSITORY_URL}}\" }}\nartifacts:\n  imagedefinitions.json: {{ image_definitions: {{ web: app }} }}\n",
        deployed.service()
    );
    deployed.register(&json!([container()]));
    deployed.serve();
    let project = Project::in_testbed(&deployed.testbed)
        .shown_as(&deployed.name, "[shop]")
        .repository(&repository)
        .dockerfile(&deployed.testbed, "CMD [\"true\"]")
        .file("shipspec.yml", &shipspec);
    let next = |project: Project, number: u32| {
        let commit = format!("{number}{}", &COMMIT[1..]);
        project
            .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", &commit)
            .variable("CODEBUILD_BUILD_ID", &format!("shop:{number}"))
    };
    project.run(&["run"]).success();
    let project = next(project, 2);
    let outcome = project.run(&["run"]).success();
    let told = "changed: the service `[shop]/[shop]` runs another image in `web`";
    assert!(outcome.stderr.contains(told), "{outcome}");
    // Another tag of the same image is what runs.
    let image = format!("{}:2123456", repository.uri());
    deployed.register(&json!([{"name": "web", "image": image, "memory": 64}]));
    let name = &deployed.name;
    let input = json!({ "cluster": name, "service": name, "taskDefinition": name });
    deployed.ecs("UpdateService", &input);
    let project = next(project, 3);
    let outcome = project.run(&["run"]).success();
    assert!(outcome.stderr.contains("unchanged since the last release"), "{outcome}");
    let role = deployed.testbed.role_without(&["ecs:DescribeServices"]);
    let outcome = next(project, 4).role(&role).run(&["run"]).success();
    assert!(outcome.stderr.contains("note: not compared with what runs: the service"), "{outcome}");
    assert!(outcome.stderr.contains("unchanged since the last release"), "{outcome}");
}
