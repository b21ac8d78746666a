//! What a run releases, and what changed since the release before.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};

use common::registry::Registry;
use common::{COMMIT, Project};
use serde_json::Value;
use shipspec_testbed::{TestRepository, Testbed};

const SHIPSPEC: &str = r#"version: 1
images:
  app: { context: app, repository: "${REPOSITORY_URL}", tags: ["app-${IMAGE_TAG}"], reuse: true }
  web-1: { context: web, repository: "${REPOSITORY_URL}", tags: ["web-${IMAGE_TAG}"], reuse: true }
artifacts:
  taskdef.json: taskdef_template.json
"#;

fn project(testbed: &Testbed, repository: &TestRepository) -> Project {
    let unique = testbed.unique("release");
    Project::in_testbed(testbed)
        .repository(repository)
        .file("app/Dockerfile", &format!("FROM scratch\nCOPY . /app-{unique}\n"))
        .file("web/Dockerfile", &format!("FROM scratch\nCOPY . /web-{unique}\n"))
        .file(
            "taskdef_template.json",
            "{\"family\": \"web\", \"containerDefinitions\": [{\"name\": \"app\", \"image\": \"${images.app.uri}\", \"memory\": 64, \"environment\": [{\"name\": \"OF\", \"value\": \"$COMMIT_HASH\"}]}]}\n",
        )
        .file("shipspec.yml", SHIPSPEC)
}

/// The same for another commit, in a build of its own.
fn next(project: Project, number: u32) -> Project {
    let commit = format!("{number}{}", &COMMIT[1..]);
    project
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", &commit)
        .variable("CODEBUILD_BUILD_ID", &format!("shop:build-{number}"))
}

fn run(project: &Project) -> Value {
    let told = project.run(&["run", "--output", "json"]).success();
    serde_json::from_str(&told.stdout).unwrap()
}

#[test]
#[ignore = "needs the testbed"]
fn what_changed_is_told_in_all_and_by_image() {
    let testbed = Testbed::current();
    for is_immutable in [false, true] {
        let builder = testbed.repository_builder("release");
        let repository = if is_immutable { builder.immutable().create() } else { builder.create() };
        let project = next(project(&testbed, &repository), 1);
        let told = project.run(&["run"]).success();
        assert!(told.stderr.contains("changed: it is the first release of `default`"), "{told}");
        // Another commit with nothing new in it.
        let project = next(project, 2);
        let puts = |repository: &TestRepository| {
            repository
                .requests()
                .iter()
                .filter(|request| request.kind == "blob-upload-start")
                .count()
        };
        let before = puts(&repository);
        let same = run(&project);
        assert_eq!(same["changed"], false, "{same}");
        assert_eq!(same["images"][0]["changed"], false);
        assert_eq!(puts(&repository), before);
        let env = project.run(&["env"]).success();
        let digest = same["images"][0]["digest"].as_str().unwrap();
        assert!(
            env.stdout.starts_with(
                "export SHIPSPEC_CHANGED='false'\nexport SHIPSPEC_IMAGE_TAG='2123456'\n"
            ),
            "{env}"
        );
        assert!(env.stdout.contains(&format!("export SHIPSPEC_APP_DIGEST='{digest}'\n")), "{env}");
        assert!(env.stdout.contains("export SHIPSPEC_WEB_1_URI='[uri]:web-2123456'\n"), "{env}");
        let told = project.run(&["run", "--changed"]).success();
        assert!(told.stderr.contains("`--changed` says so"), "{told}");
        // One image, then one artifact.
        let project = next(project.file("web/more.txt", "more"), 3);
        let told = run(&project);
        assert_eq!(told["changed"], true);
        assert_eq!([&told["images"][0]["changed"], &told["images"][1]["changed"]], [false, true]);
        let project = next(project, 4);
        let project = project.file("taskdef_template.json", "{\"family\": \"web\", \"containerDefinitions\": [{\"name\": \"app\", \"image\": \"${images.app.uri}\", \"memory\": 64}]}\n");
        let told = project.run(&["run"]).success();
        assert!(
            told.stderr.contains("changed since the last release (3123456): taskdef.json"),
            "{told}"
        );
        let told = next(project, 5).run(&["run"]).success();
        assert!(told.stderr.contains("unchanged since the last release (4123456)"), "{told}");
    }
}

#[test]
#[ignore = "needs the testbed"]
fn pipelines_are_told_apart_by_name_and_branch() {
    let testbed = Testbed::current();
    let repository = testbed.repository("pipelines");
    let first = |project: &Project| {
        let told = project.run(&["run"]).success();
        let is_wanted =
            |line: &&str| ["changed", "unchanged"].iter().any(|word| line.starts_with(word));
        told.stderr.lines().find(is_wanted).unwrap().to_owned()
    };
    let project = next(project(&testbed, &repository), 1);
    assert_eq!(first(&project), "changed: it is the first release of `default`");
    let project = project.variable("CODEBUILD_INITIATOR", "codepipeline/shop");
    assert_eq!(first(&project), "changed: it is the first release of `shop`");
    let project = project.variable("CODEBUILD_WEBHOOK_HEAD_REF", "refs/heads/feature/x");
    assert_eq!(first(&project), "changed: it is the first release of `feature/x`");
    let project = project.file("shipspec.yml", &format!("name: shop-${{STAGE}}\n{SHIPSPEC}"));
    let project = project.variable("STAGE", "prod");
    assert_eq!(first(&project), "changed: it is the first release of `shop-prod`");
    assert!(first(&project).starts_with("unchanged since"));
}

#[test]
#[ignore = "needs the testbed"]
fn a_role_that_may_not_list_is_told_that_nothing_was_compared() {
    let testbed = Testbed::current();
    let repository = testbed.repository_builder("unlisted").immutable().create();
    let project = next(project(&testbed, &repository), 1);
    project.run(&["run"]).success();
    let project = next(project, 2).role(&testbed.role_without(&["ecr:ListImages"]));
    let told = project.run(&["run"]).success();
    assert!(told.stderr.contains("not checked: what changed since the last release"), "{told}");
    assert!(told.stderr.contains("changed: the last release is not known"), "{told}");
}

#[test]
#[ignore = "needs the testbed"]
fn no_secret_is_in_a_record() {
    let testbed = Testbed::current();
    let repository = testbed.repository("secret-record");
    let name = format!("/{}", testbed.unique("password"));
    testbed.put_parameter(&name, "SecureString", "correct-horse-battery");
    let shipspec = format!(
        "parameters: {{ PASSWORD: \"ssm:{name}\" }}\n{}",
        SHIPSPEC.replace(
            "taskdef.json: taskdef_template.json",
            "taskdef.json: { template: taskdef_template.json, allow_secrets: [PASSWORD] }"
        )
    );
    let project = next(project(&testbed, &repository), 1)
        .file("taskdef_template.json", "{\"family\": \"web\", \"containerDefinitions\": [{\"name\": \"app\", \"image\": \"${images.app.uri}\", \"memory\": 64, \"environment\": [{\"name\": \"PASSWORD\", \"value\": \"$PASSWORD\"}]}]}\n")
        .file("shipspec.yml", &shipspec);
    project.run(&["run"]).success();
    let project = next(project, 2);
    assert_eq!(run(&project)["changed"], false);
    let record = String::from_utf8(repository.manifest("shipspec-release-default")).unwrap();
    let hash = {
        let mut child = std::process::Command::new("sha256sum")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(project.read("taskdef.json").as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()[..64].to_owned()
    };
    assert!(project.read("taskdef.json").contains("correct-horse-battery"));
    assert!(!record.contains("correct-horse") && !record.contains(&hash), "{record}");
    testbed.put_parameter(&name, "SecureString", "another-horse-battery");
    assert_eq!(run(&next(project, 3))["changed"], true);
}

#[test]
#[ignore = "needs the testbed"]
fn what_makes_an_image_another_one_is_explained() {
    let testbed = Testbed::current();
    let repository = testbed.repository("explain");
    let base = "FROM scratch\nARG MODE\nCOPY . /\n";
    let shipspec = SHIPSPEC.replace("context: app,", "context: app, build_args: { MODE: fast },");
    let project = next(project(&testbed, &repository), 1)
        .file("app/Dockerfile", base)
        .file("app/main.py", "1")
        .file("shipspec.yml", &shipspec);
    let none = project.run(&["explain"]).failure(2);
    assert!(none.stderr.contains("there is no release yet"), "{none}");
    project.run(&["run"]).success();
    let same = project.run(&["explain", "app"]).success();
    assert_eq!(same.stdout, "app: the same as in the release 1123456\n");
    let project = next(project, 2)
        .file("app/main.py", "2")
        .file("app/new.py", "3")
        .file("shipspec.yml", &shipspec.replace("fast", "slow"));
    let told = project.run(&["explain"]).success();
    assert_eq!(
        told.stdout,
        "app: not the same as in the release 1123456\n  build argument `MODE` was `fast`, is `slow`\n  file `main.py` changed\n  file `new.py` is new\nweb-1: the same as in the release 1123456\n"
    );
    project.run(&["run"]).success();
    let between =
        ["explain", "app", "--from", "1123456", "--to", "shop:build-2", "--output", "json"];
    let told = project.run(&between).success();
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told[0]["changes"].as_array().unwrap().len(), 3, "{told}");
    assert_eq!(told[0]["changes"][2]["how"], "added");
    let unknown = project.run(&["explain", "--from", "abcdef0"]).failure(2);
    assert!(unknown.stderr.contains("there is no release of `abcdef0`"), "{unknown}");
}

#[test]
#[ignore = "needs the testbed"]
fn one_image_in_place_of_another_is_a_change() {
    let testbed = Testbed::current();
    let repository = testbed.repository("swap");
    let project = next(project(&testbed, &repository), 1);
    project.run(&["run"]).success();
    let template = project.read("taskdef_template.json");
    let swapped = template.replace("images.app.uri", "images['web-1'].uri");
    assert_ne!(swapped, template);
    let project = next(project, 2).file("taskdef_template.json", &swapped);
    let outcome = project.run(&["run"]).success();
    assert!(outcome.stderr.contains("changed since the last release"), "{outcome}");
    assert!(!outcome.stderr.contains("unchanged since"), "{outcome}");
    assert!(outcome.stderr.contains("taskdef.json"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn what_was_put_out_without_a_release_is_not_forgotten() {
    let testbed = Testbed::current();
    for is_immutable in [false, true] {
        let builder = testbed.repository_builder("partial");
        let repository = if is_immutable { builder.immutable().create() } else { builder.create() };
        let project = next(project(&testbed, &repository), 1);
        project.run(&["run"]).success();
        let project = next(project.file("web/more.txt", "more"), 2);
        project.run(&["run", "--only", "web-1"]).success();
        // It is no release, by whatever name it is asked for.
        let told = project.run(&["env"]).failure(2);
        assert!(told.stderr.contains("there is no release of `shop:build-2`"), "{told}");
        let told = project.run(&["explain", "web-1"]).success();
        assert_eq!(told.stdout, "web-1: the same as in the run 2123456\n");
        // Back to what the last release had, which is not what was put out last.
        std::fs::remove_file(project.path("web/more.txt")).unwrap();
        let project = next(project, 3);
        let told = project.run(&["run"]).success();
        let reason = "changed: the run before (2123456) has put something out that is no release";
        assert!(told.stderr.contains(reason), "{told}");
        let env = project.run(&["env"]).success();
        assert!(env.stdout.starts_with("export SHIPSPEC_CHANGED='true'\n"), "{env}");
        let project = next(project, 4);
        assert_eq!(run(&project)["changed"], false);
    }
}

#[test]
#[ignore = "needs the testbed"]
fn a_release_stands_where_only_the_tag_that_leads_to_it_is_refused() {
    let testbed = Testbed::current();
    let registry = Registry::open(&testbed);
    // A refusal that no registry has a word for.
    let front = refusing(registry.port, "/manifests/shipspec-release-default ");
    let shipspec = SHIPSPEC.replace("${REPOSITORY_URL}", &format!("127.0.0.1:{front}/team/shop"));
    let project = Project::in_testbed(&testbed)
        .file("app/Dockerfile", "FROM scratch\nCOPY . /app\n")
        .file("web/Dockerfile", "FROM scratch\nCOPY . /web\n")
        .file("taskdef_template.json", "{\"family\": \"web\", \"containerDefinitions\": [{\"name\": \"app\", \"image\": \"${images.app.uri}\", \"memory\": 64}]}\n")
        .file("shipspec.yml", &shipspec);
    let project = next(project, 1);
    let told = project.run(&["run"]).success();
    assert!(told.stderr.contains("changed: it is the first release of `default`"), "{told}");
    let note = "note: the tag `shipspec-release-default` does not lead to this release";
    assert!(told.stderr.contains(note), "{told}");
    assert!(project.has("taskdef.json"));
    let project = next(project.file("web/more.txt", "more"), 2);
    assert_eq!(run(&project)["changed"], true);
    assert_eq!(run(&next(project, 3))["changed"], false);
}

/// A port before that of a registry, where tags are refused that are put under this path.
fn refusing(port: u16, path: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let front = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            std::thread::spawn(move || forward(client.unwrap(), port, path));
        }
    });
    front
}

/// The first byte of a client that would speak TLS, as some engines try first.
const TLS: u8 = 0x16;

/// One request, and its answer. Whoever breaks off is no concern of the test.
fn forward(mut client: TcpStream, port: u16, path: &str) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).ok()?;
        if head.is_empty() && byte == [TLS] {
            return client.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").ok();
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let (first, rest) = head.split_once("\r\n")?;
    if first.starts_with("PUT ") && first.contains(path) {
        let body = rest.lines().find_map(|line| {
            let (name, length) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| length.trim().parse().ok())?
        });
        client.read_exact(&mut vec![0; body.unwrap_or(0)]).ok()?;
        let answer = "HTTP/1.1 431 Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        return client.write_all(answer.as_bytes()).ok();
    }
    let mut server = TcpStream::connect(("127.0.0.1", port)).ok()?;
    server.write_all(format!("{first}\r\nConnection: close\r\n{rest}").as_bytes()).ok()?;
    let (mut from, mut to) = (client.try_clone().ok()?, server.try_clone().ok()?);
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    std::io::copy(&mut server, &mut client).ok()?;
    client.shutdown(Shutdown::Both).ok()
}
