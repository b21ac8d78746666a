//! Artifacts that go to Parameter Store and S3: when, what of it is told, and what stays if it fails.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::process::Command;

use common::{Outcome, Project, SHORT, assert_untouched};
use insta::assert_snapshot;
use serde_json::{Value, json};
use shipspec_testbed::{PRIMARY_REGION, TestRepository, Testbed};

/// An image, its image definitions in two parameters, and a zip of them in a bucket.
fn project(testbed: &Testbed, repository: &TestRepository, name: &str) -> Project {
    Project::in_testbed(testbed)
        .repository(repository)
        .variable("AWS_REGION", PRIMARY_REGION)
        .variable("NAME", name)
        .dockerfile(testbed, &format!("LABEL test={name}"))
        .file(
            "shipspec.yml",
            r#"version: 1
images: { app: { repository: "${REPOSITORY_URL}", tags: ["${IMAGE_TAG}", latest] } }
artifacts:
  imagedefinitions.json:
    image_definitions: [app]
    publish: ["ssm:/${NAME}/first", { to: "ssm:/${NAME}/second", region: us-east-1 }]
  out/imagedefinitions.zip: { zip: [imagedefinitions.json], publish: "s3://${NAME}/deploy.zip" }
"#,
        )
}

fn aws(project: &Project, words: &[&str]) -> Vec<u8> {
    let mut command = Command::new("aws");
    command.args(words).env_clear();
    for (name, value) in project.command(&[]).get_envs() {
        command.env(name, value.unwrap());
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Words of a run, with one name for what each run names otherwise.
fn shown(text: &str, name: &str) -> String {
    let word = |word: &str| match word.strip_prefix("arn:aws:sts::") {
        Some(_) => "[caller]".to_owned(),
        None => word.replace(name, "NAME"),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// The errors of a run.
fn errors(told: &Outcome, name: &str) -> String {
    shown(&told.stderr[told.stderr.find("error:").unwrap()..], name)
}

fn parameter(testbed: &Testbed, region: &str, name: &str) -> Option<Value> {
    let input = json!({ "Names": [name], "WithDecryption": true });
    let answer = testbed.call("ssm", region, "AmazonSSM.GetParameters", &input);
    answer["Parameters"].get(0).cloned()
}

#[test]
#[ignore = "needs the testbed"]
fn what_is_published_is_told_and_what_is_there_is_not_written_again() {
    let testbed = Testbed::current();
    let (repository, name) = (testbed.repository("publish"), testbed.unique("publish"));
    let project = project(&testbed, &repository, &name);
    aws(&project, &["s3", "mb", &format!("s3://{name}")]);
    let plan = project.run(&["plan"]).success().stdout;
    assert!(plan.contains(&format!("  publish to ssm:/{name}/first\n")), "{plan}");
    assert!(plan.contains(&format!("  publish to s3://{name}/deploy.zip\n")), "{plan}");
    assert!(plan.contains("not shown: it is a zip"), "{plan}");
    for words in [&["run", "--no-push"][..], &["run", "--only", "app"], &["render"]] {
        let told = project.run(words).success();
        let is_render = words == ["render"];
        assert_eq!(told.stderr.contains("note: nothing is published"), !is_render, "{told}");
        assert_eq!(parameter(&testbed, PRIMARY_REGION, &format!("/{name}/first")), None);
    }

    let told = project.run(&["run", "--output", "json"]).success();
    let report: Value = serde_json::from_str(&told.stdout).unwrap();
    let places = |report: &Value| -> Vec<String> {
        let artifacts = report["artifacts"].as_array().unwrap().iter();
        let places = artifacts.flat_map(|artifact| artifact["published"].as_array().unwrap());
        places
            .map(|place| format!("{} {}", place["to"], place["change"]).replace(&name, "NAME"))
            .collect()
    };
    let all = [
        r#""ssm:/NAME/first" "new""#,
        r#""ssm:/NAME/second" "new""#,
        r#""s3://NAME/deploy.zip" "new""#,
    ];
    assert_eq!(places(&report), all);
    assert_eq!(report["artifacts"][0]["published"][0]["version"], "1");
    let written = parameter(&testbed, PRIMARY_REGION, &format!("/{name}/first")).unwrap();
    assert_eq!(written["Type"], "String");
    assert_eq!(written["Value"], project.read("imagedefinitions.json").as_str());
    assert!(parameter(&testbed, "us-east-1", &format!("/{name}/second")).is_some());

    // What somebody else wrote in between is replaced, and nothing else.
    testbed.put_parameter(&format!("/{name}/first"), "String", "by hand");
    let told = project.run(&["run", "--output", "json"]).success();
    let report: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(
        places(&report),
        all.map(|place| place.replace("new", "unchanged")).map(|place| {
            if place.contains("first") { place.replace("unchanged", "changed") } else { place }
        })
    );

    let doctor = project.run(&["doctor"]).success().stderr.replace(&name, "NAME");
    let about = |line: &&str| line.contains("/NAME/") || line.contains("//NAME/");
    let lines: Vec<_> = doctor.lines().filter(about).take(6).collect();
    assert_snapshot!(lines.join("\n"), @"
    ok           ssm:/NAME/first: there
    ok           ssm:/NAME/second: there
    ok           s3://NAME/deploy.zip: in ap-northeast-1, not versioned: no pipeline can have it as its source
    not checked  write ssm:/NAME/first: only publishing shows whether it is allowed
    not checked  write ssm:/NAME/second: only publishing shows whether it is allowed
    not checked  write s3://NAME/deploy.zip: only publishing shows whether it is allowed
    ");
}

#[test]
#[ignore = "needs the testbed"]
fn if_nothing_was_published_nothing_has_happened() {
    let testbed = Testbed::current();
    let (repository, name) = (testbed.repository("publish-none"), testbed.unique("publish"));
    let project = project(&testbed, &repository, &name).file("imagedefinitions.json", "before");
    aws(&project, &["s3", "mb", &format!("s3://{name}")]);
    let project = project.role(&testbed.role_without(&["ssm:PutParameter"]));
    let told = project.run(&["run"]).failure(3);
    assert_snapshot!(errors(&told, &name), @"
    error: failed to publish to `ssm:/NAME/first`; nothing is published, and files and tags are put back; not published are `ssm:/NAME/second`, `s3://NAME/deploy.zip`
      caused by: access denied: User: [caller] is not authorized to perform: ssm:PutParameter on resource: arn:aws:ssm:ap-northeast-1:111111111111:parameter/NAME/first because no identity-based policy allows the ssm:PutParameter action
      hint: allow `ssm:PutParameter` to the role that publishes; `shipspec policy` prints all that is needed
    ");
    assert_eq!(project.read("imagedefinitions.json"), "before");
    assert!(!project.has("out"));
    assert!(
        !repository.tags().contains_key("latest") || told.stderr.contains("latest is not put back")
    );
}

#[test]
#[ignore = "needs the testbed"]
fn once_something_is_published_the_rest_stays_and_the_next_run_finishes_it() {
    let testbed = Testbed::current();
    let (repository, name) = (testbed.repository("publish-part"), testbed.unique("publish"));
    let project = project(&testbed, &repository, &name);
    aws(&project, &["s3", "mb", &format!("s3://{name}")]);
    let denied = testbed.role_without(&["s3:PutObject"]);
    let project = project.role(&denied);
    let told = project.run(&["run"]).failure(3);
    assert_snapshot!(errors(&told, &name), @"
    error: failed to publish to `s3://NAME/deploy.zip`; published are `ssm:/NAME/first`, `ssm:/NAME/second`; tags and files stay, because what is published names them
      caused by: access denied: User: [caller] is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::NAME/deploy.zip because no identity-based policy allows the s3:PutObject action
      hint: allow `s3:PutObject` to the role that publishes; `shipspec policy` prints all that is needed
    ");
    assert!(project.has("imagedefinitions.json"));
    assert_eq!(repository.tags()[SHORT], repository.tags()["latest"]);

    let all = testbed.default_role(shipspec_testbed::PRIMARY_ACCOUNT);
    let project = project.role(&all);
    let told = project.run(&["run"]).success();
    assert_eq!(told.stderr.matches("holds the same already").count(), 2, "{told}");
    assert!(told.stderr.contains("deploy.zip (new"), "{told}");
    assert!(told.stderr.contains("has put something out that is no release"), "{told}");
}

#[test]
#[ignore = "needs the testbed"]
fn what_cannot_be_looked_at_is_told_and_what_will_fail_stops_the_run() {
    let testbed = Testbed::current();
    let (repository, name) = (testbed.repository("publish-look"), testbed.unique("publish"));
    let project = project(&testbed, &repository, &name);
    testbed.put_parameter(&format!("/{name}/first"), "SecureString", "hunter2");
    let told = project.run(&["run"]).failure(3);
    assert_snapshot!(errors(&told, &name), @"
    error: cannot publish to `ssm:/NAME/first`
      caused by: the parameter `/NAME/first` is a `SecureString`, and a `String` would be written
      hint: say `secret: true` for this place, or publish to another name
    error: cannot publish to `s3://NAME/deploy.zip`
      caused by: there is no bucket `NAME`
      hint: check its name and the account; shipspec makes no buckets
    ");
    assert_untouched(&project, &repository);

    // A role that may write, and look at nothing.
    let name = testbed.unique("publish");
    let project = project.variable("NAME", &name);
    aws(&project, &["s3", "mb", &format!("s3://{name}")]);
    let blind = ["ssm:GetParameter", "s3:ListBucket", "s3:GetBucketVersioning", "s3:GetObject"];
    let project = project.role(&testbed.role_without(&blind));
    let told = project.run(&["run"]).success();
    let notes = shown(&told.stderr, &name);
    let about = |line: &&str| line.contains("not checked") || line.starts_with("published");
    let lines: Vec<_> = notes.lines().filter(about).collect();
    assert_snapshot!(lines.join("\n"), @"
    not checked: ssm:/NAME/first: what it holds (`ssm:GetParameter` is not allowed)
    not checked: ssm:/NAME/second: what it holds (`ssm:GetParameter` is not allowed)
    not checked: s3://NAME/deploy.zip: whether the bucket is there (`s3:ListBucket` is not allowed)
    not checked: whether `ssm:/NAME/first` holds the same already: access denied: User: [caller] is not authorized to perform: ssm:GetParameter on resource: arn:aws:ssm:ap-northeast-1:111111111111:parameter/NAME/first because no identity-based policy allows the ssm:GetParameter action
    published ssm:/NAME/first (written, version 1)
    not checked: whether `ssm:/NAME/second` holds the same already: access denied: User: [caller] is not authorized to perform: ssm:GetParameter on resource: arn:aws:ssm:us-east-1:111111111111:parameter/NAME/second because no identity-based policy allows the ssm:GetParameter action
    published ssm:/NAME/second (written, version 1)
    not checked: whether `s3://NAME/deploy.zip` holds the same already: access denied: S3 does not say what the object holds
    published s3://NAME/deploy.zip (written)
    ");
}

#[test]
#[ignore = "needs the testbed"]
fn a_secret_goes_into_a_secure_string_and_nowhere_else() {
    let testbed = Testbed::current();
    let name = testbed.unique("publish-secret");
    testbed.put_parameter(&format!("/{name}/password"), "SecureString", "hunter2-canary");
    let text = |publish: &str| {
        format!(
            "version: 1\nparameters: {{ PASSWORD: \"ssm:/{name}/password\" }}\nartifacts:\n  a.json:\n    json: {{ password: \"${{PASSWORD}}\" }}\n    allow_secrets: [PASSWORD]\n    publish: {publish}\n"
        )
    };
    let project = Project::in_testbed(&testbed).variable("AWS_REGION", PRIMARY_REGION);
    let place = format!("ssm:/{name}/out");
    let project = project.file("shipspec.yml", &text(&place));
    let told = project.run(&["render", "--publish"]).failure(2);
    assert!(told.stderr.contains("would stand there in plain text"), "{told}");
    assert_eq!(parameter(&testbed, PRIMARY_REGION, &format!("/{name}/out")), None);

    let project =
        project.file("shipspec.yml", &text(&format!("{{ to: \"{place}\", secret: true }}")));
    let told = project.run(&["render", "--publish"]).success();
    assert!(!told.to_string().contains("hunter2-canary"), "{told}");
    let written = parameter(&testbed, PRIMARY_REGION, &format!("/{name}/out")).unwrap();
    assert_eq!(written["Type"], "SecureString");
    assert_eq!(written["Value"], r#"{"password":"hunter2-canary"}"#);
}

#[test]
fn what_no_place_takes_is_found_without_asking_anybody() {
    let check = |artifact: &str, publish: &str| {
        let text = format!("version: 1\nartifacts:\n  {artifact}\n    publish: {publish}\n");
        let project = Project::new().file("shipspec.yml", &text).file("big.tpl", &"x".repeat(9000));
        let project = project.file("empty.tpl", "").file("a.json", "{}");
        project.variable("AWS_REGION", "eu-west-1").variable("NAME", "a").run(&["check"])
    };
    let json = "a.json:\n    json: {}";
    for (artifact, publish, part) in [
        (json, "ssm:/aws/x", "AWS's own"),
        (json, "s3://Bucket/x", "no name of a bucket"),
        (json, "[ssm:/x, ssm:/x]", "and so is another"),
        ("a.txt:\n    template: big.tpl", "ssm:/x", "9000 bytes"),
        (
            "a.json:\n    json: {}\n    when: \"no\"\n  a.zip:\n    zip: [a.json]",
            "\"s3://bucket/x\"",
            "its `when:` says so",
        ),
        (
            "./${NAME}.json:\n    json: {}\n    when: \"no\"\n  a.zip:\n    zip: [a.json]",
            "\"s3://bucket/x\"",
            "its `when:` says so",
        ),
        (json, "[ssm:/x, { to: ssm:/x, region: eu-west-1 }]", "and so is another"),
        (
            json,
            "[\"s3://bucket/x\", { to: \"s3://bucket/x\", region: eu-west-1 }]",
            "and so is another",
        ),
        ("b.txt:\n    template: empty.tpl", "ssm:/x", "it is empty"),
        ("b.txt:\n    text: \"{{x}} ${UNKNOWN_HERE}\"", "ssm:/x", "it holds `{{`"),
        ("a.zip:\n    zip: [a.json]", "ssm:/x", "this is a zip"),
        ("a.zip:\n    zip: [nothing.json]", "\"s3://bucket/x\"", "no artifact, and no file"),
    ] {
        let told = check(artifact, publish).failure(6);
        assert!(told.to_string().contains(part), "{told}");
    }
    check(json, "ssm:/${STAGE}/x").success();
    check(json, "[ssm:/x, { to: ssm:/x, region: eu-west-2 }]").success();
    check("b.txt:\n    text: \"${UNKNOWN_HERE}\"", "ssm:/x").success();
}

#[test]
fn the_policy_has_what_publishing_needs() {
    let project = Project::new().variable("AWS_REGION", "eu-west-1").file(
        "shipspec.yml",
        "version: 1\nartifacts:\n  a.json:\n    json: {}\n    publish: [ssm:/shop/a, \"s3://shop/a.json\", { to: ssm:/shop/b, role: \"arn:aws:iam::222222222222:role/writer\" }]\n",
    );
    let policy = project.run(&["policy", "--account", "111111111111"]).success().stdout;
    assert_snapshot!(policy, @r#"
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "PublishedParameters",
          "Effect": "Allow",
          "Action": [
            "ssm:GetParameter",
            "ssm:PutParameter"
          ],
          "Resource": [
            "arn:aws:ssm:eu-west-1:111111111111:parameter/shop/a"
          ]
        },
        {
          "Sid": "PublishedObjects",
          "Effect": "Allow",
          "Action": [
            "s3:GetObject",
            "s3:PutObject"
          ],
          "Resource": [
            "arn:aws:s3:::shop/a.json"
          ]
        },
        {
          "Sid": "PublishedBuckets",
          "Effect": "Allow",
          "Action": [
            "s3:GetBucketVersioning",
            "s3:ListBucket"
          ],
          "Resource": [
            "arn:aws:s3:::shop"
          ]
        },
        {
          "Sid": "PublishingRoles",
          "Effect": "Allow",
          "Action": "sts:AssumeRole",
          "Resource": [
            "arn:aws:iam::222222222222:role/writer"
          ]
        }
      ]
    }
    "#);
}
