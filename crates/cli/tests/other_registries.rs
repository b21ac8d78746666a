//! Registries that are none of ECR's.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::process::Stdio;

use common::registry::{PASSWORD, Registry};
use common::{Project, SHORT};
use shipspec_testbed::Testbed;

#[test]
#[ignore = "needs the testbed"]
fn a_registry_that_is_none_of_ecr_takes_docker_credentials() {
    let testbed = Testbed::current();
    let registry = Registry::with_password(&testbed);
    let repository = format!("127.0.0.1:{}/team/web", registry.port);
    let project = Project::in_testbed(&testbed)
        .dockerfile(&testbed, "")
        .variable("REPOSITORY_URL", &repository)
        .file("shipspec.yml", "version: 1\nimages: { app: { repository: \"${REPOSITORY_URL}\" } }\nartifacts: { i.json: { image_detail: app } }\n");
    let login = |password: &str| {
        let auth = base64(&format!("user:{password}"));
        format!("{{\"auths\": {{\"127.0.0.1:{}\": {{\"auth\": \"{auth}\"}}}}}}", registry.port)
    };
    let config = project.path("docker").display().to_string();
    let project = project.variable("DOCKER_CONFIG", &config);

    let project = project.file("docker/config.json", &login("wrong"));
    let outcome = project.run(&["run"]).failure(4);
    assert!(outcome.stderr.contains("did not accept the credentials"), "{outcome}");
    assert!(
        outcome.stderr.contains(&format!("hint: run `docker login 127.0.0.1:{}`", registry.port)),
        "{outcome}"
    );
    assert!(!outcome.to_string().contains("wrong\n") && !project.has("i.json"), "{outcome}");

    // Bytes that the two alphabets of base64 write differently.
    let project = project.file("docker/config.json", &login(PASSWORD));
    let outcome = project.run(&["run"]).success();
    assert!(!outcome.to_string().contains(PASSWORD), "{outcome}");
    assert_eq!(project.read("i.json"), format!("{{\"ImageURI\":\"{repository}:{SHORT}\"}}"));
}

fn base64(text: &str) -> String {
    use std::io::Write as _;
    let mut command = std::process::Command::new("base64");
    let mut process =
        command.arg("-w0").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(process.wait_with_output().unwrap().stdout).unwrap()
}
