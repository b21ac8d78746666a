//! The engine: builds, containers and their networks, pushes and pulls.

mod common;

use common::{build, command, fails, log_in, succeeds};
use shipspec_testbed::{Fault, Testbed};

#[test]
#[ignore = "needs the testbed"]
fn what_is_pushed_is_what_is_pulled() {
    let testbed = Testbed::current();
    let environment = testbed.environment();
    let repository = testbed.repository("engine");
    let reference = format!("{}:v1", repository.uri());
    log_in(&environment, &repository.registry());
    build(&testbed, &environment, &reference);
    let id = succeeds(&environment, &["docker", "inspect", "-f", "{{.Id}}", &reference]);
    let content = succeeds(&environment, &["docker", "run", "--rm", &reference]);

    let said = succeeds(&environment, &["docker", "push", &reference]);
    let digest = &repository.tags()["v1"];
    assert!(said.contains(digest), "{said}");
    assert_eq!(repository.image_config("v1")["config"]["Cmd"][0], "/bin/busybox");
    assert_eq!(common::sha256(&repository.manifest("v1")), *digest);

    succeeds(&environment, &["docker", "rmi", &reference]);
    succeeds(&environment, &["docker", "pull", &reference]);
    assert_eq!(succeeds(&environment, &["docker", "inspect", "-f", "{{.Id}}", &reference]), id);
    assert_eq!(succeeds(&environment, &["docker", "run", "--rm", &reference]), content);

    let uploads =
        repository.requests().iter().filter(|request| request.kind == "upload-finish").count();
    assert_eq!(uploads, 3, "two layers and the configuration, once each");
    succeeds(&environment, &["docker", "rmi", &reference]);
}

#[test]
#[ignore = "needs the testbed"]
fn both_builders_run_steps() {
    let testbed = Testbed::current();
    for builder in ["0", "1"] {
        let mut environment = testbed.environment();
        environment.push(("DOCKER_BUILDKIT".into(), builder.into()));
        let reference = testbed.unique("built");
        build(&testbed, &environment, &reference);
        succeeds(&environment, &["docker", "rmi", &reference]);
    }
}

#[test]
#[ignore = "needs the testbed"]
fn containers_meet_on_the_bridge_and_are_alone_without_a_network() {
    let testbed = Testbed::current();
    let environment = testbed.environment();
    let image = testbed.unique("network");
    build(&testbed, &environment, &image);
    let shell = |line: &str| -> Vec<String> {
        ["/bin/busybox", "sh", "-c", line].map(str::to_owned).to_vec()
    };
    let server = shell("cd / && /bin/busybox httpd -f -p 80");
    let words: Vec<&str> = ["docker", "run", "-d", "--name", &image, &image]
        .into_iter()
        .chain(server.iter().map(String::as_str))
        .collect();
    succeeds(&environment, &words);
    let format = "{{.NetworkSettings.IPAddress}}";
    let address =
        succeeds(&environment, &["docker", "inspect", "-f", format, &image]).trim().to_owned();
    let get =
        shell(&format!("/bin/busybox sleep 0.3; /bin/busybox wget -qO- http://{address}/content"));
    let client = |network: &str| {
        let words: Vec<&str> = ["docker", "run", "--rm", "--network", network, &image]
            .into_iter()
            .chain(get.iter().map(String::as_str))
            .collect();
        command(&environment, &words)
    };
    assert_eq!(client("bridge").0, Some(0));
    assert_ne!(client("none").0, Some(0));
    succeeds(&environment, &["docker", "rm", "-f", &image]);
    succeeds(&environment, &["docker", "rmi", &image]);
}

#[test]
#[ignore = "needs the testbed"]
fn a_watched_engine_tells_what_went_through_it() {
    let testbed = Testbed::current();
    let engine = testbed.watched_engine();
    assert!(engine.requests().is_empty());
    let mut environment = testbed.environment();
    environment.push(("DOCKER_HOST".into(), engine.docker_host()));
    succeeds(&environment, &["docker", "version"]);
    assert!(
        engine
            .requests()
            .iter()
            .any(|request| request.method == "GET" && request.path.ends_with("/version"))
    );
}

#[test]
#[ignore = "needs the testbed"]
fn a_push_is_refused_as_ecr_refuses_it() {
    let testbed = Testbed::current();
    if testbed.has_containerd_store() {
        // containerd tells the status alone, and looks what a tag names before it pushes the same again.
        return;
    }
    let environment = testbed.environment();
    let frozen = testbed.repository_builder("frozen").immutable().create();
    let missing = testbed.repository_builder("missing").missing();
    let reference = format!("{}:v1", frozen.uri());
    log_in(&environment, &frozen.registry());
    build(&testbed, &environment, &reference);
    succeeds(&environment, &["docker", "push", &reference]);
    let said = fails(&environment, &["docker", "push", &reference]);
    assert!(said.contains("tag invalid: The image tag 'v1' already exists in the"), "{said}");

    let elsewhere = format!("{}:v1", missing.uri());
    succeeds(&environment, &["docker", "tag", &reference, &elsewhere]);
    let said = fails(&environment, &["docker", "push", &elsewhere]);
    assert!(said.contains("name unknown: The repository with name '"), "{said}");

    let role = testbed.role_without(&["ecr:InitiateLayerUpload"]);
    let theirs = Testbed::current();
    let their_environment = theirs.environment_of(&role);
    let fresh = testbed.repository("denied");
    let denied = format!("{}:v1", fresh.uri());
    log_in(&their_environment, &fresh.registry());
    succeeds(&their_environment, &["docker", "tag", &reference, &denied]);
    let said = fails(&their_environment, &["docker", "push", &denied]);
    let expected = format!(
        "denied: User: {} is not authorized to perform: ecr:InitiateLayerUpload on resource: {}",
        role.arn(),
        fresh.arn()
    );
    assert!(said.contains(&expected), "{said}");

    fresh.fault(Fault::throttle().on("manifest-put"));
    log_in(&environment, &fresh.registry());
    let said = fails(&environment, &["docker", "push", &denied]);
    assert!(said.contains("toomanyrequests: Rate exceeded"), "{said}");

    role.expire_tokens();
    let said = fails(&their_environment, &["docker", "push", &denied]);
    assert!(said.contains("denied: Your authorization token has expired"), "{said}");

    let stranger = Testbed::current();
    let (_code, said) = command(&stranger.environment(), &["docker", "push", &denied]);
    assert!(said.contains("no basic auth credentials"), "{said}");
    succeeds(&environment, &["docker", "rmi", &reference, &elsewhere, &denied]);
}
