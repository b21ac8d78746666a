use insta::assert_snapshot;

use super::*;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(&Source::new("shipspec.yml", text)).map_err(|errors| {
        let line = |finding: &Diagnostic| match &finding.hint {
            Some(hint) => format!("{finding} ({hint})"),
            None => finding.to_string(),
        };
        errors.as_slice().iter().map(line).collect::<Vec<_>>().join("\n")
    })
}

#[test]
fn what_decides_on_artifacts_asks_for_names_too() {
    let config = parse(
        "version: 1\nartifacts:\n  \"${A}\": { template: \"${B}\", when: \"${C}\", matrix: { x: [\"${arn('D')}\"] } }\n  z: { zip: [\"${E}\"] }\n",
    );
    let names: Vec<_> = config.unwrap().references().into_iter().collect();
    assert_eq!(names, ["A", "B", "C", "E", "arn(D)"]);
}

#[test]
fn a_small_file_is_read() {
    let config = parse(
        "version: 1\n\
         images:\n  app:\n    repository: ${REPOSITORY_URL}\n    tags: [\"${IMAGE_TAG}\", latest]\n    build_args: { NODE: 1.10, DEBUG: true }\n\
         artifacts:\n  taskdef.json: taskdef_template.json\n  out/imageDetail.json: { image_detail: app }\n",
    )
    .unwrap();
    let app = &config.images["app"];
    assert_eq!(app.repository.as_written(), "${REPOSITORY_URL}");
    assert_eq!(app.repository.span().to_string(), "shipspec.yml:4:17");
    assert_eq!(app.build_args["NODE"].as_written(), "1.10");
    assert_eq!(app.build_args["DEBUG"].as_written(), "true");
    assert_eq!(config.artifacts[1].content, ArtifactContent::ImageDetail("app".into()));
    assert_eq!(config.artifacts[1].path.as_written(), "out/imageDetail.json");
}

#[test]
fn all_wrong_keys_are_told_with_the_nearest() {
    assert_snapshot!(parse(
        "version: 1\nimagse: {}\nimages:\n  app:\n    repositry: x\n    dockerfil: Dockerfile\n    tags: latest\n"
    ).unwrap_err(), @"
    shipspec.yml:2:1: unknown key `imagse` (did you mean `images`?)
    shipspec.yml:5:5: unknown key `repositry` (did you mean `repository`?)
    shipspec.yml:6:5: unknown key `dockerfil` (did you mean `dockerfile`?)
    shipspec.yml:7:11: `tags` must be a list
    shipspec.yml:5:5: `app` needs the key `repository` or `reference`
    ");
}

#[test]
fn shapes_and_words_are_checked() {
    assert_snapshot!(parse(
        "version: 2\nreference: digst\nimages: []\nartifacts:\n  a.json: { image_detail: }\n  a.json: b\n"
    ).unwrap_err(), @"
    shipspec.yml:1:10: `version` must be 1
    shipspec.yml:2:12: `reference` must be tag or digest (did you mean `digest`?)
    shipspec.yml:3:9: `images` must be a map
    shipspec.yml:5:25: `image_detail` has no value; it wants text
    shipspec.yml:6:3: `a.json` stands twice in `artifacts`
    ");
    assert_snapshot!(parse("").unwrap_err(), @"shipspec.yml:1:1: `the file` has no value; it wants a map");
    assert_snapshot!(parse("{}").unwrap_err(), @"shipspec.yml:1:1: `the file` needs the key `version`");
}

#[test]
fn artifacts_name_images_that_exist() {
    assert_snapshot!(parse(
        "version: 1\nimages: { web: { repository: r.example/web } }\nartifacts:\n  a: { image_detail: wbe }\n  b: { image_definitions: { app: api } }\n  c: { template: t, json: {} }\n"
    ).unwrap_err(), @"
    shipspec.yml:4:22: no image has the name `wbe` (did you mean `web`?)
    shipspec.yml:5:34: no image has the name `api` (`images:` has: web)
    shipspec.yml:6:3: an artifact is made from exactly one of `template`, `base`, `image_detail`, `image_definitions`, `appspec`, `cloudformation`, `tfvars`, `dotenv`, `json`, `yaml`, `text` and `zip`
    ");
}

#[test]
fn expressions_are_read_with_the_file() {
    assert_snapshot!(parse("version: 1\nvariables:\n  A: \"x ${ | }\"\n  B: ${never\n").unwrap_err(), @"
    shipspec.yml:3:9: syntax error: unexpected `|`
    shipspec.yml:4:6: `${` is never closed
    ");
}

#[test]
fn an_image_of_others_has_a_reference_and_who_asks_for_it() {
    let config = parse(
        "version: 1\nimages:\n  app: { repository: r.example/a }\n  envoy: { reference: \"r.example/e:${V}\", role: r, external_id: x, insecure: true }\nartifacts: { a.json: { image_detail: envoy } }\n",
    )
    .unwrap();
    assert_eq!(config.images.keys().collect::<Vec<_>>(), ["app"]);
    assert_eq!(config.foreign["envoy"].reference.as_written(), "r.example/e:${V}");
    assert!(config.foreign["envoy"].insecure && config.references().contains("V"));
}

#[test]
fn what_says_how_an_image_is_built_is_refused_beside_a_reference() {
    assert_snapshot!(parse(
        "version: 1\nimages:\n  e:\n    reference: r.example/e:1\n    repository: r.example/e\n    tags: [a]\n  f: { role: r }\n"
    ).unwrap_err(), @"shipspec.yml:7:6: `f` needs the key `repository` or `reference`");
    assert_snapshot!(parse(
        "version: 1\nimages:\n  e:\n    reference: r.example/e:1\n    repository: r.example/e\n    tags: [a]\npromote:\n  p: { repositories: { e: r.example/p } }\n"
    ).unwrap_err(), @"
    shipspec.yml:5:5: `repository` says nothing beside `reference`: this image is not built here (an image that is built has a `repository` and no `reference`)
    shipspec.yml:6:5: `tags` says nothing beside `reference`: this image is not built here (an image that is built has a `repository` and no `reference`)
    shipspec.yml:8:24: `e` is not copied: it has a `reference` (`shipspec promote --from REFERENCE --to REPOSITORY` copies any image)
    ");
}

#[test]
fn a_number_that_would_lose_its_digits_is_refused() {
    let text = "version: 1\nartifacts:\n  a.json: { json: { account: 012345678901, long: 12345678901234567890123, ok: [0, -5, 1.10, 1e5] } }\n";
    let errors = Config::parse(&Source::new("shipspec.yml", text)).unwrap_err();
    assert_snapshot!(errors, @"
    shipspec.yml:3:30: `012345678901` would be written as the number 12345678901.0
    shipspec.yml:3:50: `12345678901234567890123` would be written as the number 1.2345678901234568e+22
    ");
}

#[test]
fn what_has_no_name_and_a_test_that_does_nothing_are_refused() {
    assert_snapshot!(parse(
        "version: 1\nvariables: { '': x }\nimages:\n  app:\n    repository: r.example/app\n    build_args: { '': x }\n    test: { command: '', env: { '': x }, secrets: { '': PW } }\n  two: { repository: r.example/two, test: { command: ['', a] } }\n\
         artifacts:\n  a.json:\n    template: t.json\n    variables: { '': x }\n    environment: { web: { '': x } }\n    secrets: { web: { ' ': x } }\n    docker_labels: { web: { '': x } }\n"
    ).unwrap_err(), @"
    shipspec.yml:6:23: the name in front of this value is empty
    shipspec.yml:7:22: the command of a test is empty, and would prove nothing (leave `command` out to run the image's own)
    shipspec.yml:7:37: the name in front of this value is empty
    shipspec.yml:7:57: the name in front of this value is empty
    shipspec.yml:8:55: the command of a test is empty, and would prove nothing (leave `command` out to run the image's own)
    shipspec.yml:13:27: the name in front of this value is empty
    shipspec.yml:14:23: the name in front of this value is empty
    shipspec.yml:15:29: the name in front of this value is empty
    shipspec.yml:12:22: the name in front of this value is empty
    shipspec.yml:2:18: the name in front of this value is empty
    ");
}

#[test]
fn what_yaml_has_and_shipspec_yml_has_not_is_told() {
    let wrong = |text: &str| parse(text).unwrap_err();
    assert_eq!(
        wrong("version: 1\nartifacts: {}\n---\nversion: 1\n"),
        "shipspec.yml:4:1: a second YAML document begins here, and shipspec.yml is one"
    );
    let images = "version: 1\nimages:\n  app: { repository: r.example/a, ";
    assert_snapshot!(wrong(&format!("{images}labels: {{ \"a-${{X}}\": b }}, build_args: {{ \"${{X}}\": b }} }}\n")), @"
    shipspec.yml:3:45: `a-${X}` is a key, and names are filled in values only (a template fills keys too; here, write the key itself)
    shipspec.yml:3:74: `${X}` is a key, and names are filled in values only (a template fills keys too; here, write the key itself)
    ");
    assert_snapshot!(wrong("version: 1\nartifacts:\n  \"${X}.json\": { json: { a: [{ \"${X}\": 1 }], b: { c: { \"${Y}\": {} } } } }\n"), @"
    shipspec.yml:3:32: `${X}` is a key, and names are filled in values only (a template fills keys too; here, write the key itself)
    shipspec.yml:3:56: `${Y}` is a key, and names are filled in values only (a template fills keys too; here, write the key itself)
    ");
    assert_snapshot!(wrong("version: 1.5\n<<: {}\n"), @"
    shipspec.yml:1:10: `version` must be 1
    shipspec.yml:2:1: unknown key `<<` (merge keys are not read; write the keys out)
    ");
}
