//! The expression language as a user meets it: `shipspec render` with every kind of template.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::io::Write as _;
use std::process::{Command, Stdio};

use common::{COMMIT, Project};
use insta::assert_snapshot;
use proptest::prelude::*;
use shipspec_testbed::Testbed;

fn project(artifacts: &str) -> Project {
    Project::new()
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .file("shipspec.yml", &format!("version: 1\nartifacts:\n{artifacts}"))
}

#[test]
fn only_the_listed_names_are_filled() {
    let project =
        project("  a.json: { template: t.json, only: [NAME] }\n").variable("NAME", "web").file(
            "t.json",
            "{\"$schema\": \"x\", \"name\": \"$NAME\", \"command\": \"listen $PORT ${HOST:-all}\"}",
        );
    project.run(&["render"]).success();
    assert_eq!(
        project.read("a.json"),
        "{\"$schema\": \"x\", \"name\": \"web\", \"command\": \"listen $PORT ${HOST:-all}\"}"
    );
}

#[test]
fn a_name_for_the_containers_own_shell_is_kept_by_two_dollars() {
    let project = project("  a.json: t.json\n").file("t.json", "{\"command\": \"listen $PORT\"}");
    assert_snapshot!(project.run(&["render"]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: `PORT` has no value
     --> t.json:1:21
      |
    1 | {"command": "listen $PORT"}
      |                     ^^^^^
      |
      = hint: set `PORT` in the environment or under `variables:`; to keep the text itself, write `$$PORT`
    "#);
    let project = project.file("t.json", "{\"command\": \"listen $$PORT $${HOST}\"}");
    project.run(&["render"]).success();
    assert_eq!(project.read("a.json"), "{\"command\": \"listen $PORT ${HOST}\"}");
}

#[test]
fn a_default_that_was_used_is_told() {
    let project = project("  a.txt: t.txt\n").file("t.txt", "port ${PORT:-80}\n");
    assert_snapshot!(project.run(&["render"]).success(), @"
    exit: 0
    --- stdout
    --- stderr
    note: t.txt:1:6: `${PORT:-80}` came to its default
    wrote a.txt
    ");
    let told = project.variable("PORT", "81").run(&["render"]).success();
    assert!(!told.stderr.contains("note"), "{told}");
}

#[test]
fn placeholders_of_other_tools_are_filled_and_must_occur() {
    let artifact = "  a.yaml:\n    template: t.yaml\n    placeholders: { \"<CONTAINER>\": \"${NAME}\", \"%TAG%\": \"${IMAGE_TAG}\", \"__REPO__\": \"r\" }\n";
    let project = project(artifact).variable("NAME", "web: 1").file(
        "t.yaml",
        "name: <CONTAINER>\ntag: %TAG%\nrepo: __REPO__ # $$x\ntask: <TASK_DEFINITION>\n",
    );
    // `%` cannot begin a plain word in YAML, but what is filled in can stand there.
    project.run(&["render"]).success();
    assert_eq!(
        project.read("a.yaml"),
        "name: \"web: 1\"\ntag: \"0123456\"\nrepo: r # $x\ntask: <TASK_DEFINITION>\n"
    );
    let missing = project.file("t.yaml", "name: <CONTAINER>\n").run(&["render"]).failure(2);
    assert!(
        missing.stderr.contains("the placeholder `%TAG%` does not occur in `t.yaml`"),
        "{missing}"
    );
    assert!(missing.stderr.contains("the placeholder `__REPO__` does not occur"), "{missing}");
}

#[test]
fn an_empty_placeholder_is_refused() {
    let project = project("  a.txt: { template: t.txt, placeholders: { \"\": b } }\n");
    let told = project.file("t.txt", "text").run(&["check"]).failure(6);
    assert!(told.to_string().contains("a placeholder is empty"), "{told}");
}

#[test]
fn filters_and_files_work_in_templates_and_in_shipspec_yml() {
    let project = Project::new()
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .variable("BRANCH", "feature/ABC 1")
        .file("motd", "hi \"there\"\n")
        .file("t.json", "{\"tag\": \"${BRANCH | slug | lower}\", \"hash\": \"${'x' | sha256 | short(8)}\", \"b64\": \"${'a' | b64encode}\", \"motd\": ${file('motd') | json}, \"parts\": ${'a,b' | split(',') | list | json}}")
        .file("shipspec.yml", "version: 1\nvariables: { UP: \"${BRANCH | replace('/', '-') | upper}\" }\nartifacts:\n  a.json: t.json\n  b.json: { json: { up: \"${UP}\", c: \"${COMMIT | short(4)}\" } }\n");
    project.run(&["render"]).success();
    assert_eq!(
        project.read("a.json"),
        r#"{"tag": "feature-abc-1", "hash": "2d711642", "b64": "YQ==", "motd": "hi \"there\"\n", "parts": ["a","b"]}"#
    );
    assert_eq!(project.read("b.json"), r#"{"up":"FEATURE-ABC 1","c":"0123"}"#);
    let outside =
        project.file("t.json", "{\"x\": \"${file('/etc/hostname')}\"}").run(&["render"]).failure(2);
    assert!(
        outside.stderr.contains("file('/etc/hostname'): no such file in the project"),
        "{outside}"
    );
}

#[test]
fn a_matrix_makes_an_artifact_for_each_combination_that_is_wanted() {
    let artifacts = r#"  "task-${color}.json":
    template: t.json
    matrix: { color: [blue, green, red] }
    when: "${active[color]}"
    variables: { name: "web-${color}", COMMIT_HASH: "own ${COMMIT_HASH}" }
"#;
    let project = project(artifacts)
        .file("values.yaml", "active: { blue: true, green: false, red: \"yes\" }\n")
        .file("t.json", "{\"name\": \"$name\", \"hash\": \"${COMMIT_HASH}\"}");
    project.run(&["render", "--values", "values.yaml"]).success();
    assert_eq!(project.read("task-blue.json"), r#"{"name": "web-blue", "hash": "own 0123456"}"#);
    assert!(project.has("task-red.json") && !project.has("task-green.json"));
}

#[test]
fn two_artifacts_with_one_path_are_an_error() {
    let many = (0..101).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
    let told =
        self::project(&format!("  x: {{ template: t, matrix: {{ a: [{many}], b: [{many}] }} }}\n"))
            .run(&["render"])
            .failure(2);
    assert!(told.stderr.contains("with `b` the matrix has over 10000 combinations"), "{told}");
    let project = project("  a.json: { json: {} }\n  \"${A}.json\": { json: {} }\n  b.txt: { template: t, matrix: { x: [1, 2] } }\n")
        .variable("A", "a")
        .file("t", "");
    assert_snapshot!(project.run(&["render"]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: two artifacts have the path `a.json`
     --> shipspec.yml:4:3
      |
    4 |   "${A}.json": { json: {} }
      |   ^^^^^^^^^^^
    error: two artifacts have the path `b.txt`
     --> shipspec.yml:5:3
      |
    5 |   b.txt: { template: t, matrix: { x: [1, 2] } }
      |   ^^^^^
    "#);
}

#[test]
fn given_values_win_and_every_source_is_told() {
    let project = project("  a.txt: { template: t, variables: { NAME: own } }\n")
        .variable("NAME", "env")
        .file("t", "$NAME $MORE")
        .file("values.env", "MORE=\"from a file\"\n");
    project.run(&["render", "--values", "values.env"]).success();
    assert_eq!(project.read("a.txt"), "own from a file");
    project.run(&["render", "--values", "values.env", "--set", "NAME=set"]).success();
    assert_eq!(project.read("a.txt"), "set from a file");

    let project = Project::new()
        .variable("NAME", "env")
        .file("shipspec.yml", "version: 1\nvariables: { NAME: \"${NAME}-file\", PASSWORD: x }\n");
    assert_snapshot!(project.run(&["render", "--explain", "NAME"]), @r#"
    exit: 0
    --- stdout
    NAME = "env-file"
      from shipspec.yml:2:20
      not  the environment
    --- stderr
    "#);
    assert_snapshot!(project.run(&["render", "--explain", "NAME", "--set", "NAME=set"]), @r#"
    exit: 0
    --- stdout
    NAME = "set"
      from --set or --values
      not  shipspec.yml:2:20
      not  the environment
    --- stderr
    "#);
    let own = "artifacts: { \"${env}.txt\": { template: t, matrix: { env: [dev, prod] }, variables: { NAME: \"${NAME}-${env}\" } } }\n";
    let config = project.read("shipspec.yml") + own;
    let project = project.file("shipspec.yml", &config).file("t", "");
    let told = project.run(&["render", "--explain", "NAME"]).success().stdout;
    let own = "\n\nin prod.txt: NAME = \"env-file-prod\"\n  from shipspec.yml:3:92\n  not  shipspec.yml:2:20\n";
    assert!(told.starts_with("NAME = \"env-file\"\n") && told.contains(own), "{told}");
    let told = project.run(&["render", "--explain", "env"]).success().stdout;
    assert!(told.contains("in dev.txt: env = \"dev\"\n  from its place in the matrix"), "{told}");
    let no_name = project.run(&["render", "--explain", "NAME | upper"]).failure(2);
    assert!(no_name.stderr.contains("`NAME | upper` is no name"), "{no_name}");
    assert_snapshot!(project.run(&["render", "--explain", "COMMIT"]), @"
    exit: 0
    --- stdout
    COMMIT = -
      `COMMIT` has no value: CODEBUILD_RESOLVED_SOURCE_VERSION is not set, and not a git repository (or any of the parent directories): .git
    --- stderr
    ");
}

#[test]
fn files_that_values_are_read_from_are_not_overwritten() {
    let project = Project::new()
        .file("shipspec.yml", "version: 1\nparameters: { P: ssm:/p }\nartifacts:\n  p.json: { json: { a: 1 } }\n  v.env: { text: b }\n")
        .file("p.json", "{\"P\": \"v\"}")
        .file("v.env", "A=1\n");
    let told = project.run(&["render", "--parameters", "p.json", "--values", "v.env"]).failure(2);
    for path in ["p.json", "v.env"] {
        let message = format!("`{path}` would overwrite a file that values are read from");
        assert!(told.stderr.contains(&message), "{told}");
    }
}

#[test]
fn only_takes_names_and_tells_those_that_are_not_there() {
    let project =
        project("  a.txt: { template: t, only: [A, B] }\n").variable("A", "1").file("t", "$A $C");
    let told = project.run(&["render"]).success();
    assert_eq!(project.read("a.txt"), "1 $C");
    assert!(told.stderr.contains("note: `only` names `B`, and `t` does not"), "{told}");
    let config = project.read("shipspec.yml").replace("[A, B]", "[\"$A\", images.app, \"\"]");
    let told = project.file("shipspec.yml", &config).run(&["render"]).failure(2);
    for message in ["`$A` is no name", "hint: write `A`", "hint: write `images`", "`` is no name"] {
        assert!(told.stderr.contains(message), "{message}: {told}");
    }
}

#[test]
fn a_given_image_needs_no_registry() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let project = Project::new()
        .file("shipspec.yml", "version: 1\nimages: { app: { repository: \"${NOT_SET}\" } }\nartifacts:\n  i.json: { json: { uri: \"${images.app.uri}\", pinned: \"${images.app.pinned}\", one: \"${IMAGE_URI}\" } }\n");
    let given = format!("app=r.example/web:1@{digest}");
    project.run(&["render", "--image", &given]).success();
    assert_eq!(
        project.read("i.json"),
        format!(
            "{{\"uri\":\"r.example/web:1\",\"pinned\":\"r.example/web@{digest}\",\"one\":\"r.example/web:1\"}}"
        )
    );
    let wrong = project.run(&["render", "--image", "ap=r.example/web:1"]).failure(2);
    assert!(wrong.stderr.contains("no image has the name `ap`"), "{wrong}");
}

#[test]
fn cycles_and_later_stages_are_found_without_a_network() {
    let project = Project::new().variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT).file(
        "shipspec.yml",
        "version: 1\nvariables: { A: \"${B}\", B: \"${A}\" }\nartifacts: { a: { json: {} } }\n",
    );
    assert_snapshot!(project.run(&["plan", "--offline"]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: `A` needs itself: A → B → A
     --> shipspec.yml:2:17
      |
    2 | variables: { A: "${B}", B: "${A}" }
      |                 ^^^^^^
    "#);
    let project = project.file("shipspec.yml", "version: 1\nparameters: { P: \"ssm:/x/${images.app.tag}\" }\nimages: { app: { repository: \"r.example/${images.app.digest}\" } }\n");
    assert_snapshot!(project.run(&["plan", "--offline"]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: `images.app.tag` is not known before the images are planned
     --> shipspec.yml:2:26
      |
    2 | parameters: { P: "ssm:/x/${images.app.tag}" }
      |                          ^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn marks_and_bytes_that_do_not_belong_are_told() {
    let project =
        project("  a.json: t.json\n").file("t.json", "\u{feff}{\"a\": \"$COMMIT_HASH\"}\r\n");
    let outcome = project.run(&["render"]).success();
    assert!(outcome.stderr.contains("note: `t.json` begins with a byte-order mark"), "{outcome}");
    assert_eq!(project.read("a.json"), "{\"a\": \"0123456\"}\r\n");
    std::fs::write(project.path("t.json"), b"{\n \"a\": \"\xff\"}").unwrap();
    let outcome = project.run(&["render"]).failure(2);
    assert!(outcome.stderr.contains("`t.json` is not UTF-8 at line 2 column 8"), "{outcome}");
    std::fs::write(project.path("t.json"), b"{\"a\": 1,\n \"b\": \"${never\"}").unwrap();
    assert_snapshot!(project.run(&["render"]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: `${` is never closed
     --> t.json:2:8
      |
    2 |  "b": "${never"}
      |        ^^
    "#);
}

#[test]
fn large_and_deep_templates_are_no_trouble() {
    let slots = 100_000;
    let many = format!("[{}\"end\"]", "\"$NAME ${NAME}\",\n".repeat(slots));
    let yaml = "- ${NAME} # x\n- \"$NAME\"\n".repeat(20_000);
    let project = project("  many.json: many.json.t\n  many.yaml: many.yaml.t\n  big.txt: big.t\n  deep.json: deep.json.t\n")
        .variable("NAME", "value")
        .file("many.json.t", &many)
        .file("many.yaml.t", &yaml)
        .file("big.t", &"x".repeat(10_000_000))
        .file("deep.json.t", &format!("{}{}", "[".repeat(100), "]".repeat(100)));
    project.run(&["render"]).success();
    assert_eq!(project.read("many.json").matches("value value").count(), slots);
    assert_eq!(project.read("many.yaml").matches("value").count(), 40_000);
    // Deeper than JSON readers go: an error, and no crash.
    let project =
        project.file("deep.json.t", &"[".repeat(200_000)).file("many.yaml.t", &"[".repeat(200_000));
    project.run(&["render"]).failure(2);
    let project = project.file("deep.json.t", &"${A:-".repeat(50_000));
    project.run(&["render"]).failure(2);
}

/// What GNU envsubst makes of a template.
fn envsubst(testbed: &Testbed, template: &str, names: &[(String, String)]) -> String {
    let mut command = Command::new("envsubst");
    command.env_clear().envs(testbed.environment()).envs(names.iter().cloned());
    let mut process =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("envsubst");
    process.stdin.take().unwrap().write_all(template.as_bytes()).unwrap();
    String::from_utf8(process.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
#[ignore = "needs the testbed"]
fn the_result_is_envsubsts_byte_for_byte() {
    let testbed = Testbed::current();
    let name = prop::sample::select(vec!["A", "LONG_NAME_1", "_x"]);
    let piece = prop_oneof![
        name.clone().prop_map(|name| format!("${name}")),
        name.prop_map(|name| format!("${{{name}}}")),
        // A name ends where a character comes that none can have.
        "[ {}\"':,.\\-\\r\\n\\t<>%#][ a-z0-9{}\"':,.\\-\\r\\n\\t<>%#]{0,12}",
        Just("$1 $? $ ".to_owned()),
    ];
    let template = prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat());
    let values = prop::collection::vec("[ -~]{0,12}", 3);
    let config =
        ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(template in template, values in values)| {
        // The `$$` forms are ours; a `$` before a slot would make one.
        prop_assume!(!template.contains("$$"));
        let names = ["A", "LONG_NAME_1", "_x"].map(str::to_owned).into_iter().zip(values).collect::<Vec<_>>();
        let mut project = Project::new().file("t.txt", &template);
        for (name, value) in &names {
            project = project.variable(name, value);
        }
        let outcome = project.run(&["render", "--render", "t.txt=out.txt"]);
        prop_assert_eq!(outcome.code, 0, "{}", outcome);
        prop_assert_eq!(project.read("out.txt"), envsubst(&testbed, &template, &names));
    });
}

#[test]
fn forms_of_bash_are_told_with_what_says_the_same() {
    let project = project("  a.txt: t\n").file("t", "${COMMIT:0:8} ${A%%/*}\n");
    assert_snapshot!(project.run(&["render"]).failure(2), @"
    exit: 2
    --- stdout
    --- stderr
    error: syntax error: unexpected input after expression
     --> t:1:1
      |
    1 | ${COMMIT:0:8} ${A%%/*}
      | ^^^^^^^^^^^^^
      |
      = hint: for the first 8 characters, write `${COMMIT | short(8)}`
    error: syntax error: unexpected `%`
     --> t:1:15
      |
    1 | ${COMMIT:0:8} ${A%%/*}
      |               ^^^^^^^^
      |
      = hint: patterns are not read; to keep the part before the first such sign, write `${A | split('/') | first}`
    ");
    let minus = project.file("t", "${COMMIT - B}").run(&["render"]).failure(2);
    assert!(minus.stderr.contains("`B` has no value"), "{minus}");
}

#[test]
fn what_no_person_writes_is_refused_and_does_not_crash() {
    let long = format!("${{A{}}}", "~A".repeat(50_000));
    let text = project("  a.txt: t\n").variable("A", "x").file("t", &long);
    let told = text.run(&["render"]).failure(2);
    assert!(told.stderr.contains("the expression is longer than"), "{}", &told.stderr[..200]);
    assert!(told.stderr.len() < 2000, "{} bytes", told.stderr.len());
    let wide = text.file("t", "${A | indent(4000000000)}").run(&["render"]).failure(2);
    assert!(wide.stderr.contains("indent: more than 1000 spaces"), "{wide}");
    let nots = format!("{{{{ {} A }}}}", "not ".repeat(100_000));
    let jinja = project("  a.txt: t.j2\n").variable("A", "x").file("t.j2", &nots);
    let jinja = jinja.run(&["render"]).failure(2);
    assert!(jinja.stderr.contains("an expression is longer than"), "{}", &jinja.stderr[..200]);
}

#[test]
fn a_backslash_before_a_value_in_json_is_refused() {
    let project =
        project("  a.json: t.json\n").variable("X", "n").file("t.json", r#"{"a": "\${X}"}"#);
    let told = project.run(&["render"]).failure(2);
    assert!(told.stderr.contains("a backslash stands before the value"), "{told}");
}

#[test]
fn keys_that_say_nothing_about_an_artifact_are_refused() {
    let project = project(
        "  a.json: { json: {}, only: [A], dialect: jinja }\n  \"b-${x}\": { json: {}, matrix: { x: [] } }\n",
    );
    let told = project.run(&["render"]).failure(2);
    for message in [
        "`only` is for a `template`",
        "`dialect` is for a `template`",
        "`x` of the matrix has no values",
    ] {
        assert!(told.stderr.contains(message), "{told}");
    }
    let empty = project.file("shipspec.yml", "\n").run(&["render"]).failure(2);
    assert!(empty.stderr.contains("`shipspec.yml` is empty"), "{empty}");
}

#[test]
fn paths_and_files_that_get_in_each_others_way_are_refused() {
    let project = project("  t.json: t.json\n  ./a.json: { json: {} }\n  a.json: { json: {} }\n")
        .file("t.json", "{}");
    let outcome = project.run(&["render"]).failure(2);
    assert!(
        outcome.stderr.contains("the artifact `t.json` would overwrite its own template"),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("two artifacts have the path `a.json`"), "{outcome}");
}

#[test]
fn numbers_and_truth_values_are_text_where_text_is_wanted() {
    let project = project("  \"a-${n}.txt\": { template: t, matrix: { n: [1, 2] }, when: true, variables: { port: 8080 } }\n")
        .file("t", "${port}");
    project.run(&["render"]).success();
    assert_eq!(project.read("a-2.txt"), "8080");
}

#[test]
fn odd_files_are_errors_and_no_crash() {
    let run = |text: &str| Project::new().file("shipspec.yml", text).run(&["plan"]);
    for text in [
        "été: 1\n",
        "version: 1\nimages: { é: {} }\n",
        "",
        "version: 1\ntag: content\n",
        "\u{feff}version: 1\n",
        "- é\n",
    ] {
        let outcome = run(text);
        assert_eq!(outcome.code, 2, "{text:?}: {outcome}");
    }
}

#[test]
fn a_path_or_a_condition_may_name_an_image() {
    let project = Project::new()
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .file("shipspec.yml", "version: 1\nimages: { app: { repository: r.example/app } }\nartifacts:\n  \"${images.app.tag}.txt\": { json: {}, when: \"${images.app.tag}\" }\n  b.json: { json: { a: \"${IMAGE_URI}\" }, variables: { IMAGE_URI: \"${IMAGE_URI}-x\" } }\n");
    project.run(&["render"]).success();
    assert!(project.has("0123456.txt"));
    assert_eq!(project.read("b.json"), r#"{"a":"r.example/app:0123456-x"}"#);
}

#[test]
fn a_run_that_reads_without_end_can_be_ended() {
    let project = project("  a.txt: fifo\n");
    let made = Command::new("mkfifo").arg(project.path("fifo")).status().unwrap();
    assert!(made.success());
    let started = project.start(&["render"]);
    std::thread::sleep(std::time::Duration::from_millis(500));
    Command::new("kill").args(["-TERM", &started.id().to_string()]).status().unwrap();
    let outcome = project.outcome(&started.wait_with_output().unwrap());
    assert_eq!(outcome.code, 143, "{outcome}");
}
