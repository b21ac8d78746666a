//! Publishing where the registry is not well: what is told, what stays as it was, and that the next
//! run succeeds.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::{Outcome, Project, SHORT, assert_untouched, project};
use shipspec_testbed::{Fault, TestRepository, Testbed};

/// Two images that are made side by side, with a commit tag and a moving one each.
const TWO: &str = r#"version: 1
images:
  app: { repository: "${APP}", tags: ["${IMAGE_TAG}", latest] }
  side: { repository: "${SIDE}", tags: ["${IMAGE_TAG}", latest] }
artifacts:
  build.json: { json: { app: "${images.app.pinned}", side: "${images.side.pinned}" } }
"#;

fn two(testbed: &Testbed) -> (Project, TestRepository, TestRepository) {
    let (app, side) = (testbed.repository("app"), testbed.repository("side"));
    let project = Project::in_testbed(testbed)
        .dockerfile(testbed, "RUN echo first > /first")
        .variable("APP", &app.uri())
        .variable("SIDE", &side.uri())
        .file("shipspec.yml", TWO);
    (project, app, side)
}

/// What a fault does to a run.
enum Result {
    /// It is tried again, and then done; this is told.
    Survives(&'static str),
    /// It ends with exit code 4, and this is told.
    Fails(&'static str),
}

use Result::{Fails, Survives};

#[test]
#[ignore = "needs the testbed"]
fn each_fault_of_a_registry_is_told_and_leaves_nothing_half_done() {
    let testbed = Testbed::current();
    let reset = "failed to reach the registry";
    // containerd waits and asks again without a word.
    let throttled = if testbed.has_containerd_store() { "" } else { "toomanyrequests" };
    for (fault, result) in [
        (Fault::throttle().on("manifest-get"), Survives("answered 429")),
        (
            Fault::throttle_for(1).on("manifest-get"),
            Survives("asking again in 1.0s (attempt 2 of 6)"),
        ),
        (Fault::throttle_for(90).on("manifest-get"), Fails("left alone for 90 seconds")),
        (Fault::html(500).on("manifest-get"), Survives("answered 500: a page of HTML")),
        (
            Fault::registry_error(503, "UNAVAILABLE", "busy").on("manifest-get").times(2),
            Survives("answered 503: busy"),
        ),
        (Fault::reset_request(0).on("manifest-get"), Survives(reset)),
        (Fault::reset_response(10).on("manifest-get"), Survives(reset)),
        (Fault::truncate(10).on("manifest-get").times(1), Survives("")),
        (
            Fault::wrong_digest().on("manifest-get").always(),
            Fails("answered with the digest sha256:000"),
        ),
        (Fault::unauthorized().on("manifest-get"), Survives("")),
        (
            Fault::unauthorized().on("manifest-get").always(),
            Fails("did not accept the credentials"),
        ),
        (Fault::expired_token().on("manifest-get"), Survives("")),
        (
            Fault::expired_token().on("manifest-get").always(),
            Fails("did not accept the credentials"),
        ),
        (Fault::throttle().on("manifest-put"), Survives(throttled)),
        (
            Fault::registry_error(503, "UNAVAILABLE", "busy").on("manifest-put"),
            Survives("pushing again in"),
        ),
        (Fault::expired_token().on("manifest-put"), Survives("pushing again in")),
        (Fault::unauthorized().on("upload-start").always(), Fails("hint:")),
        (Fault::html(500).on("blob-head"), Survives("")),
        (Fault::throttle().on("upload-start"), Survives("")),
        (Fault::delay(50).on("blob-upload"), Survives("")),
        (Fault::throttle().on("api:GetAuthorizationToken"), Survives("")),
    ] {
        let repository = testbed.repository("fault");
        let project = project(&testbed, &repository);
        let name = format!("{fault:?}");
        repository.fault(fault);
        let outcome = project.run(&["run"]);
        match result {
            Survives(told) => {
                assert_eq!(outcome.code, 0, "{name}: {outcome}");
                assert!(outcome.stderr.contains(told), "{name}: {outcome}");
            }
            Fails(told) => {
                assert_eq!(outcome.code, 4, "{name}: {outcome}");
                assert!(outcome.stderr.contains(told), "{name}: {outcome}");
                assert!(
                    outcome.stderr.contains("hint:") || told.contains("digest"),
                    "{name}: {outcome}"
                );
                assert_untouched(&project, &repository);
                repository.clear_faults();
                project.run(&["run"]).success();
            }
        }
        assert!(project.has("taskdef.json"), "{name}");
        assert_eq!(repository.tags()["latest"], repository.tags()[SHORT], "{name}");
    }
}

#[test]
#[ignore = "needs the testbed"]
fn what_asking_again_cannot_help_is_asked_once() {
    let testbed = Testbed::current();
    for (status, code) in [(400, "MANIFEST_INVALID"), (403, "DENIED"), (404, "NAME_UNKNOWN")] {
        let repository = testbed.repository("once");
        let project = project(&testbed, &repository);
        repository.fault(Fault::registry_error(status, code, "no").on("manifest-get").always());
        let outcome = project.run(&["run"]).failure(4);
        assert!(!outcome.stderr.contains("again"), "{outcome}");
        let asked = repository.requests();
        let asked = asked.iter().filter(|request| request.kind == "manifest-get").count();
        assert_eq!(asked, 1, "{status} {code}");
    }
}

#[test]
#[ignore = "needs the testbed"]
fn a_moving_tag_that_fails_brings_the_others_back() {
    let testbed = Testbed::current();
    let (project, app, side) = two(&testbed);
    project.run(&["run"]).success();
    let (app_before, side_before) = (app.tags(), side.tags());
    let commit = "fedcba9876543210fedcba9876543210fedcba98";
    let project = project
        .dockerfile(&testbed, "RUN echo second > /second")
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", commit);
    std::fs::remove_file(project.path("build.json")).unwrap();

    // `latest` of the second image is refused, and only that.
    side.set_mutability(
        shipspec_testbed::Mutability::ImmutableWithExclusion,
        &["shipspec-*", "fedcba9"],
    );
    let role = testbed.role_without(&["ecr:DescribeRepositories"]);
    let project = project.role(&role);
    let outcome = project.run(&["run", "--output", "json"]).failure(4);
    assert!(outcome.stderr.contains("tag mutability"), "{outcome}");
    assert_eq!(app.tags()["latest"], app_before["latest"], "{outcome}");
    assert_eq!(side.tags()["latest"], side_before["latest"]);
    assert!(
        outcome.stderr.contains(&format!(
            "put {}:latest back to {}",
            app.uri(),
            app_before["latest"]
        )),
        "{outcome}"
    );
    assert!(!project.has("build.json"), "{outcome}");
    let report: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(report["images"][0]["tags"][0]["change"], "new", "{report:#}");
    assert_eq!(report["images"][0]["tags"][1]["change"], "put back", "{report:#}");
    assert_eq!(report["images"][1]["tags"][1].get("change"), None, "{report:#}");
    assert_eq!(report["error"]["exit_code"], 4, "{report:#}");

    side.set_mutability(shipspec_testbed::Mutability::Mutable, &[]);
    project.run(&["run"]).success();
    assert_eq!(app.tags()["latest"], app.tags()["fedcba9"]);
    assert!(project.has("build.json"));
}

#[test]
#[ignore = "needs the testbed"]
fn files_that_cannot_be_put_in_place_bring_the_moving_tags_back() {
    let testbed = Testbed::current();
    let repository = testbed.repository("files");
    let project = project(&testbed, &repository);
    project.run(&["run"]).success();
    let before = repository.tags();
    let commit = "fedcba9876543210fedcba9876543210fedcba98";
    let project = project
        .dockerfile(&testbed, "RUN echo second > /second")
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", commit);
    std::fs::remove_file(project.path("taskdef.json")).unwrap();
    // While `latest` is put, a folder gets in the way of a file that is ready to be moved.
    repository.fault(Fault::delay(1500).on("manifest-put"));
    let started = project.start(&["run"]);
    let is_tagged = || repository.tags().contains_key("fedcba9");
    let waited = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        is_tagged()
    });
    assert!(waited, "the commit tag never came");
    std::fs::create_dir_all(project.path("taskdef.json/in/the/way")).unwrap();
    let outcome = project.outcome(&started.wait_with_output().unwrap()).failure(1);
    assert!(outcome.stderr.contains(":latest back to sha256:"), "{outcome}");
    assert_eq!(repository.tags()["latest"], before["latest"], "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn an_immutable_tag_tells_when_both_images_were_pushed() {
    let testbed = Testbed::current();
    let repository = testbed.repository_builder("when").immutable().create();
    let shipspec = common::SHIPSPEC.replace(", latest", "");
    let project = project(&testbed, &repository).file("shipspec.yml", &shipspec);
    project.run(&["run"]).success();
    let project = project.dockerfile(&testbed, "RUN echo other > /other");
    let told = |outcome: &Outcome| outcome.stderr.matches(", pushed 20").count();
    let outcome = project.run(&["run"]).failure(4);
    assert_eq!(told(&outcome), 2, "{outcome}");
    let project = project.role(&testbed.role_without(&["ecr:DescribeImages"]));
    let outcome = project.run(&["run"]).failure(4);
    assert_eq!(told(&outcome), 0, "{outcome}");
    assert!(outcome.stderr.contains("is immutable and names sha256:"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn an_expired_token_is_renewed_once_for_all() {
    let testbed = Testbed::current();
    let (project, app, side) = two(&testbed);
    let role = testbed.role(&["*"]);
    let project = project.role(&role);
    // Both are asked at the same time, before either knows.
    for repository in [&app, &side] {
        repository.fault(Fault::delay(300).on("manifest-get"));
        repository.fault(Fault::expired_token().on("manifest-get"));
    }
    project.run(&["run"]).success();
    let requests = testbed.requests();
    let of_role =
        requests.iter().filter(|request| request.access_key.as_deref() == Some(role.access_key()));
    let tokens = of_role.filter(|request| request.action == "ecr:GetAuthorizationToken").count();
    assert_eq!(tokens, 2, "one at first, and one in place of it");
    assert!(project.has("build.json"));
}

#[test]
#[ignore = "needs the testbed"]
fn a_repository_is_made_as_it_is_said_and_only_once() {
    let testbed = Testbed::current();
    let repository = testbed.repository_builder("made").missing();
    let settings = r#"repository: "${REPOSITORY_URL}"
    create_repository:
      scan_on_push: true
      immutable: true
      mutable_tags: [latest]
      kms_key: alias/images
      lifecycle: ${file('lifecycle.json')}
      tags: { team: web }"#;
    let shipspec = common::SHIPSPEC.replace("repository: ${REPOSITORY_URL}", settings);
    assert_ne!(shipspec, common::SHIPSPEC);
    let policy = r#"{"rules":[{"rulePriority":1}]}"#;
    let project = project(&testbed, &repository)
        .file("shipspec.yml", &shipspec)
        .file("lifecycle.json", policy);
    let told = project.run(&["doctor"]).success();
    assert!(told.stderr.contains("[uri]: does not exist yet; a run makes it"), "{told}");

    // A role that may not is told before anything is built.
    let weak = testbed.role_without(&["ecr:CreateRepository"]);
    let project = project.role(&weak);
    let outcome = project.run(&["run"]).failure(4);
    assert!(outcome.stderr.contains("allow `ecr:CreateRepository`"), "{outcome}");
    assert!(!outcome.stderr.contains("building"), "{outcome}");

    // The first run comes no further than the repository itself.
    let weak = testbed.role_without(&["ecr:PutLifecyclePolicy"]);
    let project = project.role(&weak);
    let outcome = project.run(&["run"]).failure(4);
    assert!(outcome.stderr.contains("allow `ecr:PutLifecyclePolicy`"), "{outcome}");
    let made = repository.settings();
    assert_eq!(made["imageTagMutability"], "IMMUTABLE_WITH_EXCLUSION");
    assert_eq!(made["imageTagMutabilityExclusionFilters"][0]["filter"], "latest");
    assert_eq!(made["imageScanningConfiguration"]["scanOnPush"], true);
    assert_eq!(made["encryptionConfiguration"]["encryptionType"], "KMS");
    assert_eq!(made["encryptionConfiguration"]["kmsKey"], "alias/images");
    assert_eq!(made["tags"][0], serde_json::json!({ "Key": "team", "Value": "web" }));
    assert!(made["lifecyclePolicyText"].is_null());

    let project = project.role(&testbed.default_role(repository.account()));
    let outcome = project.run(&["run"]).success();
    assert!(outcome.stderr.contains("gave the repository [uri] its lifecycle policy"), "{outcome}");
    assert_eq!(repository.settings()["lifecyclePolicyText"], policy);
    assert!(repository.tags().contains_key("latest"));

    let outcome = project.run(&["run"]).success();
    assert!(!outcome.stderr.contains("the repository [uri]"), "{outcome}");
    let policy = project.run(&["policy"]).success().stdout;
    assert!(policy.contains("kms:CreateGrant"), "{policy}");
    for action in ["CreateRepository", "TagResource", "PutLifecyclePolicy", "GetLifecyclePolicy"] {
        assert!(policy.contains(&format!("ecr:{action}")), "{policy}");
    }
}

#[test]
#[ignore = "needs the testbed"]
fn an_image_goes_to_ecr_public_with_a_token_of_its_own() {
    let testbed = Testbed::current();
    let repository = testbed.repository_builder("public").public().create();
    let project = project(&testbed, &repository);
    let role = testbed.role(&["ecr-public:*", "sts:GetServiceBearerToken"]);
    let project = project.role(&role);
    project.run(&["run"]).success();
    assert!(repository.uri().starts_with("public.ecr.aws/"));
    assert_eq!(repository.tags()["latest"], repository.tags()[SHORT]);
    let policy = project.run(&["policy"]).success().stdout;
    assert!(policy.contains("sts:GetServiceBearerToken"), "{policy}");
    assert!(policy.contains("ecr-public:PutImage"), "{policy}");

    let role = testbed.role_without(&["ecr-public:GetAuthorizationToken"]);
    let outcome = project.role(&role).run(&["run"]).failure(4);
    assert!(outcome.stderr.contains("`ecr-public:GetAuthorizationToken` and"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn an_image_of_several_repositories_is_sent_by_the_engine_once() {
    let testbed = Testbed::current();
    let repository = testbed.repository("main");
    let near = testbed.repository("near");
    let far = testbed.repository_builder("far").region("us-east-1").create();
    let settings = format!(
        "repository: ${{REPOSITORY_URL}}\n    mirrors: [\"{}\", \"{}\"]",
        near.uri(),
        far.uri()
    );
    let shipspec = common::SHIPSPEC.replace("repository: ${REPOSITORY_URL}", &settings);
    assert_ne!(repository.region(), far.region());
    let project = project(&testbed, &repository).file("shipspec.yml", &shipspec);
    project.run(&["run"]).success();
    let tags = repository.tags();
    for mirror in [&near, &far] {
        let held = mirror.tags();
        assert_eq!((&held["latest"], &held[SHORT]), (&tags["latest"], &tags[SHORT]));
        assert_eq!(mirror.manifest(SHORT), repository.manifest(SHORT));
        let by_engine = mirror.requests();
        let by_engine = by_engine.iter().filter(|request| request.user_agent.contains("docker"));
        assert_eq!(by_engine.count(), 0, "the engine sends it once");
    }
    let policy = project.run(&["policy"]).success().stdout;
    assert!(policy.contains("ecr:GetDownloadUrlForLayer"), "{policy}");
    assert!(policy.contains(&near.arn()) && policy.contains(&far.arn()), "{policy}");
    // Nothing is sent a second time, and a mirror that is missing is found before a build.
    let sent = |mirror: &TestRepository| {
        let requests = mirror.requests();
        requests.iter().filter(|request| request.kind.starts_with("upload")).count()
    };
    let before = sent(&near) + sent(&far);
    project.run(&["run"]).success();
    assert_eq!(sent(&near) + sent(&far), before);
    far.delete();
    let outcome = project.run(&["run"]).failure(4);
    assert!(outcome.stderr.contains(&format!("`{}` does not exist", far.uri())), "{outcome}");
    assert!(!outcome.stderr.contains("building"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn a_role_is_assumed_for_the_registry_of_another_account() {
    let testbed = Testbed::current();
    let repository = testbed.repository_builder("role").account("222222222222").create();
    let role = "arn:aws:iam::222222222222:role/push";
    let settings =
        format!("repository: ${{REPOSITORY_URL}}\n    role: {role}\n    external_id: shop");
    let shipspec = common::SHIPSPEC.replace("repository: ${REPOSITORY_URL}", &settings);
    let project = project(&testbed, &repository).file("shipspec.yml", &shipspec);
    // Of its own, the caller may do nothing but assume the role.
    let caller = testbed.role(&["sts:AssumeRole"]);
    let project = project.role(&caller);
    let outcome = project.run(&["run"]).success();
    assert_eq!(repository.tags()["latest"], repository.tags()[SHORT], "{outcome}");
    let requests = repository.requests();
    let own = caller.access_key();
    assert!(requests.iter().all(|request| request.access_key.as_deref() != Some(own)));
    let policy = project.run(&["policy"]).success().stdout;
    assert!(policy.contains("sts:AssumeRole") && policy.contains(role), "{policy}");
    assert!(!policy.contains("ecr:PutImage"), "{policy}");
}

#[test]
#[ignore = "needs the testbed"]
fn plain_http_is_spoken_with_a_registry_that_is_said_to_be_insecure() {
    let testbed = Testbed::current();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut client, _) = listener.accept().unwrap();
        let mut bytes = [0; 4096];
        let length = client.read(&mut bytes).unwrap();
        let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
        client.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    });
    // A name that leads to this machine, but is not one of its own.
    let repository = format!("insecure.s3.us-east-1.amazonaws.com:{port}/web");
    let project = Project::in_testbed(&testbed).dockerfile(&testbed, "").file(
        "shipspec.yml",
        &format!(
            "version: 1\nimages: {{ app: {{ repository: \"{repository}\", insecure: true }} }}\n"
        ),
    );
    project.run(&["doctor"]);
    let asked = asked.join().unwrap();
    assert!(asked.starts_with("GET /v2/web/manifests/"), "{asked}");
}
