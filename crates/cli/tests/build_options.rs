//! What options of a build do to the image, from the registry to the engine and back.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Command;

use common::{Project, SHORT, project};
use serde_json::Value;
use shipspec_testbed::Testbed;

/// What a command prints.
fn docker(words: &[&str]) -> String {
    let output = Command::new("docker").args(words).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs the testbed"]
fn with_pull_a_base_image_is_what_its_registry_has_now() {
    let testbed = Testbed::current();
    let bases = testbed.repository("base");
    let base = format!("{}:moving", bases.uri());
    let make_base = |word: &str, words: &[&str]| {
        let shipspec =
            "version: 1\nimages: { app: { repository: \"${REPOSITORY_URL}\", tags: [moving] } }\n";
        let project = Project::in_testbed(&testbed).repository(&bases);
        let project = project.dockerfile(&testbed, &format!("RUN echo {word} > /word\n"));
        project.file("shipspec.yml", shipspec).run(words).success();
    };
    let repository = testbed.repository("derived");
    let built = || {
        let shipspec =
            "version: 1\nimages: { app: { repository: \"${REPOSITORY_URL}\", pull: true } }\n";
        let project = Project::in_testbed(&testbed).repository(&repository);
        let project = project.file("Dockerfile", &format!("FROM {base}\nRUN : of its own\n"));
        project.file("shipspec.yml", shipspec).run(&["run", "--no-push"]).success();
        docker(&["run", "--rm", &format!("{}:{SHORT}", repository.uri()), "cat", "/word"])
    };
    make_base("two", &["run"]);
    // The engine has another image of that name.
    make_base("one", &["run", "--no-push"]);
    assert_eq!(docker(&["run", "--rm", &base, "cat", "/word"]), "one\n");
    assert_eq!(built(), "two\n");
}

#[test]
#[ignore = "needs the testbed"]
fn the_time_of_the_source_reaches_the_steps() {
    let testbed = Testbed::current();
    let repository = testbed.repository("epoch");
    let project = Project::in_testbed(&testbed)
        .repository(&repository)
        .dockerfile(&testbed, "ARG SOURCE_DATE_EPOCH\nRUN echo \"$SOURCE_DATE_EPOCH\" > /time\n")
        .variable("SOURCE_DATE_EPOCH", "1700000000")
        .file(
            "shipspec.yml",
            "version: 1\nimages: { app: { repository: \"${REPOSITORY_URL}\" } }\n",
        );
    project.run(&["run"]).success();
    let image = format!("{}:{SHORT}", repository.uri());
    assert_eq!(docker(&["run", "--rm", &image, "cat", "/time"]), "1700000000\n");
    // A newer engine dates the image itself by it.
    if testbed.has_containerd_store() {
        let created = repository.image_config(SHORT)["created"].to_string();
        assert!(created.starts_with("\"2023-11-14T22:13:20"), "{created}");
    }
}

#[test]
#[ignore = "needs the testbed"]
fn named_contexts_are_used_where_the_engine_knows_them() {
    let testbed = Testbed::current();
    let repository = testbed.repository("named");
    let shipspec = "version: 1\nimages: { app: { repository: \"${REPOSITORY_URL}\", contexts: { shared: ./other } } }\n";
    let project = project(&testbed, &repository)
        .dockerfile(&testbed, "COPY --from=shared /word /word\n")
        .file("other/word", "from the other folder\n")
        .file("shipspec.yml", shipspec);
    if !testbed.has_containerd_store() {
        let told = project.run(&["run"]).failure(4);
        assert!(told.stderr.contains("BuildKit is too old for `contexts`"), "{told}");
        return;
    }
    project.run(&["run"]).success();
    let image = format!("{}:{SHORT}", repository.uri());
    assert_eq!(docker(&["run", "--rm", &image, "cat", "/word"]), "from the other folder\n");
}

/// Takes what the engine keeps of a step away from it; `words` stand in that step alone.
fn forget_step(testbed: &Testbed, words: &str) {
    let socket = testbed.docker_host().replace("unix://", "");
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(b"GET /system/df HTTP/1.0\r\nHost: engine\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let body = &answer[answer.find('{').unwrap()..=answer.rfind('}').unwrap()];
    let usage: Value = serde_json::from_str(body).unwrap();
    let entries = usage["BuildCache"].as_array().unwrap().iter();
    let of_step = entries.filter(|it| it["Description"].as_str().unwrap().contains(words));
    let ids: Vec<_> = of_step.map(|it| format!("id={}", it["ID"].as_str().unwrap())).collect();
    assert!(!ids.is_empty(), "{usage}");
    for id in ids {
        docker(&["builder", "prune", "--all", "--force", "--filter", &id]);
    }
}

/// The layers of an image that is built, forgotten by the engine and built again, with a step that never
/// makes the same twice.
fn built_twice(testbed: &Testbed, has_cache: bool) -> (Value, Value) {
    let repository = testbed.repository("cached");
    let (to, from) = if testbed.has_containerd_store() {
        (format!("{{ registry: \"{}:cache\" }}", repository.uri()), "cache")
    } else {
        ("inline".to_owned(), "latest")
    };
    let options = format!("cache_to: {to}, cache_from: [\"{}:{from}\"]", repository.uri());
    let options = if has_cache { options } else { "no_cache: false".to_owned() };
    let unique = testbed.unique("step");
    let step = format!("RUN : {unique}; cat /proc/sys/kernel/random/uuid > /made\n");
    let project = Project::in_testbed(testbed)
        .repository(&repository)
        .dockerfile(testbed, &step)
        .own_steps(testbed)
        .file("shipspec.yml", &format!(
            "version: 1\nimages: {{ app: {{ repository: \"${{REPOSITORY_URL}}\", tags: [latest], reuse: false, {options} }} }}\n"
        ));
    let built = || {
        project.run(&["run"]).success();
        repository.image_config("latest")["rootfs"]["diff_ids"].take()
    };
    let first = built();
    forget_step(testbed, &unique);
    let second = built();
    if has_cache && testbed.has_containerd_store() {
        let manifest: Value = serde_json::from_slice(&repository.manifest("cache")).unwrap();
        assert_eq!(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    }
    (first, second)
}

#[test]
#[ignore = "needs the testbed"]
fn a_fresh_engine_takes_steps_from_the_cache_of_the_last_image() {
    let testbed = Testbed::current();
    let (first, second) = built_twice(&testbed, true);
    assert_eq!(first, second);
    let (first, second) = built_twice(&testbed, false);
    assert_ne!(first, second, "the engine had forgotten nothing");
}
