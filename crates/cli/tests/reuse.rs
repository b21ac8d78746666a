//! What the registry holds is not built again.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::{Outcome, Project, SHORT};
use serde_json::Value;
use shipspec_testbed::{OTHER_ACCOUNT, TestRepository, Testbed};

const SHIPSPEC: &str = r#"version: 1
reference: digest
images:
  app:
    repository: ${REPOSITORY_URL}
    tags: ["${IMAGE_TAG}", latest]
artifacts:
  taskdef.json: taskdef_template.json
  imageDetail.json: { image_detail: app }
  build.json: { json: { image: "${images.app.pinned}" } }
"#;

/// Also what says how it is built: a change of it is none of the image.
const IGNORED: &str = "shipspec.yml\ntaskdef.json\nimageDetail.json\nbuild.json\n";

const OTHER_COMMIT: &str = "fedcba9876543210fedcba9876543210fedcba98";

/// A project whose image nobody has built before.
fn project(testbed: &Testbed, repository: &TestRepository) -> Project {
    let unique = testbed.unique("reuse");
    Project::in_testbed(testbed)
        .repository(repository)
        .dockerfile(testbed, &format!("RUN echo {unique} > /made"))
        .file(".dockerignore", IGNORED)
        .file("taskdef_template.json", "{\"family\": \"web\", \"containerDefinitions\": [{\"name\": \"app\", \"image\": \"${images.app.pinned}\", \"memory\": 64}]}\n")
        .file("shipspec.yml", SHIPSPEC)
}

/// The same with an engine that is not there.
fn without_engine(project: Project) -> Project {
    project.variable("DOCKER_HOST", "unix:///nowhere.sock")
}

fn with_engine(testbed: &Testbed, project: Project) -> Project {
    project.variable("DOCKER_HOST", &testbed.docker_host())
}

const RUN: [&str; 3] = ["run", "--docker-wait", "0"];

fn keys(repository: &TestRepository) -> Vec<String> {
    let is_key = |tag: &String| tag.starts_with("shipspec-") && tag.matches('-').count() == 1;
    repository.tags().into_keys().filter(is_key).collect()
}

fn json(project: &Project, arguments: &[&str]) -> Value {
    let told = project.run(&[arguments, &["--output", "json"]].concat()).success();
    serde_json::from_str(&told.stdout).unwrap()
}

#[test]
#[ignore = "needs the testbed"]
fn nothing_changed_needs_no_engine_and_makes_the_same_files() {
    let testbed = Testbed::current();
    let repository = testbed.repository("same");
    let project = project(&testbed, &repository);
    let first = project.run(&RUN).success();
    assert!(first.stderr.contains("may use the network (lines 3, 4)"), "{first}");
    let files = ["taskdef.json", "imageDetail.json", "build.json"];
    let before = files.map(|name| project.read(name));
    let digest = repository.tags()[SHORT].clone();
    let key = keys(&repository).pop().unwrap();
    assert_eq!(repository.tags()[&key], digest);
    assert!(repository.tags().keys().all(|tag| !tag.starts_with("shipspec-run-")));

    let project =
        without_engine(project).variable("CODEBUILD_RESOLVED_SOURCE_VERSION", OTHER_COMMIT);
    let start = std::time::Instant::now();
    let again = project.run(&RUN).success();
    eprintln!("unchanged: {:?}", start.elapsed());
    assert!(again.stderr.contains(&format!("app: reused, the registry holds {digest}")), "{again}");
    assert!(!again.stderr.contains("note:"), "{again}");
    assert_eq!(files.map(|name| project.read(name)), before);
    assert_eq!(repository.tags()["fedcba9"], digest);
    assert_eq!(repository.tags()["latest"], digest);
    let report = json(&project, &RUN);
    assert_eq!(report["images"][0]["reused"], true);
    assert_eq!(format!("shipspec-{}", report["images"][0]["key"].as_str().unwrap()), key);
    let plan = project.run(&["plan"]).success();
    assert!(plan.stdout.contains(&format!("image app: reused, {digest}")), "{plan}");
}

#[test]
#[ignore = "needs the testbed"]
fn only_the_image_that_changed_is_built() {
    let testbed = Testbed::current();
    let repository = testbed.repository("two");
    let unique = testbed.unique("two");
    let image = |name: &str| {
        format!(
            "  {name}:\n    context: {name}\n    repository: ${{REPOSITORY_URL}}\n    tags: [\"{name}-${{IMAGE_TAG}}\"]\n    reuse: true\n"
        )
    };
    let dockerfile = |text: &str| format!("FROM scratch\nCOPY Dockerfile /{unique}-{text}\n");
    let project = Project::in_testbed(&testbed)
        .repository(&repository)
        .file("web/Dockerfile", &dockerfile("web"))
        .file("api/Dockerfile", &dockerfile("api"))
        .file("shipspec.yml", &format!("version: 1\nimages:\n{}{}", image("web"), image("api")));
    let plan = json(&project, &["plan"]);
    assert_eq!(plan["images"][0]["reason"], "its registry holds none that is made from the same");
    let first = project.run(&RUN).success();
    assert!(!first.stderr.contains("note:"), "{first}");
    let before = repository.tags();
    let project = project.file("api/more.txt", "more");
    let told = project.run(&RUN).success();
    assert!(told.stderr.contains("web: reused") && told.stderr.contains("api: building"), "{told}");
    assert!(!told.stderr.contains("web: building"), "{told}");
    assert_eq!(repository.tags()[&format!("web-{SHORT}")], before[&format!("web-{SHORT}")]);
}

#[test]
#[ignore = "needs the testbed"]
fn another_folder_and_an_immutable_repository_of_another_account() {
    let testbed = Testbed::current();
    let repository =
        testbed.repository_builder("other").account(OTHER_ACCOUNT).immutable().create();
    let shipspec = SHIPSPEC.replace(", latest", "");
    let first = project(&testbed, &repository).own_steps(&testbed).file("shipspec.yml", &shipspec);
    first.run(&RUN).success();
    let copy = without_engine(Project::in_testbed(&testbed).repository(&repository));
    for name in ["Dockerfile", ".dockerignore", "taskdef_template.json", "shipspec.yml", "busybox"]
    {
        std::fs::copy(first.path(name), copy.path(name)).unwrap();
    }
    copy.run(&RUN).success();
    // Built again, where tags cannot be moved.
    let project =
        with_engine(&testbed, first).variable("CODEBUILD_RESOLVED_SOURCE_VERSION", OTHER_COMMIT);
    let told = project.run(&["run", "--rebuild", "app"]).success();
    assert!(told.stderr.contains("app: building"), "{told}");
    let tags = repository.tags();
    let key = &keys(&repository)[0];
    assert!(tags.contains_key(&format!("{key}-2")), "{tags:?}");
    assert_eq!(tags["fedcba9"], tags[&format!("{key}-2")]);
    // The newest counts.
    let plan = json(&without_engine(project), &["plan"]);
    assert_eq!(plan["images"][0]["digest"], tags["fedcba9"].as_str());
}

#[test]
#[ignore = "needs the testbed"]
fn an_age_builds_again_and_moves_the_tag() {
    let testbed = Testbed::current();
    let repository = testbed.repository("age");
    let with = |project: Project, reuse: &str| {
        let shipspec = SHIPSPEC.replace("    tags", &format!("    reuse: {reuse}\n    tags"));
        project.file("shipspec.yml", &shipspec)
    };
    let project = with(project(&testbed, &repository).own_steps(&testbed), "true");
    project.run(&RUN).success();
    let key = keys(&repository).pop().unwrap();
    let first = repository.tags()[&key].clone();
    let project = with(project, "7d");
    let told = project.run(&RUN).success();
    assert!(told.stderr.contains("does not say when it was built"), "{told}");
    let second = repository.tags()[&key].clone();
    assert_ne!(first, second);
    let label = &repository.image_config(&key)["config"]["Labels"]["shipspec.built"];
    assert!(label.as_str().unwrap().parse::<u64>().unwrap() > 1_700_000_000);
    let project = without_engine(project);
    project.run(&RUN).success();
    assert_eq!(repository.tags()[&key], second);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let project = with(with_engine(&testbed, project), "1s");
    let told = project.run(&RUN).success();
    assert!(told.stderr.contains("ago, and `reuse` says 1s"), "{told}");
    assert_ne!(repository.tags()[&key], second);
    // Without reuse, the registry is not asked for anything of the kind.
    let project = with(project, "false");
    let told = project.run(&RUN).success();
    assert!(told.stderr.contains("app: building"), "{told}");
    assert!(repository.tags().keys().any(|tag| tag.starts_with("shipspec-run-")));
}

/// Puts another image under the repository's `latest`.
fn base_image(testbed: &Testbed, bases: &TestRepository, text: &str) -> String {
    let project = Project::in_testbed(testbed)
        .repository(bases)
        .dockerfile(testbed, &format!("RUN echo {text} > /base"))
        .file("shipspec.yml", "version: 1\nimages: { base: { repository: \"${REPOSITORY_URL}\", tags: [latest], reuse: true } }\n");
    project.run(&RUN).success();
    bases.tags()["latest"].clone()
}

#[test]
#[ignore = "needs the testbed"]
fn a_base_image_that_moves_during_the_run_ends_it() {
    let testbed = Testbed::current();
    let (bases, repository) = (testbed.repository("moving"), testbed.repository("on-moving"));
    let first = base_image(&testbed, &bases, "one");
    let unique = testbed.unique("moving");
    let image = |name: &str| {
        format!(
            "  {name}: {{ context: {name}, repository: \"${{REPOSITORY_URL}}\", tags: [{name}], reuse: true }}\n"
        )
    };
    let slow = "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"/bin\"]\n";
    let project = Project::in_testbed(&testbed)
        .repository(&repository)
        .file("slow/Dockerfile", &format!("{slow}RUN echo {unique} && sleep 6\n"))
        .file("app/Dockerfile", &format!("FROM {}\nCOPY Dockerfile /{unique}\n", bases.uri()))
        .file("shipspec.yml", &format!("version: 1\nimages:\n{}{}", image("slow"), image("app")));
    std::fs::copy(testbed.busybox(), project.path("slow/busybox")).unwrap();
    let running = project.start(&["run", "--jobs", "1"]);
    std::thread::sleep(std::time::Duration::from_secs(2));
    base_image(&testbed, &bases, "two");
    let told = project.outcome(&running.wait_with_output().unwrap()).failure(4);
    let moved = format!("the base image moved while the image was built: it was {first}");
    assert!(told.stderr.contains(&moved), "{told}");
    assert!(told.stderr.contains("hint: nothing was tagged or written; run it again"), "{told}");
    assert!(!repository.tags().contains_key("app"));
    let told = project.run(&RUN).success();
    assert!(
        told.stderr.contains("slow: reused") && told.stderr.contains("app: building"),
        "{told}"
    );
}

#[test]
#[ignore = "needs the testbed"]
fn a_base_image_that_moves_builds_again() {
    let testbed = Testbed::current();
    let (bases, repository) = (testbed.repository("bases"), testbed.repository("on-base"));
    let base = |text: &str| base_image(&testbed, &bases, text);
    let first = base("one");
    let project = Project::in_testbed(&testbed)
        .repository(&repository)
        .file(
            "Dockerfile",
            &format!("FROM {}\nCOPY Dockerfile /{}\n", bases.uri(), testbed.unique("x")),
        )
        .file(
            "shipspec.yml",
            "version: 1\nimages: { app: { repository: \"${REPOSITORY_URL}\", reuse: true } }\n",
        );
    let told = project.run(&RUN).success();
    // Some engines name the tag as well.
    let takes = |told: &Outcome, base: &str| {
        told.stderr.replace(":latest@", "@").contains(&format!("FROM {}@{base}", bases.uri()))
    };
    assert!(takes(&told, &first), "{told}");
    let project = without_engine(project);
    project.run(&RUN).success();
    let second = base("two");
    assert_ne!(first, second);
    let told = with_engine(&testbed, project).run(&RUN).success();
    assert!(takes(&told, &second), "{told}");
    let project = Project::in_testbed(&testbed).repository(&repository);
    let unresolved = project.file("Dockerfile", &format!("FROM {}:none\n", bases.uri())).file(
        "shipspec.yml",
        "version: 1\nimages: { app: { repository: \"${REPOSITORY_URL}\" } }\n",
    );
    let told = unresolved.run(&RUN).failure(4);
    assert!(told.stderr.contains("note: `app` is built: its base image"), "{told}");
    assert!(told.stderr.contains("its registry does not have it"), "{told}");
}

#[test]
#[ignore = "needs the testbed"]
fn an_image_whose_test_fails_is_not_found_later() {
    let testbed = Testbed::current();
    let repository = testbed.repository("untested");
    let shipspec = |command: &str| {
        SHIPSPEC.replace("    tags", &format!("    test: {{ command: {command} }}\n    tags"))
    };
    let project = project(&testbed, &repository).file("shipspec.yml", &shipspec("[\"false\"]"));
    project.run(&RUN).failure(5);
    assert!(repository.tags().is_empty());
    project.file("shipspec.yml", &shipspec("[\"true\"]")).run(&RUN).success();
}

#[test]
#[ignore = "needs the testbed"]
fn two_runs_of_one_commit_come_to_the_same() {
    let testbed = Testbed::current();
    for builder in [
        testbed.repository_builder("race"),
        testbed.repository_builder("race-immutable").immutable(),
    ] {
        let repository = builder.create();
        let shipspec = SHIPSPEC.replace(", latest", "");
        let first = project(&testbed, &repository).file("shipspec.yml", &shipspec);
        let second = Project::in_testbed(&testbed).repository(&repository);
        for name in
            ["Dockerfile", ".dockerignore", "taskdef_template.json", "shipspec.yml", "busybox"]
        {
            std::fs::copy(first.path(name), second.path(name)).unwrap();
        }
        let running = [first.start(&RUN), second.start(&RUN)];
        for child in running {
            first.outcome(&child.wait_with_output().unwrap()).success();
        }
        assert_eq!(first.read("build.json"), second.read("build.json"));
        let of_images =
            |tag: &String| tag.starts_with("shipspec-") && !tag.starts_with("shipspec-release-");
        let tags: Vec<_> = repository.tags().into_keys().filter(of_images).collect();
        assert_eq!(tags, keys(&repository), "a second image beside the first");
        assert_eq!(tags.len(), 1);
    }
}

#[test]
#[ignore = "needs the testbed"]
fn a_secret_counts_by_its_version() {
    let testbed = Testbed::current();
    let repository = testbed.repository("secret");
    let name = format!("/{}", testbed.unique("token"));
    testbed.put_parameter(&name, "SecureString", "hunter2hunter2");
    let shipspec = SHIPSPEC
        .replace("images:", &format!("parameters: {{ TOKEN: \"ssm:{name}\" }}\nimages:"))
        .replace("    tags", "    reuse: true\n    secrets: { token: TOKEN }\n    tags");
    let project = project(&testbed, &repository)
        .dockerfile(
            &testbed,
            &format!(
                "RUN --mount=type=secret,id=token cat /run/secrets/token | wc -c > /{}",
                testbed.unique("length")
            ),
        )
        .file("shipspec.yml", &shipspec);
    let told = project.run(&RUN).success();
    assert!(!told.stderr.contains("note:"), "{told}");
    let project = without_engine(project);
    project.run(&RUN).success();
    testbed.put_parameter(&name, "SecureString", "hunter3hunter3");
    let told = with_engine(&testbed, project).run(&RUN).success();
    assert!(told.stderr.contains("app: building"), "{told}");
    assert_eq!(keys(&repository).len(), 2);
}

#[test]
#[ignore = "needs the testbed"]
fn what_a_run_writes_into_its_own_context_is_told() {
    let testbed = Testbed::current();
    let repository = testbed.repository("inside");
    let project = project(&testbed, &repository).file(".dockerignore", "build.json\n");
    project.run(&RUN).success();
    let told = project.run(&RUN).success();
    assert!(told.stderr.contains("note: this run writes `taskdef.json`, `imageDetail.json` into the build context of `app`"), "{told}");
}

#[test]
#[ignore = "needs the testbed"]
fn a_key_whose_image_was_deleted_is_built_again() {
    let testbed = Testbed::current();
    let repository = testbed.repository("deleted");
    let project = project(&testbed, &repository);
    project.run(&RUN).success();
    repository.delete();
    let name = repository.name().to_owned();
    let repository = testbed.repository_builder("deleted").name(&name).create();
    let told = project.run(&RUN).success();
    assert!(told.stderr.contains("app: building"), "{told}");
    assert_eq!(keys(&repository).len(), 1);
}

#[test]
#[ignore = "needs the testbed"]
fn an_image_on_another_of_the_run_is_found_with_it() {
    let testbed = Testbed::current();
    let repository = testbed.repository("chain");
    let unique = testbed.unique("chain");
    let shipspec = "version: 1\nimages:\n  web:\n    context: web\n    repository: ${REPOSITORY_URL}\n    tags: [\"web-${IMAGE_TAG}\"]\n    build_args: { BASE: \"${images.base.FORM}\" }\n  base: { context: base, repository: \"${REPOSITORY_URL}\", tags: [\"base-${IMAGE_TAG}\"] }\n";
    let project = Project::in_testbed(&testbed)
        .repository(&repository)
        .file("base/Dockerfile", &format!("FROM scratch\nCOPY Dockerfile /{unique}\n"))
        .file("web/Dockerfile", "ARG BASE\nFROM ${BASE}\nCOPY Dockerfile /web\n")
        .file("shipspec.yml", &shipspec.replace("FORM", "pinned"));
    project.run(&RUN).success();
    let project = without_engine(project);
    let told = project.run(&RUN).success();
    assert!(told.stderr.contains("web: reused"), "{told}");
    // By its tag, it has to be in the engine.
    let project =
        with_engine(&testbed, project).file("shipspec.yml", &shipspec.replace("FORM", "uri"));
    let told = project.run(&RUN).success();
    assert!(told.stderr.contains("note: `base` is built: another image of this run"), "{told}");
    assert!(
        told.stderr.contains("base: building") && told.stderr.contains("web: building"),
        "{told}"
    );
}

#[test]
#[ignore = "needs the testbed"]
fn a_context_that_changes_during_the_build_is_published_and_not_reused() {
    let testbed = Testbed::current();
    let repository = testbed.repository("changing");
    let project = project(&testbed, &repository);
    let unique = testbed.unique("slow");
    let project = project.dockerfile(&testbed, &format!("RUN echo {unique} && sleep 3"));
    let running = project.start(&RUN);
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let project = project.file("late.txt", "late");
    let told = project.outcome(&running.wait_with_output().unwrap()).success();
    assert!(told.stderr.contains("note: `app` cannot be reused later"), "{told}");
    assert!(told.stderr.contains("late.txt` changed while the build context was read"), "{told}");
    assert!(keys(&repository).is_empty());
    assert!(repository.tags().contains_key(SHORT));
}

#[test]
#[ignore = "needs the testbed"]
fn a_commit_is_not_needed_and_twelve_permissions_are_enough() {
    let testbed = Testbed::current();
    let repository = testbed.repository("twelve");
    let role = testbed.role(&[
        "ecr:GetAuthorizationToken",
        "ecr:BatchCheckLayerAvailability",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchGetImage",
        "ecr:ListImages",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:PutImage",
    ]);
    let shipspec = SHIPSPEC.replace("\"${IMAGE_TAG}\", latest", "latest");
    let project = project(&testbed, &repository).role(&role).file("shipspec.yml", &shipspec);
    let project =
        project.variable("CODEBUILD_RESOLVED_SOURCE_VERSION", "pYR8zUFu.Bn5y9u_0wOzNVpBYWqHZjzW");
    project.run(&RUN).success();
    let project = without_engine(project).variable("CODEBUILD_BUILD_ID", "shop:2");
    let told = project.run(&RUN).success();
    assert!(told.stderr.contains("unchanged since the last release (without a tag)"), "{told}");
    let env = project.run(&["env"]).success();
    assert!(env.stdout.contains("export SHIPSPEC_IMAGE_TAG=''"), "{env}");
}

#[test]
#[ignore = "needs the testbed"]
fn an_image_that_is_only_copied_from_counts_as_a_base() {
    let testbed = Testbed::current();
    let (bases, repository) = (testbed.repository("tools"), testbed.repository("with-tools"));
    base_image(&testbed, &bases, "one");
    let copied = format!("FROM scratch\nCOPY --from={}:latest /base /base\n", bases.uri());
    let project = project(&testbed, &repository).file("Dockerfile", &copied);
    project.run(&RUN).success();
    let project = without_engine(project);
    let outcome = project.run(&RUN).success();
    assert!(outcome.stderr.contains("app: reused"), "{outcome}");
    base_image(&testbed, &bases, "two");
    let project = with_engine(&testbed, project);
    let outcome = project.run(&RUN).success();
    assert!(outcome.stderr.contains("app: built"), "{outcome}");
    assert_eq!(keys(&repository).len(), 2);
}
