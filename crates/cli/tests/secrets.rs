//! Secrets in a build: they reach the step that mounts them, and nothing else that is written.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::{COMMIT, Project, SHORT};
use shipspec_testbed::{TestRepository, Testbed};

/// Secrets of every kind that is hard to hide. Each has a mark that no encoding of another has.
const CANARIES: [(&str, &str); 4] = [
    ("PLAIN", "canary-one-7f3a91"),
    ("SIGNS", "c@nary two/+?&=\"'\\<é>"),
    (
        "LINES",
        "-----BEGIN KEY-----\nMIIEcanary3ThreeAAAA\nQQcanary3threeBBBB==\n-----END KEY-----\n",
    ),
    ("JSON", r#"{"user": "canary-four-user", "password": "canary-four-pass"}"#),
];

const START: &str = "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\n";

fn project(testbed: &Testbed, repository: &TestRepository, dockerfile: &str) -> Project {
    let path = format!("/{}", testbed.unique("secrets"));
    let (mut parameters, mut secrets) = (String::new(), String::new());
    for (name, value) in CANARIES {
        testbed.put_parameter(&format!("{path}/{name}"), "SecureString", value);
        parameters.extend([format!("  {name}: ssm:{path}/{name}\n")]);
        secrets.extend([format!("      {}: {name}\n", name.to_lowercase())]);
    }
    let shipspec = format!(
        "version: 1\nparameters:\n{parameters}images:\n  app:\n    repository: ${{REPOSITORY_URL}}\n    secrets:\n{secrets}artifacts:\n  build.json: {{ json: {{ tag: \"${{IMAGE_TAG}}\" }} }}\n"
    );
    let project = Project::in_testbed(testbed)
        .repository(repository)
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .file("shipspec.yml", &shipspec)
        .file("Dockerfile", &format!("{START}RUN : {path}\n{dockerfile}"));
    std::fs::copy(testbed.busybox(), project.path("busybox")).unwrap();
    project
}

/// Every form of every canary, and of each of its lines.
fn forms() -> Vec<String> {
    let lines =
        CANARIES.iter().flat_map(|(_, value)| value.lines().filter(|line| line.contains("canary")));
    let wholes = CANARIES.iter().map(|(_, value)| *value);
    let parts = ["canary-four-user", "canary-four-pass"];
    lines.chain(wholes).chain(parts).flat_map(common::forms_of).collect()
}

fn assert_clean(text: &str, what: &str) {
    for form in forms() {
        assert!(!text.contains(&form), "{what}: {form:?} stands in\n{text}");
    }
}

/// Prints a file in each way that a careless step does.
fn careless(id: &str) -> String {
    let file = format!("/run/secrets/{id}");
    let mount = format!("RUN --mount=type=secret,id={id}");
    [
        format!("{mount} set -x; X=\"$(cat {file})\"; echo \"it is $X.\"; : \"$X\""),
        format!("{mount} base64 {file}; (printf x; cat {file}) | base64; (printf xy; cat {file}) | base64 -w 0"),
        format!("{mount} while read -r LINE; do printf '%s' \"$LINE\"; sleep 0.01; echo; done < {file}"),
        format!("{mount} sed 's/\\\\/\\\\\\\\/g; s/\"/\\\\\"/g' {file}; dd if={file} bs=3 2>/dev/null"),
        String::new(),
    ]
    .join("\n")
}

#[test]
#[ignore = "needs the testbed"]
fn no_byte_that_a_run_writes_holds_a_secret() {
    let testbed = Testbed::current();
    let repository = testbed.repository("canary");
    let steps: String = CANARIES.iter().map(|(name, _)| careless(&name.to_lowercase())).collect();
    let project = project(&testbed, &repository, &steps);
    let told = project.run(&["run", "--output", "json"]).success();
    assert!(told.stderr.contains("it is ****."), "{told}");
    assert_clean(&told.to_string(), "output");

    let manifest: serde_json::Value = serde_json::from_slice(&repository.manifest(SHORT)).unwrap();
    assert_clean(&repository.image_config(SHORT).to_string(), "configuration and history");
    for layer in manifest["layers"].as_array().unwrap() {
        let layer = common::unpacked(&repository.blob(layer["digest"].as_str().unwrap()));
        assert_clean(&String::from_utf8_lossy(&layer), "layer");
    }
    for file in std::fs::read_dir(project.folder()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert_clean(&String::from_utf8_lossy(&bytes), "file");
    }
    for command in [
        &["plan"][..],
        &["plan", "--output", "json"],
        &["doctor"],
        &["render", "--explain", "SIGNS"],
    ] {
        assert_clean(&project.run(command).to_string(), command[0]);
    }
}

#[test]
#[ignore = "needs the testbed"]
fn a_secret_of_the_environment_is_hidden_too() {
    let testbed = Testbed::current();
    let repository = testbed.repository("environment");
    let project = Project::in_testbed(&testbed)
        .repository(&repository)
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .variable("NPM", "npm-canary-value")
        .file("shipspec.yml", "version: 1\nimages: { app: { repository: \"${REPOSITORY_URL}\", secrets: { npm: NPM }, test: { command: \"echo have $TOKEN\", secrets: { TOKEN: NPM } } } }\n")
        .file("Dockerfile", &format!("{START}RUN --mount=type=secret,id=npm set -x; cat /run/secrets/npm\n"));
    std::fs::copy(testbed.busybox(), project.path("busybox")).unwrap();
    let told = project.run(&["run", "--no-push"]).success();
    assert!(told.stderr.contains("have ****"), "{told}");
    assert!(!told.to_string().contains("npm-canary-value"), "{told}");
}

#[test]
#[ignore = "needs the testbed"]
fn a_step_that_fails_tells_what_it_said_without_the_secret() {
    let testbed = Testbed::current();
    let repository = testbed.repository("failed");
    let steps = format!(
        "{}RUN --mount=type=secret,id=json echo \"boom $(cat /run/secrets/json)\"; exit 3\n",
        careless("plain")
    );
    let told = project(&testbed, &repository, &steps).run(&["run", "--output", "json"]).failure(5);
    assert!(told.stderr.contains("boom ****"), "{told}");
    assert_clean(&told.to_string(), "output");
}

#[test]
#[ignore = "needs the testbed"]
fn a_secret_that_nobody_gives_is_an_error_before_the_build() {
    let testbed = Testbed::current();
    let repository = testbed.repository("unserved");
    let dockerfile =
        "RUN --mount=type=secret,id=plian true\nRUN --mount=type=secret,id=github true\n";
    let told = project(&testbed, &repository, dockerfile).run(&["run"]).failure(2);
    assert!(
        told.stderr.contains("this step mounts the secret `plian`, which nobody gives"),
        "{told}"
    );
    assert!(told.stderr.contains("hint: did you mean `plain`?"), "{told}");
    assert!(
        told.stderr.contains("hint: say `secrets: { github: NAME }` for `app` in shipspec.yml"),
        "{told}"
    );
    assert!(told.stderr.contains("Dockerfile:5:1"), "{told}");
    assert!(!told.stderr.contains("building"), "{told}");
    assert!(repository.tags().is_empty());
}

#[test]
#[ignore = "needs the testbed"]
fn a_secret_as_an_argument_is_refused_with_the_mount_to_write() {
    let testbed = Testbed::current();
    let repository = testbed.repository("argument");
    let project = project(&testbed, &repository, "ARG DB_PASSWORD\n");
    let shipspec = project.read("shipspec.yml").replace(
        "    secrets:\n",
        "    build_args: { DB_PASSWORD: \"x${PLAIN}\" }\n    secrets:\n",
    );
    let told = project.file("shipspec.yml", &shipspec).run(&["run"]).failure(2);
    assert!(told.stderr.contains("`PLAIN` is secret and would be stored in the image"), "{told}");
    assert!(told.stderr.contains("`secrets: { db_password: PLAIN }`"), "{told}");
    assert!(told.stderr.contains("RUN --mount=type=secret,id=db_password"), "{told}");
    assert_clean(&told.to_string(), "output");
}
