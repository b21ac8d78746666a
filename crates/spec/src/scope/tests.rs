use super::*;
use crate::image::Digest;
use crate::source::Source;
use crate::tag::{Commit, Tag};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn scope(text: &str, environment: &[(&str, &str)]) -> Scope {
    let config =
        Config::parse(&Source::new("shipspec.yml", format!("version: 1\n{text}"))).unwrap();
    let environment =
        environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Scope::new(&config, environment, Commit::parse(COMMIT).ok_or_else(String::new))
}

fn get(scope: &Scope, text: &str) -> Result<String, String> {
    let text = Text::parse("test", text).unwrap();
    text.value(scope).map(|value| value.text().unwrap()).map_err(|error| error.to_string())
}

#[test]
fn the_nearest_source_wins() {
    let scope = scope(
        "variables: { A: a, STAGE: \"${STAGE:-dev}\", B: \"${A}/${STAGE}\" }",
        &[("A", "env"), ("C", "c"), ("COMMIT", "env")],
    );
    assert_eq!(get(&scope, "${A} ${C} ${B}").as_deref(), Ok("a c a/dev"));
    assert_eq!(get(&scope, "${COMMIT}").as_deref(), Ok(COMMIT));
    assert_eq!(scope.overruled(), ["COMMIT"]);
}

#[test]
fn inside_a_variable_its_own_name_is_the_next_source_down() {
    let scope = scope("variables: { STAGE: \"${STAGE:-dev}\" }", &[("STAGE", "prod")]);
    assert_eq!(get(&scope, "${STAGE}").as_deref(), Ok("prod"));
}

#[test]
fn a_run_may_take_its_tag_from_a_variable_of_the_same_name() {
    let scope = scope("tag: \"${IMAGE_TAG}\"", &[("IMAGE_TAG", "v1")]);
    assert_eq!(get(&scope, "${IMAGE_TAG}").as_deref(), Ok("v1"));
}

#[test]
fn an_artifact_has_names_of_its_own_above_those_of_the_file() {
    let scope = scope("variables: { NAME: file, V: \"${NAME}!\" }", &[("NAME", "env")]);
    let own =
        IndexMap::from([("NAME".to_owned(), Text::parse("test", "${color}-${NAME}").unwrap())]);
    let matrix = BTreeMap::from([("color".to_owned(), Value::plain("blue"))]);
    let artifact = scope.of_artifact(matrix, &own);
    assert_eq!(get(&artifact, "${NAME} ${V}").as_deref(), Ok("blue-file blue-file!"));
    let given = BTreeMap::from([("NAME".to_owned(), Value::plain("set"))]);
    let given = artifact.with_given(given, PathBuf::new());
    assert_eq!(get(&given, "${NAME}").as_deref(), Ok("set"));
    assert_eq!(given.origins("NAME").len(), 4);
}

#[test]
fn cycles_are_found_without_asking_for_their_names() {
    let found = scope("variables: { A: \"${B}\", B: \"${A}\", C: x }", &[]).cycles();
    assert_eq!(found.to_string(), "shipspec.yml:2:17: `A` needs itself: A → B → A");
}

#[test]
fn cycles_are_named_whole() {
    let scope = scope("variables: { A: \"${B}\", B: \"${C}\", C: \"${B}\" }", &[]);
    assert_eq!(get(&scope, "${A}").unwrap_err(), "`B` needs itself: B → C → B");
    let scope = self::scope("tag: \"${A}\"\nvariables: { A: \"${IMAGE_TAG}\" }", &[]);
    assert_eq!(
        get(&scope, "${IMAGE_TAG}").unwrap_err(),
        "`IMAGE_TAG` needs itself: IMAGE_TAG → A → IMAGE_TAG"
    );
}

#[test]
fn the_runs_tag_is_the_first_entry_with_a_value() {
    let tag =
        |tag: &str, environment: &[(&str, &str)]| get(&scope(tag, environment), "${IMAGE_TAG}");
    assert_eq!(tag("", &[]).as_deref(), Ok("0123456"));
    assert_eq!(
        tag("tag: [\"${RELEASE}\", \"${COMMIT | short(8)}\"]", &[]).as_deref(),
        Ok("01234567")
    );
    assert_eq!(tag("tag: [\"${RELEASE}\", x]", &[("RELEASE", "")]).as_deref(), Ok("x"));
    assert_eq!(tag("tag: [\"${RELEASE}\", x]", &[("RELEASE", "v1")]).as_deref(), Ok("v1"));
    assert_eq!(
        tag("tag: \"${RELEASE}\"", &[]).unwrap_err(),
        "`IMAGE_TAG` has no value: no entry of `tag:` has one"
    );
    let eight = scope("tag: [\"${RELEASE}\", \"${COMMIT | short(8)}\"]", &[]);
    assert_eq!(get(&eight, "${COMMIT_HASH}").as_deref(), Ok("01234567"));
}

#[test]
fn the_usual_tag_is_made_from_what_commit_stands_for() {
    let other = "fedcba9876543210fedcba9876543210fedcba98";
    let given = BTreeMap::from([("COMMIT".to_owned(), Value::plain(other))]);
    let scope = scope("", &[]).with_given(given, PathBuf::new());
    assert_eq!(get(&scope, "${IMAGE_TAG} ${COMMIT_HASH}").as_deref(), Ok("fedcba9 fedcba9"));
    let own = self::scope("variables: { COMMIT: \"v-${COMMIT}\" }", &[]);
    assert_eq!(get(&own, "${IMAGE_TAG}").as_deref(), Ok("v-01234"));
    let knot = self::scope("variables: { COMMIT: \"${A}\", A: \"${IMAGE_TAG}\" }", &[]);
    assert!(get(&knot, "${IMAGE_TAG}").unwrap_err().contains("needs itself"));
}

#[test]
fn without_a_commit_the_environment_is_asked_and_the_reason_told() {
    let mut scope = scope("", &[("COMMIT_HASH", "given")]);
    scope.commit = Err("the source version `x` is no commit".to_owned()).into();
    assert_eq!(get(&scope, "${COMMIT_HASH}").as_deref(), Ok("given"));
    assert_eq!(
        get(&scope, "${IMAGE_TAG}").unwrap_err(),
        "`IMAGE_TAG` has no value: the source version `x` is no commit"
    );
    assert_eq!(get(&scope, "${IMAGE_TAG:-none}").as_deref(), Ok("none"));
}

#[test]
fn tags_move_unless_they_are_made_from_the_commit() {
    let scope = scope("variables: { V: \"v${COMMIT_HASH}\", STAGE: dev }", &[]);
    let steady = |text: &str| scope.is_steady(&Text::parse("test", text).unwrap());
    assert!(steady("${IMAGE_TAG}") && steady("x-${V}") && steady("${COMMIT | short(9)}"));
    assert!(!steady("latest") && !steady("${STAGE}") && !steady("${RELEASE}"));
}

#[test]
fn what_texts_need_of_images_is_known_before() {
    let scope = scope(
        "variables: { PIN: \"${images.app.pinned}\" }\nimages: { app: { repository: r.example/a }, b: { repository: r.example/b } }",
        &[],
    );
    let needs = |text: &str| scope.image_needs(Text::parse("test", text).unwrap().references());
    assert_eq!(needs("${HOME}"), ImageNeeds::default());
    assert!(needs("${images.app.uri}").names && needs("${images.app.uri}").digests.is_empty());
    assert_eq!(needs("${PIN}").digests.into_iter().collect::<Vec<_>>(), ["app"]);
    assert_eq!(needs("${images}").digests.len(), 2);
}

#[test]
fn a_given_reference_is_taken_apart() {
    let digest = format!("sha256:{}", "0".repeat(64));
    let read = |text: &str| ImageNames::parse(text).map(|names| names.values(true));
    assert_eq!(read("r.example:5000/a/b:1").unwrap()["uri"], "r.example:5000/a/b:1");
    let pinned = format!("r.example/a@{digest}");
    assert_eq!(read(&pinned).unwrap()["uri"], *pinned);
    assert_eq!(read(&pinned).unwrap()["digest"], *digest);
    assert_eq!(
        read("r.example:5000/a").unwrap_err(),
        "`r.example:5000/a` has neither a tag nor a digest"
    );
    assert!(read("r.example/a:b c").is_err() && read("r.example/a@sha256:1").is_err());
}

#[test]
fn an_image_of_others_is_named_as_it_is_written() {
    let read = |text: &str| ImageNames::foreign(text).map(|names| names.values(true));
    let hub = read("nginx:1.25").unwrap();
    assert_eq!((&hub["uri"], &hub["tag"]), (&"nginx:1.25".into(), &"1.25".into()));
    assert_eq!(
        (&hub["registry"], &hub["repository"]),
        (&"docker.io".into(), &"library/nginx".into())
    );
    let both = format!("r.example/a:1@sha256:{}", "0".repeat(64));
    assert_eq!(read(&both).unwrap()["uri"], *both);
    assert_eq!(read(&both).unwrap()["pinned"], both.replace(":1@", "@"));
    assert_eq!(read("r.example/a").unwrap_err(), "`r.example/a` has neither a tag nor a digest");
    for text in ["https://r.example/a:1", " r.example/a:1", "r.example/a/:1"] {
        assert!(read(text).unwrap_err().contains("is no image reference"), "{text}");
    }
}

#[test]
fn images_of_others_do_not_count_for_names_of_the_only_image() {
    let mut scope = scope(
        "images: { app: { repository: r.example/web }, envoy: { reference: \"r.example/envoy:1\" } }",
        &[],
    );
    let built = ImageNames::parse("r.example/web:2").unwrap();
    scope.set_image("app", built);
    scope.set_image("envoy", ImageNames::foreign("r.example/envoy:1").unwrap());
    assert_eq!(get(&scope, "${IMAGE_URI}").as_deref(), Ok("r.example/web:2"));
    assert_eq!(get(&scope, "${images.envoy.uri}").as_deref(), Ok("r.example/envoy:1"));
    let error = get(&scope, "${images.envoy.pinned}").unwrap_err();
    assert_eq!(error, "`images.envoy.pinned` is not known before its registry is asked");
    let steady = scope.with_steady_names();
    assert_eq!(get(&steady, "${images.envoy.tag}").as_deref(), Ok("1"));
}

#[test]
fn names_of_images_are_known_from_their_stage_on() {
    let mut scope = scope("images: { app: { repository: r.example/web } }", &[]);
    assert!(get(&scope, "${IMAGE_URI}").unwrap_err().contains("not known before"));
    let names = ImageNames {
        repository: "r.example/web".parse().unwrap(),
        tag: Some("1".parse().unwrap()),
        digest: DigestState::Later,
        is_keyed: false,
        written: None,
    };
    scope.set_image("app", names.clone());
    assert_eq!(
        get(&scope, "${images.app.uri} ${IMAGE_LATEST}").as_deref(),
        Ok("r.example/web:1 r.example/web:latest")
    );
    let error = get(&scope, "${images.app.pinned}").unwrap_err();
    assert_eq!(error, "`images.app.pinned` is not known before the registry has taken the image");
    let digest: Digest = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
    scope.set_image("app", ImageNames { digest: DigestState::Known(digest.clone()), ..names });
    assert_eq!(get(&scope, "${images.app.pinned}"), Ok(format!("r.example/web@{digest}")));
    assert_eq!(
        get(&scope, "${images.ap.uri}").unwrap_err(),
        "`images` has no `ap`; did you mean `images.app`?"
    );
}

#[test]
fn the_commits_hash_is_the_first_entry_of_the_tag_that_is_made_from_it() {
    let hash = |text: &str| get(&scope(text, &[]), "${COMMIT_HASH}");
    let through = "variables: { SHORT: \"${COMMIT | short(10)}\" }\ntag: \"${SHORT}\"";
    assert_eq!(hash(through).as_deref(), Ok("0123456789"));
    let second = "tag: [\"${RELEASE}-${COMMIT | short(4)}\", \"${COMMIT | short(10)}\"]";
    assert_eq!(hash(second).as_deref(), Ok("0123456789"));
}

#[test]
fn knots_and_long_chains_of_names_are_errors() {
    let doubled: Vec<_> =
        (0..26).map(|n| format!("  V{n}: \"${{V{0}}}${{V{0}}}\"\n", n + 1)).collect();
    let doubled = doubled.concat();
    let knot = scope(&format!("variables:\n{doubled}  V26: x\n"), &[]);
    assert!(get(&knot, "${V0}").unwrap_err().contains("too many other names"));
    let chain: Vec<_> = (0..3000).map(|n| format!("  V{n}: \"${{V{}}}\"\n", n + 1)).collect();
    let chain = chain.concat();
    let chain = scope(&format!("variables:\n{chain}  V3000: x\n"), &[]);
    assert!(get(&chain, "${V0}").unwrap_err().contains("too many other names"));
    assert_eq!(get(&chain, "${V2950}").as_deref(), Ok("x"));
}

#[test]
fn content_is_each_images_own() {
    let one = "tag: content\nimages: { app: { repository: r.example/a } }";
    let mut known = scope(one, &[]);
    assert!(get(&known, "${IMAGE_TAG}").unwrap_err().contains("before the content key"));
    assert_eq!(get(&known.with_stand_ins(), "${IMAGE_TAG}"), Ok(content_stand_in("app")));
    let tag = Tag::of_content("0123456789abcdef0123", 1);
    known.set_content("app", &tag, &tag);
    assert_eq!(get(&known, "${IMAGE_TAG}").as_deref(), Ok("0123456789abcdef"));
    assert_eq!(Tag::of_content("0123456789abcdef0123", 2).as_str(), "0123456789abcdef-2");
    let several = scope(
        "tag: [\"${RELEASE}\", content]\nimages: { app: { repository: r.example/a }, b: { repository: r.example/b } }",
        &[],
    );
    let error = get(&several, "${IMAGE_TAG}").unwrap_err();
    assert!(error.contains("another one for each image: name `images.app.tag`"), "{error}");
    let stand_in = get(&several.of_image("b").with_stand_ins(), "v-${IMAGE_TAG}");
    assert_eq!(stand_in, Ok(format!("v-{}", content_stand_in("b"))));
    let error = get(&several.of_image("b").with_stand_ins().for_content_of("b"), "${IMAGE_TAG}");
    assert!(error.unwrap_err().contains("the content of `b` is made from this text"));
    assert!(several.is_steady(&Text::parse("test", "content").unwrap()));
}

#[test]
fn a_plain_number_of_the_file_has_its_type_in_terraforms_language_alone() {
    let text = "variables: { N: 5, B: true, PORT: '80', Q: \"80\", V: 1.10, ID: 0123, SAME: \"${N}\", IN: \"${N}${N}\" }";
    let scope = scope(text, &[("E", "5")]);
    let filled = |template: &str| {
        let template = crate::expression::TerraformTemplate::parse(template).unwrap();
        let filled = template.fill(&scope).unwrap();
        filled.parts.iter().map(|part| &*part.text).collect::<String>()
    };
    for (template, expected) in [
        ("${N == 5} ${B == true} ${SAME == 5}", "true true true"),
        ("${E == 5} ${PORT == 80} ${Q == 80} ${IN == 55}", "false false false false"),
        ("${jsonencode([N, B, PORT, Q, E])}", r#"[5,true,"80","80","5"]"#),
        // Nothing is printed in another way than it is written.
        ("${V} ${ID} ${N} ${B}", "1.10 0123 5 true"),
    ] {
        assert_eq!(filled(template), expected, "{template}");
    }
    assert_eq!(scope.resolve("N").unwrap().content(), "5");
    assert_eq!(get(&scope, "${N == '5'}").as_deref(), Ok("true"));
}
