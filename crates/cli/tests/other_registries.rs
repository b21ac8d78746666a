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

#[test]
#[ignore = "needs the testbed"]
fn a_registry_takes_a_user_whose_password_is_a_parameter() {
    let testbed = Testbed::current();
    let registry = Registry::with_password(&testbed);
    let host = format!("127.0.0.1:{}", registry.port);
    testbed.put_parameter("/registry/password", "SecureString", PASSWORD);
    testbed.put_parameter("/registry/other", "SecureString", "not-the-password");
    let user = |name: &str| {
        format!(
            "version: 1\nparameters: {{ HUB_TOKEN: ssm:/registry/{name} }}\nregistries: {{ \"{host}\": {{ username: user, password: HUB_TOKEN }} }}\n"
        )
    };
    let base = format!("{host}/team/base");
    let push = |name: &str| {
        let images = format!("images: {{ base: {{ repository: {base}, tags: [one] }} }}\n");
        let project = Project::in_testbed(&testbed).dockerfile(&testbed, "");
        project.file("shipspec.yml", &(user(name) + &images)).run(&["run"])
    };
    let told = push("other").failure(4);
    assert!(told.stderr.contains("did not accept the credentials"), "{told}");
    assert!(told.stderr.contains(&format!("`registries: {{ {host}: {{ username")), "{told}");
    assert!(!told.to_string().contains("not-the-password"), "{told}");
    push("password").success();

    // As a base image: the engine pulls it, and its digest is asked for, both as that user.
    let removed = ["rmi", "-f", &format!("{base}:one")];
    assert!(std::process::Command::new("docker").args(removed).status().unwrap().success());
    let repository = testbed.repository("derived");
    let project = Project::in_testbed(&testbed)
        .repository(&repository)
        .file("Dockerfile", &format!("FROM {base}:one\nRUN echo more > /more\n"));
    let images = "images: { app: { repository: \"${REPOSITORY_URL}\" } }\n";
    let project = project.file("shipspec.yml", &(user("password") + images));
    let told = project.run(&["run"]).success();
    assert!(!told.to_string().contains(PASSWORD), "{told}");
    assert!(!told.stderr.contains("cannot be resolved"), "{told}");
    assert!(repository.tags().contains_key(SHORT), "{told}");
    let told = project.run(&["run"]).success();
    assert!(told.stderr.contains("reused"), "{told}");
}

fn base64(text: &str) -> String {
    use std::io::Write as _;
    let mut command = std::process::Command::new("base64");
    let mut process =
        command.arg("-w0").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(process.wait_with_output().unwrap().stdout).unwrap()
}
