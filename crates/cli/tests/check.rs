//! `shipspec check`: what AWS would refuse, found without asking anybody.

mod common;

use common::{COMMIT, Outcome, Project};
use insta::assert_snapshot;
use shipspec_check::codes::{Files, all};

const TASK: &str = r#"{
  "family": "${TASK_FAMILY}",
  "requiresCompatibilities": ["FARGATE"],
  "networkMode": "awsvpc",
  "cpu": "256",
  "memory": "${TASK_MEMORY}",
  "executionRoleArn": "${EXECUTION_ROLE_ARN}",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "<IMAGE1_NAME>",
      "portMappings": [{ "containerPort": ${PORT} }]
    }
  ]
}
"#;

const APP_SPEC: &str = "version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo:
          ContainerName: web
          ContainerPort: ${PORT}
";

const CONFIG: &str = "version: 1
images:
  app: { repository: \"${REPOSITORY_URL}\" }
artifacts:
  taskdef.json: taskdef_template.json
  appspec.yaml: appspec_template.yaml
  imageDetail.json: { image_detail: app }
";

fn pipeline() -> Project {
    Project::new()
        .file("shipspec.yml", CONFIG)
        .file("taskdef_template.json", TASK)
        .file("appspec_template.yaml", APP_SPEC)
        .file("Dockerfile", "FROM scratch\n")
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
}

fn run_example(files: Files) -> Outcome {
    let mut project = Project::new();
    for (path, text) in files {
        project = project.file(path, text);
    }
    project.run(&["check", "--output", "json"])
}

#[test]
fn codes_about_shipspec_yml_find_their_bad_examples_and_not_the_good_ones() {
    let has_config = |files: Files| files.iter().any(|(path, _)| *path == "shipspec.yml");
    for code in all().filter(|code| has_config(code.page().bad)) {
        let wanted = format!("\"code\": \"{code}\"");
        let bad = run_example(code.page().bad);
        assert!(bad.stdout.contains(&wanted), "{code}: {}", bad.stdout);
        let good = run_example(code.page().good);
        assert!(good.stdout.contains("\"findings\": []"), "{code}: {}", good.stdout);
    }
}

#[test]
fn what_is_not_known_is_no_mistake_and_is_told() {
    assert_snapshot!(pipeline().run(&["check"]), @"
    exit: 0
    --- stdout
    --- stderr
    not checked: images: no value here for `REPOSITORY_URL`
    not checked: what depends on `EXECUTION_ROLE_ARN`, `PORT`, `TASK_FAMILY`, `TASK_MEMORY`, without a value here
    nothing found in 3 files
    ");
}

#[test]
fn a_mistake_beside_what_is_not_known_is_told() {
    for artifact in [
        "b.json: { json: { open: \"${UNKNOWN_HERE | upper}\", wrong: \"${file('missing.txt')}\" } }",
        "b.yaml: { yaml: { open: \"${UNKNOWN_HERE}\", wrong: \"${file('missing.txt')}\" } }",
        "b.tfvars: { tfvars: { open: \"${UNKNOWN_HERE}\", wrong: \"${file('missing.txt')}\" } }",
        "t.json: { template: taskdef_template.json, environment: { web: { A: \"${UNKNOWN_HERE}\", B: \"${file('missing.txt')}\" } } }",
    ] {
        let project = pipeline().file("shipspec.yml", &format!("{CONFIG}  {artifact}\n"));
        let told = project.run(&["check"]).failure(6);
        assert!(told.to_string().contains("missing.txt"), "{artifact}: {told}");
        let project = project.file("missing.txt", "here");
        assert!(!project.run(&["check"]).to_string().contains("error"), "{artifact}");
    }
}

#[test]
fn no_finding_shows_what_a_secret_comes_to() {
    let parameters = "parameters: { PW: { from: ssm:/pw, secret: true }, PIN: { from: ssm:/pin, secret: true } }";
    let task = r#"{"family":"f","containerDefinitions":[{"name":"web","image":"x:1","environment":[{"name":"B","value":"VALUE"}]}]}"#;
    for (artifact, value) in [
        ("{ template: t.json, environment: { web: { A: '${PIN}' } } }", "b"),
        ("{ template: t.json, environment: { web: { A: '${PW | upper}' } } }", "b"),
        ("{ template: t.json, docker_labels: { web: { a: b } } }", "${PIN}"),
        ("{ template: t.j2 }", "{{ PW | upper }}"),
        ("{ json: { a: '${file(PW | upper)}' } }", "b"),
        ("{ json: { a: '${arn(PW | upper)}' } }", "b"),
    ] {
        for allowed in [artifact.to_owned(), artifact.replace(" }", ", allow_secrets: [PW, PIN] }")]
        {
            let template = task.replace("VALUE", value);
            let project = Project::new()
                .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
                .file("p.json", r#"{"PW": "Hunter2Hunter", "PIN": "x7Q"}"#)
                .file("t.json", &template)
                .file("t.j2", &template)
                .file(
                    "shipspec.yml",
                    &format!("version: 1\n{parameters}\nartifacts:\n  a.json: {allowed}\n"),
                );
            for command in
                [&["check"][..], &["check", "--output", "json"], &["run", "--no-push"], &["plan"]]
            {
                let told =
                    project.run(&[command, &["--parameters", "p.json"]].concat()).to_string();
                assert!(!told.to_lowercase().contains("hunter"), "{allowed} {command:?}: {told}");
                assert!(!told.contains("x7Q"), "{allowed} {command:?}: {told}");
            }
        }
    }
}

#[test]
fn a_secret_in_plain_text_is_found_before_a_run() {
    for artifact in [
        "{ template: t.json, environment: { web: { A: '${PW}' } } }",
        "t.txt",
        "{ text: '${PW}' }",
        "{ json: { a: '${PW}' } }",
        "{ dotenv: { A: '${PW}' } }",
    ] {
        let path = if artifact.contains("text") || artifact.contains("dotenv") {
            "a.txt"
        } else {
            "a.json"
        };
        let config = format!(
            "version: 1\nparameters: {{ PW: {{ from: ssm:/pw, secret: true }} }}\nartifacts:\n  {path}: {artifact}\n"
        );
        let project = Project::new()
            .file("p.json", r#"{"PW": "hunter2hunter"}"#)
            .file("t.json", r#"{"containerDefinitions":[{"name":"web"}]}"#)
            .file("t.txt", "{\"a\": \"$PW\"}")
            .file("shipspec.yml", &config);
        let told = project.run(&["check", "--parameters", "p.json"]).failure(6);
        let problem = format!("`PW` is secret and would stand in `{path}` in plain text");
        assert!(told.to_string().contains(&problem), "{artifact}: {told}");
    }
}

#[test]
fn a_name_that_is_misspelt_in_shipspec_yml_is_told_as_in_a_template() {
    for artifact in ["{ text: '${IMAGE_TAGG}' }", "{ yaml: { a: '${IMAGE_TAGG}' } }"] {
        let project = Project::new()
            .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
            .file("shipspec.yml", &format!("version: 1\nartifacts:\n  a.txt: {artifact}\n"));
        let told = project.run(&["check"]).success();
        assert!(
            told.stderr.contains("name-unset") && told.stderr.contains("`IMAGE_TAG`"),
            "{told}"
        );
    }
}

#[test]
fn what_an_artifact_allows_counts_whatever_its_path_is() {
    let task = r#"{"family":"f","requiresCompatibilities":["FARGATE"],"networkMode":"awsvpc","cpu":"256","memory":"512","containerDefinitions":[{"name":"web","image":"x:1","secrets":[{"name":"A","valueFrom":"/a"}]}]}"#;
    for path in ["'task-${c}.json'", "./taskdef.json", "taskdef.json"] {
        let project = Project::new()
            .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
            .file("t.json", task)
            .file("shipspec.yml", &format!("version: 1\nvariables: {{ c: blue }}\nartifacts:\n  {path}: {{ template: t.json, check: {{ allow: [execution-role] }} }}\n"));
        project.run(&["check"]).success();
        project.run(&["run"]).success();
    }
}

#[test]
fn values_that_are_known_are_looked_at_in_their_places() {
    let flags = ["--set", "PORT=80", "--set", "TASK_MEMORY=4096", "--set", "TASK_FAMILY=my web"];
    let project = pipeline().variable("REPOSITORY_URL", "registry.example.com/web");
    assert_snapshot!(project.run(&[&["check"][..], &flags].concat()), @r#"
    exit: 6
    --- stdout
    --- stderr
    error[taskdef-name]: `my web` is no name for the family
     --> taskdef_template.json:2:13
      |
    2 |   "family": "${TASK_FAMILY}",
      |             ^^^^^^^^^^^^^^^^
      |
      = fix: a name has up to 255 letters, digits, `-` and `_`
    error[fargate-size]: Fargate has no size with 256 units of cpu and 4096 MiB of memory
     --> taskdef_template.json:6:13
      |
    6 |   "memory": "${TASK_MEMORY}",
      |             ^^^^^^^^^^^^^^^^
      |
      = fix: with this `cpu`, `memory` is 512 to 2048 in steps of 512
    not checked: what depends on `EXECUTION_ROLE_ARN`, without a value here
    error: 2 errors in 3 files
    "#);
}

#[test]
fn files_that_do_not_agree_are_told() {
    let project = pipeline().file(
        "appspec_template.yaml",
        &APP_SPEC.replace("ContainerName: web", "ContainerName: app"),
    );
    let outcome = project.run(&["check"]);
    assert_eq!(outcome.code, 6);
    assert!(outcome.stderr.contains("error[agree-container]"), "{outcome}");
}

#[test]
fn findings_are_silenced_where_the_user_says_so() {
    let wrong = APP_SPEC.replace("version: 0.0", "version: 1.0");
    let commented = wrong.replace("1.0", "1.0 # shipspec: allow appspec-version");
    let run = |config: &str, app_spec: &str| {
        let project =
            pipeline().file("shipspec.yml", config).file("appspec_template.yaml", app_spec);
        project.run(&["check"]).code
    };
    assert_eq!(run(CONFIG, &wrong), 6);
    assert_eq!(run(CONFIG, &commented), 0);
    let all = format!("{CONFIG}check: {{ allow: [appspec-version] }}\n");
    assert_eq!(run(&all, &wrong), 0);
    let one = CONFIG.replace(
        "appspec_template.yaml",
        "{ template: appspec_template.yaml, check: { allow: [appspec-version] } }",
    );
    assert_eq!(run(&one, &wrong), 0);
}

#[test]
fn a_code_that_there_is_not_is_an_error_with_the_nearest() {
    let project = pipeline()
        .file("shipspec.yml", &format!("{CONFIG}check: {{ allow: [appspec-versoin] }}\n"));
    let outcome = project.run(&["check"]);
    assert_eq!(outcome.code, 6);
    assert!(outcome.stderr.contains("no finding has the code `appspec-versoin`"), "{outcome}");
    assert!(outcome.stderr.contains("did you mean `appspec-version`?"), "{outcome}");
}

#[test]
fn the_severity_that_fails_is_the_users_choice() {
    let project = Project::new().file("imageDetail.json", "{\"ImageURI\": \"nginx:latest\"}\n");
    assert_eq!(project.run(&["check"]).code, 0);
    assert_eq!(project.run(&["check", "--fail-on", "warning"]).code, 6);
    assert_snapshot!(project.run(&["check", "imageDetail.json", "--fail-on", "note"]), @r#"
    exit: 6
    --- stdout
    --- stderr
    warning[image-latest]: `nginx:latest` is another image with each push, so that nobody knows what runs
     --> imageDetail.json:1:14
      |
    1 | {"ImageURI": "nginx:latest"}
      |              ^^^^^^^^^^^^^^
      |
      = fix: name a tag that stays, such as that of the commit, or a digest
    error: 1 warning in 1 file
    "#);
}

#[test]
fn findings_are_documents_for_programs() {
    let project = Project::new().file("imageDetail.json", "{\"ImageURI\": \"nginx:\"}\n");
    assert_snapshot!(project.run(&["check", "--output", "json"]), @r#"
    exit: 6
    --- stdout
    {
      "version": 1,
      "command": "check",
      "files": [
        "imageDetail.json"
      ],
      "findings": [
        {
          "code": "image-open-end",
          "severity": "error",
          "file": "imageDetail.json",
          "line": 1,
          "column": 14,
          "end_line": 1,
          "end_column": 22,
          "message": "the reference `nginx:` ends with nothing behind its `:` or `@`",
          "fix": "a variable was empty: find out which, and where it should come from",
          "page": "docs/reference/checks/image-open-end.md"
        }
      ],
      "not_checked": []
    }
    --- stderr
    error: 1 error in 1 file
    "#);
    assert_snapshot!(project.run(&["check", "--output", "junit"]), @r#"
    exit: 6
    --- stdout
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="shipspec check">
      <testsuite name="imageDetail.json" tests="1" failures="1" skipped="0">
        <testcase classname="imageDetail.json" name="image-open-end at imageDetail.json:1:14"><failure type="error" message="the reference `nginx:` ends with nothing behind its `:` or `@`">imageDetail.json:1:14: the reference `nginx:` ends with nothing behind its `:` or `@`
    a variable was empty: find out which, and where it should come from</failure></testcase>
      </testsuite>
    </testsuites>
    --- stderr
    error: 1 error in 1 file
    "#);
    let sarif = project.run(&["check", "--output", "sarif"]);
    let sarif: serde_json::Value = serde_json::from_str(&sarif.stdout).expect("JSON");
    let run = &sarif["runs"][0];
    let result = &run["results"][0];
    assert_eq!(result["ruleId"], "image-open-end");
    assert_eq!(
        run["tool"]["driver"]["rules"][usize::try_from(
            result["ruleIndex"].as_u64().expect("an index")
        )
        .expect("a small one")]["id"],
        "image-open-end"
    );
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startColumn"], 14);
}

#[test]
fn a_code_is_explained() {
    let outcome = Project::new().run(&["check", "--explain", "agree-port"]);
    assert!(outcome.stdout.starts_with("# agree-port\n\nError: "), "{outcome}");
    assert!(Project::new().run(&["check", "--list"]).stdout.contains("agree-port "));
    assert_eq!(Project::new().run(&["check", "--explain", "agree-prot"]).code, 2);
}

#[test]
fn what_a_jinja_template_comes_to_is_looked_at_as_far_as_it_is_known() {
    let jinja = r#"{"family": "{{ FAMILY }}", "containerDefinitions": [{% for name in names %}{"name": "{{ name }}", "image": "{{ IMAGE }}", "memory": 64}{{ "," if not loop.last }}{% endfor %}]}"#;
    let config = "version: 1\nvariables: { names: \"${['web', 'web']}\" }\nartifacts: { taskdef.json: taskdef.json.j2 }\n";
    let project = Project::new().file("shipspec.yml", config).file("taskdef.json.j2", jinja);
    let outcome = project.run(&["check"]);
    assert!(outcome.stderr.contains("error[container-twice]"), "{outcome}");
    let open =
        project.file("shipspec.yml", "version: 1\nartifacts: { taskdef.json: taskdef.json.j2 }\n");
    assert_eq!(open.run(&["check"]).code, 0);
}

#[test]
fn a_path_that_somebody_names_has_to_be_there() {
    let project = Project::new().file("folder/taskdef.json", "{}");
    assert_snapshot!(project.run(&["check", "nosuch.json", "folder", "nor-this"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `nosuch.json` cannot be read: No such file or directory (os error 2)
           `nor-this` cannot be read: No such file or directory (os error 2)
     |
     = hint: name files and folders that are there, or none to look at the whole project
    ");
    assert_eq!(project.run(&["check", "folder"]).code, 6);
    // What is found, nobody has asked for.
    let project = Project::new().file("folder/taskdef.json", "");
    std::fs::write(project.path("folder/taskdef.json"), b"\xff").expect("a file");
    let outcome = project.run(&["check", "folder"]).success();
    assert!(
        outcome.stderr.contains("not checked: `folder/taskdef.json` is not UTF-8"),
        "{outcome}"
    );
    let outcome = project.run(&["check", "folder/taskdef.json"]).failure(2);
    assert!(outcome.stderr.contains("`folder/taskdef.json` is not UTF-8"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn a_run_stops_at_an_error_before_anything_is_built() {
    let testbed = shipspec_testbed::Testbed::current();
    let repository = testbed.repository("check");
    let project = common::project(&testbed, &repository);
    let template = project.read("taskdef_template.json").replace("64", "\"64\"");
    let project = project.file("taskdef_template.json", &template);
    let outcome = project.run(&["run"]).failure(2);
    assert!(
        outcome.stderr.contains("`memory` must be a whole number, and is text (taskdef-type)"),
        "{outcome}"
    );
    assert!(!outcome.stderr.contains("building"), "{outcome}");
    common::assert_untouched(&project, &repository);
}

#[test]
#[ignore = "needs the testbed"]
fn what_only_the_filled_artifact_shows_stops_a_run_before_the_tags() {
    let testbed = shipspec_testbed::Testbed::current();
    let repository = testbed.repository("check-late");
    let jinja = r#"{"family": "web", {% if images.app.digest is startingwith "sha256:0000" %}{% else %}"memory": 64, {% endif %}"containerDefinitions": [{"name": "web", "image": "{{ IMAGE_URI }}", "memory": 64}]}"#;
    let config = "version: 1\nimages: { app: { repository: \"${REPOSITORY_URL}\" } }\nartifacts: { taskdef.json: taskdef.json.j2 }\n";
    let project = common::project(&testbed, &repository)
        .file("shipspec.yml", config)
        .file("taskdef.json.j2", jinja);
    let outcome = project.run(&["run"]).failure(2);
    assert!(outcome.stderr.contains("(taskdef-type)"), "{outcome}");
    common::assert_untouched(&project, &repository);
}

#[test]
#[ignore = "needs the testbed"]
fn a_file_of_somebody_else_does_not_stop_a_run() {
    let testbed = shipspec_testbed::Testbed::current();
    let repository = testbed.repository("check-others");
    let project = common::project(&testbed, &repository).file("other/taskdef.json", "{}");
    let outcome = project.run(&["run"]).success();
    assert!(!outcome.stderr.contains("other/taskdef.json"), "{outcome}");
    let outcome = project.run(&["check"]).failure(6);
    assert!(outcome.stderr.contains("other/taskdef.json"), "{outcome}");
    // One that lies beside shipspec.yml is the pipeline's.
    let project = project.file("taskdef-beside.json", "{}");
    let outcome = project.run(&["run"]).failure(2);
    assert!(outcome.stderr.contains("taskdef-beside.json"), "{outcome}");
}

/// A project with this image, beside one Dockerfile in which one stage needs a secret.
fn with_image(image: &str) -> Project {
    let dockerfile = "ARG VARIANT=full\nFROM scratch AS full\nRUN --mount=type=secret,id=npm true\nFROM scratch AS slim\nRUN --mount=type=secret,id=opt,required=false true\nFROM ${VARIANT}\n";
    Project::new()
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .file("web/Dockerfile", dockerfile)
        .file(
            "shipspec.yml",
            &format!("version: 1\nimages:\n  app:\n    repository: r.example/app\n{image}"),
        )
}

#[test]
fn what_an_image_is_built_from_is_looked_at() {
    let told = |image: &str| with_image(image).run(&["check"]).stderr;
    let first = |image: &str| told(image).lines().next().unwrap_or_default().to_owned();
    for (image, wanted) in [
        (
            "    context: wbe\n",
            "warning[dockerfile-missing]: `wbe`, the context of `app`, is not there",
        ),
        (
            "    context: web/Dockerfile\n",
            "warning[dockerfile-missing]: `web/Dockerfile`, the context of `app`, is no folder",
        ),
        ("", "warning[dockerfile-missing]: `Dockerfile`, the Dockerfile of `app`, is not there"),
        (
            "    dockerfile: web\n",
            "warning[dockerfile-missing]: `web`, the Dockerfile of `app`, is no file",
        ),
        (
            "    context: web\n    target: slmi\n",
            "error[dockerfile-mismatch]: the Dockerfile has no stage `slmi`, only `full`, `slim`",
        ),
        (
            "    context: web\n",
            "error[dockerfile-mismatch]: this step mounts the secret `npm`, which nobody gives",
        ),
        (
            "    context: web\n    target: \"\"\n",
            "error[dockerfile-mismatch]: this step mounts the secret `npm`, which nobody gives",
        ),
        ("    context: web\n    target: slim\n", "nothing found in 0 files"),
        ("    context: web\n    build_args: { VARIANT: slim }\n", "nothing found in 0 files"),
        (
            "    context: web\n    insecure_build_args: { VARIANT: slim }\n",
            "nothing found in 0 files",
        ),
        (
            "    context: web\n    contexts: { full: \"docker-image://r.example/full:1\" }\n",
            "nothing found in 0 files",
        ),
        ("    context: \"${WHERE}\"\n", "not checked: images: no value here for `WHERE`"),
    ] {
        assert_eq!(first(image), wanted, "{image}");
    }
    let unknown = told("    context: web\n    build_args: { VARIANT: \"${VARIANT}\" }\n");
    assert!(unknown.contains("`web/Dockerfile`: its secrets depend on values"), "{unknown}");
    assert!(!unknown.contains("error"), "{unknown}");
    let test = told("    context: web\n    test: { target: full, command: [\"true\"] }\n");
    assert_eq!(test.matches("the secret `npm`").count(), 1, "{test}");
}

#[test]
fn a_finding_about_sources_can_be_allowed() {
    let missing = "    context: nope\n";
    for image in [
        format!("{missing}check: {{ allow: [dockerfile-missing] }}\n"),
        "    context: nope # shipspec: allow dockerfile-missing\n".to_owned(),
        "    # shipspec: allow dockerfile-missing\n    context: nope\n".to_owned(),
    ] {
        with_image(&image).run(&["check", "--fail-on", "warning"]).success();
    }
    with_image(missing).run(&["check", "--fail-on", "warning"]).failure(6);
    // What stops a run cannot.
    let mistake =
        "    contxt: a # shipspec: allow shipspec-yml\ncheck: { allow: [shipspec-yml] }\n";
    with_image(mistake).run(&["check"]).failure(6);
}
