//! `shipspec import`: the pipelines of the fixtures, from their shell.

mod common;

use std::path::{Path, PathBuf};

use common::{COMMIT, Outcome, Project};
use insta::assert_snapshot;
use shipspec_testbed::Testbed;

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/pipelines").join(path)
}

/// The checkout of a pipeline as it was before shipspec.
fn before(pipeline: &str, project: Project, files: &[&str]) -> Project {
    for name in files {
        let text = std::fs::read_to_string(fixture(&format!("{pipeline}/{name}"))).expect(name);
        std::fs::create_dir_all(project.path(name).parent().expect("a folder")).expect("a folder");
        std::fs::write(project.path(name), text).expect(name);
    }
    let buildspec = fixture(&format!("{pipeline}/before/buildspec.yml"));
    std::fs::copy(buildspec, project.path("buildspec.yml")).expect("the buildspec");
    project
}

fn config(pipeline: &str, files: &[&str]) -> String {
    let project = before(pipeline, Project::new(), files);
    project.run(&["import"]).success();
    let new = project.read("buildspec.shipspec.yml");
    // Of the shell, one line is left, and what is handed on is the same.
    assert!(new.contains("  build:\n    commands:\n      - shipspec run\n\nartifacts:"), "{new}");
    let old = project.read("buildspec.yml");
    let handed_on = |text: &str| text.split_once("artifacts:").expect("artifacts").1.to_owned();
    assert_eq!(handed_on(&new), handed_on(&old));
    project.read("shipspec.yml")
}

const TEMPLATES: [&str; 2] = ["taskdef_template.json", "appspec_template.yaml"];

#[test]
fn the_shell_of_the_fixtures_comes_to_what_they_have_now() {
    assert_snapshot!(config("codedeploy-blue-green", &TEMPLATES), @r#"
    # Made from buildspec.yml by `shipspec import`.
    version: 1
    images:
      app:
        repository: ${REPOSITORY_URL}
        tags: ["${IMAGE_TAG}", latest]
    artifacts:
      taskdef.json: taskdef_template.json
      appspec.yaml: appspec_template.yaml
    "#);
    assert_snapshot!(config("firelens-blue-green", &[]), @"
    # Made from buildspec.yml by `shipspec import`.
    version: 1
    tag: ${COMMIT | short(8)}
    variables:
      REGISTRY: ${ACCOUNT_ID}.dkr.ecr.${AWS_DEFAULT_REGION}.amazonaws.com
    images:
      webapp:
        repository: ${REGISTRY}/${REPOSITORY_NAME}/webapp
        context: webapp
      logrouter:
        repository: ${REGISTRY}/${REPOSITORY_NAME}/logrouter
        context: firelens
    artifacts:
      webapp-image/imageDetail.json:
        image_detail: webapp
      logrouter-image/imageDetail.json:
        image_detail: logrouter
    ");
    assert_snapshot!(config("cloudformation-changeset", &[]), @"
    # Made from buildspec.yml by `shipspec import`.
    version: 1
    tag: ${COMMIT}
    parameters:
      DB_PASSWORD: ssm:rds_pass
    images:
      app:
        repository: ${AWS_ACCOUNT_ID}.dkr.ecr.${AWS_DEFAULT_REGION}.amazonaws.com/${IMAGE_REPO_NAME}
        context: ${CODEBUILD_SRC_DIR_App}
        dockerfile: Dockerfile.old
        # Everybody who can pull the image can read these. Mount them with `secrets:` instead.
        insecure_build_args:
          DB_PASSWORD: ${DB_PASSWORD}
    artifacts:
      deploy/build.json:
        json:
          tag: ${IMAGE_TAG}
          build: ${CODEBUILD_BUILD_ID | replace(':', '-')}
    ");
}

#[test]
fn every_command_is_accounted_for() {
    let project = before("codedeploy-blue-green", Project::new(), &TEMPLATES);
    assert_snapshot!(project.run(&["import"]), @"
    exit: 0
    --- stdout
    --- stderr
    line 6: dropped `echo Logging in to Amazon ECR`: it only says what comes next
    line 7: dropped `aws ecr get-login-password --region $AWS_DEFAULT_REGION | docker login --username AWS --password-std…`: shipspec signs in at ECR by itself
    line 8: replaced `COMMIT_HASH=$(echo $CODEBUILD_RESOLVED_SOURCE_VERSION | cut -c 1-7)`
    line 9: replaced `IMAGE_TAG=${COMMIT_HASH:=latest}`
    line 9: look: without a value of `COMMIT_HASH`, `latest` is overwritten and nobody is told (buildspec-latest)
    line 12: dropped `echo Build started on $(date)`: it only says what comes next
    line 13: replaced `docker build -t $REPOSITORY_URL:latest .`: `images:`
    line 14: replaced `docker tag $REPOSITORY_URL:latest $REPOSITORY_URL:$IMAGE_TAG`: `images:`
    line 17: dropped `echo Pushing the images`: it only says what comes next
    line 18: replaced `docker push $REPOSITORY_URL:latest`: `images:`
    line 18: look: `post_build` runs even if `build` failed, so that this pushes what is broken or old (buildspec-push)
    line 19: replaced `docker push $REPOSITORY_URL:$IMAGE_TAG`: `images:`
    line 20: replaced `export IMAGE_CURRENT=$REPOSITORY_URL:$IMAGE_TAG`
    line 21: replaced `envsubst < taskdef_template.json > taskdef.json`: the artifact `taskdef.json`
    line 22: replaced `envsubst < appspec_template.yaml > appspec.yaml`: the artifact `appspec.yaml`
    line 23: dropped `echo Build completed on $(date)`: it only says what comes next
    wrote shipspec.yml
    wrote buildspec.shipspec.yml
    commands: 9 replaced, 5 dropped, 0 kept; 2 to look at; `shipspec plan --offline` shows what it comes to
    ");
}

fn small(text: &str) -> Outcome {
    Project::new().file("ci/buildspec.yml", text).run(&["import", "ci/buildspec.yml"])
}

#[test]
fn what_cannot_be_imported_is_told() {
    assert_snapshot!(small("version: 0.2\nphases:\n  build:\n    commands: [make, docker compose push]\n"), @"
    exit: 2
    --- stdout
    --- stderr
    line 4: kept `docker compose push`: `docker compose` has its images in a file of its own
    error: `ci/buildspec.yml` builds no image that shipspec could build
     |
     = hint: shipspec.yml is for images that are built and pushed; `shipspec init` writes one from a few answers
    ");
    assert_snapshot!(small("version: 0.2\nphases: [\n"), @"
    exit: 2
    --- stdout
    --- stderr
    error: this is no YAML: unclosed bracket '['
     --> ci/buildspec.yml:2:9
      |
    2 | phases: [
      |         ^
    ");
    assert_snapshot!(Project::new().run(&["import"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `buildspec.yml` cannot be read: No such file or directory (os error 2)
     |
     = hint: name the buildspec: `shipspec import path/to/buildspec.yml`
    ");
}

#[test]
fn nothing_is_written_over_what_is_there() {
    let text = "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t $R:1 .\n      - docker push $R:1\n";
    let project = Project::new().file("buildspec.yml", text).file("shipspec.yml", "mine");
    assert_snapshot!(project.run(&["import"]), @"
    exit: 2
    --- stdout
    --- stderr
    line 5: replaced `docker build -t $R:1 .`: `images:`
    line 6: replaced `docker push $R:1`: `images:`
    error: not written, because it exists: `shipspec.yml`
     |
     = hint: `--force` replaces what is there
    ");
    assert_eq!(
        (project.read("shipspec.yml").as_str(), project.has("buildspec.shipspec.yml")),
        ("mine", false)
    );
    project.run(&["import", "--output-dir", "new"]).success();
    assert!(project.has("new/shipspec.yml") && project.has("new/buildspec.shipspec.yml"));
    let stdout = project.run(&["import", "--stdout"]).success().stdout;
    assert!(
        stdout.starts_with("# shipspec.yml\n")
            && stdout.contains("---\n# buildspec.shipspec.yml\n"),
        "{stdout}"
    );
    project.run(&["import", "--in-place", "--force"]).success();
    assert!(project.read("buildspec.yml").contains("- shipspec run\n"));
    assert!(project.read("shipspec.yml").contains("repository: ${R}"));
}

#[test]
#[ignore = "needs the testbed"]
fn what_was_imported_runs() {
    let testbed = Testbed::current();
    let repository = testbed.repository("imported");
    let project = Project::in_testbed(&testbed)
        .repository(&repository)
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", COMMIT)
        .variable("TASK_FAMILY", "shop")
        .variable("CONTAINER_NAME", "web")
        .variable("CONTAINER_PORT", "80")
        .variable("EXECUTION_ROLE_ARN", "arn:aws:iam::111122223333:role/execution")
        .dockerfile(&testbed, &format!("LABEL test={}", testbed.unique("imported")));
    let project = before("codedeploy-blue-green", project, &TEMPLATES);
    project.run(&["import"]).success();
    project.run(&["run"]).success();
    let reference = format!("{}:{}", repository.uri(), &COMMIT[..7]);
    assert!(project.read("taskdef.json").contains(&reference));
    assert!(project.has("appspec.yaml"));
}
