//! Every code finds its bad example and is silent about the good one, in which nothing else is wrong.

use shipspec_check::codes::{Code, Files, all};
use shipspec_check::read::Format;
use shipspec_check::{Allowed, File, Finding, Surroundings, check};
use shipspec_spec::source::Source;

/// Examples that need a shipspec.yml are run by the command's own tests.
fn needs_command(files: Files) -> bool {
    files.iter().any(|(path, _)| *path == "shipspec.yml")
}

fn file(path: &str, text: &str) -> File {
    let source = Source::new(path, text);
    let format = Format::of(path);
    if path.starts_with("buildspec") {
        return File::source(path, &source, format);
    }
    File::artifact(path, &source, format, &[])
}

fn find(files: &[File]) -> Vec<Finding> {
    let surroundings =
        Surroundings { outputs: Vec::new(), published: Vec::new(), has_file: &|_| false };
    check(files, &surroundings, &Allowed::default())
}

fn find_in(files: Files) -> Vec<Finding> {
    find(&files.iter().map(|(path, text)| file(path, text)).collect::<Vec<_>>())
}

fn codes(found: &[Finding]) -> Vec<Code> {
    found.iter().map(|finding| finding.code).collect()
}

#[test]
fn every_code_finds_its_bad_example_and_nothing_else_there() {
    for code in all().filter(|code| !needs_command(code.page().bad)) {
        let page = code.page();
        if page.bad.is_empty() {
            continue;
        }
        let found = find_in(page.bad);
        assert!(
            !found.is_empty() && codes(&found).iter().all(|it| *it == code),
            "{code}: {found:#?}"
        );
        assert!(
            found.iter().all(|finding| finding.fix.is_some() || code.as_str() == "not-readable"),
            "{code}"
        );
    }
}

#[test]
fn nothing_is_wrong_with_the_good_examples() {
    for code in all().filter(|code| !needs_command(code.page().good)) {
        let found = find_in(code.page().good);
        assert!(found.is_empty(), "{code}: {found:#?}");
    }
}

fn only(path: &str, text: &str) -> Vec<&'static str> {
    find(&[file(path, text)]).iter().map(|finding| finding.code.as_str()).collect()
}

#[test]
fn what_is_too_large_is_told() {
    let value = "x".repeat(70_000);
    let task = format!(
        r#"{{"family": "web", "containerDefinitions": [{{"name": "web", "image": "nginx:1.27", "memory": 128, "environment": [{{"name": "A", "value": "{value}"}}]}}]}}"#
    );
    assert_eq!(only("taskdef.json", &task), ["taskdef-size"]);
    let entry =
        |index| format!(r#"{{"name": "web-{index}", "imageUri": "registry.example.com/web:1"}}"#);
    let entries: Vec<_> = (0..2000).map(entry).collect();
    let definitions = format!("[{}]", entries.join(",\n"));
    assert_eq!(only("imagedefinitions.json", &definitions), ["image-definitions-size"]);
    let long = format!("{{\"tag\": \"{}\"}}", "x".repeat(2000));
    assert_eq!(only("build.json", &long), ["overrides-size"]);
    let stack = |parameters: usize, tags: usize, length: usize| {
        let map = |count: usize| -> serde_json::Value {
            (0..count).map(|index| (format!("K{index}"), "x".repeat(length))).collect()
        };
        let stack = serde_json::json!({ "Parameters": map(parameters), "Tags": map(tags) });
        only("stack.json", &stack.to_string())
    };
    assert_eq!(stack(200, 50, 1), [""; 0]);
    assert_eq!(stack(201, 51, 1), ["stack-size"; 2]);
    assert_eq!(stack(1, 1, 4096), [""; 0]);
    assert_eq!(stack(1, 1, 4097), ["stack-size"]);
}

#[test]
fn artifacts_that_the_action_cannot_read_are_told() {
    let page = all().find(|code| code.as_str() == "agree-container").unwrap().page();
    let mut files: Vec<_> = page.good.iter().map(|(path, text)| file(path, text)).collect();
    files.push(file("data.json", &format!("[\"{}\"]", "x".repeat(3_100_000))));
    let found = find(&files);
    assert_eq!(
        codes(&found).iter().map(|code| code.as_str()).collect::<Vec<_>>(),
        ["artifact-size"]
    );
}

#[test]
fn codes_without_an_example_are_those_that_are_tested_here() {
    let without: Vec<_> =
        all().filter(|code| code.page().bad.is_empty()).map(Code::as_str).collect();
    assert_eq!(
        without,
        ["taskdef-size", "image-definitions-size", "artifact-size", "stack-size", "overrides-size"]
    );
}

#[test]
fn what_another_tool_may_fill_is_no_mistake() {
    let task = r#"{"family": "__FAMILY__", "executionRoleArn": "arn:aws:iam::AWS_ACCOUNT_ID:role/ecs", "cpu": "%CPU%", "containerDefinitions": [{"name": "{{ name }}", "image": <IMAGE1_NAME>, "memory": 64, "portMappings": [{"containerPort": "__PORT__"}]}]}"#;
    let spec = "version: 0.0\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n        TaskDefinition: TASK_DEFINITION\n        LoadBalancerInfo: { ContainerName: $NAME, ContainerPort: $PORT }\n";
    for (path, text) in [("taskdef.json", task), ("appspec_template.yaml", spec)] {
        let file = File::source(path, &Source::new(path, text), Format::of(path));
        assert!(file.not_checked().is_none());
        assert_eq!(find(&[file]), [], "{path}");
    }
    let file = File::source("appspec.yaml", &Source::new("appspec.yaml", spec), Format::Yaml);
    assert_eq!(
        codes(&find(&[file])).iter().map(|code| code.as_str()).collect::<Vec<_>>(),
        ["appspec-value"]
    );
}

#[test]
fn arns_in_an_app_spec_are_those_of_their_services() {
    let spec = |task: &str, hook: &str| {
        let text = format!(
            "version: 0.0\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n        TaskDefinition: {task}\n        LoadBalancerInfo: {{ ContainerName: web, ContainerPort: 80 }}\nHooks:\n  - AfterInstall: {hook}\n"
        );
        only("appspec.yaml", &text)
    };
    let task = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7";
    let hook = "arn:aws:lambda:eu-west-1:123456789012:function:check";
    assert!(spec(task, hook).is_empty() && spec(task, "check").is_empty());
    assert_eq!(spec(&task.replace("9012", "90"), hook), ["appspec-value"]);
    assert_eq!(spec(task, task), ["appspec-hook"]);
}

/// What is said of a task for Fargate with these keys.
fn of_fargate(keys: &str) -> Vec<String> {
    let task = format!(
        r#"{{"family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], {keys}, "containerDefinitions": [{{"name": "web", "image": "nginx:1.27", "secrets": [{{"name": "S", "valueFrom": "/s"}}]}}]}}"#
    );
    let found = find(&[file("taskdef.json", &task)]);
    found.iter().map(|finding| format!("{}: {}", finding.code, finding.message)).collect()
}

#[test]
fn what_is_no_size_of_a_task_for_fargate_is_told() {
    let of = |cpu: &str, memory: &str| {
        of_fargate(&format!(r#""cpu": "{cpu}", "memory": "{memory}", "executionRoleArn": "ecs""#))
    };
    for (cpu, memory) in [("256", "512"), ("0.25 vCPU", "1 GB"), (".25vcpu", "0.5GB")] {
        assert_eq!(of(cpu, memory), [""; 0]);
    }
    assert_eq!(of("256", "abc"), ["fargate-size: `abc` is no `memory` of a task"]);
    assert_eq!(of("0.25", "512"), ["fargate-size: `0.25` is no `cpu` of a task"]);
    assert_eq!(
        of("abc", "-5"),
        [
            "fargate-size: `abc` is no `cpu` of a task",
            "fargate-size: `memory` of a task is more than 0, and this is `-5`",
        ]
    );
    assert_eq!(of("", "512"), ["fargate-size: `cpu` is empty: a variable was not set"]);
}

#[test]
fn an_empty_role_is_told_and_is_none() {
    let of = |roles: &str| of_fargate(&format!(r#""cpu": "256", "memory": "512", {roles}"#));
    assert_eq!(of(r#""taskRoleArn": "web", "executionRoleArn": "ecs""#), [""; 0]);
    let found = of(r#""taskRoleArn": "", "executionRoleArn": " ""#);
    assert_eq!(
        found,
        [
            "left-over-none: `taskRoleArn` is empty: a variable was not set",
            "left-over-none: `executionRoleArn` is empty: a variable was not set",
            "execution-role: without an `executionRoleArn` nobody may read the secrets of container `web`",
        ]
    );
}
