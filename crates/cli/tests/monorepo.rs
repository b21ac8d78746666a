//! Twelve services on one base: a change builds what it changes, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use common::{COMMIT, Project};
use serde_json::Value;
use shipspec_testbed::{TestRepository, Testbed};

const SERVICES: usize = 12;

fn service(number: usize) -> String {
    format!("service-{number:02}")
}

/// The base and its services, all in one repository.
fn monorepo(testbed: &Testbed, repository: &TestRepository) -> Project {
    let unique = testbed.unique("monorepo");
    let image = |name: &str| {
        format!(
            "  {name}:\n    context: {name}\n    repository: ${{REPOSITORY_URL}}\n    tags: [\"{name}-${{IMAGE_TAG}}\"]\n"
        )
    };
    let mut shipspec = format!("version: 1\nimages:\n{}", image("base"));
    let mut project = Project::in_testbed(testbed)
        .repository(repository)
        .file("base/Dockerfile", "FROM scratch\nCOPY shared.txt /\n")
        .file("base/shared.txt", &unique);
    for name in (1..=SERVICES).map(service) {
        let base = "    build_args: { BASE: \"${images.base.pinned}\" }\n";
        write!(shipspec, "{}{base}", image(&name)).unwrap();
        project = project
            .file(&format!("{name}/Dockerfile"), "ARG BASE\nFROM ${BASE}\nCOPY main.txt /\n")
            .file(&format!("{name}/main.txt"), &format!("{unique} {name}"));
    }
    project.file("shipspec.yml", &shipspec)
}

/// Runs the build of a commit; gives the images that were built, by what the log and the report say.
fn built(project: &Project) -> BTreeSet<String> {
    let told = project.run(&["run", "--output", "json"]).success();
    let report: Value = serde_json::from_str(&told.stdout).unwrap();
    let images = report["images"].as_array().unwrap();
    assert_eq!(images.len(), SERVICES + 1);
    let names = images.iter().filter(|image| image["reused"] == false);
    let names: BTreeSet<_> =
        names.map(|image| image["name"].as_str().unwrap().to_owned()).collect();
    let logged = told.stderr.lines().filter_map(|line| line.strip_suffix(": building"));
    assert_eq!(names, logged.map(str::to_owned).collect(), "{told}");
    names
}

fn next(project: Project, number: u32) -> Project {
    let commit = format!("{number}{}", &COMMIT[1..]);
    project
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", &commit)
        .variable("CODEBUILD_BUILD_ID", &format!("monorepo:build-{number}"))
}

/// What a tag of each image names at a commit.
fn digests(repository: &TestRepository, number: u32) -> Vec<String> {
    let tags = repository.tags();
    let short = format!("{number}{}", &COMMIT[1..7]);
    let names = std::iter::once("base".to_owned()).chain((1..=SERVICES).map(service));
    names.map(|name| tags[&format!("{name}-{short}")].clone()).collect()
}

#[test]
#[ignore = "needs the testbed"]
fn a_service_builds_itself_and_the_base_builds_all() {
    let testbed = Testbed::current();
    let repository = testbed.repository("monorepo");
    let all: BTreeSet<_> =
        (1..=SERVICES).map(service).chain(std::iter::once("base".to_owned())).collect();

    let project = next(monorepo(&testbed, &repository), 1);
    assert_eq!(built(&project), all);
    let first = digests(&repository, 1);

    let project = next(project.file("service-07/main.txt", "another"), 2);
    assert_eq!(built(&project), BTreeSet::from(["service-07".to_owned()]));
    let second = digests(&repository, 2);
    let changed: Vec<_> = (0..first.len()).filter(|&image| first[image] != second[image]).collect();
    assert_eq!(changed, [7]);

    let shared = format!("{} again", project.read("base/shared.txt"));
    let project = next(project.file("base/shared.txt", &shared), 3);
    assert_eq!(built(&project), all);
    let third = digests(&repository, 3);
    assert!(second.iter().zip(&third).all(|(before, after)| before != after), "{third:?}");

    // Nothing new needs no engine for any of the thirteen.
    let project = next(project, 4).variable("DOCKER_HOST", "unix:///nowhere.sock");
    assert_eq!(built(&project), BTreeSet::new());
    assert_eq!(digests(&repository, 4), third);
}
