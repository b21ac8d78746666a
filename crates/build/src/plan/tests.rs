use std::collections::BTreeMap;

use shipspec_spec::source::Source;
use shipspec_spec::tag::Commit;

use super::*;
use crate::options::NamedContext;

const EPOCH: &str = "SOURCE_DATE_EPOCH";

fn plan_of(text: &str, environment: &[(&str, &str)]) -> Result<Vec<ImagePlan>, String> {
    let source = Source::new("shipspec.yml", format!("version: 1\n{text}"));
    let config = Config::parse(&source).map_err(|errors| errors.to_string())?;
    let environment: BTreeMap<_, _> =
        environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let commit = Ok(Commit::parse(&"0123456789".repeat(4)).unwrap());
    let mut scope = Scope::new(&config, environment, commit);
    plan(&config, &mut scope, Path::new("/project"), &DigestState::Later)
        .map(|plans| plans.images)
        .map_err(|errors| errors.to_string())
}

#[test]
fn an_image_needs_only_a_repository() {
    let plans = plan_of("images: { app: { repository: r.example/app } }", &[]).unwrap();
    assert_eq!(plans[0].context, Path::new("/project/."));
    assert_eq!(plans[0].dockerfile, Path::new("Dockerfile"));
    assert_eq!(plans[0].main_tag().as_str(), "0123456");
    assert!(!plans[0].tags[0].moving);
}

#[test]
fn a_test_does_something() {
    let with = |command: &str| {
        let text = format!(
            "images: {{ app: {{ repository: r.example/app, test: {{ command: {command} }} }} }}"
        );
        plan_of(&text, &[("NONE", "")]).map(|plans| plans[0].test.clone().unwrap().command)
    };
    for command in ["\"${NONE}\"", "\" ${NONE} \"", "[\"${NONE}\", x]"] {
        let told = with(command).unwrap_err();
        assert!(told.contains("the command of the test comes to nothing"), "{command}: {told}");
    }
    assert_eq!(with("[grep, x, \"${NONE}\"]").unwrap(), ["grep", "x", ""]);
}

#[test]
fn tags_that_move_come_last_and_latest_at_the_very_end() {
    let text = "images:\n  app:\n    repository: r.example/app\n    tags: [latest, dev, \"${COMMIT_HASH}\", dev]\n";
    let plans = plan_of(text, &[]).unwrap();
    let tags: Vec<_> = plans[0].tags.iter().map(|tag| (tag.tag.as_str(), tag.moving)).collect();
    assert_eq!(tags, [("0123456", false), ("dev", true), ("latest", true)]);
}

#[test]
fn an_image_is_named_by_its_first_tag_that_does_not_move() {
    let main = |tags: &str| {
        let text = format!("images:\n  app:\n    repository: r.example/app\n    tags: [{tags}]\n");
        plan_of(&text, &[]).unwrap()[0].main_tag().to_string()
    };
    assert_eq!(main("latest, \"${COMMIT_HASH}\", dev"), "0123456");
    assert_eq!(main("latest, dev"), "latest");
}

#[test]
fn two_images_under_one_reference_are_refused() {
    let text =
        "images:\n  a: { repository: r.example/x }\n  b: { repository: r.example/x, context: b }\n";
    assert_eq!(
        plan_of(text, &[]).unwrap_err(),
        "shipspec.yml:4:20: the images `a` and `b` would both be `r.example/x:0123456`"
    );
}

#[test]
fn an_image_waits_for_the_one_that_it_is_made_from() {
    let app = |part: &str| {
        let text = format!(
            "images:\n  base: {{ repository: r.example/base }}\n  app:\n    repository: r.example/app\n    build_args: {{ BASE: \"${{images.base.{part}}}\" }}\n"
        );
        plan_of(&text, &[]).unwrap().remove(1)
    };
    let by_tag = app("uri");
    assert_eq!(by_tag.build_args["BASE"], "r.example/base:0123456");
    assert!(by_tag.depends_on.contains("base") && !by_tag.is_provisional);
    assert!(app("pinned").is_provisional);
}

#[test]
fn options_are_filled_and_judged() {
    let text = "images:\n  app:\n    repository: r.example/app\n    extra_hosts: { db: \"${IP}\" }\n    contexts: { shared: ../shared, base: \"docker-image://a:1\" }\n    ssh: [default]\n";
    let environment = [("IP", "10.0.0.1"), ("SSH_AUTH_SOCK", "/agent"), (EPOCH, "1700000000")];
    let plan = plan_of(text, &environment).unwrap().remove(0);
    assert_eq!(plan.options.extra_hosts["db"].to_string(), "10.0.0.1");
    let folder = NamedContext::Folder("/project/../shared".into());
    assert_eq!(plan.options.contexts["shared"], folder);
    assert_eq!(plan.options.contexts["base"], NamedContext::Image("a:1".into()));
    assert_eq!(plan.options.ssh["default"], Path::new("/agent"));
    assert_eq!(plan.build_args[EPOCH], "1700000000");

    let text = text.replace("docker-image", "https");
    assert_eq!(
        plan_of(&text, &[("IP", "host-gateway"), (EPOCH, "today")]).unwrap_err(),
        "`SOURCE_DATE_EPOCH` must be a number of seconds, not `today`\n\
         shipspec.yml:5:24: `host-gateway` is no IP address\n\
         shipspec.yml:6:42: `https://a:1` is no folder, and does not begin with `docker-image://`\n\
         shipspec.yml:7:11: `SSH_AUTH_SOCK` has no value"
    );
}

#[test]
fn everything_wrong_is_told_at_once() {
    let text = "images:\n  app:\n    repository: ${REPO}\n    tags: [\"a b\"]\n    platform: linux\n  other: { repository: \"\" }\n";
    assert_eq!(
        plan_of(text, &[]).unwrap_err(),
        "shipspec.yml:4:17: `REPO` has no value\n\
         shipspec.yml:5:12: `a b` cannot be a tag: ' ' is not allowed there\n\
         shipspec.yml:7:24: the repository is empty"
    );
}
