//! Services behind the front.

mod common;

use common::{fails, succeeds};
use shipspec_testbed::{OTHER_REGION, Testbed};

#[test]
#[ignore = "needs the testbed"]
fn parameters_and_secrets_come_back() {
    let testbed = Testbed::current();
    let role = testbed.role(&["*"]);
    let environment = testbed.environment_of(&role);
    let name = format!("/{}/password", testbed.unique("parameter"));
    testbed.put_parameter(&name, "SecureString", "it's \"secret\"");
    let words = [
        "aws",
        "ssm",
        "get-parameters",
        "--with-decryption",
        "--names",
        &name,
        "--query",
        "Parameters[0].Value",
    ];
    assert_eq!(succeeds(&environment, &words).trim(), r#""it's \"secret\"""#);
    testbed.put_parameter_in(OTHER_REGION, &name, "String", "there");
    let mut there = words.to_vec();
    there.extend(["--region", OTHER_REGION, "--output", "text"]);
    assert_eq!(succeeds(&environment, &there).trim(), "there");

    let secret = testbed.unique("secret");
    let arn = testbed.put_secret(&secret, "hidden");
    assert!(arn.starts_with("arn:aws:secretsmanager:ap-northeast-1:111111111111:secret:"), "{arn}");
    let words = [
        "aws",
        "secretsmanager",
        "get-secret-value",
        "--secret-id",
        &secret,
        "--query",
        "SecretString",
    ];
    assert_eq!(succeeds(&environment, &words).trim(), "\"hidden\"");

    let actions: Vec<String> = role.requests().into_iter().map(|request| request.action).collect();
    assert_eq!(
        actions,
        ["ssm:GetParameters", "ssm:GetParameters", "secretsmanager:GetSecretValue"]
    );
}

#[test]
#[ignore = "needs the testbed"]
fn other_services_ask_for_rights_as_well() {
    let testbed = Testbed::current();
    let role = testbed.role(&["ecr:*"]);
    let environment = testbed.environment_of(&role);
    let said = fails(&environment, &["aws", "ssm", "get-parameters", "--names", "/a/b"]);
    assert!(said.contains("(AccessDeniedException)"), "{said}");
    assert!(
        said.contains(
            "ssm:GetParameters on resource: arn:aws:ssm:ap-northeast-1:111111111111:parameter/a/b"
        ),
        "{said}"
    );
    let said = fails(
        &environment,
        &[
            "aws",
            "sts",
            "assume-role",
            "--role-arn",
            "arn:aws:iam::1:role/r",
            "--role-session-name",
            "session",
        ],
    );
    assert!(said.contains("(AccessDenied)"), "{said}");
    let said = succeeds(
        &environment,
        &["aws", "sts", "get-caller-identity", "--query", "Arn", "--output", "text"],
    );
    assert_eq!(said.trim(), role.arn());
}

#[test]
#[ignore = "needs the testbed"]
fn buckets_and_clusters_are_found_by_name() {
    let testbed = Testbed::current();
    let environment = testbed.environment();
    let bucket = format!("s3://{}", testbed.unique("bucket"));
    succeeds(&environment, &["aws", "s3", "mb", &bucket]);
    let key = format!("{bucket}/key");
    succeeds(&environment, &["sh", "-c", &format!("echo content | aws s3 cp - {key}")]);
    assert_eq!(succeeds(&environment, &["aws", "s3", "cp", &key, "-"]), "content\n");
    let cluster = testbed.unique("cluster");
    succeeds(&environment, &["aws", "ecs", "create-cluster", "--cluster-name", &cluster]);
}
