//! Artifacts that are made without a template: every kind, and what no kind takes.

mod common;

use common::{COMMIT, Project};
use insta::assert_snapshot;

/// A project with these lines under `artifacts:`.
fn project(artifacts: &str) -> Project {
    let lines: String = artifacts.lines().flat_map(|line| ["  ", line, "\n"]).collect();
    Project::new()
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .file("shipspec.yml", &format!("version: 1\nartifacts:\n{lines}"))
}

#[test]
fn an_app_spec_is_made_as_yaml_or_json_by_its_path() {
    let app_spec = "
    container: web
    port: ${PORT}
    platform_version: 1.4.0
    hooks: { AfterAllowTraffic: done, BeforeInstall: 'arn:aws:lambda:eu-west-1:123456789012:function:check' }
    capacity_providers: [{ provider: FARGATE, base: 1, weight: 1 }, { provider: FARGATE_SPOT, weight: 3 }]
    network: { subnets: \"${SUBNETS | split(',')}\", security_groups: [sg-1], assign_public_ip: false }";
    let project = project(&format!(
        "appspec.yaml:\n  appspec:{app_spec}\nappspec.json:\n  appspec:{app_spec}"
    ))
    .variable("PORT", "8080")
    .variable("SUBNETS", "subnet-1,subnet-2");
    project.run(&["render"]).success();
    assert_snapshot!(project.read("appspec.yaml"), @r#"
    version: 0.0
    Resources:
      - TargetService:
          Type: AWS::ECS::Service
          Properties:
            TaskDefinition: <TASK_DEFINITION>
            LoadBalancerInfo:
              ContainerName: web
              ContainerPort: 8080
            PlatformVersion: "1.4.0"
            NetworkConfiguration:
              AwsvpcConfiguration:
                Subnets:
                  - subnet-1
                  - subnet-2
                SecurityGroups:
                  - sg-1
                AssignPublicIp: DISABLED
            CapacityProviderStrategy:
              - CapacityProvider: FARGATE
                Base: 1
                Weight: 1
              - CapacityProvider: FARGATE_SPOT
                Weight: 3
    Hooks:
      - BeforeInstall: arn:aws:lambda:eu-west-1:123456789012:function:check
      - AfterAllowTraffic: done
    "#);
    assert_snapshot!(project.read("appspec.json"), @r#"{"version":0.0,"Resources":[{"TargetService":{"Type":"AWS::ECS::Service","Properties":{"TaskDefinition":"<TASK_DEFINITION>","LoadBalancerInfo":{"ContainerName":"web","ContainerPort":8080},"PlatformVersion":"1.4.0","NetworkConfiguration":{"AwsvpcConfiguration":{"Subnets":["subnet-1","subnet-2"],"SecurityGroups":["sg-1"],"AssignPublicIp":"DISABLED"}},"CapacityProviderStrategy":[{"CapacityProvider":"FARGATE","Base":1,"Weight":1},{"CapacityProvider":"FARGATE_SPOT","Weight":3}]}}}],"Hooks":[{"BeforeInstall":"arn:aws:lambda:eu-west-1:123456789012:function:check"},{"AfterAllowTraffic":"done"}]}"#);
    let checked = project.variable("PORT", "0x50").run(&["render"]);
    assert_snapshot!(checked, @"
    exit: 2
    --- stdout
    --- stderr
    error: `port` must be a whole number from 1 to 65535
     --> shipspec.yml:6:13
      |
    6 |       port: ${PORT}
      |             ^^^^^^^
    error: `port` must be a whole number from 1 to 65535
      --> shipspec.yml:14:13
       |
    14 |       port: ${PORT}
       |             ^^^^^^^
    ");
}

#[test]
fn a_small_app_spec_has_what_codepipeline_replaces() {
    let project = project("appspec.yaml: { appspec: { container: web, port: 80 } }");
    project.run(&["render"]).success();
    assert_snapshot!(project.read("appspec.yaml"), @"
    version: 0.0
    Resources:
      - TargetService:
          Type: AWS::ECS::Service
          Properties:
            TaskDefinition: <TASK_DEFINITION>
            LoadBalancerInfo:
              ContainerName: web
              ContainerPort: 80
    ");
    assert_snapshot!(project.run(&["check"]), @"
    exit: 0
    --- stdout
    --- stderr
    nothing found in 1 file
    ");
}

#[test]
fn rules_of_an_app_spec_are_told_at_their_places() {
    let project = project(
        "appspec.yaml:
  appspec:
    container: web
    port: http
    hooks: { BeforeInstal: check, Install: check }
    capacity_providers: [{ provider: A, base: 1 }, { provider: B, base: -1 }]
    network: { subnets: [], security_groups: sg-1 }
other.txt: { appspec: { container: web, port: 80 } }",
    );
    assert_snapshot!(project.run(&["render"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: unknown key `BeforeInstal`
     --> shipspec.yml:7:16
      |
    7 |       hooks: { BeforeInstal: check, Install: check }
      |                ^^^^^^^^^^^^
      |
      = hint: did you mean `BeforeInstall`?
    error: unknown key `Install`
     --> shipspec.yml:7:37
      |
    7 |       hooks: { BeforeInstal: check, Install: check }
      |                                     ^^^^^^^
      |
      = hint: known keys here: BeforeInstall, AfterInstall, AfterAllowTestTraffic, BeforeAllowTraffic, AfterAllowTraffic
    error: `network` needs the key `assign_public_ip`
     --> shipspec.yml:9:16
      |
    9 |       network: { subnets: [], security_groups: sg-1 }
      |                ^
    ");
    let project = Project::new().file("shipspec.yml", "version: 1\nartifacts:\n  appspec.yaml:\n    appspec:\n      container: web\n      port: http\n      capacity_providers: [{ provider: A, base: 1 }, { provider: B, base: 2 }]\n      network: { subnets: [], security_groups: sg-1, assign_public_ip: 'maybe' }\n");
    assert_snapshot!(project.run(&["render"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `port` must be a whole number from 1 to 65535
     --> shipspec.yml:6:13
      |
    6 |       port: http
      |             ^^^^
    error: only one capacity provider may have a `base`
     --> shipspec.yml:7:75
      |
    7 |       capacity_providers: [{ provider: A, base: 1 }, { provider: B, base: 2 }]
      |                                                                           ^
    error: `subnets` is empty; the network needs all three of its keys
     --> shipspec.yml:8:18
      |
    8 |       network: { subnets: [], security_groups: sg-1, assign_public_ip: 'maybe' }
      |                  ^^^^^^^
      |
      = hint: or leave `network` out: then that of the service counts
    ");
}

#[test]
fn terraform_variables_are_json_or_hcl_by_their_path() {
    let variables = "{ tfvars: { image_tag: \"${IMAGE_TAG}\", count: 2, tags: { \"a.b\": \"${TEXT}\" }, zones: [a, b] } }";
    let project = project(&format!("a.tfvars.json: {variables}\na.auto.tfvars: {variables}"))
        .variable("TEXT", "say \"${hi}\"");
    project.run(&["render"]).success();
    assert_snapshot!(project.read("a.tfvars.json"), @r#"{"image_tag":"0123456","count":2,"tags":{"a.b":"say \"${hi}\""},"zones":["a","b"]}"#);
    assert_snapshot!(project.read("a.auto.tfvars"), @r#"
    image_tag = "0123456"
    count = 2
    tags = {
      "a.b" = "say \"$${hi}\""
    }
    zones = ["a", "b"]
    "#);
}

#[test]
fn variables_of_a_container_are_for_every_reader_unless_said_otherwise() {
    let project = project(
        "build.env: { dotenv: { TAG: \"${IMAGE_TAG}\", VERSION: 1.10, ON: true } }
task.env: { dotenv: { GREETING: \"${GREETING}\" }, quotes: none }
shell.env: { dotenv: { GREETING: \"${GREETING}\" }, quotes: shell }",
    )
    .variable("GREETING", "it's $(id)");
    project.run(&["render"]).success();
    assert_eq!(project.read("build.env"), "TAG=0123456\nVERSION=1.10\nON=true\n");
    assert_eq!(project.read("task.env"), "GREETING=it's $(id)\n");
    assert_eq!(project.read("shell.env"), "GREETING='it'\\''s $(id)'\n");
}

#[test]
fn a_configuration_of_a_stack_has_texts_only() {
    let project = project(
        "stack.json:
  cloudformation:
    parameters: { Tag: \"${IMAGE_TAG}\", Count: 2, Zones: [a, b] }
    tags: { team: shop }
    stack_policy: { Statement: [{ Effect: Allow, Principal: '*', Action: 'Update:*', Resource: '*' }] }",
    );
    project.run(&["render"]).success();
    assert_snapshot!(project.read("stack.json"), @r#"{"Parameters":{"Tag":"0123456","Count":"2","Zones":"a,b"},"Tags":{"team":"shop"},"StackPolicy":{"Statement":[{"Effect":"Allow","Principal":"*","Action":"Update:*","Resource":"*"}]}}"#);
}

#[test]
fn more_than_a_stack_takes_is_told() {
    let project = project("stack.json: { cloudformation: { parameters: { Long: \"${LONG}\" } } }");
    project.run(&["check"]).success();
    let project = project.variable("LONG", &"x".repeat(4097));
    for (command, code) in [("check", 6), ("run", 2)] {
        let told = project.run(&[command]).failure(code);
        let finding = "the parameter `Long` has 4097 bytes; CloudFormation takes 4096";
        assert!(told.to_string().contains(finding), "{told}");
    }
}

#[test]
fn what_comes_to_nothing_is_told() {
    let project = project(
        "appspec.yaml:
  appspec:
    container: ${NONE}
    port: 80
    hooks: { AfterInstall: \"${NONE}\" }
    network: { subnets: \"${NONE | split(',')}\", security_groups: [sg-1], assign_public_ip: false }",
    );
    let told = project.variable("NONE", "").run(&["render"]).failure(2);
    for place in ["`container`", "a hook", "`subnets`"] {
        assert!(told.stderr.contains(&format!("{place} comes to nothing")), "{told}");
    }
}

#[test]
fn containers_may_have_names_that_are_filled() {
    let images = "images: { app: { repository: r.example/app } }";
    let project = Project::new()
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .variable("CONTAINER", "web")
        .file("shipspec.yml", &format!("version: 1\n{images}\nartifacts:\n  imagedefinitions.json: {{ image_definitions: {{ \"${{CONTAINER}}\": app }} }}\n"));
    project.run(&["render", "--image", "app=r.example/app:1"]).success();
    assert_eq!(
        project.read("imagedefinitions.json"),
        r#"[{"name":"web","imageUri":"r.example/app:1"}]"#
    );
    let variable = format!(
        "version: 1\n{images}\nartifacts:\n  a.json:\n    template: t.json\n    environment: {{ web: {{ \"${{CONTAINER}}\": x }} }}\n"
    );
    let told = project.file("t.json", "{}").file("shipspec.yml", &variable).run(&["render"]);
    let problem = "the name `${CONTAINER}` would not be filled: only values are";
    assert!(told.failure(2).stderr.contains(problem));
}

#[test]
fn yaml_and_text_are_written() {
    let project = project(
        "values.yaml: { yaml: { image: { tag: \"${TAG}\", pull: false }, on: \"${TAG}\", ports: [80, \"80\"] } }
NOTES.txt:
  text: |
    built from ${COMMIT}
    by ${WHO:-nobody}, for $5",
    )
    .variable("TAG", "on");
    project.run(&["render"]).success();
    assert_snapshot!(project.read("values.yaml"), @r#"
    image:
      tag: "on"
      pull: false
    "on": "on"
    ports:
      - 80
      - "80"
    "#);
    assert_eq!(project.read("NOTES.txt"), format!("built from {COMMIT}\nby nobody, for $5\n"));
}

#[test]
fn every_kind_takes_variables_a_matrix_and_a_condition() {
    let project = project(
        "\"${color}.env\":
  dotenv: { COLOR: \"${color}\", NAME: \"${name}\" }
  matrix: { color: [blue, green, red] }
  variables: { name: \"web-${color}\" }
  when: \"${color != 'red'}\"
\"${stage}.tfvars\": { tfvars: { stage: \"${stage}\" }, matrix: { stage: [dev] } }",
    );
    project.run(&["render"]).success();
    assert_eq!(project.read("blue.env"), "COLOR=blue\nNAME=web-blue\n");
    assert_eq!(project.read("dev.tfvars"), "stage = \"dev\"\n");
    assert!(project.has("green.env") && !project.has("red.env"));
}

#[test]
fn mistakes_in_all_kinds_are_told_at_once() {
    let project = project(
        "a.txt: { text: a, json: {} }
b.txt: {}
c.json: { tfvars: { \"1a\": 1 } }
d.env: { dotenv: { \"A-B\": x }, quotes: none, reference: digest }
e.json: { cloudformation: {} }
f.json: { cloudformation: { parameters: { \"a-b\": 1 } }, quotes: shell }
g.json: { json: {}, only: [A] }",
    );
    assert_snapshot!(project.run(&["render"]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: an artifact is made from exactly one of `template`, `base`, `image_detail`, `image_definitions`, `appspec`, `cloudformation`, `tfvars`, `dotenv`, `json`, `yaml`, `text` and `zip`
     --> shipspec.yml:3:3
      |
    3 |   a.txt: { text: a, json: {} }
      |   ^^^^^
    error: an artifact is made from exactly one of `template`, `base`, `image_detail`, `image_definitions`, `appspec`, `cloudformation`, `tfvars`, `dotenv`, `json`, `yaml`, `text` and `zip`
     --> shipspec.yml:4:3
      |
    4 |   b.txt: {}
      |   ^^^^^
    error: `1a` is no name of a Terraform variable
     --> shipspec.yml:5:23
      |
    5 |   c.json: { tfvars: { "1a": 1 } }
      |                       ^^^^
      |
      = hint: it has letters, digits, `_` and `-`, and begins with a letter or `_`
    error: `A-B` is no name of a variable
     --> shipspec.yml:6:22
      |
    6 |   d.env: { dotenv: { "A-B": x }, quotes: none, reference: digest }
      |                      ^^^^^
      |
      = hint: it has letters, digits and `_`, and begins with no digit
    error: `reference` is for `image_detail`, `image_definitions` and `images`, and this artifact has none
     --> shipspec.yml:6:48
      |
    6 |   d.env: { dotenv: { "A-B": x }, quotes: none, reference: digest }
      |                                                ^^^^^^^^^
    error: `cloudformation` needs `parameters`, `tags` or a `stack_policy`
     --> shipspec.yml:7:13
      |
    7 |   e.json: { cloudformation: {} }
      |             ^^^^^^^^^^^^^^
    error: `a-b` is no name of a parameter of a stack
     --> shipspec.yml:8:45
      |
    8 |   f.json: { cloudformation: { parameters: { "a-b": 1 } }, quotes: shell }
      |                                             ^^^^^
      |
      = hint: it has letters and digits only
    error: `quotes` is for `dotenv`, and this artifact has none
     --> shipspec.yml:8:59
      |
    8 |   f.json: { cloudformation: { parameters: { "a-b": 1 } }, quotes: shell }
      |                                                           ^^^^^^
    error: `only` is for a `template`, and this artifact has none
     --> shipspec.yml:9:23
      |
    9 |   g.json: { json: {}, only: [A] }
      |                       ^^^^
    "#);
}

#[test]
fn values_that_a_file_cannot_hold_are_told_at_once_and_not_shown() {
    let project = project(
        "a.env: { dotenv: { LINES: \"${LINES}\", OPEN: \"${OPEN}\" } }
b.json: { cloudformation: { parameters: { L: [\"${OPEN}\", b] } } }
c.yaml: { appspec: { container: web, port: \"${OPEN}\" } }",
    )
    .variable("LINES", "a\nb")
    .variable("OPEN", "hidden, text");
    let refused = project.run(&["render"]);
    assert_snapshot!(refused, @r#"
    exit: 2
    --- stdout
    --- stderr
    error: the value of `LINES` has more than one line, which no line of the file can hold
     --> shipspec.yml:3:29
      |
    3 |   a.env: { dotenv: { LINES: "${LINES}", OPEN: "${OPEN}" } }
      |                             ^^^^^^^^^^
      |
      = hint: encode it, such as with base64, or let the container read it by its ARN
    error: Docker and ECS would read the value of `OPEN` otherwise than a shell does
     --> shipspec.yml:3:47
      |
    3 |   a.env: { dotenv: { LINES: "${LINES}", OPEN: "${OPEN}" } }
      |                                               ^^^^^^^^^
      |
      = hint: say who reads the file: `quotes: none` for Docker and ECS, `quotes: shell` for a shell
    error: an item of the parameter `L` has a comma, which would make two of it
     --> shipspec.yml:4:49
      |
    4 |   b.json: { cloudformation: { parameters: { L: ["${OPEN}", b] } } }
      |                                                 ^^^^^^^^^
    error: `port` must be a whole number from 1 to 65535
     --> shipspec.yml:5:46
      |
    5 |   c.yaml: { appspec: { container: web, port: "${OPEN}" } }
      |                                              ^^^^^^^^^
    "#);
    assert!(!refused.stderr.contains("hidden"));
    // The same is found without a run.
    assert_eq!(project.run(&["check"]).code, 6);
}

#[test]
fn a_secret_is_refused_in_every_kind_and_allowed_by_name() {
    let kinds = [
        ("a.json", "{ json: { a: \"${DB}\" } }"),
        ("a.yaml", "{ yaml: [\"${DB | upper}\"] }"),
        ("a.txt", "{ text: \"x${DB}\" }"),
        ("a.tfvars", "{ tfvars: { a: { b: [\"${DB}\"] } } }"),
        ("a.tfvars.json", "{ tfvars: { a: \"${DB}\" } }"),
        ("a.env", "{ dotenv: { A: \"${DB}\" } }"),
        ("a.json", "{ cloudformation: { parameters: { A: [\"${DB}\", b] } } }"),
        ("a.json", "{ cloudformation: { tags: { a: \"${DB}\" } } }"),
        ("a.json", "{ cloudformation: { stack_policy: { a: \"${DB}\" } } }"),
        ("a.yaml", "{ appspec: { container: \"${DB}\", port: 80 } }"),
        ("a.yaml", "{ appspec: { container: a, port: 80, hooks: { AfterInstall: \"${DB}\" } } }"),
    ];
    for (path, kind) in kinds {
        let config = |kind: &str| {
            format!("version: 1\nparameters: {{ DB: \"ssm:/db\" }}\nartifacts:\n  {path}: {kind}\n")
        };
        let project = Project::new()
            .file("p.json", r#"{"Parameters": [{"Name": "/db", "Type": "SecureString", "Value": "very-secret", "Version": 1}]}"#)
            .file("shipspec.yml", &config(kind));
        let refused = project.run(&["render", "--parameters", "p.json"]);
        assert_eq!(refused.code, 2, "{kind}: {refused}");
        assert!(
            refused.stderr.contains("`DB` is secret and would stand in `a."),
            "{kind}: {refused}"
        );
        assert!(!refused.to_string().contains("very-secret") && !project.has(path), "{kind}");
        let allowed =
            kind.strip_suffix(" }").expect("a map").to_owned() + ", allow_secrets: [DB] }";
        let project = project.file("shipspec.yml", &config(&allowed));
        let told = project.run(&["render", "--parameters", "p.json"]).success();
        assert!(!told.to_string().contains("very-secret"), "{kind}: {told}");
        assert!(project.read(path).to_lowercase().contains("very-secret"), "{kind}");
    }
}

#[test]
fn paths_that_a_kind_cannot_have_are_told() {
    let project = project(
        "a.json: { tfvars: { a: 1 } }
b.txt: { appspec: { container: web, port: 80 } }
c.json: { text: '{}' }
d.yml: { text: 'a: b' }",
    );
    assert_snapshot!(project.run(&["render"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `tfvars` makes files that end in `.tfvars` or `.tfvars.json`, not `a.json`
     --> shipspec.yml:3:3
      |
    3 |   a.json: { tfvars: { a: 1 } }
      |   ^^^^^^
    error: `appspec` makes files that end in `.yaml`, `.yml` or `.json`, not `b.txt`
     --> shipspec.yml:4:3
      |
    4 |   b.txt: { appspec: { container: web, port: 80 } }
      |   ^^^^^
    error: `text` writes values as they are, which may break JSON
     --> shipspec.yml:5:3
      |
    5 |   c.json: { text: '{}' }
      |   ^^^^^^
      |
      = hint: say `json:`, or `template:` with a file, which write a value for its place
    error: `text` writes values as they are, which may break YAML
     --> shipspec.yml:6:3
      |
    6 |   d.yml: { text: 'a: b' }
      |   ^^^^^
      |
      = hint: say `yaml:`, or `template:` with a file, which write a value for its place
    ");
}
