//! `shipspec init`: what it writes is right as it is.

mod common;

use std::process::{Command, Stdio};

use common::{COMMIT, Outcome, Project, SHORT};
use insta::assert_snapshot;
use serde_json::{Value, json};
use shipspec_testbed::Testbed;

const KINDS: [(&str, &[&str]); 5] = [
    ("rolling", &["--container", "web"]),
    ("blue-green", &["--container", "web", "--port", "8080"]),
    (
        "blue-green-sidecar",
        &[
            "--container",
            "web",
            "--port",
            "80",
            "--sidecar",
            "log",
            "--sidecar-repository",
            "${LOG_URL}",
        ],
    ),
    ("cloudformation", &[]),
    ("terraform", &[]),
];

fn init(project: &Project, kind: &str, flags: &[&str]) -> Outcome {
    let start = ["init", "--pipeline", kind, "--repository", "${REPOSITORY_URL}"];
    project.run(&[&start, flags].concat())
}

#[test]
fn what_it_writes_has_no_findings() {
    for (kind, flags) in KINDS {
        let project = Project::new()
            .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
            .file("template.yml", "Parameters:\n  Image: { Type: String }\n")
            .file("main.tf", "variable \"image\" {}\n");
        let told = init(&project, kind, flags).success();
        // Which files are still needed is said, and found where they are not made.
        let needed = told.stderr.lines().filter_map(|line| line.strip_prefix("still needed: "));
        let needed: Vec<_> = needed.collect();
        let missing = project.run(&["check"]).success();
        assert_eq!(missing.stderr.matches("dockerfile-missing").count(), needed.len(), "{missing}");
        let project = needed.iter().fold(project, |it, path| it.file(path, "FROM scratch\n"));
        let check = project.run(&["check", "--fail-on", "note"]).success();
        assert!(check.stderr.contains("nothing found"), "{kind}: {}", check.stderr);
    }
}

#[test]
fn what_is_there_stays() {
    let project =
        Project::new().file("buildspec.yml", "mine").file("taskdef_template.json", "mine");
    let (kind, flags) = KINDS[1];
    assert_snapshot!(init(&project, kind, flags), @"
    exit: 2
    --- stdout
    --- stderr
    error: not written, because it exists: `buildspec.yml`, `taskdef_template.json`
     |
     = hint: `--force` replaces what is there
    ");
    assert!(!project.has("shipspec.yml"));
    let forced = [flags, &["--force"]].concat();
    assert_snapshot!(init(&project, kind, &forced), @"
    exit: 0
    --- stdout
    --- stderr
    wrote shipspec.yml
    wrote buildspec.yml
    wrote taskdef_template.json
    wrote .dockerignore
    still needed: Dockerfile
    next: `shipspec check`, then `shipspec plan`
    ");
    assert!(project.read("buildspec.yml").contains("shipspec run"));
}

#[test]
fn everything_that_is_missing_or_wrong_is_told_at_once() {
    let project = Project::new();
    assert_snapshot!(project.run(&["init", "--pipeline", "blue-green-sidecar", "--port", "0"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: --port: `0` is no port: 1 to 65535
    error: `--repository` is needed: the repository that the image is pushed to
    error: `--container` is needed: the container in the task definition
    error: `--sidecar` is needed: the second container, and the folder of its Dockerfile
    error: `--sidecar-repository` is needed: the repository of its image
    ");
    assert_snapshot!(project.run(&["init", "--pipeline", "rolling"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `--repository` is needed: the repository that the image is pushed to
    error: `--container` is needed: the container in the task definition
    ");
    assert_snapshot!(project.run(&["init"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `--pipeline` is needed where nobody can be asked
     |
     = hint: name one: rolling, blue-green, blue-green-sidecar, cloudformation or terraform
    ");
    assert_eq!(std::fs::read_dir(project.folder()).expect("the folder").count(), 0);
}

#[test]
fn what_contradicts_itself_is_refused() {
    let project = Project::new();
    let flags =
        ["--pipeline", "rolling", "--repository", "$REPO", "--container", "web", "--port", "80"];
    let told = project.run(&[&["init"], &flags[..]].concat());
    assert!(told.stderr.contains("write `${REPO}`"), "{}", told.stderr);
    assert!(told.stderr.contains("`--port` is not for `rolling`"), "{}", told.stderr);
    let (kind, flags) = KINDS[2];
    let same = [flags, &["--file", "other.yml"]].concat();
    let told = init(&project, kind, &same);
    assert!(told.stderr.contains("`--file` is not for `init`"), "{}", told.stderr);
    assert_eq!(std::fs::read_dir(project.folder()).expect("the folder").count(), 0);
}

#[test]
fn all_files_are_written_or_none() {
    let project = Project::new().file("taskdef_template.json/in-the-way", "");
    let (kind, flags) = KINDS[1];
    let told = init(&project, kind, &[flags, &["--force"]].concat());
    assert_eq!(told.code, 2, "{}", told.stderr);
    let message = "`taskdef_template.json` cannot be written: a folder is in its place";
    assert!(told.stderr.contains(message), "{}", told.stderr);
    assert!(!project.has("shipspec.yml"));
}

#[test]
fn what_an_image_need_not_hold_is_named() {
    let project = Project::new();
    init(&project, "rolling", &["--container", "web"]).success();
    let ignored = project.read(".dockerignore");
    assert!(
        ignored.ends_with(".git\nshipspec.yml\nbuildspec.yml\nimagedefinitions.json\n"),
        "{ignored}"
    );
    let project = Project::new().file(".dockerignore", "/.git\nbuildspec.yml\n");
    let told = init(&project, "rolling", &["--container", "web"]).success();
    let note =
        "add to .dockerignore, to build only what changed: shipspec.yml, imagedefinitions.json";
    assert!(told.stderr.contains(note), "{}", told.stderr);
    assert_eq!(project.read(".dockerignore"), "/.git\nbuildspec.yml\n");
}

/// What a terminal shows of `init`, if somebody types this.
fn typed(project: &Project, keys: &str) -> (String, i32) {
    let plain = project.command(&["init"]);
    let line = format!("{} init", plain.get_program().to_str().expect("a path"));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.current_dir(project.folder()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = script.spawn().expect("script");
    let stdin = child.stdin.take().expect("its input");
    std::io::Write::write_all(&mut &stdin, keys.as_bytes()).expect("keys");
    let output = child.wait_with_output().expect("its end");
    drop(stdin);
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code().unwrap_or(-1))
}

#[test]
#[ignore = "needs the testbed"]
fn in_a_terminal_it_asks() {
    let project = Project::new();
    let (screen, code) = typed(&project, "what\n2\n\nweb shop\nweb\n8080\n");
    assert_eq!(code, 0, "{screen}");
    for told in
        ["`what` is none of them", "`web shop` is no name of a container", "wrote shipspec.yml"]
    {
        assert!(screen.contains(told), "{told}: {screen}");
    }
    assert!(project.read("shipspec.yml").contains("repository: ${REPOSITORY_URL}"));
    assert!(project.read("taskdef_template.json").contains("\"containerPort\": 8080"));
}

#[test]
#[ignore = "needs the testbed"]
fn who_ends_it_leaves_nothing() {
    let project = Project::new();
    let (screen, code) = typed(&project, "1\n\u{4}");
    assert_eq!(code, 2, "{screen}");
    assert_eq!(std::fs::read_dir(project.folder()).expect("the folder").count(), 0);
}

#[test]
#[ignore = "needs the testbed"]
fn what_it_writes_runs() {
    let testbed = Testbed::current();
    for (kind, flags) in KINDS {
        let repository = testbed.repository(&format!("init-{kind}"));
        let other = testbed.repository(&format!("init-{kind}-log"));
        let unique = testbed.unique(kind);
        let project = Project::in_testbed(&testbed)
            .repository(&repository)
            .variable("LOG_URL", &other.uri())
            .variable("EXECUTION_ROLE_ARN", "arn:aws:iam::111122223333:role/execution")
            .dockerfile(&testbed, &format!("LABEL test={unique}\nCMD [\"/bin/sh\"]"));
        let log = format!("FROM scratch\nCOPY Dockerfile /\nLABEL test={unique}\n");
        let project = project.file("log/Dockerfile", &log).file("template.yml", "Parameters: {}\n");
        init(&project, kind, flags).success();
        project.run(&["run"]).success();
        let reference = format!("{}:{SHORT}", repository.uri());
        let read =
            |path: &str| -> Value { serde_json::from_str(&project.read(path)).expect("JSON") };
        match kind {
            "rolling" => {
                let wanted = json!([{ "name": "web", "imageUri": reference }]);
                assert_eq!(read("imagedefinitions.json"), wanted);
            }
            "blue-green" => {
                let task = read("taskdef.json");
                assert_eq!(task["containerDefinitions"][0]["image"], json!(reference));
                assert!(project.read("appspec.yaml").contains("ContainerPort: 8080"));
            }
            "blue-green-sidecar" => {
                assert_eq!(read("app-image/imageDetail.json"), json!({ "ImageURI": reference }));
                let log = format!("{}:{SHORT}", other.uri());
                assert_eq!(read("sidecar-image/imageDetail.json"), json!({ "ImageURI": log }));
                let images = read("taskdef.json")["containerDefinitions"].clone();
                assert_eq!(images[1]["image"], json!("<IMAGE2_NAME>"));
            }
            "cloudformation" => {
                assert_eq!(read("configuration.json")["Parameters"]["Image"], json!(reference));
            }
            _ => assert_eq!(read("image.auto.tfvars.json"), json!({ "image": reference })),
        }
    }
}
