//! Artifacts of whole shipspec.yml files: what they come to, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

use std::collections::BTreeMap;
use std::path::Path;

use shipspec_render::plan::{ArtifactPlans, bases};
use shipspec_spec::config::Config;
use shipspec_spec::diagnostic::Diagnostics;
use shipspec_spec::scope::{DigestState, ImageNames, Scope};
use shipspec_spec::source::Source;
use shipspec_spec::value::Value;

fn config(text: &str) -> Config {
    Config::parse(&Source::new("shipspec.yml", format!("version: 1\n{text}"))).unwrap()
}

/// The names of a run whose only secret is `PW`.
fn scope(config: &Config) -> Scope {
    let mut scope = Scope::new(config, BTreeMap::new(), Err("no commit".into()));
    scope.set_parameters(BTreeMap::from([("PW".to_owned(), Value::secret("PW", "hunter-two"))]));
    scope
}

fn lines(errors: &Diagnostics) -> String {
    let lines = errors.as_slice().iter().map(|error| format!("{error} {error:?}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// What is wrong with the artifacts of a file, with everything that anybody is told.
fn refused(text: &str, folder: &Path) -> String {
    let config = config(text);
    let scope = scope(&config);
    let filled = bases(&config, &scope)
        .and_then(|_| ArtifactPlans::read(&config, &scope, folder))
        .and_then(|plans| plans.fill(&scope));
    lines(&filled.err().unwrap())
}

#[test]
fn names_that_are_made_from_a_secret_are_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let task = r#"{ "containerDefinitions": [{ "name": "web" }, { "name": "${PW | lower}x" }] }"#;
    std::fs::write(folder.path().join("task.json"), task).unwrap();
    std::fs::write(folder.path().join("plain.json"), task.replace("${PW | lower}x", "b")).unwrap();
    let of = |artifact: &str| {
        let text = format!("parameters: {{ PW: ssm:/pw }}\nartifacts:\n  a.json: {artifact}\n");
        let told = refused(&text, folder.path());
        assert!(!told.to_lowercase().contains("hunter"), "{told}");
        assert!(told.contains("`PW` is secret and would stand in "), "{told}");
    };
    of(r#"{ template: plain.json, environment: { "${PW | upper}": { A: b } } }"#);
    of(r#"{ template: plain.json, command: { "${PW | upper}": [b] } }"#);
    of("{ template: task.json, environment: { wbe: { A: b } } }");
    of(r#"{ base: { family: "fam-${PW}" } }"#);
    of(r#"{ base: { service: "s-${PW}" } }"#);
    of(r#"{ json: {}, service: { name: web, cluster: "c-${PW}" } }"#);
    of(r#"{ json: {}, service: { name: "${PW | upper}" } }"#);
    of(r#"{ json: {}, service: { name: web, region: "${PW}" } }"#);
}

#[test]
fn a_container_stands_once_in_image_definitions() {
    let folder = tempfile::tempdir().unwrap();
    let of = |containers: &str| {
        let config = config(&format!(
            "images: {{ app: {{ repository: r.example/app }} }}\nartifacts:\n  a.json: {{ image_definitions: {{ {containers} }} }}\n"
        ));
        let mut scope = scope(&config);
        scope.set_image(
            "app",
            ImageNames {
                repository: "r.example/app".parse().unwrap(),
                tag: Some("1".parse().unwrap()),
                digest: DigestState::Later,
                is_keyed: false,
                written: None,
            },
        );
        let plans = ArtifactPlans::read(&config, &scope, folder.path()).unwrap();
        plans.fill(&scope).map(|_| ()).map_err(|errors| lines(&errors))
    };
    assert!(of("\"${X:-w}\": app, v: app").is_ok());
    let told = of("\"${X:-w}\": app, w: app").unwrap_err();
    assert!(told.contains("the container `w` has an image already"), "{told}");
    let told = of("\"${X:-}\": app, \"\": app").unwrap_err();
    assert_eq!(told.matches("the name of a container comes to nothing").count(), 4, "{told}");
}

#[test]
fn a_place_of_the_runs_own_region_is_the_place_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let text = "artifacts:\n  a.json: { json: {}, publish: [\"ssm:/x\", { to: \"ssm:/x\", region: eu-west-1 }] }\n";
    let config = config(text);
    let read = |variables: &[(&str, &str)]| {
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let scope = Scope::new(&config, variables.collect(), Err("no commit".into()));
        ArtifactPlans::read(&config, &scope, folder.path()).map(|_| ())
    };
    assert!(read(&[("AWS_REGION", "eu-west-1")]).is_err());
    assert!(read(&[("AWS_DEFAULT_REGION", "eu-west-1")]).is_err());
    assert!(read(&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "eu-west-1")]).is_err());
    assert!(read(&[("AWS_REGION", "us-east-1"), ("AWS_DEFAULT_REGION", "eu-west-1")]).is_ok());
}

#[test]
fn what_comes_to_nothing_is_refused_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let of = |artifact: &str, what: &str| {
        let text = format!("variables: {{ NONE: \"\" }}\nartifacts:\n  a.json: {artifact}\n");
        let told = refused(&text, folder.path());
        assert!(told.starts_with("shipspec.yml:4:"), "{told}");
        assert!(told.contains(&format!("{what} comes to nothing")), "{told}");
    };
    of(r#"{ json: {}, service: { name: "" } }"#, "the name of a service");
    of(r#"{ json: {}, service: { name: web, cluster: "${NONE}" } }"#, "the name of a cluster");
    of(r#"{ base: { family: "${NONE}" } }"#, "the name of a family");
    of(r#"{ base: { service: " " } }"#, "the name of a service");
    for publish in [r#"region: """#, r#"region: "${NONE}""#] {
        of(
            &format!("{{ json: {{}}, publish: {{ to: \"ssm:/x\", {publish} }} }}"),
            "the name of a region",
        );
    }
    of(r#"{ json: {}, publish: { to: "ssm:/x", role: "" } }"#, "the name of a role");
    of(r#"{ json: {}, publish: { to: "ssm:/x", role: r, external_id: "" } }"#, "an external id");
}
