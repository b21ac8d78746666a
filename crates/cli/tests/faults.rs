//! `shipspec run` where something is wrong: each fault by itself, as a user meets it.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::{Project, SHORT, assert_untouched, project};
use insta::assert_snapshot;
use shipspec_testbed::{Fault, Testbed};

#[test]
#[ignore = "needs the testbed"]
fn a_failing_step_is_told_with_its_last_lines_and_its_exit_code() {
    let testbed = Testbed::current();
    let repository = testbed.repository("failing");
    let project = project(&testbed, &repository).dockerfile(
        &testbed,
        "RUN for i in $(seq 1 40); do echo line $i; done; echo broken; exit 37",
    );
    let outcome = project.run(&["run"]).failure(5);
    let error = outcome.stderr.split_once("error: ").unwrap().1;
    assert!(error.contains("failed with exit code 37"), "{outcome}");
    assert!(error.contains("[3/3] RUN for i in"), "{outcome}");
    assert!(
        error.contains("| broken")
            && error.contains("| line 12\n")
            && !error.contains("| line 11\n"),
        "{outcome}"
    );
    assert_untouched(&project, &repository);
}

#[test]
#[ignore = "needs the testbed"]
fn what_is_wrong_with_the_dockerfile_is_an_input_error() {
    let testbed = Testbed::current();
    let repository = testbed.repository("dockerfile");
    let project = project(&testbed, &repository);
    std::fs::remove_file(project.path("Dockerfile")).unwrap();
    assert_snapshot!(project.run(&["run"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: there is no Dockerfile at `Dockerfile`
    ");
    let project = project.file("Dockerfile", "FROM scratch\nRUNN x\n");
    let mut outcome = project.run(&["run"]);
    // The engine's words are its version's.
    outcome.stderr = outcome.stderr.replace("error on line", "error line");
    outcome.stderr = outcome.stderr.replace(" (did you mean RUN?)", "");
    assert_snapshot!(outcome, @"
    exit: 2
    --- stdout
    --- stderr
    note: `app` is built: its Dockerfile cannot be read here: line 2: unknown instruction 'RUNN'
    not checked: Dockerfile of app: line 2: unknown instruction 'RUNN'
    app: building
    error: failed to build the image `app`
      caused by: the Dockerfile is wrong: dockerfile parse error line 2: unknown instruction: RUNN
    ");
    assert_untouched(&project, &repository);
}

#[test]
#[ignore = "needs the testbed"]
fn artifacts_are_checked_before_anything_is_built() {
    let testbed = Testbed::current();
    let repository = testbed.repository("unset");
    let project = project(&testbed, &repository)
        .file("taskdef_template.json", "{\"a\": \"${NOBODY}\", \"b\": 1,}");
    let outcome = project.run(&["run"]).failure(2);
    assert!(outcome.stderr.contains("`NOBODY` has no value"), "{outcome}");
    assert!(!outcome.stderr.contains("building"), "{outcome}");
    assert_untouched(&project, &repository);
}

#[test]
#[ignore = "needs the testbed"]
fn a_source_version_that_is_no_commit_needs_a_tag_of_its_own() {
    let testbed = Testbed::current();
    let repository = testbed.repository("version");
    let project = project(&testbed, &repository)
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", "pYR8zUFu.Bn5y9u_0wOzNVpBYWqHZjzW");
    assert_snapshot!(project.run(&["run"]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: `IMAGE_TAG` has no value: the source version `pYR8zUFu.Bn5y9u_0wOzNVpBYWqHZjzW` (CODEBUILD_RESOLVED_SOURCE_VERSION) is no commit
     --> shipspec.yml:5:13
      |
    5 |     tags: ["${IMAGE_TAG}", latest]
      |             ^^^^^^^^^^^^
      |
      = hint: give the run a tag of its own: `tag:` in shipspec.yml, or `--tag`
    error: `IMAGE_TAG` has no value: the source version `pYR8zUFu.Bn5y9u_0wOzNVpBYWqHZjzW` (CODEBUILD_RESOLVED_SOURCE_VERSION) is no commit
      --> shipspec.yml:12:31
       |
    12 |   build.json: { json: { tag: "${IMAGE_TAG}", image: "${images.app.pinned}" } }
       |                               ^^^^^^^^^^^^
       |
       = hint: give the run a tag of its own: `tag:` in shipspec.yml, or `--tag`
    "#);
    assert_untouched(&project, &repository);
}

#[test]
#[ignore = "needs the testbed"]
fn without_an_engine_the_run_waits_and_then_says_so() {
    let testbed = Testbed::current();
    let repository = testbed.repository("engine");
    let project =
        project(&testbed, &repository).variable("DOCKER_HOST", "unix:///nowhere/docker.sock");
    assert_snapshot!(project.run(&["run", "--docker-wait", "0.3"]), @"
    exit: 4
    --- stdout
    --- stderr
    waiting up to 0.3s for a Docker engine at unix:///nowhere/docker.sock (there is no such socket)
    error: no Docker engine answers at `unix:///nowhere/docker.sock`: there is no such socket
      hint: start Docker (`shipspec daemon ensure`), or set DOCKER_HOST; in CodeBuild, the project needs privileged mode
    ");
    assert_untouched(&project, &repository);
    let project = project.variable("DOCKER_HOST", "fd://");
    assert_snapshot!(project.run(&["run"]), @"
    exit: 4
    --- stdout
    --- stderr
    error: `fd://` is no address of a Docker engine; it begins with `unix://`, `tcp://`, `https://` or `ssh://`
    ");
}

#[test]
#[ignore = "needs the testbed"]
fn an_engine_that_comes_up_late_is_waited_for() {
    let testbed = Testbed::current();
    let repository = testbed.repository("late");
    let project = project(&testbed, &repository);
    let socket = project.path("late.sock");
    let project = project.variable("DOCKER_HOST", &format!("unix://{}", socket.display()));
    let started = project.start(&["run"]);
    std::thread::sleep(std::time::Duration::from_secs(1));
    let engine = testbed.docker_host();
    std::os::unix::fs::symlink(engine.trim_start_matches("unix://"), &socket).unwrap();
    let outcome = project.outcome(&started.wait_with_output().unwrap()).success();
    assert_eq!(
        outcome.stderr.matches("waiting up to 15.0s for a Docker engine").count(),
        1,
        "{outcome}"
    );
}

#[test]
#[ignore = "needs the testbed"]
fn a_socket_that_may_not_be_used_is_told_at_once() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    let testbed = Testbed::current();
    let repository = testbed.repository("permission");
    let project = project(&testbed, &repository);
    std::fs::set_permissions(project.folder(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let command = project.command(&["run", "--docker-wait", "60"]);
    // The binary may be in a folder that only its builder can enter.
    let binary = project.path("shipspec");
    std::fs::copy(command.get_program(), &binary).unwrap();
    let mut other = std::process::Command::new(binary);
    other.args(command.get_args()).current_dir(project.folder()).env_clear();
    for (name, value) in command.get_envs() {
        other.env(name, value.unwrap());
    }
    let outcome = project.outcome(&other.uid(65534).gid(65534).output().unwrap());
    assert_snapshot!(outcome, @"
    exit: 4
    --- stdout
    --- stderr
    error: permission denied on the Docker socket `unix:///run/shipspec-testbed/docker.sock`
      hint: run as root, or add the user to the group that owns the socket (`docker`)
    ");
}

#[test]
#[ignore = "needs the testbed"]
fn a_repository_that_does_not_exist_is_told_with_the_way_to_make_it() {
    let testbed = Testbed::current();
    let repository = testbed.repository_builder("missing").missing();
    let project = project(&testbed, &repository);
    let outcome = project.run(&["run"]).failure(4);
    assert!(outcome.stderr.contains("the repository `[uri]` does not exist"), "{outcome}");
    assert!(
        outcome
            .stderr
            .contains("aws ecr create-repository --repository-name [repository] --region"),
        "{outcome}"
    );
    assert!(!project.has("taskdef.json"));
}

#[test]
#[ignore = "needs the testbed"]
fn each_denied_action_is_named() {
    let testbed = Testbed::current();
    for action in [
        "ecr:GetAuthorizationToken",
        "ecr:BatchGetImage",
        "ecr:BatchCheckLayerAvailability",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:PutImage",
    ] {
        // containerd sends each layer in the request that completes it.
        if action == "ecr:UploadLayerPart" && testbed.has_containerd_store() {
            continue;
        }
        let repository = testbed.repository("denied");
        let project = project(&testbed, &repository).role(&testbed.role_without(&[action]));
        let outcome = project.run(&["run"]).failure(4);
        let error = outcome.stderr.split_once("error: ").unwrap().1;
        assert!(error.contains(action), "{action}: {outcome}");
        assert!(error.contains("hint: allow `ecr:"), "{action}: {outcome}");
        assert_untouched(&project, &repository);
    }
}

#[test]
#[ignore = "needs the testbed"]
fn without_valid_credentials_no_registry_is_tried() {
    let testbed = Testbed::current();
    let repository = testbed.repository("credentials");
    let project = project(&testbed, &repository)
        .variable("AWS_ACCESS_KEY_ID", "")
        .variable("AWS_SECRET_ACCESS_KEY", "")
        .variable("AWS_EC2_METADATA_DISABLED", "true");
    let outcome = project.run(&["run"]).failure(3);
    assert!(
        outcome.stderr.contains("no valid AWS credentials for `ecr:GetAuthorizationToken`"),
        "{outcome}"
    );
    assert_untouched(&project, &repository);
}

#[test]
#[ignore = "needs the testbed"]
fn a_registry_that_goes_away_during_the_push_leaves_nothing_and_the_next_run_succeeds() {
    let testbed = Testbed::current();
    let repository = testbed.repository("gone");
    let project = project(&testbed, &repository);
    repository.fault(Fault::reset_request(4096).on("blob-upload").always());
    let outcome = project.run(&["run"]).failure(4);
    if testbed.has_containerd_store() {
        // containerd gives up at once, so that the patience is ours.
        assert!(outcome.stderr.contains("(attempt 6 of 6)"), "{outcome}");
    } else {
        for wait in ["5.0s", "10.0s", "15.0s", "20.0s"] {
            let told = format!("the engine sends a layer again in {wait}");
            assert_eq!(outcome.stderr.matches(&told).count(), 1, "{outcome}");
        }
    }
    assert!(outcome.stderr.contains("error: failed to push the image `app`"), "{outcome}");
    assert!(outcome.stderr.contains("hint: nothing was tagged"), "{outcome}");
    assert_untouched(&project, &repository);
    repository.clear_faults();
    project.run(&["run"]).success();
    assert!(project.has("taskdef.json"));
}

#[test]
#[ignore = "needs the testbed"]
fn a_registry_that_fails_when_the_tags_are_put_leaves_no_file() {
    let testbed = Testbed::current();
    let repository = testbed.repository("tags");
    let project = project(&testbed, &repository).file("taskdef.json", "old");
    // The first manifest is the staging tag's, put by the engine.
    repository.fault(Fault::delay(0).on("manifest-put"));
    project.run(&["build"]).success();
    project.run(&["run"]).success();
    let project =
        project.dockerfile(&testbed, "RUN echo second > /second").file("taskdef.json", "old");
    repository.fault(Fault::html(502).on("manifest-get").always());
    let outcome = project.run(&["run"]).failure(4);
    assert!(outcome.stderr.contains("answered 502: a page of HTML"), "{outcome}");
    assert_eq!(project.read("taskdef.json"), "old");
}

#[test]
#[ignore = "needs the testbed"]
fn a_full_disk_leaves_no_half_of_a_file() {
    let testbed = Testbed::current();
    let project = Project::in_testbed(&testbed)
        .file("out/old.txt", "")
        .file("t.txt", &"x".repeat(100_000))
        .file(
            "shipspec.yml",
            "version: 1\nartifacts:\n  out/a.json: { json: { a: 1 } }\n  out/b.txt: t.txt\n",
        );
    let folder = project.path("out");
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=32k", "tmpfs"])
        .arg(&folder)
        .status()
        .unwrap();
    assert!(mounted.success());
    let outcome = project.run(&["render"]);
    let left = std::fs::read_dir(&folder).unwrap().count();
    std::process::Command::new("umount").arg(&folder).status().unwrap();
    assert_snapshot!(outcome.failure(1), @"
    exit: 1
    --- stdout
    --- stderr
    error: failed to write `out/b.txt`
      caused by: No space left on device (os error 28)
    ");
    assert_eq!(left, 0);
}

#[test]
#[ignore = "needs the testbed"]
fn a_name_that_is_known_too_late_stops_the_run_before_the_build() {
    let testbed = Testbed::current();
    let repository = testbed.repository("late");
    let two = format!(
        "version: 1\nimages:\n  base: {{ repository: {0}, tags: [base] }}\n  app: {{ repository: {0}, tags: [\"${{images.base.digest | short}}\"] }}\nartifacts: {{ taskdef.json: {{ image_detail: app }} }}\n",
        repository.uri()
    );
    let in_path = format!(
        "version: 1\nimages: {{ app: {{ repository: {} }} }}\nartifacts: {{ \"${{images.app.digest}}.json\": {{ json: {{}} }} }}\n",
        repository.uri()
    );
    for shipspec in [two, in_path] {
        let project = project(&testbed, &repository).file("shipspec.yml", &shipspec);
        let outcome = project.run(&["run"]).failure(2);
        assert!(outcome.stderr.contains("is not known before"), "{outcome}");
        assert!(!outcome.stderr.contains("building"), "{outcome}");
        assert_untouched(&project, &repository);
    }
}

#[test]
#[ignore = "needs the testbed"]
fn the_step_that_failed_is_blamed_and_not_one_that_was_cancelled() {
    let testbed = Testbed::current();
    let repository = testbed.repository("blame");
    let stages = "FROM scratch AS base\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"/bin\"]\nFROM base AS a\nRUN for i in $(seq 1 25); do echo noise $i; done; sleep 30; echo a > /a\nFROM base AS b\nRUN sleep 1; echo REAL FAULT; exit 7\nFROM base\nCOPY --from=a /a /a\nCOPY --from=b /a /b\n";
    let project = project(&testbed, &repository).file("Dockerfile", stages);
    let outcome = project.run(&["run"]).failure(5);
    let error = outcome.stderr.split_once("error: ").unwrap().1;
    assert!(
        error.contains("failed with exit code 7") && error.contains("| REAL FAULT"),
        "{outcome}"
    );
    assert!(!error.contains("noise"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn an_answer_that_was_lost_does_not_turn_a_tag_against_its_own_image() {
    let testbed = Testbed::current();
    let repository = testbed.repository_builder("lost").immutable().create();
    let shipspec = common::SHIPSPEC.replace(", latest", "");
    let project = project(&testbed, &repository).file("shipspec.yml", &shipspec);
    // The image is there already, so that the next manifest that is put is that of the tag.
    project.run(&["build", "--tag", "first"]).success();
    project.run(&["push", "--tag", "first"]).success();
    project.run(&["build"]).success();
    repository.fault(Fault::reset_response(0).on("manifest-put"));
    let outcome = project.run(&["push"]).success();
    assert!(outcome.stderr.contains("(unchanged)"), "{outcome}");
    let tags = repository.tags();
    assert_eq!(tags[SHORT], tags["first"]);
}

#[test]
#[ignore = "needs the testbed"]
fn a_secret_does_not_go_into_a_path_or_a_message() {
    let testbed = Testbed::current();
    let name = format!("/{}", testbed.unique("password"));
    testbed.put_parameter(&name, "SecureString", "hunter2-canary");
    let start = format!("version: 1\nparameters: {{ P: \"ssm:{name}\" }}\nartifacts:\n");
    for artifact in [
        "  \"${P}.json\": { json: {} }\n",
        "  a.json: { template: \"${P}\" }\n",
        "  \"${x}.json\": { json: {}, matrix: { x: [\"${P}\"] } }\n",
        "  a.json: { json: { a: \"${NONE:?${P}}\" } }\n",
    ] {
        let project =
            Project::in_testbed(&testbed).file("shipspec.yml", &format!("{start}{artifact}"));
        for command in [&["render"][..], &["plan"], &["doctor"], &["plan", "--output", "json"]] {
            let outcome = project.run(command);
            assert_ne!(outcome.code, 0, "{artifact}: {outcome}");
            assert!(!outcome.to_string().contains("hunter2"), "{artifact}: {outcome}");
        }
    }
}
