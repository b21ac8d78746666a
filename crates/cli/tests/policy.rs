//! What `shipspec policy` prints, without asking anybody.

mod common;

use std::collections::BTreeMap;

use common::{Outcome, Project};
use serde_json::Value;

const HOST: &str = "111111111111.dkr.ecr.eu-west-1.amazonaws.com";

fn project(shipspec: &str) -> Project {
    Project::new()
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", common::COMMIT)
        .file("shipspec.yml", &shipspec.replace("HOST", HOST))
        .file("Dockerfile", "FROM scratch\n")
}

/// The statements by their names: what is allowed, and on what.
fn statements(outcome: &Outcome) -> BTreeMap<String, String> {
    let policy: Value = serde_json::from_str(&outcome.stdout).expect("a policy");
    let told = |statement: &Value| {
        let sid = statement["Sid"].as_str().expect("a name").to_owned();
        (sid, format!("{} {}", statement["Action"], statement["Resource"]))
    };
    policy["Statement"].as_array().expect("statements").iter().map(told).collect()
}

#[test]
fn parameters_that_nobody_was_asked_for_are_no_mistake() {
    let shipspec = r#"version: 1
parameters:
  DB: ssm:/db
  AGE: ssm:/age
  TOKEN: secretsmanager:hub
registries:
  ghcr.io: { username: bot, password: TOKEN.password }
images:
  app:
    repository: HOST/app
    secrets: { db: DB }
    build_args: { AGE: "${AGE}" }
    reuse: "${AGE}"
    create_repository: { lifecycle: "${DB}" }
artifacts:
  taskdef.json: { base: { family: "web-${DB}" } }
"#;
    let told = project(shipspec).run(&["policy"]).success();
    let statements = statements(&told);
    assert!(statements["EcrPush"].contains("repository/app"), "{told}");
    assert!(statements["EcrRead"].contains("repository/app"), "{told}");
    assert!(statements["Parameters"].contains("parameter/db"), "{told}");
    assert!(!told.to_string().contains("stands for"), "{told}");
}

#[test]
fn a_star_stands_for_what_a_parameter_names() {
    let shipspec = r#"version: 1
parameters: { TEAM: "ssm:/team", JOB: "ssm:/job", ROLE: "ssm:/role" }
images:
  app: { repository: "HOST/${TEAM}/app" }
  job: { repository: "${JOB}" }
  other: { repository: "222222222222.dkr.ecr.eu-west-1.amazonaws.com/other", role: "${ROLE}" }
"#;
    let told = project(shipspec).run(&["policy"]).success();
    let statements = statements(&told);
    for repository in
        ["arn:aws:ecr:eu-west-1:111111111111:repository/*/app", "arn:aws:ecr:*:*:repository/*"]
    {
        assert!(statements["EcrPush"].contains(&format!("\"{repository}\"")), "{told}");
    }
    assert_eq!(statements["EcrRoles"], r#""sts:AssumeRole" ["*"]"#, "{told}");
    for name in ["TEAM", "${JOB}", "ROLE"] {
        let note = format!("note: `*` stands for `{name}`, which nobody was asked for");
        assert!(told.stderr.contains(&note), "{note}: {told}");
    }
}

#[test]
fn artifacts_that_cannot_be_read_are_told() {
    let shipspec = r#"version: 1
images:
  envoy: { reference: "HOST/envoy:v1" }
artifacts:
  a.json: { json: { image: "${images.envoy.pinned}" } }
  b.json: missing.json
"#;
    let told = project(shipspec).run(&["policy"]).failure(2);
    assert!(told.stderr.contains("missing.json"), "{told}");
}

#[test]
fn what_images_are_made_from_is_pulled() {
    let shipspec = r#"version: 1
images:
  app:
    repository: docker.io/shop/app
    cache_from: ["HOST/cache:1"]
    contexts: { lib: "docker-image://HOST/lib:2" }
"#;
    let dockerfile =
        format!("FROM {HOST}/base:1\nCOPY --from={HOST}/tools:1 /a /a\nCOPY --from=lib /b /b\n");
    let project = project(shipspec).file("Dockerfile", &dockerfile);
    let told = project.run(&["policy"]).success();
    let statements = statements(&told);
    for name in ["base", "tools", "cache", "lib"] {
        assert!(statements["EcrBases"].contains(&format!("repository/{name}\"")), "{name}: {told}");
    }
    let actions = r#"["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]"#;
    assert!(statements["EcrBases"].starts_with(actions), "{told}");
    assert!(statements.contains_key("EcrLogin"), "{told}");
}

#[test]
fn an_image_that_another_is_made_from_is_pulled() {
    let shipspec = r#"version: 1
images:
  app: { repository: HOST/app }
  web: { repository: HOST/web, build_args: { BASE: "${images.app.pinned}" } }
"#;
    let told = project(shipspec).run(&["policy"]).success();
    let resources =
        r#""ecr:GetDownloadUrlForLayer" ["arn:aws:ecr:eu-west-1:111111111111:repository/app"]"#;
    assert_eq!(statements(&told)["EcrRead"], resources, "{told}");
}

#[test]
fn an_image_of_others_takes_a_login_where_no_repository_does() {
    let shipspec = r#"version: 1
images:
  app: { repository: HOST/app, role: "arn:aws:iam::111111111111:role/push" }
  envoy: { reference: "222222222222.dkr.ecr.eu-west-1.amazonaws.com/envoy:v1" }
artifacts:
  a.json: { json: { image: "${images.envoy.pinned}" } }
"#;
    let told = project(shipspec).run(&["policy"]).success();
    assert!(statements(&told).contains_key("EcrLogin"), "{told}");
}

#[test]
fn releases_are_listed_in_the_first_repository() {
    let shipspec =
        "version: 1\nimages:\n  app: { repository: HOST/app }\n  job: { repository: HOST/job }\n";
    let told = project(shipspec).run(&["policy"]).success();
    let resources = r#""ecr:ListImages" ["arn:aws:ecr:eu-west-1:111111111111:repository/app"]"#;
    assert_eq!(statements(&told)["EcrReleases"], resources, "{told}");
}

#[test]
fn the_doctor_looks_at_lifecycle_policies_and_tags() {
    let shipspec = "version: 1\nimages:\n  app: { repository: HOST/app, mirrors: [HOST/mirror] }\n";
    let told = project(shipspec).run(&["policy", "--doctor"]).success();
    let statements = statements(&told);
    assert!(statements["DoctorLifecycle"].contains("ecr:GetLifecyclePolicy"), "{told}");
    assert!(statements["DoctorLifecycle"].contains("repository/mirror"), "{told}");
    assert!(statements["DoctorTags"].contains("ecr:DescribeImages"), "{told}");
    assert!(!statements["DoctorTags"].contains("repository/mirror"), "{told}");
}

#[test]
fn a_promotion_signs_in_where_a_variable_names_the_registry() {
    let shipspec = r#"version: 1
variables: { TARGET: registry.example.com/shop }
parameters: { TOKEN: "ssm:/token", OTHER: "ssm:/other" }
registries:
  registry.example.com: { username: bot, password: TOKEN }
  ghcr.io: { username: bot, password: OTHER }
images:
  app: { repository: HOST/app }
promote:
  shop: { repositories: { app: "${TARGET}/app" } }
"#;
    let told = project(shipspec).run(&["policy", "--promote", "shop"]).success();
    let statements = statements(&told);
    assert!(statements["Parameters"].contains("parameter/token"), "{told}");
    assert!(!statements["Parameters"].contains("parameter/other"), "{told}");
}

#[test]
fn a_plan_without_parameters_needs_no_password() {
    let shipspec = r#"version: 1
parameters: { TOKEN: "ssm:/token" }
registries: { ghcr.io: { username: bot, password: TOKEN } }
images:
  app: { repository: ghcr.io/shop/app }
"#;
    let told = project(shipspec).run(&["plan", "--offline"]).success();
    assert!(told.stdout.contains("image app: build for"), "{told}");
}
