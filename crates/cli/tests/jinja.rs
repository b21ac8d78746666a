//! Templates in minijinja's own language, as a user meets them.

mod common;

use common::{COMMIT, Project, SHORT};
use insta::assert_snapshot;

fn project(artifacts: &str) -> Project {
    Project::new()
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .file("shipspec.yml", &format!("version: 1\nartifacts:\n{artifacts}"))
}

#[test]
fn a_value_in_a_jinja_template_stays_in_its_place_too() {
    let project = project("  a.json: t.json.j2\n  b.yaml: t.yaml.j2\n")
        .file("t.json.j2", "{\"a\": \"{{ X }}\", \"n\": {{ N }}, \"l\": [{% for i in [1, 2] %}\"{{ X }}{{ i }}\"{{ \",\" if not loop.last }}{% endfor %}]}")
        .file("t.yaml.j2", "a: {{ X }} # keep\nb: \"{{ X }}\"\n")
        .variable("X", "x\", \"b\": \"c: # d")
        .variable("N", "80");
    project.run(&["render"]).success();
    assert_eq!(
        project.read("a.json"),
        r#"{"a": "x\", \"b\": \"c: # d", "n": 80, "l": ["x\", \"b\": \"c: # d1","x\", \"b\": \"c: # d2"]}"#
    );
    assert_eq!(
        project.read("b.yaml"),
        "a: \"x\\\", \\\"b\\\": \\\"c: # d\" # keep\nb: \"x\\\", \\\"b\\\": \\\"c: # d\"\n"
    );
    let wrong = project.variable("N", "80, \"m\": 1").run(&["render"]).failure(2);
    assert!(wrong.stderr.contains("the value is no JSON value of its own"), "{wrong}");
}

#[test]
fn a_jinja_template_may_capture_text_and_use_it_again() {
    let macros = "{% macro env(name, value) %}{\"name\": \"{{ name }}\", \"value\": \"{{ value }}\"}{% endmacro %}[{{ env('A', X) }}, {{ env('B', COMMIT) }}]";
    let block = "{% set v %}v-{{ N }}{% endset %}n: {{ v | upper }}\nl: {{ v | length }}\nc: {{ COMMIT_HASH }}\nis: {{ v == 'v-80' }}\n";
    let project = project("  a.json: m.json.j2\n  b.yaml: b.yaml.j2\n")
        .file("m.json.j2", macros)
        .file("b.yaml.j2", block)
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", &"1234567890".repeat(4))
        .variable("X", "\", \"x\": \"")
        .variable("N", "80");
    project.run(&["render"]).success();
    assert_eq!(
        project.read("a.json"),
        r#"[{"name": "A", "value": "\", \"x\": \""}, {"name": "B", "value": "1234567890123456789012345678901234567890"}]"#
    );
    assert_eq!(project.read("b.yaml"), "n: V-80\nl: 4\nc: 1234567\nis: true\n");
    // Compared text leaves it open what is a value; then no value may look like YAML.
    let refused = project.variable("N", "x: {").run(&["render"]).failure(2);
    assert!(refused.stderr.contains("values cannot be escaped for their places"), "{refused}");
}

#[test]
fn jinja_templates_include_files_of_the_project_and_no_others() {
    let project = project("  a.json: t.json.j2\n  b.txt: { template: u.txt, dialect: jinja }\n")
        .variable("NAMES", "a b")
        .file("parts/one.j2", "\"{{ COMMIT_HASH }}\"")
        .file("t.json.j2", "{\"tag\": {% include 'parts/one.j2' %}, \"keep\": \"$HOME ${HOME}\"}\n")
        .file("u.txt", "{% for name in NAMES | split(' ') %}{{ name }};{% endfor %}\n");
    project.run(&["render"]).success();
    assert_eq!(
        project.read("a.json"),
        format!("{{\"tag\": \"{SHORT}\", \"keep\": \"$HOME ${{HOME}}\"}}\n")
    );
    assert_eq!(project.read("b.txt"), "a;b;\n");
    let project = project
        .file("t.json.j2", "{% include '../../etc/passwd' %}")
        .file("u.txt", "one\n{{ NOBODY }}\n");
    assert_snapshot!(project.run(&["render"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: template not found: `../../etc/passwd`
     --> t.json.j2:1:4
      |
    1 | {% include '../../etc/passwd' %}
      |    ^^^^^^^^^^^^^^^^^^^^^^^^^^
    error: `NOBODY` has no value
     --> u.txt:2:4
      |
    2 | {{ NOBODY }}
      |    ^^^^^^
      |
      = hint: set `NOBODY` in the environment or under `variables:`
    ");
}
