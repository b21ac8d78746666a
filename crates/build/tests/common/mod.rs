//! A build context in a folder, and the engine that builds it.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shipspec_build::docker::{BuildError, BuildInputs, BuildSecret, Built, Engine};
use shipspec_build::options::BuildOptions;
use shipspec_build::plan::ImagePlan;
use shipspec_build::progress::{Event, Reporter};
use shipspec_build::reuse::Reuse;
use shipspec_registry::access::{Access, AccessSettings};
use shipspec_registry::retry::Unobserved;
use shipspec_spec::platform::Platform;
use shipspec_spec::secret::Secret;
use shipspec_testbed::Testbed;

/// The beginning of a Dockerfile with a shell.
pub const START: &str =
    "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"/bin\"]\n";

/// A project of one image.
pub struct Project {
    folder: tempfile::TempDir,
    pub plan: ImagePlan,
    pub secrets: BTreeMap<String, BuildSecret>,
    pub tag: String,
    pub told: Told,
    environment: BTreeMap<String, String>,
}

/// What was reported, as lines.
#[derive(Default)]
pub struct Told(Mutex<Vec<String>>);

impl Reporter for Told {
    fn report(&self, event: Event<'_>) {
        let line = match event {
            Event::StepOutput { line, .. } => line.to_owned(),
            Event::StepDone { step, cached, .. } => {
                format!("{}: {step}", if cached { "cached" } else { "done" })
            }
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(line);
    }
}

impl Told {
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// A line was told.
    pub fn has(&self, line: &str) -> bool {
        self.lines().iter().any(|told| told == line)
    }

    /// How the steps ended, and nothing of what was told before.
    pub fn take_steps(&self) -> Vec<String> {
        let lines = std::mem::take(&mut *self.0.lock().unwrap());
        lines.into_iter().filter(|line| line.contains(": [")).collect()
    }
}

impl Project {
    /// A context with a shell and this Dockerfile behind its first lines.
    pub fn new(testbed: &Testbed, lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let context = folder.path().join("context");
        std::fs::create_dir(&context).unwrap();
        std::fs::copy(testbed.busybox(), context.join("busybox")).unwrap();
        let name = testbed.unique("built");
        let plan = ImagePlan {
            mirrors: Vec::new(),
            role: None,
            insecure: false,
            create_repository: None,
            name: "app".into(),
            context,
            dockerfile: "Dockerfile".into(),
            target: None,
            platform: Platform::host(),
            repository: format!("r.example/{name}").parse().unwrap(),
            tags: Vec::new(),
            has_content: false,
            main_tag: "1".parse().unwrap(),
            build_args: [].into(),
            labels: [].into(),
            secrets: [].into(),
            exposed: [].into(),
            secret_args: [].into(),
            test: None,
            depends_on: [].into(),
            is_provisional: false,
            options: BuildOptions::default(),
            reuse: Reuse::default(),
        };
        let tag = format!("r.example/{name}:1");
        let (told, secrets, environment) = (Told::default(), BTreeMap::new(), BTreeMap::new());
        // Steps of other tests must not be taken for ours.
        let text = format!("{START}RUN : {name}\n{lines}\n");
        Self { folder, plan, secrets, tag, told, environment }
            .on(testbed.docker_host())
            .file("Dockerfile", &text)
    }

    /// Builds with the engine at this address.
    pub fn on(mut self, host: String) -> Self {
        self.environment.insert("DOCKER_HOST".into(), host);
        self
    }

    /// Sets a variable of the environment in which the engine is looked for.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.plan.context.join(path)
    }

    /// Writes a file of the context.
    pub fn file(self, path: &str, text: &str) -> Self {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// A file that is large and takes no space.
    pub fn sparse_file(self, path: &str, bytes: u64) -> Self {
        std::fs::File::create(self.path(path)).unwrap().set_len(bytes).unwrap();
        self
    }

    /// Builds the image with another target.
    pub async fn build_target(&self, target: Option<&str>) -> Result<Built, BuildError> {
        let engine = Engine::connect(&self.environment, Duration::ZERO, &self.told).await?;
        let target = target.map(str::to_owned).or(self.plan.target.clone());
        let plan = ImagePlan { target, ..self.plan.clone() };
        let access = Access::new(AccessSettings::default(), Arc::new(Unobserved));
        let (tag, secrets) = (&*self.tag, &self.secrets);
        let inputs = BuildInputs { plan: &plan, tag, access: &access, secrets, bases: None };
        engine.build(&inputs, &self.told).await
    }

    pub async fn build(&self) -> Result<Built, BuildError> {
        self.build_target(None).await
    }

    /// The error of a build that must fail, with its causes.
    pub async fn error(&self) -> String {
        shipspec_spec::aws::causes(&self.build().await.unwrap_err())
    }

    /// What a command in the image says.
    pub fn run(&self, command: &str) -> String {
        docker(&["run", "--rm", &self.tag, "/bin/sh", "-c", command])
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", "-f", &self.tag]).output();
    }
}

/// What the engine's command line says.
pub fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A secret for a step.
pub fn secret(value: &str, version: Option<&str>) -> BuildSecret {
    BuildSecret { value: Secret::new(value), version: version.map(str::to_owned) }
}
