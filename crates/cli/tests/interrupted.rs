//! A run that is told to end: by Ctrl-C, or by whoever stops a build.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::process::{Child, Command};
use std::time::Duration;

use common::{COMMIT, Project, SHORT, assert_untouched, project};
use shipspec_testbed::{Fault, Testbed};

/// Waits until something holds, for 20 seconds.
fn waited(condition: impl Fn() -> bool) -> bool {
    (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        condition()
    })
}

fn send(signal: &str, process: &Child) {
    let signal = format!("-{signal}");
    let sent = Command::new("kill").args([&signal, &process.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
#[ignore = "needs the testbed"]
fn a_signal_ends_the_build_in_the_engine() {
    let testbed = Testbed::current();
    for (signal, code) in [("INT", 130_u32), ("TERM", 143)] {
        let repository = testbed.repository("signal");
        // A length of time that no other step sleeps.
        let seconds = 100_000 + std::process::id() * 2 + code;
        let project = project(&testbed, &repository)
            .dockerfile(&testbed, &format!("RUN echo started; sleep {seconds}"));
        let running = || {
            let pattern = format!("^sleep {seconds}");
            let output = Command::new("pgrep").args(["-f", &pattern]).output().unwrap();
            !output.stdout.is_empty()
        };
        let started = project.start(&["run"]);
        assert!(waited(running), "the step never started");
        send(signal, &started);
        let outcome =
            project.outcome(&started.wait_with_output().unwrap()).failure(code.cast_signed());
        assert!(outcome.stderr.contains(&format!("interrupted by SIG{signal}")), "{outcome}");
        assert!(waited(|| !running()), "the step still runs in the engine");
        assert_untouched(&project, &repository);
    }
}

#[test]
#[ignore = "needs the testbed"]
fn a_signal_between_two_tags_puts_back_what_has_moved() {
    let testbed = Testbed::current();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let repository = testbed.repository("between");
        let first = project(&testbed, &repository);
        first.run(&["run"]).success();
        let (latest, written) = (repository.tags()["latest"].clone(), first.read("taskdef.json"));
        let second = format!("fedcba9{}", &COMMIT[7..]);
        let project = first
            .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", &second)
            .dockerfile(&testbed, "RUN echo second > /second");
        repository.fault(Fault::delay(1500).on("manifest-put"));
        let started = project.start(&["run"]);
        assert!(waited(|| repository.tags().contains_key("fedcba9")), "no tag was put");
        send(signal, &started);
        let outcome = project.outcome(&started.wait_with_output().unwrap()).failure(code);
        let name = format!("SIG{signal}");
        assert!(outcome.stderr.contains(&format!("{name}: it ends after")), "{outcome}");
        assert!(outcome.stderr.contains(&format!("error: interrupted by {name}")), "{outcome}");
        assert_eq!(repository.tags()["latest"], latest, "{outcome}");
        assert_eq!(repository.tags()[SHORT], latest);
        assert_eq!(project.read("taskdef.json"), written, "{outcome}");
        // The next one completes it.
        repository.clear_faults();
        project.run(&["run"]).success();
        assert_eq!(repository.tags()["latest"], repository.tags()["fedcba9"]);
        assert!(project.read("taskdef.json").contains("fedcba9"));
    }
}

#[test]
#[ignore = "needs the testbed"]
fn a_second_signal_ends_it_at_once() {
    let testbed = Testbed::current();
    let repository = testbed.repository("twice");
    let project = project(&testbed, &repository);
    repository.fault(Fault::delay(5000).on("manifest-put"));
    let started = project.start(&["run"]);
    assert!(waited(|| repository.tags().contains_key(SHORT)), "no tag was put");
    send("INT", &started);
    std::thread::sleep(Duration::from_millis(1500));
    send("INT", &started);
    let outcome = project.outcome(&started.wait_with_output().unwrap()).failure(130);
    assert!(outcome.stderr.contains("SIGINT: it ends after"), "{outcome}");
    // Nobody waited for the tag that was under way.
    assert!(outcome.stderr.contains("hint: tags, files and what is published"), "{outcome}");
    assert!(!project.has("taskdef.json"));
}

#[test]
fn a_run_that_nobody_reads_can_be_ended() {
    let lines: Vec<_> = (0..3000).map(|index| format!("${{UNSET_{index}:-x}}\n")).collect();
    let project = Project::new()
        .file("t.txt", &lines.concat())
        .file("shipspec.yml", "version: 1\nartifacts: { a.txt: t.txt }\n");
    // More notes than a pipe holds, and nobody takes them out of it.
    let mut started = project.start(&["render"]);
    std::thread::sleep(Duration::from_secs(1));
    assert!(started.try_wait().unwrap().is_none(), "it waits for somebody who reads");
    send("TERM", &started);
    std::thread::sleep(Duration::from_millis(1500));
    send("TERM", &started);
    let ended = waited(|| matches!(started_state(started.id()), None | Some('Z')));
    assert!(ended, "it goes on for ever");
    assert_eq!(started.wait().unwrap().code(), Some(143));
}

/// The state of a process, if there is one.
fn started_state(id: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}
