//! Task definitions whose structure shipspec.yml changes.

mod common;

use common::{COMMIT, Project};
use insta::assert_snapshot;
use shipspec_testbed::Testbed;

const TASK: &str = r#"{
  "family": "${FAMILY}",
  "requiresCompatibilities": ["FARGATE"],
  "networkMode": "awsvpc",
  "cpu": "256", "memory": "512",
  "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "replaced",
      "environment": [
        { "name": "STAGE",   "value": "dev" },
        { "name": "DB_PASSWORD", "value": "none" }
      ],
      "portMappings": [{ "containerPort": ${PORT} }]
    },
    { "name": "sidecar", "image": "r.example/sidecar:1", "essential": false }
  ]
}
"#;

/// What Parameter Store would answer.
const PARAMETERS: &str = r#"{"Parameters": [{"Name": "/shop/db", "Type": "SecureString", "Value": "very-secret-text", "Version": 1, "ARN": "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/db"}]}"#;

/// A project with these lines under the task definition, and with a value for every name.
fn project(edits: &str) -> Project {
    let lines: String = edits.lines().flat_map(|line| ["    ", line, "\n"]).collect();
    Project::new()
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .variable("FAMILY", "shop")
        .variable("PORT", "80")
        .variable("AWS_REGION", "eu-west-1")
        .file("Dockerfile", "FROM scratch\n")
        .file("taskdef_template.json", TASK)
        .file("p.json", PARAMETERS)
        .file("shipspec.yml", &format!("version: 1\nparameters: {{ DB: \"ssm:/shop/db\" }}\nimages: {{ app: {{ repository: r.example/app }} }}\nartifacts:\n  taskdef.json:\n    template: taskdef_template.json\n{lines}"))
}

#[test]
fn every_change_is_made_and_the_rest_of_the_text_stays() {
    let project = project(
        "images: { web: app }
environment: { web: { STAGE: \"${STAGE:-prod}\", VERSION: 1.10 }, '*': { TAG: \"${IMAGE_TAG}\" } }
secrets: { web: { DB_PASSWORD: DB, API_KEY: \"/shop/api-key\" } }
docker_labels: { sidecar: { team: shop } }
command: { web: [serve, --port, \"${PORT}\"] }
log: { '*': { driver: awslogs, options: { awslogs-group: \"/ecs/${FAMILY}\" }, secret_options: { token: DB } } }
cpu: 512
memory: { sidecar: 128 }",
    );
    let told = project
        .run(&["render", "--parameters", "p.json", "--image", "app=r.example/app:0123456"])
        .success();
    assert_snapshot!(told, @"
    exit: 0
    --- stdout
    --- stderr
    note: `taskdef.json`: `DB_PASSWORD` of the container `web` was under `environment`, and is under `secrets` now
    wrote taskdef.json
    ");
    assert_snapshot!(project.read("taskdef.json"), @r#"
    {
      "family": "shop",
      "requiresCompatibilities": ["FARGATE"],
      "networkMode": "awsvpc",
      "cpu": "512", "memory": "512",
      "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
      "containerDefinitions": [
        {
          "name": "web",
          "image": "r.example/app:0123456",
          "environment": [
            { "name": "STAGE",   "value": "prod" },
            { "name": "TAG", "value": "0123456" },
            { "name": "VERSION", "value": "1.10" }
          ],
          "portMappings": [{ "containerPort": 80 }],
          "logConfiguration": {
            "logDriver": "awslogs",
            "options": { "awslogs-group": "/ecs/shop" },
            "secretOptions": [
              { "name": "token", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/db" }
            ]
          },
          "secrets": [
            { "name": "DB_PASSWORD", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/db" },
            { "name": "API_KEY", "valueFrom": "/shop/api-key" }
          ],
          "command": ["serve", "--port", "80"]
        },
        { "name": "sidecar", "image": "r.example/sidecar:1", "essential": false, "environment": [{ "name": "TAG", "value": "0123456" }], "logConfiguration": { "logDriver": "awslogs", "options": { "awslogs-group": "/ecs/shop" }, "secretOptions": [{ "name": "token", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/db" }] }, "dockerLabels": { "team": "shop" }, "memory": 128 }
      ]
    }
    "#);
}

#[test]
fn images_are_named_by_tag_or_by_digest() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let reference = format!("app=r.example/app:1@{digest}");
    let image = |edits: &str| {
        let project = project(edits);
        project.run(&["render", "--parameters", "p.json", "--image", &reference]).success();
        let json: serde_json::Value =
            serde_json::from_str(&project.read("taskdef.json")).expect("JSON");
        json["containerDefinitions"][0]["image"].as_str().expect("a text").to_owned()
    };
    assert_eq!(image("images: { web: app }"), "r.example/app:1");
    let pinned = format!("r.example/app@{digest}");
    assert_eq!(image("images: { web: app }\nreference: digest"), pinned);
}

#[test]
fn without_changes_the_text_is_that_of_the_template() {
    let project = project("environment: {}\ncpu: {}");
    project.run(&["render", "--parameters", "p.json"]).success();
    let filled = TASK.replace("${FAMILY}", "shop").replace("${PORT}", "80");
    assert_eq!(project.read("taskdef.json"), filled);
}

#[test]
fn containers_that_are_not_there_are_told_by_render_and_by_check() {
    let edits = "images: [app]
environment: { wbe: { A: \"${images.app.uri}\" }, \"${SIDE}\": { A: b } }
cpu: { web: 64, sidecars: 64 }";
    let project = project(edits).variable("SIDE", "sidecar");
    let arguments = ["render", "--parameters", "p.json", "--image", "app=r.example/app:1"];
    assert_snapshot!(project.run(&arguments), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: the task definition has no container `app`
     --> shipspec.yml:7:14
      |
    7 |     images: [app]
      |              ^^^
      |
      = hint: it has: web, sidecar
    error: the task definition has no container `wbe`
     --> shipspec.yml:8:20
      |
    8 |     environment: { wbe: { A: "${images.app.uri}" }, "${SIDE}": { A: b } }
      |                    ^^^
      |
      = hint: did you mean `web`?
    error: the task definition has no container `sidecars`
     --> shipspec.yml:9:21
      |
    9 |     cpu: { web: 64, sidecars: 64 }
      |                     ^^^^^^^^
      |
      = hint: did you mean `sidecar`?
    "#);
    assert!(!project.has("taskdef.json"));
    // Not even the family and the port are known here.
    let project = project.without("FAMILY").without("PORT").without("SIDE");
    assert_snapshot!(project.run(&["check"]), @r#"
    exit: 6
    --- stdout
    --- stderr
    error[shipspec-yml]: the task definition has no container `app`
     --> shipspec.yml:7:14
      |
    7 |     images: [app]
      |              ^^^
      |
      = fix: it has: web, sidecar
    error[shipspec-yml]: the task definition has no container `wbe`
     --> shipspec.yml:8:20
      |
    8 |     environment: { wbe: { A: "${images.app.uri}" }, "${SIDE}": { A: b } }
      |                    ^^^
      |
      = fix: did you mean `web`?
    error[shipspec-yml]: the task definition has no container `sidecars`
     --> shipspec.yml:9:21
      |
    9 |     cpu: { web: 64, sidecars: 64 }
      |                     ^^^^^^^^
      |
      = fix: did you mean `sidecar`?
    not checked: what depends on `FAMILY`, `PORT`, `SIDE`, without a value here
    not checked: `taskdef.json`: it cannot be made
    error: 3 errors in 0 files
    "#);
}

#[test]
fn what_the_changes_make_is_checked() {
    let project = project("cpu: 300\nlog: { web: { driver: awslog } }\nmemory: { '*': \"${M}\" }");
    assert_snapshot!(project.run(&["check"]), @r#"
    exit: 6
    --- stdout
    --- stderr
    warning[fargate-size-unknown]: Fargate, as it is known here, has no size with 300 units of cpu
     --> taskdef.json:5:10
      |
    5 |   "cpu": "300", "memory": "512",
      |          ^^^^^
      |
      = fix: it has 256, 512, 1024, 2048, 4096, 8192, 16384 and 32768
    warning[image-latest]: `replaced` is another image with each push, so that nobody knows what runs
      --> taskdef.json:10:16
       |
    10 |       "image": "replaced",
       |                ^^^^^^^^^^
       |
       = fix: name a tag that stays, such as that of the commit, or a digest
    error[fargate-forbidden]: Fargate has no log driver `awslog` (container `web`)
      --> taskdef.json:17:42
       |
    17 |       "logConfiguration": { "logDriver": "awslog" }
       |                                          ^^^^^^^^
       |
       = fix: it has awslogs, splunk, awsfirelens
    error[taskdef-value]: `logDriver` is `awslog`, which the API of ECS does not know
      --> taskdef.json:17:42
       |
    17 |       "logConfiguration": { "logDriver": "awslog" }
       |                                          ^^^^^^^^
       |
       = fix: write `awslogs`
    not checked: what depends on `M`, without a value here
    error: 2 errors, 2 warnings in 1 file
    "#);
}

#[test]
fn generated_files_have_to_agree_with_the_task_definition() {
    let project = project("environment: { web: { A: b } }").variable("REPLACED", "x");
    let config = project.read("shipspec.yml");
    let more = "  appspec.json: { appspec: { container: wbe, port: 81 } }\n";
    let checked = project.file("shipspec.yml", &(config + more)).run(&["check"]);
    let codes: Vec<_> = checked.stderr.lines().filter(|line| line.starts_with("error")).collect();
    assert_snapshot!(codes.join("\n"), @"
    error[agree-container]: the task definition has no container `wbe`
    error: 1 error, 1 warning, 1 note in 2 files
    ");
}

#[test]
fn changes_are_for_a_task_definition_in_json() {
    let project = Project::new()
        .file("t.yaml", "a: b\n")
        .file("wrapped.json", "{\"taskDefinition\": {\"containerDefinitions\": []}}")
        .file("other.json", "{\"a\": 1}")
        .file(
            "shipspec.yml",
            "version: 1
artifacts:
  a.yaml: { template: t.yaml, cpu: 1 }
  b.json: { template: wrapped.json, cpu: 1 }
  c.json: { template: other.json, environment: { web: { A: b } } }
",
        );
    assert_snapshot!(project.run(&["render"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `a.yaml` is no JSON, and the changes are for a task definition in JSON
     --> shipspec.yml:3:3
      |
    3 |   a.yaml: { template: t.yaml, cpu: 1 }
      |   ^^^^^^
      |
      = hint: let the path of the artifact end in `.json`
    ");
    let others = project.file(
        "shipspec.yml",
        "version: 1
artifacts:
  b.json: { template: wrapped.json, cpu: 1 }
  c.json: { template: other.json, environment: { web: { A: b } } }
",
    );
    assert_snapshot!(others.run(&["render"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `b.json`: the task definition is inside of `taskDefinition`, as `aws ecs describe-task-definition` prints it, and ECS takes what is in there
     --> shipspec.yml:3:3
      |
    3 |   b.json: { template: wrapped.json, cpu: 1 }
      |   ^^^^^^
      |
      = hint: make what is inside the whole file: `jq .taskDefinition`
    error: `c.json`: this is no task definition: it has no list `containerDefinitions`
     --> shipspec.yml:4:3
      |
    4 |   c.json: { template: other.json, environment: { web: { A: b } } }
      |   ^^^^^^
      |
      = hint: `images`, `environment` and the like change task definitions only
    ");
}

#[test]
fn mistakes_in_changes_are_told_at_once() {
    let project = project(
        "images: { web: ap }
environment: { web: { A: b } }
secrets: { web: { A: /c } }
cpu: { web: lots }
log: { web: { options: { a: b } } }",
    );
    assert_snapshot!(project.run(&["render"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `web` needs the key `driver`
      --> shipspec.yml:11:17
       |
    11 |     log: { web: { options: { a: b } } }
       |                 ^
    ");
    let project = project.file("shipspec.yml", "version: 1\nimages: { app: { repository: r.example/app } }\nartifacts:\n  taskdef.json:\n    template: taskdef_template.json\n    images: { web: ap }\n    environment: { web: { A: b } }\n    secrets: { web: { A: /c } }\n    cpu: { web: lots }\n  b.json: { json: {}, images: [app], memory: 5, reference: digest }\n");
    assert_snapshot!(project.run(&["render"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: no image has the name `ap`
     --> shipspec.yml:6:20
      |
    6 |     images: { web: ap }
      |                    ^^
      |
      = hint: did you mean `app`?
    error: `A` of the container `web` stands in `environment` and in `secrets`
     --> shipspec.yml:8:23
      |
    8 |     secrets: { web: { A: /c } }
      |                       ^
      |
      = hint: take one of them away
    error: `cpu` must be a whole number from 0
     --> shipspec.yml:9:17
      |
    9 |     cpu: { web: lots }
      |                 ^^^^
    error: `images` changes a task definition, and this artifact has no `template` or `base` of one
      --> shipspec.yml:10:23
       |
    10 |   b.json: { json: {}, images: [app], memory: 5, reference: digest }
       |                       ^^^^^^
    error: `memory` changes a task definition, and this artifact has no `template` or `base` of one
      --> shipspec.yml:10:38
       |
    10 |   b.json: { json: {}, images: [app], memory: 5, reference: digest }
       |                                      ^^^^^^
    ");
}

#[test]
fn a_secret_does_not_get_in_by_a_change() {
    for edit in [
        "environment: { web: { PASSWORD: \"x${DB}\" } }",
        "command: { web: [\"${DB}\"] }",
        "log: { web: { driver: awslogs, options: { token: \"${DB}\" } } }",
        "docker_labels: { '*': { token: \"${DB | upper}\" } }",
        "memory: \"${DB}\"",
    ] {
        let project = project(edit);
        let refused = project.run(&["render", "--parameters", "p.json"]);
        assert_eq!(refused.code, 2, "{edit}: {refused}");
        assert!(
            refused.stderr.contains("`DB` is secret and would stand in `taskdef.json`"),
            "{refused}"
        );
        assert!(!refused.to_string().contains("very-secret-text") && !project.has("taskdef.json"));
    }
}

#[test]
#[ignore = "needs the testbed"]
fn a_run_names_the_image_that_it_pushed() {
    let testbed = Testbed::current();
    let repository = testbed.repository("edits");
    let name = format!("/{}/db", testbed.unique("edits"));
    testbed.put_parameter(&name, "SecureString", "very-secret-text");
    let project = Project::in_testbed(&testbed)
        .repository(&repository)
        .variable("FAMILY", "shop")
        .variable("PORT", "80")
        .dockerfile(&testbed, "CMD [\"true\"]")
        .file("taskdef_template.json", TASK)
        .file(
            "shipspec.yml",
            &format!(
                "version: 1
parameters: {{ DB: \"ssm:{name}\" }}
images: {{ web: {{ repository: \"${{REPOSITORY_URL}}\" }} }}
artifacts:
  taskdef.json:
    template: taskdef_template.json
    images: [web]
    reference: digest
    secrets: {{ web: {{ DB_PASSWORD: DB }} }}
  appspec.yaml: {{ appspec: {{ container: web, port: \"${{PORT}}\" }} }}
  imageDetail.json: {{ image_detail: web, reference: digest }}
  web.tfvars: {{ tfvars: {{ image: \"${{images.web.uri}}\" }} }}
"
            ),
        );
    project.run(&["run"]).success();
    let task: serde_json::Value =
        serde_json::from_str(&project.read("taskdef.json")).expect("JSON");
    let pinned = format!("{}@{}", repository.uri(), repository.tags()[common::SHORT]);
    let web = &task["containerDefinitions"][0];
    assert_eq!(web["image"], pinned.as_str());
    let from = web["secrets"][0]["valueFrom"].as_str().expect("a text");
    assert!(from.starts_with("arn:aws:ssm:") && from.ends_with(&name), "{from}");
    assert_eq!(project.read("imageDetail.json"), format!("{{\"ImageURI\":\"{pinned}\"}}"));
    let tag = format!("image = \"{}:{}\"\n", repository.uri(), common::SHORT);
    assert_eq!(project.read("web.tfvars"), tag);
    assert!(project.read("appspec.yaml").contains("ContainerPort: 80\n"));
}
