//! `shipspec render` without any image, engine or registry.

mod common;

use common::{COMMIT, Project};
use insta::assert_snapshot;

const TASK_DEFINITION: &str = r#"{
  "family": "${TASK_FAMILY}",
  "executionRoleArn": "$EXECUTION_ROLE_ARN"
}
"#;

#[test]
fn templates_are_filled_from_the_environment_and_the_commit() {
    let project = Project::new()
        .file("taskdef_template.json", TASK_DEFINITION)
        .variable("TASK_FAMILY", "web \"quoted\"")
        .variable("EXECUTION_ROLE_ARN", "arn:aws:iam::123456789012:role/x")
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .file("shipspec.yml", "version: 1\nvariables: { V: \"v-${COMMIT_HASH}\" }\nartifacts:\n  out/taskdef.json: taskdef_template.json\n  build.json: { json: { tag: \"${V}\", n: [1, true, null] } }\n");
    assert_snapshot!(project.run(&["render"]), @"
    exit: 0
    --- stdout
    --- stderr
    wrote out/taskdef.json
    wrote build.json
    ");
    assert_eq!(
        project.read("out/taskdef.json"),
        "{\n  \"family\": \"web \\\"quoted\\\"\",\n  \"executionRoleArn\": \"arn:aws:iam::123456789012:role/x\"\n}\n"
    );
    assert_eq!(project.read("build.json"), r#"{"tag":"v-0123456","n":[1,true,null]}"#);
}

#[test]
fn flags_alone_are_enough() {
    let project = Project::new().file("t.txt", "hello ${NAME:-world}\n");
    project.run(&["render", "--render", "t.txt=out.txt"]).success();
    assert_eq!(project.read("out.txt"), "hello world\n");
    assert_snapshot!(project.run(&["render", "--render", "t.txt=out.txt", "--stdout"]), @"
    exit: 0
    --- stdout
    hello world
    --- stderr
    note: t.txt:1:7: `${NAME:-world}` came to its default
    ");
}

#[test]
fn every_unset_variable_of_every_template_is_told_and_nothing_is_written() {
    let project = Project::new()
        .file("taskdef_template.json", TASK_DEFINITION)
        .file("appspec_template.yaml", "ContainerName: ${CONTAINER_NAME}\n")
        .file("old.json", "old")
        .variable("TASK_FAMLIY", "web")
        .file("shipspec.yml", "version: 1\nartifacts:\n  taskdef.json: taskdef_template.json\n  appspec.yaml: appspec_template.yaml\n  old.json: { json: { a: 1 } }\n");
    assert_snapshot!(project.run(&["render"]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: `TASK_FAMILY` has no value
     --> taskdef_template.json:2:14
      |
    2 |   "family": "${TASK_FAMILY}",
      |              ^^^^^^^^^^^^^^
      |
      = hint: did you mean `TASK_FAMLIY`?
    error: `EXECUTION_ROLE_ARN` has no value
     --> taskdef_template.json:3:24
      |
    3 |   "executionRoleArn": "$EXECUTION_ROLE_ARN"
      |                        ^^^^^^^^^^^^^^^^^^^
      |
      = hint: set `EXECUTION_ROLE_ARN` in the environment or under `variables:`; to keep the text itself, write `$$EXECUTION_ROLE_ARN`
    error: `CONTAINER_NAME` has no value
     --> appspec_template.yaml:1:16
      |
    1 | ContainerName: ${CONTAINER_NAME}
      |                ^^^^^^^^^^^^^^^^^
      |
      = hint: set `CONTAINER_NAME` in the environment or under `variables:`; to keep the text itself, write `$${CONTAINER_NAME}`
    "#);
    assert_eq!(project.read("old.json"), "old");
    assert!(!project.has("taskdef.json") && !project.has("appspec.yaml"));
}

#[test]
fn values_that_no_cloudformation_action_takes_are_told() {
    let project = Project::new().file(
        "shipspec.yml",
        "version: 1\nartifacts:\n  a.json: { json: { tag: x } }\n  b.json: { json: { tag: x, more: \"${MORE}\" } }\n",
    );
    let told = project.variable("MORE", &"m".repeat(1024)).run(&["render"]).success();
    assert!(told.stderr.contains("note: the values of `b.json` have 1025 bytes"), "{told}");
    assert!(!told.stderr.contains("`a.json` have"), "{told}");
}

#[test]
fn wrong_keys_are_told_with_their_lines() {
    let project = Project::new()
        .file("shipspec.yml", "version: 1\nartifact:\n  a.json: b\nimages:\n  app:\n    repo: x\n");
    assert_snapshot!(project.run(&["render"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: unknown key `artifact`
     --> shipspec.yml:2:1
      |
    2 | artifact:
      | ^^^^^^^^
      |
      = hint: did you mean `artifacts`?
    error: unknown key `repo`
     --> shipspec.yml:6:5
      |
    6 |     repo: x
      |     ^^^^
      |
      = hint: known keys here: repository, reference, mirrors, role, external_id, insecure, create_repository, context, dockerfile, target, platform, tags, build_args, insecure_build_args, secrets, labels, network, extra_hosts, no_cache, pull, cache_from, cache_to, contexts, ssh, test, reuse
    error: `app` needs the key `repository` or `reference`
     --> shipspec.yml:6:5
      |
    6 |     repo: x
      |     ^
    ");
}

#[test]
fn what_would_not_be_json_or_yaml_is_told_and_not_written() {
    let project = Project::new()
        .file("a_template.json", "{\"cpu\": ${CPU},\n \"x\": [1,]}")
        .file("b_template.yaml", "a: ${CPU}: x\n")
        .variable("CPU", "256")
        .file(
            "shipspec.yml",
            "version: 1\nartifacts:\n  a.json: a_template.json\n  b.yaml: b_template.yaml\n",
        );
    assert_snapshot!(project.run(&["render"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `a.json` would not be JSON: expected value at line 2 column 10
     |
     = hint: check `a_template.json`, from which it is made
    error: this is no YAML: mapping values are not allowed in this context
     --> b_template.yaml:1:10
      |
    1 | a: ${CPU}: x
      |          ^
    ");
    assert!(!project.has("a.json") && !project.has("b.yaml"));
}

#[test]
fn missing_templates_and_wrong_files_are_told() {
    let project = Project::new().file(
        "shipspec.yml",
        "version: 1\nartifacts:\n  a.json: missing.json\n  b.json: { template: ../gone }\n",
    );
    assert_snapshot!(project.run(&["render"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the template `missing.json` cannot be read: No such file or directory (os error 2)
     --> shipspec.yml:3:11
      |
    3 |   a.json: missing.json
      |           ^^^^^^^^^^^^
    error: the template `../gone` cannot be read: No such file or directory (os error 2)
     --> shipspec.yml:4:23
      |
    4 |   b.json: { template: ../gone }
      |                       ^^^^^^^
    ");
    assert_snapshot!(Project::new().run(&["render", "--file", "other.yml"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `[folder]/other.yml` cannot be read: No such file or directory (os error 2)
    ");
    assert_snapshot!(Project::new().run(&["render"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: there is no artifact to render
     |
     = hint: write `artifacts:` in shipspec.yml, or use `--render TEMPLATE=ARTIFACT`
    ");
    let project = Project::new().file("shipspec.yml", "version: 1\nartifacts: [\n");
    assert_snapshot!(project.run(&["render"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: unclosed bracket '['
     --> shipspec.yml:2:12
      |
    2 | artifacts: [
      |            ^
    ");
}

#[test]
fn a_source_version_that_is_no_commit_is_told_where_a_commit_is_needed() {
    let project = Project::new()
        .file("t.txt", "${COMMIT_HASH}\n")
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", "pYR8zUFu.Bn5y9u_0wOzNVpBYWqHZjzW");
    assert_snapshot!(project.run(&["render", "--render", "t.txt=out.txt"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `COMMIT_HASH` has no value: the source version `pYR8zUFu.Bn5y9u_0wOzNVpBYWqHZjzW` (CODEBUILD_RESOLVED_SOURCE_VERSION) is no commit
     --> t.txt:1:1
      |
    1 | ${COMMIT_HASH}
      | ^^^^^^^^^^^^^^
      |
      = hint: give the run a tag of its own: `tag:` in shipspec.yml, or `--tag`
    ");
    let project = project.file("shipspec.yml", "version: 1\nvariables: { COMMIT_HASH: given }\n");
    project.run(&["render", "--render", "t.txt=out.txt"]).success();
    assert_eq!(project.read("out.txt"), "given\n");
}

#[test]
fn nothing_is_written_after_a_failed_phase() {
    let project = Project::new().file("t.txt", "x").variable("CODEBUILD_BUILD_SUCCEEDING", "0");
    assert_snapshot!(project.run(&["render", "--render", "t.txt=out.txt"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: an earlier phase of this build failed (CODEBUILD_BUILD_SUCCEEDING=0)
     |
     = hint: nothing is published after a failure
    ");
    assert!(!project.has("out.txt"));
}

#[test]
fn without_credentials_parameters_are_an_error_of_their_own() {
    let project = Project::new()
        .variable("AWS_EC2_METADATA_DISABLED", "true")
        .variable("AWS_REGION", "eu-west-1")
        .file(
            "shipspec.yml",
            "version: 1\nparameters: { A: \"ssm:/a\" }\nartifacts: { a.json: { json: {} } }\n",
        );
    let outcome = project.run(&["render"]).failure(3);
    assert!(outcome.stderr.contains("no valid AWS credentials to read parameters"), "{outcome}");
    assert!(!project.has("a.json"));
}

#[test]
fn parameters_are_named_in_the_right_form() {
    let project = Project::new().file(
        "shipspec.yml",
        "version: 1\nparameters: { A: /a, B: \"ssm:a b\" }\nartifacts: { a.json: { json: {} } }\n",
    );
    assert_snapshot!(project.run(&["render"]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: `/a` names no source; write `ssm:/path/name` or `secretsmanager:name:key`
     --> shipspec.yml:2:18
      |
    2 | parameters: { A: /a, B: "ssm:a b" }
      |                  ^^
    error: `a b` is no parameter name: letters, digits, `_`, `.`, `-` and `/`, with a `/` in front if there is one inside
     --> shipspec.yml:2:25
      |
    2 | parameters: { A: /a, B: "ssm:a b" }
      |                         ^^^^^^^^^
    "#);
}

#[test]
fn there_may_be_more_artifacts_than_a_process_may_have_files_open() {
    let entries = (0..200).map(|number| format!("  out/{number}.json: template.json\n"));
    let text = format!("version: 1\nartifacts:\n{}", entries.collect::<String>());
    let project = Project::new().file("template.json", "{}").file("shipspec.yml", &text);
    let mut limited = std::process::Command::new("sh");
    let render = project.command(&["render"]);
    limited.args(["-c", "ulimit -n 60; exec \"$@\"", "sh"]).arg(render.get_program());
    limited.args(render.get_args()).current_dir(project.folder());
    let told = project.outcome(&limited.output().expect("sh")).success();
    assert_eq!(std::fs::read_dir(project.path("out")).expect("out").count(), 200, "{told}");
}
