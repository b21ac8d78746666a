//! Tests of images: what does not succeed is not published.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use common::{COMMIT, Project, SHORT};
use shipspec_testbed::{TestRepository, Testbed};

const DOCKERFILE: &str = "FROM scratch AS app\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\nCMD [\"echo\", \"the image's own\"]\nFROM app AS test\nRUN mkdir -p /reports/unit && echo '<testsuites/>' > /reports/unit/junit.xml\nFROM app\n";

/// A project of one image with this test. The page tells its containers from those of other tests.
fn project(testbed: &Testbed, repository: &TestRepository, test: &str) -> Project {
    let label = testbed.unique("gate");
    let shipspec = format!(
        "version: 1\nimages:\n  app:\n    repository: ${{REPOSITORY_URL}}\n    labels: {{ test: {label} }}\n    test: {test}\nartifacts:\n  a.json: {{ image_detail: app }}\n"
    );
    let project = Project::in_testbed(testbed)
        .repository(repository)
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .variable("LABEL", &label)
        .file("shipspec.yml", &shipspec)
        .file("Dockerfile", DOCKERFILE);
    std::fs::copy(testbed.busybox(), project.path("busybox")).unwrap();
    project
}

/// The containers of a project's images, running or not.
fn containers(project: &Project) -> String {
    let label = project
        .command(&[])
        .get_envs()
        .find(|(name, _)| *name == "LABEL")
        .unwrap()
        .1
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let filter = format!("label=test={label}");
    let output = Command::new("docker")
        .args(["ps", "--all", "--quiet", "--filter", &filter])
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs the testbed"]
fn an_image_whose_test_succeeds_is_published() {
    let testbed = Testbed::current();
    let repository = testbed.repository("gate-ok");
    let name = format!("/{}", testbed.unique("token"));
    testbed.put_parameter(&name, "SecureString", "hunter2-canary");
    let test = "{ target: test, command: 'test \"$TOKEN\" = hunter2-canary && echo \"$GREETING, $TOKEN\"', env: { GREETING: \"hello ${IMAGE_TAG}\" }, secrets: { TOKEN: TOKEN }, timeout: 1m, reports: { /reports: test-reports } }";
    let project = project(&testbed, &repository, test);
    let shipspec = project
        .read("shipspec.yml")
        .replace("images:", &format!("parameters: {{ TOKEN: \"ssm:{name}\" }}\nimages:"))
        .replace("= hunter2-canary", "= hunter2-$(echo canary)");
    let project = project.file("shipspec.yml", &shipspec);
    let told = project.run(&["run"]).success();
    assert!(told.stderr.contains(&format!("app:   | hello {SHORT}, ****")), "{told}");
    assert!(told.stderr.contains("app: tested in "), "{told}");
    assert!(!told.to_string().contains("hunter2-canary"), "{told}");
    assert_eq!(project.read("test-reports/unit/junit.xml"), "<testsuites/>\n");
    assert_eq!(containers(&project), "");
    // What was tested is not what is published: the test's stage is another image.
    assert!(repository.tags().contains_key(SHORT));
    let images =
        Command::new("docker").args(["images", "--quiet", "shipspec-test"]).output().unwrap();
    assert_eq!(images.stdout, b"");
}

#[test]
#[ignore = "needs the testbed"]
fn nothing_is_published_after_a_test_that_failed() {
    let testbed = Testbed::current();
    let repository = testbed.repository("gate-bad");
    let test = "{ command: [sh, -c, \"echo one; echo two >&2; mkdir /r; echo x > /r/x.xml; exit 3\"], reports: { /r: out } }";
    let project = project(&testbed, &repository, test);
    let told = project.run(&["run", "--output", "json"]).failure(5);
    for part in [
        "caused by: the test failed with exit code 3",
        "  | one",
        "  | two",
        "hint: nothing was tagged",
    ] {
        assert!(told.stderr.contains(part), "{part}\n{told}");
    }
    assert!(repository.tags().is_empty() && !project.has("a.json"), "{told}");
    assert_eq!(project.read("out/x.xml"), "x\n");
    assert_eq!(containers(&project), "");
}

#[test]
#[ignore = "needs the testbed"]
fn a_test_that_does_not_end_is_ended() {
    let testbed = Testbed::current();
    let repository = testbed.repository("gate-slow");
    let project =
        project(&testbed, &repository, "{ command: \"echo begun; sleep 600\", timeout: 2s }");
    let told = project.run(&["run"]).failure(5);
    assert!(told.stderr.contains("the test did not come to an end within 2 s"), "{told}");
    assert!(told.stderr.contains("  | begun"), "{told}");
    assert_eq!(containers(&project), "");
    assert!(repository.tags().is_empty());
}

#[test]
#[ignore = "needs the testbed"]
fn a_signal_removes_the_container() {
    let testbed = Testbed::current();
    let repository = testbed.repository("gate-signal");
    let project = project(&testbed, &repository, "{ command: \"sleep 600\" }");
    let mut child = project.command(&["run"]).stderr(std::process::Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while containers(&project).is_empty() && start.elapsed() < Duration::from_mins(1) {
        std::thread::sleep(Duration::from_millis(100));
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(containers(&project), "");
}

#[test]
#[ignore = "needs the testbed"]
fn what_the_test_cannot_have_is_told() {
    let testbed = Testbed::current();
    let repository = testbed.repository("gate-wrong");
    let told = project(&testbed, &repository, "{ target: tests }").run(&["run"]).failure(2);
    assert!(
        told.stderr.contains("the Dockerfile has no stage `tests`, only `app`, `test`"),
        "{told}"
    );
    let told =
        project(&testbed, &repository, "{ command: [no-such-program] }").run(&["run"]).failure(4);
    assert!(told.stderr.contains("no-such-program"), "{told}");
    let told =
        project(&testbed, &repository, "{ reports: { /none: out } }").run(&["run"]).failure(4);
    assert!(
        told.stderr.contains(
            "failed to take `/none` out of the test's container: there is nothing at this path"
        ),
        "{told}"
    );
    let link = "{ command: \"ln -s /etc /link\", reports: { /link: out } }";
    let told = project(&testbed, &repository, link).run(&["run"]).failure(4);
    assert!(told.stderr.contains("it is a link; name what it leads to"), "{told}");
    let told = project(&testbed, &repository, "{ timeout: soon }").run(&["run"]).failure(2);
    assert!(told.stderr.contains("`soon` is no length of time"), "{told}");
    assert!(repository.tags().is_empty());
}
