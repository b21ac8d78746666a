//! Podman's socket, which has Docker's API and no BuildKit behind it.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{COMMIT, Project, SHORT};
use shipspec_testbed::{TestRepository, Testbed};

/// A process that is stopped with this value.
struct Service(Child);

/// Podman with folders of its own.
struct Podman {
    /// First, so that it ends before its folders go.
    _service: Service,
    project: Project,
    repository: TestRepository,
    testbed: Testbed,
}

/// Where a program of the testbed is.
fn program(name: &str) -> String {
    let path = std::env::var_os("PATH").unwrap();
    let mut candidates = std::env::split_paths(&path).map(|folder| folder.join(name));
    candidates.find(|candidate| candidate.is_file()).unwrap().display().to_string()
}

impl Podman {
    fn start(hint: &str) -> Self {
        let testbed = Testbed::current();
        let repository = testbed.repository(hint);
        let project = Project::in_testbed(&testbed).repository(&repository);
        let at = |name: &str| project.path(name).display().to_string();
        let (conmon, runc) = (program("conmon"), program("runc"));
        let containers = format!(
            "[containers]\nnetns = \"host\"\n[engine]\nconmon_path = [{conmon:?}]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\ntmp_dir = {:?}\n[engine.runtimes]\nrunc = [{runc:?}]\n",
            at("tmp")
        );
        let storage = format!(
            "[storage]\ndriver = \"vfs\"\nrunroot = {:?}\ngraphroot = {:?}\n",
            at("run"),
            at("graph")
        );
        std::fs::write(project.path("containers.conf"), containers).unwrap();
        std::fs::write(project.path("storage.conf"), storage).unwrap();
        let socket = project.path("podman.sock");
        let log = std::fs::File::create(project.path("podman.log")).unwrap();
        let process = Command::new(program("podman"))
            .args(["system", "service", "--time", "0", &format!("unix://{}", socket.display())])
            .env("CONTAINERS_CONF", project.path("containers.conf"))
            .env("CONTAINERS_STORAGE_CONF", project.path("storage.conf"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let project = project
            .variable("DOCKER_HOST", &format!("unix://{}", socket.display()))
            .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT);
        let podman = Self { _service: Service(process), project, repository, testbed };
        let answers = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            UnixStream::connect(&socket).is_ok()
        });
        assert!(answers, "{}", podman.project.read("podman.log"));
        podman
    }

    /// With a Dockerfile of the distribution's busybox and these lines, and this of the image.
    fn with(mut self, lines: &str, image: &str) -> Self {
        let shipspec = format!(
            "version: 1\nimages:\n  app: {{ repository: {}, tags: [\"${{IMAGE_TAG}}\", latest]{image} }}\nartifacts: {{ build.json: {{ json: {{ image: \"${{images.app.pinned}}\" }} }} }}\n",
            self.repository.uri()
        );
        self.project = self
            .project
            .dockerfile(&self.testbed, lines)
            .file(".dockerignore", "*\n!busybox\n!Dockerfile\n")
            .file("shipspec.yml", &shipspec);
        self
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(Command::new("kill").arg(self.0.id().to_string()).status());
        drop(self.0.wait());
    }
}

#[test]
#[ignore = "needs the testbed"]
fn an_image_is_built_tested_and_pushed() {
    let test = ", build_args: { GREETING: hello }, labels: { team: web }, test: { command: [cat, /greeting] }";
    let lines = "ARG GREETING\nRUN echo \"$GREETING\" > /greeting\nRUN --mount=type=cache,target=/cache echo kept > /cache/x";
    let podman = Podman::start("podman").with(lines, test);
    let (project, repository) = (&podman.project, &podman.repository);
    let told = project.run(&["doctor"]).success();
    assert!(told.stderr.contains("engine: Podman "), "{told}");
    let told = project.run(&["run"]).success();
    assert!(told.stderr.contains("app:   | hello\n"), "{told}");
    assert!(told.stderr.contains("] RUN echo \"$GREETING\" > /greeting"), "{told}");
    for noise in ["COMMIT ", "not consumed", "time="] {
        assert!(!told.stderr.contains(noise), "{told}");
    }
    let tags = repository.tags();
    assert_eq!(tags["latest"], tags[SHORT]);
    assert_eq!(
        project.read("build.json"),
        format!(r#"{{"image":"{}@{}"}}"#, repository.uri(), tags[SHORT])
    );
    assert_eq!(repository.image_config(SHORT)["config"]["Labels"]["team"], "web");
    // Nothing changed: no engine is asked, whatever it is.
    let told = project.run(&["run"]).success();
    assert!(!told.stderr.contains("building"), "{told}");
}

#[test]
#[ignore = "needs the testbed"]
fn what_goes_wrong_is_told_as_with_docker() {
    let mut podman = Podman::start("podman-wrong");
    for (lines, image, code, told) in [
        ("RUN echo broken >&2; exit 37", "", 5, "failed with exit code 37\n  | broken\n"),
        ("COPY none /x", "", 4, "`none` is not in the build context"),
        ("FROM scratch\nCOPY --from=0 /bin/none /x", "", 4, "`/bin/none` is not in the stage"),
        ("RUNN x", "", 2, "unknown instruction \"RUNN\""),
        ("RUN exit 0", ", test: { command: [sh, -c, \"echo no; exit 3\"] }", 5, "exit code 3"),
        (
            "RUN --mount=type=secret,id=key cat /run/secrets/key",
            ", secrets: { key: KEY }",
            4,
            "this engine has no BuildKit, which build secrets need: `key`",
        ),
        ("RUN exit 0", ", cache_to: inline", 4, "BuildKit"),
    ] {
        podman = podman.with(lines, image);
        podman.project = podman.project.variable("KEY", "hunter2");
        let outcome = podman.project.run(&["run"]).failure(code);
        assert!(outcome.stderr.contains(told), "{lines}: {outcome}");
        assert!(podman.repository.tags().is_empty(), "{lines}: {outcome}");
        assert!(!podman.project.has("build.json"));
    }
}
