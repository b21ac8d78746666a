//! Several images in one run: their order, side by side, and a part of them.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::{COMMIT, Project, SHORT};
use shipspec_testbed::{TestRepository, Testbed};

const START: &str = "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\n";

/// A project of images, each in a folder of its name with these lines in its Dockerfile.
fn project(
    testbed: &Testbed,
    repository: &TestRepository,
    images: &[(&str, &str, &str)],
) -> Project {
    let mut shipspec = "version: 1\nimages:\n".to_owned();
    let mut project = Project::in_testbed(testbed)
        .repository(repository)
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT);
    let unique = testbed.unique("built");
    for (name, more, lines) in images {
        shipspec.extend([format!(
            "  {name}:\n    context: {name}\n    repository: ${{REPOSITORY_URL}}\n    tags: [\"{name}-${{IMAGE_TAG}}\"]\n{more}"
        )]);
        let lines = if lines.starts_with("ARG") {
            (*lines).to_owned()
        } else {
            format!("{START}RUN : {unique}\n{lines}\n")
        };
        project = project.file(&format!("{name}/Dockerfile"), &lines);
        std::fs::copy(testbed.busybox(), project.path(&format!("{name}/busybox"))).unwrap();
    }
    project.file("shipspec.yml", &shipspec)
}

const ON_BASE: &str = "    build_args: { BASE: \"${images.base.pinned}\" }\n";
const FROM_BASE: &str = "ARG BASE\nFROM ${BASE}\nRUN cat /base > /copy\n";

#[test]
#[ignore = "needs the testbed"]
fn an_image_is_made_from_the_very_one_that_was_pushed_before() {
    let testbed = Testbed::current();
    let repository = testbed.repository("base");
    // The one that comes first in the file is made last.
    let images = [("web", ON_BASE, FROM_BASE), ("base", "", "RUN echo first > /base")];
    let project = project(&testbed, &repository, &images);
    let told = project.run(&["run"]).success();
    let order = |name: &str| told.stderr.find(&format!("{name}: building")).unwrap();
    assert!(order("base") < order("web"), "{told}");
    let tags = repository.tags();
    assert!(told.stderr.contains(&format!("@{}", tags[&format!("base-{SHORT}")])), "{told}");
    let layers = |tag: &str| {
        let config = repository.image_config(&format!("{tag}-{SHORT}"));
        config["rootfs"]["diff_ids"].as_array().unwrap().clone()
    };
    assert_eq!(layers("web")[..layers("base").len()], layers("base"));
    // Again, with nothing changed.
    project.run(&["run"]).success();
    let mut again = repository.tags();
    again.retain(|tag, _| tags.contains_key(tag) && !tag.starts_with("shipspec-release-"));
    assert!(again.iter().all(|(tag, digest)| tags[tag] == *digest), "{again:?}");
}

#[test]
#[ignore = "needs the testbed"]
fn images_that_do_not_depend_on_each_other_are_built_side_by_side() {
    let testbed = Testbed::current();
    let repository = testbed.repository("side");
    let wait = |name: &str| format!("RUN : {name}; date +%s > /began; sleep 3; date +%s > /ended");
    // Of equal steps the engine would make one.
    let (one, two, three) = (wait("one"), wait("two"), wait("three"));
    let images = [("one", "", &*one), ("two", "", &*two), ("three", "", &*three)];
    let project = project(&testbed, &repository, &images);
    let told = project.run(&["run", "--no-push"]).success();
    // Each had begun when the first ended.
    let times = ["one", "two", "three"].map(|name| {
        let image = format!("{}:{name}-{SHORT}", repository.uri());
        let words = ["run", "--rm", &image, "cat", "/began", "/ended"];
        let output = std::process::Command::new("docker").args(words).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let times: Vec<u64> = text.lines().map(|line| line.parse().unwrap()).collect();
        (times[0], times[1])
    });
    let (began, ended) = (times.iter().map(|it| it.0).max(), times.iter().map(|it| it.1).min());
    assert!(began < ended, "{times:?}\n{told}");
    for line in told.stderr.lines().filter(|line| line.contains(" | ")) {
        assert!(["one: ", "two: ", "three: "].iter().any(|name| line.starts_with(name)), "{line}");
    }
    let rows: Vec<_> =
        told.stderr.lines().rev().take(3).map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(rows, ["three", "two", "one"]);
}

#[test]
#[ignore = "needs the testbed"]
fn the_first_failure_ends_the_others() {
    let testbed = Testbed::current();
    let repository = testbed.repository("failure");
    let images = [("slow", "", "RUN sleep 600"), ("bad", "", "RUN sleep 1; exit 7")];
    let start = std::time::Instant::now();
    let told = project(&testbed, &repository, &images).run(&["run"]).failure(5);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    assert!(told.stderr.contains("failed with exit code 7"), "{told}");
    assert!(repository.tags().keys().all(|tag| tag.starts_with("shipspec-")), "{told}");
}

#[test]
#[ignore = "needs the testbed"]
fn only_some_images_are_built_and_only_their_artifacts_written() {
    let testbed = Testbed::current();
    let repository = testbed.repository("only");
    let images =
        [("base", "", "RUN echo x > /base"), ("web", ON_BASE, FROM_BASE), ("log", "", "RUN : log")];
    let project = project(&testbed, &repository, &images);
    let artifacts = "artifacts:\n  web.json: { image_detail: web }\n  log.json: { image_detail: log }\n  both.json: { image_definitions: [web, log] }\n  tag.json: { json: { tag: \"${IMAGE_TAG}\" } }\n";
    let shipspec = project.read("shipspec.yml") + artifacts;
    let project = project.file("shipspec.yml", &shipspec);
    project.run(&["run", "--only", "web"]).success();
    let written: Vec<_> = ["web.json", "log.json", "both.json", "tag.json"]
        .into_iter()
        .filter(|name| project.has(name))
        .collect();
    assert_eq!(written, ["web.json", "tag.json"]);
    let tags = repository.tags();
    let tags: Vec<_> = tags.keys().filter(|tag| !tag.starts_with("shipspec-")).collect();
    assert_eq!(tags, [&format!("base-{SHORT}"), &format!("web-{SHORT}")]);
    let told = project.run(&["run", "--only", "wep"]).failure(2);
    assert!(told.stderr.contains("hint: did you mean `web`?"), "{told}");
}

#[test]
fn images_that_need_each_other_are_told_before_anything_is_asked() {
    let shipspec = "version: 1\nimages:\n  a: { repository: r.example/a, build_args: { B: \"${images.b.uri}\" } }\n  b: { repository: r.example/b, labels: { a: \"${images.a.pinned}\" } }\n";
    let project = Project::new()
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .file("shipspec.yml", shipspec);
    let told = project.run(&["plan", "--offline"]).failure(2);
    assert!(told.stderr.contains("the image `a` is made from itself: a → b → a"), "{told}");
    assert_eq!(told.stderr.matches("made from itself").count(), 1, "{told}");
    // What is known of an image before it is built may stand in it, but not its digest.
    let own = |label: &str| {
        let shipspec = format!(
            "version: 1\nimages: {{ a: {{ repository: r.example/a, labels: {{ of: \"${{{label}}}\" }} }} }}\n"
        );
        Project::new()
            .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
            .file("shipspec.yml", &shipspec)
            .run(&["plan", "--offline"])
    };
    own("images.a.tag").success();
    own("IMAGE_URI").success();
    own("images.a.digest").failure(2);
}
