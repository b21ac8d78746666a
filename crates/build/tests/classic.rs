//! Builds where the engine has no BuildKit.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::{Project, secret};
use shipspec_build::docker::BuildError;
use shipspec_testbed::Testbed;

#[tokio::test]
#[ignore = "needs the testbed"]
async fn the_classic_builder_takes_the_context_as_an_archive() {
    let testbed = Testbed::current();
    let engine = testbed.engine_without_buildkit();
    let project = Project::new(&testbed, "COPY . /all\nRUN echo said")
        .on(engine.docker_host())
        .file(".dockerignore", "out")
        .file("out", "")
        .file("in", "");
    let built = project.build().await.unwrap();
    assert!(built.is_classic);
    assert_eq!(project.run("ls /all"), "Dockerfile\nbusybox\nin");
    assert!(project.told.has("said") && project.told.has("done: [6/6] RUN echo said"));
    project.told.take_steps();
    project.build().await.unwrap();
    let steps = project.told.take_steps();
    assert!(steps.contains(&"cached: [6/6] RUN echo said".to_owned()), "{steps:?}");
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn the_classic_builder_is_not_asked_for_what_it_cannot_do() {
    let testbed = Testbed::current();
    let engine = testbed.engine_without_buildkit();
    let project = Project::new(&testbed, "RUN --mount=type=secret,id=token true");
    let mut project = project.on(engine.docker_host());
    let expected = "this engine has no BuildKit, which build secrets need: `token`";
    assert_eq!(project.error().await, expected);
    project = project.file("Dockerfile", "FROM scratch");
    project.secrets.insert("token".into(), secret("x", None));
    assert_eq!(project.error().await, expected);

    project.secrets.clear();
    project = project.file("../outside", "FROM scratch");
    project.plan.dockerfile = "../outside".into();
    assert!(project.error().await.contains("is outside the build context"));
    let requests = engine.requests();
    assert!(!requests.iter().any(|request| request.path.starts_with("/build")), "{requests:?}");
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_failing_step_is_told_with_its_exit_code() {
    let testbed = Testbed::current();
    let engine = testbed.engine_without_buildkit();
    let project = Project::new(&testbed, "RUN echo broken >&2; exit 37");
    match project.on(engine.docker_host()).build().await.unwrap_err() {
        BuildError::Step { step, exit_code: 37 } => {
            assert_eq!(step.lines, ["broken"]);
            assert!(step.name.starts_with("[5/5] RUN echo broken"), "{}", step.name);
        }
        other => panic!("{other:?}"),
    }
}
