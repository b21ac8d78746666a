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
    let wanted = std::fs::read_to_string(fixture(&format!("{pipeline}/buildspec.yml")));
    let without_comments = |text: &str| {
        text.lines().filter(|line| !line.trim().starts_with('#')).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(without_comments(&new), without_comments(&wanted.expect("the buildspec")));
    project.read("shipspec.yml")
}

const TEMPLATES: [&str; 2] = ["taskdef_template.json", "appspec_template.yaml"];

#[test]
fn the_shell_of_the_fixtures_comes_to_what_they_have_now() {
    assert_snapshot!(config("codedeploy-blue-green", &TEMPLATES), @"");
    assert_snapshot!(config("firelens-blue-green", &[]), @"");
    assert_snapshot!(config("cloudformation-changeset", &[]), @"");
}

#[test]
fn every_command_is_accounted_for() {
    let project = before("codedeploy-blue-green", Project::new(), &TEMPLATES);
    assert_snapshot!(project.run(&["import"]), @"");
}

fn small(text: &str) -> Outcome {
    Project::new().file("ci/buildspec.yml", text).run(&["import", "ci/buildspec.yml"])
}

#[test]
fn what_cannot_be_imported_is_told() {
    assert_snapshot!(small("version: 0.2\nphases:\n  build:\n    commands: [make, docker compose push]\n"), @"");
    assert_snapshot!(small("version: 0.2\nphases: [\n"), @"");
    assert_snapshot!(Project::new().run(&["import"]), @"");
}

#[test]
fn nothing_is_written_over_what_is_there() {
    let text = "version: 0.2\nphases:\n  build:\n    commands:\n      - docker build -t $R:1 .\n      - docker push $R:1\n";
    let project = Project::new().file("buildspec.yml", text).file("shipspec.yml", "mine");
    assert_snapshot!(project.run(&["import"]), @"");
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
        .variable("EXECUTION_ROLE_ARN", "arn:aws:iam::111122223333:role/execution")
        .dockerfile(&testbed, &format!("LABEL test={}", testbed.unique("imported")));
    let project = before("codedeploy-blue-green", project, &TEMPLATES);
    project.run(&["import"]).success();
    project.run(&["run"]).success();
    let reference = format!("{}:{}", repository.uri(), &COMMIT[..7]);
    assert!(project.read("taskdef.json").contains(&reference));
    assert!(project.has("appspec.yaml"));
}
