//! `shipspec run` on a real engine and a real registry behind ECR's front.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::{Project, SHIPSPEC, SHORT, assert_untouched, project};
use insta::assert_snapshot;
use shipspec_testbed::Testbed;

#[test]
#[ignore = "needs the testbed"]
fn an_image_is_built_pushed_tagged_and_named_in_the_artifacts() {
    let testbed = Testbed::current();
    let repository = testbed.repository("run");
    let project = project(&testbed, &repository);
    project.run(&["run"]).success();

    let uri = repository.uri();
    let tags = repository.tags();
    let digest = &tags[SHORT];
    assert_eq!(&tags["latest"], digest);
    assert_eq!(
        project.read("taskdef.json"),
        format!(
            "{{\"family\": \"web\", \"containerDefinitions\": [{{\"name\": \"web\", \"image\": \"{uri}:{SHORT}\", \"memory\": 64}}]}}\n"
        )
    );
    assert_eq!(project.read("imageDetail.json"), format!("{{\"ImageURI\":\"{uri}:{SHORT}\"}}"));
    assert_eq!(
        project.read("imagedefinitions.json"),
        format!("[{{\"name\":\"web\",\"imageUri\":\"{uri}:{SHORT}\"}}]")
    );
    assert_eq!(
        project.read("build.json"),
        format!("{{\"tag\":\"{SHORT}\",\"image\":\"{uri}@{digest}\"}}")
    );

    let config = repository.image_config(SHORT);
    assert_eq!(config["config"]["Labels"]["team"], "web");
    assert_eq!(config["config"]["Cmd"][1], "/greeting");
    // One image was sent, once.
    let uploads = repository
        .requests()
        .iter()
        .filter(|request| request.method == "PUT" && request.kind == "manifest-put")
        .filter(|request| !request.path.contains("/shipspec-release-"))
        .count();
    assert_eq!(uploads, 3, "the staging tag by the engine, and each tag by its manifest");
}

#[test]
#[ignore = "needs the testbed"]
fn the_same_commit_again_changes_nothing() {
    let testbed = Testbed::current();
    let repository = testbed.repository_builder("again").immutable().create();
    let project =
        project(&testbed, &repository).file("shipspec.yml", &SHIPSPEC.replace(", latest", ""));
    project.run(&["run"]).success();
    let before = repository.tags()[SHORT].clone();
    let outcome = project.run(&["run"]).success();
    assert_eq!(repository.tags()[SHORT], before);
    assert!(outcome.stderr.contains("(unchanged)"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn another_image_under_an_immutable_tag_is_refused_with_both_digests() {
    let testbed = Testbed::current();
    let repository = testbed.repository_builder("immutable").immutable().create();
    let project =
        project(&testbed, &repository).file("shipspec.yml", &SHIPSPEC.replace(", latest", ""));
    project.run(&["run"]).success();
    let there = repository.tags()[SHORT].clone();
    std::fs::remove_file(project.path("taskdef.json")).unwrap();
    let project = project.dockerfile(&testbed, "RUN echo other > /other");
    let outcome = project.run(&["run"]).failure(4);
    assert!(
        outcome
            .stderr
            .contains(&format!("the tag `{SHORT}` of `[uri]` is immutable and names {there}")),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("hint: the new image is sha256:"), "{outcome}");
    assert_eq!(repository.tags()[SHORT], there);
    assert!(!project.has("taskdef.json"));
}

#[test]
#[ignore = "needs the testbed"]
fn build_push_and_render_are_the_same_steps() {
    let testbed = Testbed::current();
    let repository = testbed.repository("steps");
    let project = project(&testbed, &repository);
    let early = project.run(&["push"]).failure(2);
    assert!(early.stderr.contains("run `shipspec build` first"), "{early}");
    project.run(&["build"]).success();
    assert!(repository.tags().is_empty());
    let pushed = project.run(&["push"]).success();
    let digest = &repository.tags()["latest"];
    assert_eq!(pushed.stdout, format!("[uri]@{digest}\n"));
    project.run(&["render"]).success();
    assert!(project.read("build.json").contains(digest));
}

#[test]
#[ignore = "needs the testbed"]
fn without_a_push_the_image_stays_in_the_engine() {
    let testbed = Testbed::current();
    let repository = testbed.repository("local");
    let project = project(&testbed, &repository).file(
        "shipspec.yml",
        &SHIPSPEC.replace("image: \"${images.app.pinned}\"", "image: \"${IMAGE_URI}\""),
    );
    project.run(&["run", "--no-push"]).success();
    assert!(repository.requests().is_empty());
    assert!(project.has("taskdef.json"));

    let pinned = project.file("shipspec.yml", SHIPSPEC).run(&["run", "--no-push"]).failure(2);
    assert!(pinned.stderr.contains("with `--no-push` no registry takes the image"), "{pinned}");
}

#[test]
#[ignore = "needs the testbed"]
fn flags_alone_build_and_push_one_image() {
    let testbed = Testbed::current();
    let repository = testbed.repository("flags");
    let project = Project::in_testbed(&testbed)
        .dockerfile(&testbed, "")
        .file("t.json", "{\"image\": \"$IMAGE_URI\"}");
    let url = format!("https://{}", repository.uri());
    project.run(&["run", "--repository", &url, "--render", "t.json=out.json"]).success();
    assert_eq!(
        project.read("out.json"),
        format!("{{\"image\": \"{}:{SHORT}\"}}", repository.uri())
    );
}

#[test]
#[ignore = "needs the testbed"]
fn the_commit_comes_from_git_where_codebuild_gives_none() {
    let testbed = Testbed::current();
    let repository = testbed.repository("git");
    let project = project(&testbed, &repository).variable("CODEBUILD_RESOLVED_SOURCE_VERSION", "");
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
        let output =
            command.current_dir(project.folder()).args(identity).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "first"]);
    let commit = git(&["rev-parse", "HEAD"]);
    project.run(&["run"]).success();
    assert!(repository.tags().contains_key(&commit[..7]), "{:?}", repository.tags());

    let project = project.file("Dockerfile", "FROM scratch\nLABEL changed=true\n");
    project.run(&["run"]).success();
    assert!(
        repository.tags().contains_key(&format!("{}-dirty", &commit[..7])),
        "{:?}",
        repository.tags()
    );
}

#[test]
#[ignore = "needs the testbed"]
fn parameters_of_the_store_are_values_and_secrets_stay_out() {
    let testbed = Testbed::current();
    let prefix = format!("/{}", testbed.unique("app"));
    for index in 0..23 {
        testbed.put_parameter(&format!("{prefix}/p{index}"), "String", &format!("value {index}"));
    }
    testbed.put_parameter(&format!("{prefix}/password"), "SecureString", "hunter2-canary");
    let plain = (0..23).map(|index| format!("  P{index}: ssm:{prefix}/p{index}\n"));
    let secret = std::iter::once(format!("  PASSWORD: ssm:{prefix}/password\n"));
    let parameters: String = plain.chain(secret).collect();
    let artifacts = "artifacts:\n  a.json: { json: { first: \"${P0}\", last: \"${P22}\" } }\n";
    let secret = "  b.json: { json: { p: \"x${PASSWORD}\" } }\n";

    let role = testbed.role(&["ssm:GetParameters"]);
    let project = Project::in_testbed(&testbed).role(&role);
    let project =
        project.file("shipspec.yml", &format!("version: 1\nparameters:\n{parameters}{artifacts}"));
    project.run(&["render"]).success();
    assert_eq!(project.read("a.json"), r#"{"first":"value 0","last":"value 22"}"#);
    assert_eq!(role.requests().len(), 3, "24 names, ten in a request");

    let project = project
        .file("shipspec.yml", &format!("version: 1\nparameters:\n{parameters}{artifacts}{secret}"));
    let outcome = project.run(&["render"]).failure(2);
    assert!(
        outcome.stderr.contains("`PASSWORD` is secret and would stand in `b.json` in plain text"),
        "{outcome}"
    );
    assert!(!outcome.to_string().contains("hunter2"), "{outcome}");
    let allowed = secret.replace("} }", "}, allow_secrets: [PASSWORD] }");
    let project = project.file(
        "shipspec.yml",
        &format!("version: 1\nparameters:\n{parameters}{artifacts}{allowed}"),
    );
    let outcome = project.run(&["render"]).success();
    assert!(!outcome.to_string().contains("hunter2"), "{outcome}");
    assert_eq!(project.read("b.json"), r#"{"p":"xhunter2-canary"}"#);
}

#[test]
#[ignore = "needs the testbed"]
fn missing_parameters_are_told_together_and_a_refusal_apart() {
    let testbed = Testbed::current();
    let project = Project::in_testbed(&testbed).file(
        "shipspec.yml",
        "version: 1\nparameters: { A: \"ssm:/none/a\", B: \"ssm:/none/b\" }\nartifacts: { a.json: { json: {} } }\n",
    );
    assert_snapshot!(project.run(&["render"]), @"
    exit: 3
    --- stdout
    --- stderr
    error: parameters not found in ap-northeast-1: `ssm:/none/a`, `ssm:/none/b`
      hint: check the names, the account and the region (`AWS_REGION`)
    ");
    let outcome =
        project.role(&testbed.role_without(&["ssm:GetParameters"])).run(&["render"]).failure(3);
    assert!(outcome.stderr.contains("access denied: User: "), "{outcome}");
    assert!(outcome.stderr.contains("hint: allow `ssm:GetParameters`"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn a_secret_does_not_go_into_a_build_argument() {
    let testbed = Testbed::current();
    let repository = testbed.repository("secret");
    let name = format!("/{}", testbed.unique("password"));
    testbed.put_parameter(&name, "SecureString", "hunter2-canary");
    let shipspec = SHIPSPEC
        .replace("hello ${COMMIT_HASH}", "${PASSWORD}")
        .replace("images:", &format!("parameters: {{ PASSWORD: \"ssm:{name}\" }}\nimages:"));
    let project = project(&testbed, &repository).file("shipspec.yml", &shipspec);
    let outcome = project.run(&["run"]).failure(2);
    assert!(
        outcome.stderr.contains("`PASSWORD` is secret and would be stored in the image"),
        "{outcome}"
    );
    assert!(!outcome.to_string().contains("hunter2"), "{outcome}");
    assert_untouched(&project, &repository);
}
