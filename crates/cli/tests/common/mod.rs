//! Runs the built binary as a user runs it: in a folder, with an environment of its own.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

pub mod ecs;
pub mod promotion;
pub mod registry;

use std::fmt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use shipspec_testbed::{Role, TestRepository, Testbed};

/// A whole commit id, as CodeBuild resolves it.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The first seven digits of it.
pub const SHORT: &str = "0123456";

/// A project in a folder of its own, and what its commands run with.
pub struct Project {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
    /// Texts of this run alone, and what a snapshot shows in their place.
    shown_as: Vec<(String, String)>,
}

/// How a command ended.
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    /// An empty folder and an empty environment.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let shown_as = vec![(folder.path().display().to_string(), "[folder]".to_owned())];
        Self { folder, environment: Vec::new(), shown_as }
    }

    /// An empty folder, and the environment of a build in the testbed of a commit.
    pub fn in_testbed(testbed: &Testbed) -> Self {
        let mut project = Self::new();
        project.environment = testbed.environment();
        project.variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
    }

    /// Writes a file.
    pub fn file(self, path: &str, text: &str) -> Self {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("its folder");
        std::fs::write(path, text).expect("the file");
        self
    }

    /// A Dockerfile over the static busybox, with these lines behind it.
    pub fn dockerfile(self, testbed: &Testbed, lines: &str) -> Self {
        std::fs::copy(testbed.busybox(), self.path("busybox")).expect("busybox");
        let start = "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"/bin\"]\n";
        self.file("Dockerfile", &format!("{start}{lines}\n"))
    }

    /// Gives the Dockerfile a first step that no other project has: what the engine keeps of the steps after it
    /// is this project's alone. For tests that fill or empty the engine's cache, which has several results
    /// of one step then, and takes now this one and now that one.
    pub fn own_steps(self, testbed: &Testbed) -> Self {
        let first = format!("FROM scratch\nCOPY Dockerfile /{}\n", testbed.unique("own"));
        let dockerfile = self.read("Dockerfile").replacen("FROM scratch\n", &first, 1);
        self.file("Dockerfile", &dockerfile)
    }

    /// Sets a variable.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Unsets a variable.
    pub fn without(mut self, name: &str) -> Self {
        self.environment.retain(|(other, _)| other != name);
        self
    }

    /// Runs as another identity.
    pub fn role(mut self, role: &Role) -> Self {
        for (name, value) in role.environment() {
            self = self.variable(&name, &value);
        }
        self
    }

    /// Shows a repository's name in snapshots as `[repository]`, and its whole reference as `[uri]`.
    pub fn repository(mut self, repository: &TestRepository) -> Self {
        self.shown_as.push((repository.uri(), "[uri]".to_owned()));
        self.shown_as.push((repository.name().to_owned(), "[repository]".to_owned()));
        self.variable("REPOSITORY_URL", &repository.uri())
    }

    /// Shows a text of this run in snapshots as another one.
    pub fn shown_as(mut self, text: &str, name: &str) -> Self {
        self.shown_as.push((text.to_owned(), name.to_owned()));
        self
    }

    /// Another program, in the same folder and environment.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// A path in the folder.
    pub fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    /// What a file holds.
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// A file is there.
    pub fn has(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    /// The command, not yet started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shipspec"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Starts a command and goes on.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("shipspec starts")
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        self.outcome(&self.command(arguments).output().expect("shipspec runs"))
    }

    /// How a started command ended, with the texts of this run alone replaced.
    pub fn outcome(&self, output: &Output) -> Outcome {
        let shown = |bytes: &[u8]| {
            let mut text = String::from_utf8_lossy(bytes).into_owned();
            for (text_of_run, name) in &self.shown_as {
                text = text.replace(text_of_run, name);
            }
            text
        };
        Outcome {
            code: output.status.code().unwrap_or(-1),
            stdout: shown(&output.stdout),
            stderr: shown(&output.stderr),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Outcome {
    /// Stops the test unless the command succeeded.
    pub fn success(self) -> Self {
        assert_eq!(self.code, 0, "{self}");
        self
    }

    /// Stops the test unless the command ended with this code.
    pub fn failure(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, stdout, stderr } = self;
        write!(formatter, "exit: {code}\n--- stdout\n{stdout}--- stderr\n{stderr}")
    }
}

/// A shipspec.yml with one image and each kind of artifact.
pub const SHIPSPEC: &str = r#"version: 1
images:
  app:
    repository: ${REPOSITORY_URL}
    tags: ["${IMAGE_TAG}", latest]
    build_args: { GREETING: "hello ${COMMIT_HASH}" }
    labels: { team: web }
artifacts:
  taskdef.json: taskdef_template.json
  imageDetail.json: { image_detail: app }
  imagedefinitions.json: { image_definitions: { web: app } }
  build.json: { json: { tag: "${IMAGE_TAG}", image: "${images.app.pinned}" } }
# One of each kind, which no one pipeline has.
check: { allow: [agree-image-detail, agree-rolling] }
"#;

/// A project with a Dockerfile, a template and everything that it needs.
pub fn project(testbed: &Testbed, repository: &TestRepository) -> Project {
    Project::in_testbed(testbed)
        .repository(repository)
        .dockerfile(
            testbed,
            "ARG GREETING\nRUN echo \"$GREETING\" > /greeting\nCMD [\"cat\", \"/greeting\"]",
        )
        .file("taskdef_template.json", "{\"family\": \"web\", \"containerDefinitions\": [{\"name\": \"web\", \"image\": \"${IMAGE_URI}\", \"memory\": 64}]}\n")
        .file("shipspec.yml", SHIPSPEC)
}

/// Nothing that anybody deploys has changed: no tag of ours, no file.
pub fn assert_untouched(project: &Project, repository: &TestRepository) {
    let tags: Vec<_> =
        repository.tags().into_keys().filter(|tag| !tag.starts_with("shipspec-")).collect();
    assert_eq!(tags, Vec::<String>::new());
    for path in ["taskdef.json", "imageDetail.json", "imagedefinitions.json", "build.json"] {
        assert!(!project.has(path), "{path} was written");
    }
}

/// The forms in which programs write a text: as it is, as JSON, in a URL, in base64 at any offset.
#[allow(dead_code, reason = "not every test looks for secrets")]
pub fn forms_of(text: &str) -> Vec<String> {
    use base64::Engine as _;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
    let json = serde_json::Value::from(text).to_string();
    let url: String = text
        .bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect();
    let mut forms = vec![text.to_owned(), json[1..json.len() - 1].to_owned(), url];
    for before in ["", "x", "xy"] {
        for engine in [BASE64_STANDARD, BASE64_URL_SAFE] {
            let code = engine.encode(format!("{before}{text}"));
            // The characters at both ends depend on what stands beside.
            forms.push(code[4..code.len() - 4].to_owned());
        }
    }
    forms
}

/// What a layer holds, with its gzip taken off.
#[allow(dead_code, reason = "not every test looks into layers")]
pub fn unpacked(layer: &[u8]) -> Vec<u8> {
    use std::io::{Read as _, Write as _};
    let mut gzip = Command::new("gzip")
        .args(["--decompress", "--stdout"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("gzip starts");
    let mut stdin = gzip.stdin.take().expect("a pipe");
    let packed = layer.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&packed));
    let mut bytes = Vec::new();
    gzip.stdout.take().expect("a pipe").read_to_end(&mut bytes).expect("bytes");
    writer.join().expect("it ends").expect("gzip reads all");
    assert!(gzip.wait().expect("it ends").success());
    bytes
}
