//! `shipspec daemon ensure`: a second engine beside that of the testbed.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{Outcome, Project};
use shipspec_testbed::Testbed;

/// A folder for an engine; it is stopped with this value.
struct Place {
    testbed: Testbed,
    project: Project,
}

impl Place {
    fn new() -> Self {
        let testbed = Testbed::current();
        let project = Project::in_testbed(&testbed).without("DOCKER_HOST");
        let key = project.path("key.json").display().to_string();
        let configuration = format!(r#"{{ "deprecated-key-path": "{key}" }}"#);
        Self { testbed, project: project.file("daemon.json", &configuration) }
    }

    fn path(&self, name: &str) -> String {
        self.project.path(name).display().to_string()
    }

    fn host(&self) -> String {
        format!("unix://{}", self.path("docker.sock"))
    }

    /// `daemon ensure` with folders of its own for all that dockerd writes.
    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let mut arguments = vec!["daemon".into(), "ensure".into(), "--host".into(), self.host()];
        arguments.extend(["--log".into(), self.path("log")]);
        arguments.extend(more.iter().map(|text| (*text).to_owned()));
        arguments.push("--".into());
        let folders = [("data-root", "data"), ("exec-root", "exec"), ("pidfile", "pid")];
        arguments.extend(folders.map(|(flag, name)| format!("--{flag}={}", self.path(name))));
        let socket = "--containerd=/run/shipspec-testbed/containerd.sock".to_owned();
        let file = format!("--config-file={}", self.path("daemon.json"));
        arguments.extend([socket, file]);
        let fixed = ["--containerd-namespace=ensured", "--containerd-plugins-namespace=ensured-p"];
        arguments.extend(fixed.map(str::to_owned));
        arguments
    }

    /// The command in a network of its own: dockerd would change that of the testbed.
    fn command(&self, wrapper: &[&str], more: &[&str]) -> Command {
        let program = self.project.command(&[]);
        let busybox = self.testbed.busybox();
        let up = format!("{0} ip link set lo up && exec \"$@\"", busybox.display());
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", &up, "sh"]).args(wrapper);
        command.arg(program.get_program()).args(self.arguments(more)).env_clear();
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    }

    fn ensure(&self, more: &[&str]) -> Outcome {
        self.project.outcome(&self.command(&[], more).output().unwrap())
    }

    fn process(&self) -> Option<i32> {
        self.project.has("pid").then(|| self.project.read("pid").trim().parse().unwrap())
    }
}

/// What Docker's command line says of an engine.
fn version(host: &str) -> String {
    let output = Command::new("docker")
        .args(["--host", host, "version", "--format", "{{.Server.Version}}"])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(process) = self.process() else { return };
        Command::new("kill").arg(process.to_string()).status().unwrap();
        wait(|| !Path::new(&format!("/proc/{process}")).exists());
    }
}

fn wait(until: impl Fn() -> bool) {
    let start = Instant::now();
    while !until() {
        assert!(start.elapsed() < Duration::from_secs(20), "it took too long");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[ignore = "needs the testbed"]
fn an_engine_is_started_once_and_stays() {
    let place = Place::new();
    std::fs::write(place.path("pid"), "4194305").unwrap();
    let first = place.ensure(&["--tcp", "--storage-driver", "vfs"]).success();
    let lines: Vec<_> = first.stderr.lines().collect();
    assert_eq!(lines[0], "removed [folder]/pid: it named no dockerd that runs", "{first}");
    assert_eq!(lines[1], "starting dockerd, which writes to [folder]/log", "{first}");
    assert!(lines[2].starts_with("dockerd 20.10"), "{first}");
    assert!(lines[2].contains(" answers at unix://[folder]/docker.sock after "), "{first}");
    assert!(version(&place.host()).starts_with("20.10"));
    assert!(place.project.read("log").contains("API listen on 127.0.0.1:2375"));
    let process = place.process().unwrap();
    // Nobody who ends their own process group ends it.
    let group = Command::new("ps").args(["-o", "pgid=", "-p", &process.to_string()]).output();
    assert_eq!(String::from_utf8(group.unwrap().stdout).unwrap().trim(), process.to_string());
    assert!(place.project.read("log").contains("vfs"));

    let second = place.ensure(&[]).success();
    assert!(second.stderr.ends_with("already; nothing was started\n"), "{second}");
    assert_eq!(place.process(), Some(process));

    // An image can be built with it.
    let image = Project::in_testbed(&place.testbed)
        .file("Dockerfile", "FROM scratch\nLABEL made=here")
        .variable("DOCKER_HOST", &place.host());
    image.run(&["build", "--repository", "r.example/ensured"]).success();
}

#[test]
#[ignore = "needs the testbed"]
fn an_engine_that_is_restarted_during_a_build_is_told_and_the_next_build_succeeds() {
    let place = Place::new();
    place.ensure(&["--storage-driver", "vfs"]).success();
    let shipspec = "version: 1\nimages: { app: { repository: r.example/restarted, network: none } }\nartifacts: { a.json: { json: {} } }\n";
    let build = |line: &str| {
        Project::in_testbed(&place.testbed)
            .dockerfile(&place.testbed, line)
            .file("shipspec.yml", shipspec)
            .variable("DOCKER_HOST", &place.host())
    };
    // A length of time that no other step sleeps.
    let seconds = 200_000 + std::process::id();
    let project = build(&format!("RUN echo begun; sleep {seconds}"));
    let started = project.start(&["run", "--no-push"]);
    let runs = || {
        let pattern = format!("^sleep {seconds}");
        !Command::new("pgrep").args(["-f", &pattern]).output().unwrap().stdout.is_empty()
    };
    wait(runs);
    let process = place.process().unwrap();
    Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap();
    let told = project.outcome(&started.wait_with_output().unwrap()).failure(4);
    assert!(told.stderr.contains("error: failed to build the image `app`"), "{told}");
    assert!(told.stderr.contains("the connection to the engine ended during the build"), "{told}");
    assert!(told.stderr.contains("hint: it was stopped or restarted"), "{told}");
    assert!(!project.has("a.json"));
    wait(|| !Path::new(&format!("/proc/{process}")).exists());
    let _ = Command::new("pkill").args(["-f", &format!("^sleep {seconds}")]).status();
    place.ensure(&["--storage-driver", "vfs"]).success();
    build("RUN echo again").run(&["run", "--no-push"]).success();
}

#[test]
#[ignore = "needs the testbed"]
fn a_dockerd_that_ends_is_told_with_its_last_words() {
    let place = Place::new();
    let outcome = place.ensure(&["--storage-driver", "none-such"]).failure(4);
    assert!(outcome.stderr.contains("error: dockerd did not start: it ended (exit status: 1)"));
    assert!(outcome.stderr.contains("  | failed to start daemon: "), "{outcome}");
    assert!(outcome.stderr.contains("none-such"), "{outcome}");
    assert!(outcome.stderr.ends_with("hint: all that it said is in `[folder]/log`\n"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn without_privileges_the_project_is_named() {
    let place = Place::new();
    // What a container has that is not privileged.
    let rights = "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+mknod";
    let wrapper = ["setpriv", "--bounding-set", rights, "--inh-caps", "-all"];
    let mut command = place.command(&wrapper, &[]);
    let outcome = place.project.outcome(&command.output().unwrap()).failure(4);
    assert!(outcome.stderr.contains("this is not privileged"), "{outcome}");
    assert!(outcome.stderr.contains("hint: switch on privileged mode"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn a_signal_stops_what_was_started() {
    let place = Place::new();
    // A dockerd that takes its time.
    let slow = "#!/bin/sh\necho \"$$\" > \"$0.pid\"\nexec sleep 60\n";
    std::fs::create_dir(place.path("bin")).unwrap();
    let program = place.path("bin/dockerd");
    std::fs::write(&program, slow).unwrap();
    Command::new("chmod").args(["+x", &program]).status().unwrap();
    let arguments = place.arguments(&[]);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let path = format!("{}:/usr/bin:/bin", place.path("bin"));
    let mut command = place.project.command(&arguments);
    let child = command.env("PATH", path).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let file = format!("{program}.pid");
    wait(|| std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n')));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let outcome = place.project.outcome(&child.wait_with_output().unwrap()).failure(130);
    assert!(outcome.stderr.ends_with("interrupted by SIGINT\n"), "{outcome}");
    let process = std::fs::read_to_string(file).unwrap();
    wait(|| !Path::new(&format!("/proc/{}", process.trim())).exists());
}

#[test]
#[ignore = "needs the testbed"]
fn what_cannot_be_started_is_told() {
    let place = Place::new();
    let outcome =
        place.project.run(&["daemon", "ensure", "--host", "tcp://127.0.0.1:9"]).failure(4);
    assert!(
        outcome.stderr.contains("only one at a socket (`unix://`) can be started"),
        "{outcome}"
    );
    let project = Project::new().variable("PATH", "/nowhere");
    let outcome = project
        .run(&[
            "daemon",
            "ensure",
            "--host",
            "unix:///nowhere/a.sock",
            "--",
            "--pidfile=/nowhere/pid",
        ])
        .failure(4);
    assert!(outcome.stderr.contains("error: `dockerd` is not installed"), "{outcome}");
}
