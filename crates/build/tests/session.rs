//! Builds by BuildKit, which asks us for what it needs.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;
use std::time::Duration;

use common::{Project, docker, secret};
use shipspec_build::docker::BuildError;
use shipspec_testbed::Testbed;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};
use tokio::task::JoinSet;

const VALUE: &str = "hunter2-canary-5d41402a";

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_secret_is_a_file_for_its_step_and_nowhere_else() {
    let lines = "\
RUN --mount=type=secret,id=token wc -c < /run/secrets/token
RUN --mount=type=secret,id=token,target=/etc/token,required [ \"$(cat /etc/token)\" = hunter2-canary-5d41402a ] && touch /same
RUN [ ! -s /run/secrets/token ] && [ ! -s /etc/token ]";
    // The value must not be found because it stands in the Dockerfile.
    let lines = lines.replace(VALUE, "$(echo hunter2-canary- | tr -d '\\n'; echo 5d41402a)");
    let testbed = Testbed::current();
    let mut project = Project::new(&testbed, &lines);
    project.secrets.insert("token".into(), secret(VALUE, None));
    let built = project.build().await.unwrap();
    assert!(built.unknown_secrets.is_empty() && !built.is_classic);
    assert!(project.told.has(&VALUE.len().to_string()), "{:?}", project.told.lines());
    assert!(!project.told.lines().join("\n").contains(VALUE));

    let history = docker(&["history", "--no-trunc", &project.tag]);
    let inspected = docker(&["image", "inspect", &project.tag]);
    assert!(!history.contains(VALUE) && !inspected.contains(VALUE));
    let saved = Command::new("docker").args(["save", &project.tag]).output().unwrap().stdout;
    let is_in = |needle: &[u8]| saved.windows(needle.len()).any(|window| window == needle);
    assert!(is_in(b"busybox") && !is_in(VALUE.as_bytes()));
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn another_version_of_a_secret_runs_its_steps_again() {
    let testbed = Testbed::current();
    let lines =
        "RUN : before\nRUN --mount=type=secret,id=token cat /run/secrets/token | wc -c > /size";
    let mut project = Project::new(&testbed, lines);
    let mut ran = Vec::new();
    for (value, version) in [("one", "arn:x 1"), ("one", "arn:x 1"), ("other", "arn:x 2")] {
        project.secrets.insert("token".into(), secret(value, Some(version)));
        project.build().await.unwrap();
        let steps = project.told.take_steps();
        let step = steps.iter().find(|step| step.contains("/size")).unwrap();
        // The mount that makes the difference is nobody's business.
        assert!(
            step.contains("RUN --mount=type=secret,id=token cat") && !step.contains("tmpfs"),
            "{step}"
        );
        ran.push(!step.starts_with("cached"));
        let before = steps.iter().find(|step| step.contains(": before"));
        assert!(
            ran.len() == 1 || before.is_some_and(|step| step.starts_with("cached")),
            "{steps:?}"
        );
    }
    assert_eq!(ran, [true, false, true]);
    let history = docker(&["history", "--no-trunc", &project.tag]);
    assert!(!history.contains("tmpfs"), "{history}");
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_secret_that_nobody_gave_is_told() {
    let testbed = Testbed::current();
    let project = Project::new(&testbed, "RUN --mount=type=secret,id=other true");
    let built = project.build().await.unwrap();
    assert_eq!(built.unknown_secrets.into_iter().collect::<Vec<_>>(), ["other"]);
    let required = Project::new(&testbed, "RUN --mount=type=secret,id=other,required true");
    let error = required.error().await;
    assert!(error.contains("other"), "{error}");
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn what_the_engine_has_is_not_sent_again() {
    let testbed = Testbed::current();
    let engine = testbed.watched_engine();
    let project = Project::new(&testbed, "COPY data /data\nRUN wc -c < /data/large")
        .on(engine.docker_host())
        .file("data/small", "1")
        .file("data/large", &"x".repeat(20_000_000));
    project.build().await.unwrap();
    let first = engine.sent_bytes();
    assert!(first > 20_000_000, "{first}");
    assert!(project.told.has("20000000"), "{:?}", project.told.take_steps());
    project.told.take_steps();

    project.build().await.unwrap();
    let second = engine.sent_bytes() - first;
    assert!(second < 20_000, "{second}");
    let steps = project.told.take_steps();
    assert!(steps.iter().all(|step| step.starts_with("cached: ")), "{steps:?}");

    let project = project.file("data/small", "22");
    project.build().await.unwrap();
    let third = engine.sent_bytes() - first - second;
    assert!(third < 20_000, "{third}");
    assert_eq!(project.run("cat /data/small"), "22");
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn only_what_is_copied_is_read() {
    let testbed = Testbed::current();
    let engine = testbed.watched_engine();
    let project = Project::new(&testbed, "COPY data/a* link /data/")
        .on(engine.docker_host())
        .file("data/a1", "1")
        .file("data/b", "2")
        .file("far/away/it", "is there")
        .sparse_file("large", 300_000_000);
    symlink("far/away", project.path("link")).unwrap();
    // A name that could not be sent.
    let strange = project.path("data").join(std::ffi::OsStr::from_bytes(b"b\xff"));
    std::fs::write(&strange, "").unwrap();
    project.build().await.unwrap();
    let busybox = std::fs::metadata(testbed.busybox()).unwrap().len();
    assert!(engine.sent_bytes() < busybox + 100_000, "{}", engine.sent_bytes());
    assert_eq!(project.run("cd /data; echo *"), "a1 it");

    let all = Project::new(&testbed, "COPY data /data").file("data/a1", "1");
    let strange = all.path("data").join(std::ffi::OsStr::from_bytes(b"b\xff"));
    std::fs::write(&strange, "").unwrap();
    let error = all.error().await;
    let folder = all.plan.context.display();
    let expected =
        format!("the name of `{folder}/data/b\u{fffd}` is not UTF-8, so it cannot be sent");
    assert_eq!(error, expected);
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn files_arrive_as_they_are_and_belong_to_nobody() {
    let testbed = Testbed::current();
    let project = Project::new(&testbed, "COPY data /data")
        .file("data/run.sh", "#!/bin/sh\n")
        .file("data/a/b", "")
        .file("data/a.b", "")
        .file("data/empty", "");
    let script = project.path("data/run.sh");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o2751)).unwrap();
    std::os::unix::fs::chown(&script, Some(1234), Some(1234)).unwrap();
    std::fs::hard_link(&script, project.path("data/same.sh")).unwrap();
    symlink("/nowhere", project.path("data/link")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(project.path("data/socket")).unwrap();
    project.build().await.unwrap();
    assert_eq!(project.run("cd /data; echo *"), "a a.b empty link run.sh same.sh");
    assert_eq!(
        project.run("stat -c '%a %u %g' /data/run.sh; readlink /data/link"),
        "751 0 0\n/nowhere"
    );
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_dockerfile_that_is_ignored_is_used_and_not_copied() {
    let testbed = Testbed::current();
    let project = Project::new(&testbed, "COPY . /all")
        .file(".dockerignore", "Dockerfile\n.dockerignore\n*.log\n!keep.log\n")
        .file("a.log", "")
        .file("keep.log", "");
    project.build().await.unwrap();
    assert_eq!(project.run("cd /all; ls -A"), "busybox\nkeep.log");
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_long_ignore_file_fits_into_a_request() {
    let testbed = Testbed::current();
    let patterns: Vec<_> =
        (0..3000).map(|index| format!("folder/of/files/{index}/*.log")).collect();
    let project = Project::new(&testbed, "COPY . /all")
        .file(".dockerignore", &format!("{}\ngröße\n", patterns.join("\n")))
        .file("größe", "")
        .file("maß", "");
    project.build().await.unwrap();
    assert_eq!(project.run("cd /all; echo *"), "Dockerfile busybox maß");
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn an_engine_behind_a_port_builds_as_well() {
    let testbed = Testbed::current();
    let (host, _forwarding) = forward(testbed.docker_host()).await;
    let project = Project::new(&testbed, "COPY data /data").file("data", "1");
    let built = project.on(host).build().await.unwrap();
    assert!(!built.is_classic);
}

/// A port that leads to the engine's socket, until the returned value is dropped.
async fn forward(socket: String) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut forwarding = JoinSet::new();
    forwarding.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut client, _)) = listener.accept().await {
            let socket = socket.trim_start_matches("unix://").to_owned();
            connections.spawn(async move {
                let mut engine = UnixStream::connect(socket).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut engine).await;
            });
        }
    });
    (format!("tcp://127.0.0.1:{port}"), forwarding)
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_connection_that_breaks_ends_the_build() {
    let testbed = Testbed::current();
    let (host, mut forwarding) = forward(testbed.docker_host()).await;
    let project = Project::new(&testbed, "RUN echo begun; sleep 87654").on(host);
    let breaking = async {
        while !project.told.has("begun") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        forwarding.shutdown().await;
    };
    let limit = Duration::from_secs(20);
    let ended = tokio::time::timeout(limit, async { tokio::join!(project.build(), breaking).0 });
    let error = ended.await.expect("an end").unwrap_err();
    assert!(matches!(error, BuildError::Lost(_)), "{error:?}");
    assert!(!error.to_string().contains("exit code"), "{error}");
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_dockerfile_outside_the_context_brings_its_own_ignore_file() {
    let testbed = Testbed::current();
    let mut project = Project::new(&testbed, "COPY . /all")
        .file(".dockerignore", "b")
        .file("../docker/web.dockerignore", "a\n")
        .file("a", "")
        .file("b", "");
    std::fs::rename(project.path("Dockerfile"), project.path("../docker/web")).unwrap();
    project.plan.dockerfile = "../docker/web".into();
    project.build().await.unwrap();
    assert_eq!(project.run("cd /all; ls"), "b\nbusybox");
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_build_that_is_dropped_ends_in_the_engine() {
    let testbed = Testbed::current();
    let project = Project::new(&testbed, "RUN echo begun; sleep 98765");
    {
        let mut build = std::pin::pin!(project.build());
        // What is said comes before the process that goes on.
        while !project.told.has("begun") || !is_running("sleep\u{0}98765") {
            let step = tokio::time::timeout(Duration::from_millis(50), &mut build).await;
            assert!(step.is_err(), "it ended by itself");
        }
    }
    for _ in 0..100 {
        if !is_running("sleep\u{0}98765") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the step goes on");
}

/// A process has these words in its command line.
fn is_running(words: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.any(|line| line.starts_with(words.as_bytes()))
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn each_fault_is_told_as_what_it_is() {
    let testbed = Testbed::current();
    let failing = Project::new(&testbed, "RUN echo last words; exit 37");
    match failing.build().await.unwrap_err() {
        BuildError::Step { step, exit_code: 37 } => {
            assert_eq!(step.lines, ["last words"]);
            assert!(step.name.contains("RUN echo last words"), "{}", step.name);
        }
        other => panic!("{other:?}"),
    }
    let error = Project::new(&testbed, "RUNN x").error().await;
    assert!(error.starts_with("the Dockerfile is wrong: "), "{error}");
    assert!(error.contains("line 5") && error.contains("RUNN"), "{error}");

    // The engine names the path, or the first folder on the way that is not there.
    let error = Project::new(&testbed, "COPY src/none /x").error().await;
    let expected = "` is not in the build context, or `.dockerignore` leaves it out";
    assert!(error.contains("failed: `src") && error.ends_with(expected), "{error}");

    let lines = "FROM scratch AS other\nCOPY --from=0 /src/none /x";
    let error = Project::new(&testbed, lines).error().await;
    let expected = "` is not in the stage or image that it is taken from";
    assert!(error.contains("failed: `/src") && error.ends_with(expected), "{error}");

    let error = Project::new(&testbed, "").build_target(Some("none")).await.unwrap_err();
    assert!(matches!(error, BuildError::Dockerfile(_)), "{error}");

    let missing = Project::new(&testbed, "FROM localhost:5001/none:1");
    let error = missing.error().await;
    assert!(
        error.starts_with("the base image `localhost:5001/none:1` cannot be pulled"),
        "{error}"
    );
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn two_builds_of_one_folder_do_not_meet() {
    let testbed = Testbed::current();
    let lines = "FROM scratch AS a\nCOPY a /\nFROM scratch AS b\nCOPY b /";
    let project = Project::new(&testbed, lines).file("a", "aa").file("b", "bb");
    let mut other = Project::new(&testbed, lines);
    other.plan.context.clone_from(&project.plan.context);
    let (first, second) =
        tokio::join!(project.build_target(Some("a")), other.build_target(Some("b")));
    assert_ne!(first.unwrap().image.id, second.unwrap().image.id);
}
