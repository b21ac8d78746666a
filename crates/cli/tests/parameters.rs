//! Parameters and secrets as a user meets them: where they come from, and where they may not go.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::Project;
use insta::assert_snapshot;
use serde_json::{Value, json};
use shipspec_testbed::{
    Fault, OTHER_ACCOUNT, OTHER_REGION, PRIMARY_ACCOUNT, PRIMARY_REGION, Role, Testbed,
};

/// What no byte of any output may hold.
const CANARY: &str = "hunter2 \"quoted\" canary/+é";

/// Parameters of a test, under a path that no other test has.
struct Store {
    testbed: Testbed,
    path: String,
}

impl Store {
    fn new() -> Self {
        let testbed = Testbed::current();
        let path = format!("/{}", testbed.unique("app"));
        Self { testbed, path }
    }

    fn with(self, name: &str, kind: &str, value: &str) -> Self {
        self.testbed.put_parameter(&format!("{}/{name}", self.path), kind, value);
        self
    }

    /// A project with this shipspec.yml, in which `PATH` stands for the path of the store.
    fn project(&self, shipspec: &str) -> Project {
        let shipspec = format!("version: 1\n{}", shipspec.replace("PATH", &self.path));
        Project::in_testbed(&self.testbed).file("shipspec.yml", &shipspec)
    }

    /// What `json` comes to, with these parameters.
    fn rendered(&self, parameters: &str, json: &str) -> String {
        let project = self.project(&format!(
            "parameters:\n{parameters}artifacts:\n  a.json: {{ json: {json} }}\n"
        ));
        project.run(&["render"]).success();
        project.read("a.json")
    }
}

fn kinds(role: &Role) -> Vec<String> {
    let mut kinds: Vec<_> = role.requests().into_iter().map(|request| request.kind).collect();
    kinds.sort();
    kinds
}

#[test]
#[ignore = "needs the testbed"]
fn every_source_gives_its_value() {
    let store = Store::new()
        .with("plain", "String", "one")
        .with("plain", "String", "two")
        .with("list", "StringList", "a,b,c")
        .with("json", "String", r#"{"host": "h", "ports": [1, 2]}"#)
        .with("db/host", "String", "db.example")
        .with("db/port", "String", "5432");
    let secret = store
        .testbed
        .put_secret(store.path.trim_start_matches('/'), r#"{"token": "t0ken", "n": 7}"#);
    let id = store.path.trim_start_matches('/');
    let arn =
        format!("arn:aws:ssm:{PRIMARY_REGION}:{PRIMARY_ACCOUNT}:parameter{}/plain", store.path);
    let parameters = format!(
        "  NOW: ssm:PATH/plain\n  OLD: ssm:PATH/plain:1\n  BY_ARN: ssm:{arn}\n  LIST: ssm:PATH/list\n  \
         TEXT: {{ from: \"ssm:PATH/list\", type: string }}\n  JSON: {{ from: \"ssm:PATH/json\", type: json }}\n  \
         KEYED: ssm:PATH/json\n  app: ssm:PATH/\n  GONE: {{ from: \"ssm:PATH/none\", default: \"${{NOW}}!\" }}\n  \
         TOKEN: secretsmanager:{id}:token\n  WHOLE: {secret}\n"
    );
    let json = r#"{ a: "${NOW} ${OLD} ${BY_ARN}", b: "${LIST}", c: "${TEXT}", d: "${JSON.ports}", e: "${KEYED.host}", f: "${app.db.host}:${app.db.port}" }"#;
    assert_eq!(
        store.rendered(
            &parameters.replace("${NOW}!", "fallback"),
            &format!("{{ x: {json}, g: \"${{GONE}}\" }}")
        ),
        r#"{"x":{"a":"two one two","b":["a","b","c"],"c":"a,b,c","d":[1,2],"e":"h","f":"db.example:5432"},"g":"fallback"}"#
    );
    let shipspec = format!(
        "parameters:\n{}artifacts:\n  a.json: {{ json: {{ t: \"${{TOKEN}} ${{WHOLE.n}}\" }}, allow_secrets: [TOKEN, WHOLE] }}\n",
        parameters.replace("${NOW}!", "x")
    );
    let project = store.project(&shipspec);
    let told = project.run(&["render"]).success();
    assert_eq!(project.read("a.json"), r#"{"t":"t0ken 7"}"#);
    assert!(
        told.stderr.contains("wrote a.json, with `TOKEN`, `WHOLE` in plain text (`allow_secrets`)"),
        "{told}"
    );
}

#[test]
#[ignore = "needs the testbed"]
fn each_parameter_is_asked_for_once_in_as_few_requests_as_can_be() {
    let mut store = Store::new();
    let mut parameters = String::new();
    for index in 0..21 {
        store = store.with(&format!("p{index}"), "String", "v");
        // Two names for one parameter are one question.
        parameters.extend(["A", "B"].map(|name| format!("  {name}{index}: ssm:PATH/p{index}\n")));
    }
    let id = store.path.trim_start_matches('/').to_owned();
    let _ = store.testbed.put_secret(&id, r#"{"a": "1", "b": "2"}"#);
    parameters.push_str("  all: ssm:PATH/\n");
    parameters.extend(["a", "b"].map(|key| format!("  S{key}: secretsmanager:{id}:{key}\n")));
    let actions = ["ssm:GetParameters", "ssm:GetParametersByPath", "secretsmanager:GetSecretValue"];
    let role = store.testbed.role(&actions);
    let shipspec = format!(
        "parameters:\n{parameters}artifacts:\n  a.json: {{ json: {{ v: \"${{A20}}${{all.p3}}\" }} }}\n"
    );
    store.project(&shipspec).role(&role).run(&["render"]).success();
    assert_eq!(
        kinds(&role),
        [
            "secretsmanager:GetSecretValue",
            "ssm:GetParameters",
            "ssm:GetParameters",
            "ssm:GetParameters",
            "ssm:GetParametersByPath",
            "ssm:GetParametersByPath",
            "ssm:GetParametersByPath",
        ]
    );
}

#[test]
#[ignore = "needs the testbed"]
fn another_region_and_another_account_are_read_with_a_role() {
    let store = Store::new();
    let name = format!("{}/x", store.path);
    store.testbed.put_parameter_in(OTHER_REGION, &name, "String", "elsewhere");
    let input = json!({ "Name": name, "Type": "String", "Value": "theirs" });
    store.testbed.call_in(OTHER_ACCOUNT, "ssm", PRIMARY_REGION, "AmazonSSM.PutParameter", &input);
    let role = format!("arn:aws:iam::{OTHER_ACCOUNT}:role/reader");
    let parameters = format!(
        "  THERE: {{ from: \"ssm:PATH/x\", region: {OTHER_REGION} }}\n  \
         THEIRS: {{ from: \"ssm:PATH/x\", role: \"{role}\", external_id: shop }}\n"
    );
    assert_eq!(
        store.rendered(
            &parameters,
            "{ a: \"${THERE}\", b: \"${THEIRS}\", c: \"${arn('THEIRS')}\" }"
        ),
        format!(
            "{{\"a\":\"elsewhere\",\"b\":\"theirs\",\"c\":\"arn:aws:ssm:{PRIMARY_REGION}:{OTHER_ACCOUNT}:parameter{name}\"}}"
        )
    );
}

#[test]
#[ignore = "needs the testbed"]
fn names_that_are_not_there_are_told_together_with_the_nearest() {
    let store = Store::new().with("rds-pass", "SecureString", CANARY).with("host", "String", "h");
    let shipspec = "parameters:\n  A: ssm:PATH/rds_pass\n  B: ssm:PATH/hots\n  C: ssm:PATH/nothing-like-it\n  D: secretsmanager:none\nartifacts:\n  a.json: { json: {} }\n";
    let told = store.project(shipspec).run(&["render"]).failure(3);
    let path = &store.path;
    for part in [
        format!("`ssm:{path}/rds_pass` (there is `ssm:{path}/rds-pass`)"),
        format!("`ssm:{path}/hots` (there is `ssm:{path}/host`)"),
        format!("`ssm:{path}/nothing-like-it`,"),
        "`secretsmanager:none`".into(),
    ] {
        assert!(told.stderr.contains(&part), "{part}\n{told}");
    }
    // Whoever may not list names gets the error without advice.
    let role = store.testbed.role(&["ssm:GetParameters", "secretsmanager:GetSecretValue"]);
    let told = store.project(shipspec).role(&role).run(&["render"]).failure(3);
    assert!(told.stderr.contains(&format!("`ssm:{path}/rds_pass`, `ssm:{path}/hots`")), "{told}");
}

#[test]
#[ignore = "needs the testbed"]
fn refusals_of_aws_say_what_to_allow() {
    let store = Store::new().with("a", "String", "v");
    let shipspec =
        "parameters: { A: \"ssm:PATH/a\" }\nartifacts: { a.json: { json: { a: \"${A}\" } } }\n";
    let run = |fault: Fault| {
        let role = store.testbed.role(&["ssm:*"]);
        role.fault(fault.on("ssm:GetParameters").always());
        store.project(shipspec).role(&role).run(&["render"]).failure(3)
    };
    let kms = "User: arn:aws:sts::1:assumed-role/r is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext because no identity-based policy allows it";
    let denied = run(Fault::api_error(400, "AccessDeniedException", kms));
    assert!(denied.stderr.contains("hint: allow `kms:Decrypt` to the role"), "{denied}");
    let expired = run(Fault::api_error(
        400,
        "ExpiredTokenException",
        "The security token included in the request is expired",
    ));
    assert!(expired.stderr.contains("no valid AWS credentials to read parameters"), "{expired}");
    let wrong = run(Fault::api_error(400, "ValidationException", "1 validation error"));
    assert!(
        wrong
            .stderr
            .contains("failed to read parameters from SSM Parameter Store: 1 validation error"),
        "{wrong}"
    );
    assert!(!wrong.stderr.contains("the network"), "{wrong}");
}

#[test]
#[ignore = "needs the testbed"]
fn throttling_is_waited_for() {
    let store = Store::new().with("a", "String", "v");
    let role = store.testbed.role(&["ssm:*"]);
    role.fault(
        Fault::api_error(400, "ThrottlingException", "Rate exceeded")
            .on("ssm:GetParameters")
            .times(2),
    );
    let shipspec =
        "parameters: { A: \"ssm:PATH/a\" }\nartifacts: { a.json: { json: { a: \"${A}\" } } }\n";
    store.project(shipspec).role(&role).run(&["render"]).success();
    assert_eq!(role.requests().len(), 3);
}

#[test]
#[ignore = "needs the testbed"]
fn a_page_may_be_empty_and_have_another_behind_it() {
    let store = Store::new().with("a", "String", "v");
    let role = store.testbed.role(&["ssm:*"]);
    let empty = json!({ "Parameters": [], "NextToken": "0" }).to_string();
    let page = Fault::answer(200, "application/x-amz-json-1.1", &empty);
    role.fault(page.on("ssm:GetParametersByPath"));
    let shipspec = "parameters: { app: \"ssm:PATH/\" }\nartifacts: { a.json: { json: { a: \"${app.a}\" } } }\n";
    let project = store.project(shipspec).role(&role);
    project.run(&["render"]).success();
    assert_eq!(project.read("a.json"), r#"{"a":"v"}"#);
    assert_eq!(role.requests().len(), 2);
}

#[test]
#[ignore = "needs the testbed"]
fn values_that_are_not_what_they_should_be_are_told_and_not_shown() {
    let store = Store::new()
        .with("text", "SecureString", CANARY)
        .with("db", "String", "x")
        .with("db/host", "String", "h");
    let id = store.path.trim_start_matches('/').to_owned();
    let _ = store.testbed.put_secret(&id, r#"{"token": "x"}"#);
    let binary = format!("{id}-binary");
    let input = json!({ "Name": binary, "SecretBinary": "AAEC" });
    store.testbed.call("secretsmanager", PRIMARY_REGION, "secretsmanager.CreateSecret", &input);
    for (parameter, json, message) in [
        (
            "{ from: \"ssm:PATH/text\", type: json }".to_owned(),
            "{}",
            "the value of `P` is no JSON (line 1 column 1)",
        ),
        (
            "ssm:PATH/text".into(),
            "{ a: \"${P.key}\" }",
            "`P` is no JSON, so there is no `key` in it",
        ),
        (format!("secretsmanager:{id}:tokn"), "{}", "has no key `tokn`; there is `token`"),
        (format!("secretsmanager:{binary}"), "{}", "holds binary data, which no text can carry"),
        ("ssm:PATH/".into(), "{}", "holds `db"),
    ] {
        let shipspec = format!(
            "parameters: {{ P: {} }}\nartifacts: {{ a.json: {{ json: {json} }} }}\n",
            if parameter.starts_with('{') { parameter } else { format!("\"{parameter}\"") }
        );
        let told = store.project(&shipspec).run(&["render"]);
        assert!(told.code == 2 || told.code == 3, "{told}");
        assert!(told.stderr.contains(message), "{message}\n{told}");
        assert_no_canary(&told.to_string(), &shipspec);
    }
}

#[test]
#[ignore = "needs the testbed"]
fn a_secret_is_refused_in_an_artifact_however_it_comes_there() {
    let store =
        Store::new().with("db/password", "SecureString", CANARY).with("db/host", "String", "h");
    let run = |artifact: &str| {
        let shipspec = format!(
            "parameters: {{ app: \"ssm:PATH/\" }}\nvariables: {{ URL: \"x://${{app.db.password}}@${{app.db.host}}\" }}\nartifacts: {{ a.json: {artifact} }}\n"
        );
        let project = store.project(&shipspec).variable("COPY", CANARY);
        let outcome = project.run(&["render"]);
        assert_no_canary(&outcome.to_string(), artifact);
        assert_eq!(outcome.code == 0, project.has("a.json"), "{outcome}");
        outcome
    };
    run("{ json: { host: \"${app.db.host}\" } }").success();
    for secret in [
        "{ json: { p: \"${URL}\" } }",
        "{ json: { p: \"${app.db | json}\" } }",
        "{ json: { p: \"${app.db.password | b64encode}\" } }",
    ] {
        let told = run(secret).failure(2);
        assert!(
            told.stderr
                .contains("`app.db.password` is secret and would stand in `a.json` in plain text"),
            "{told}"
        );
        assert!(told.stderr.contains(r#""valueFrom": "${arn('app.db.password')}""#), "{told}");
    }
    // The same value from a source of which nobody knows that it is secret.
    for copy in ["{ json: { p: \"x${COPY}\" } }", "{ json: { p: \"${COPY | b64encode}\" } }"] {
        let told = run(copy).failure(2);
        assert!(
            told.stderr.contains("the value of the secret `app.db.password` stands in `a.json`"),
            "{told}"
        );
    }
    run("{ json: { p: \"${app.db.password}\" }, allow_secrets: [app] }").success();
    let printed = store.project("parameters: { app: \"ssm:PATH/\" }\nartifacts: { a.json: { json: { p: \"${app.db.password}\" }, allow_secrets: [app.db.password] } }\n");
    let told = printed.run(&["render", "--stdout"]).failure(2);
    assert!(told.stderr.contains("`a.json` holds a secret, and is not printed"), "{told}");
}

#[test]
#[ignore = "needs the testbed"]
fn a_secret_stays_one_under_another_name() {
    let store = Store::new()
        .with("db", "SecureString", r#"{"engine": "postgres", "password": "hunter2"}"#)
        .with("dir/db.password", "SecureString", CANARY)
        .with("dir/host", "String", "h");
    let run = |json: &str| {
        let shipspec = format!(
            "parameters: {{ DB: \"ssm:PATH/db\", dir: \"ssm:PATH/dir/\" }}\nvariables: {{ CFG: \"${{DB}}\", ALIAS: \"${{dir}}\" }}\nartifacts: {{ a.json: {json} }}\n"
        );
        store.project(&shipspec).variable("COPY", CANARY).run(&["render"])
    };
    for secret in
        ["{ json: { p: \"${CFG.password}\" } }", "{ json: { p: \"${ALIAS['db.password']}\" } }"]
    {
        let told = run(secret).failure(2);
        assert!(
            told.stderr.contains("is secret and would stand in `a.json` in plain text"),
            "{told}"
        );
    }
    // A key with a dot in it is found too, and a plain word beside a password is not refused.
    let told = run("{ json: { p: \"${COPY}\" } }").failure(2);
    assert!(told.stderr.contains("the value of the secret `dir.db.password` stands in"), "{told}");
    run("{ json: { image: \"postgres:16\", host: \"${dir.host}\" } }").success();
}

#[test]
#[ignore = "needs the testbed"]
fn an_arn_is_made_without_reading_the_value() {
    let store = Store::new().with("password", "SecureString", CANARY);
    let id = store.path.trim_start_matches('/').to_owned();
    let secret = store.testbed.put_secret(&id, r#"{"key": "x"}"#);
    let template = r#"{"secrets": [{"name": "A", "valueFrom": "${arn('A')}"}, {"name": "B", "valueFrom": "${arn('B')}"}, {"name": "C", "valueFrom": "${arn('app.password')}"}]}"#;
    let shipspec = format!(
        "parameters: {{ A: \"ssm:PATH/password\", B: \"secretsmanager:{id}:key\", app: \"ssm:PATH/\" }}\nartifacts: {{ a.json: t.json }}\n"
    );
    let role = store.testbed.role(&["secretsmanager:DescribeSecret"]);
    let project = store.project(&shipspec).file("t.json", template).role(&role);
    project.run(&["render"]).success();
    let written: Value = serde_json::from_str(&project.read("a.json")).unwrap();
    let arn =
        format!("arn:aws:ssm:{PRIMARY_REGION}:{PRIMARY_ACCOUNT}:parameter{}/password", store.path);
    let found: Vec<_> =
        (0..3).map(|index| written["secrets"][index]["valueFrom"].as_str().unwrap()).collect();
    assert_eq!(found, [&*arn, &*format!("{secret}:key::"), &*arn]);
    let asked = kinds(&role);
    assert!(
        asked
            .iter()
            .all(|kind| kind == "secretsmanager:DescribeSecret" || kind == "sts:GetCallerIdentity"),
        "{asked:?}"
    );
    // In CodeBuild the build's own ARN tells the account, and nobody is asked.
    let silent = store.testbed.role(&[]);
    let build = format!("arn:aws:codebuild:{PRIMARY_REGION}:{PRIMARY_ACCOUNT}:build/x:1");
    let project = store.project("parameters: { A: \"ssm:PATH/password\" }\nartifacts: { a.json: { json: { a: \"${arn('A')}\" } } }\n");
    let project = project.role(&silent).variable("CODEBUILD_BUILD_ARN", &build);
    project.run(&["render"]).success();
    assert_eq!(silent.requests().len(), 0);
    assert_eq!(project.read("a.json"), format!("{{\"a\":\"{arn}\"}}"));
}

#[test]
fn a_file_answers_instead_of_aws() {
    let shipspec = "version: 1\nparameters:\n  HOST: ssm:/shop/host\n  PASSWORD: { from: \"ssm:/shop/password\", secret: true }\n  app: ssm:/shop/\nartifacts:\n  a.json: { json: { host: \"${HOST}\", port: \"${app.db.port}\" } }\n";
    let project = Project::new().file("shipspec.yml", shipspec).file(
        "p.json",
        r#"{"/shop/host": "h", "PASSWORD": "hunter2-canary", "/shop/db/port": "1"}"#,
    );
    project.run(&["render", "--parameters", "p.json"]).success();
    assert_eq!(project.read("a.json"), r#"{"host":"h","port":"1"}"#);
    let listed = r#"{"Parameters": [{"Name": "/shop/key", "Type": "SecureString", "Value": "x", "Version": 1, "ARN": "arn:aws:ssm:eu-west-1:111111111111:parameter/shop/key"}]}"#;
    let asking = Project::new()
        .file("shipspec.yml", "version: 1\nparameters: { KEY: \"ssm:/shop/key\" }\nartifacts: { a.json: { json: { a: \"${arn('KEY')}\" } } }\n")
        .file("p.json", listed);
    asking.run(&["render", "--parameters", "p.json"]).success();
    assert_eq!(
        asking.read("a.json"),
        r#"{"a":"arn:aws:ssm:eu-west-1:111111111111:parameter/shop/key"}"#
    );
    let project = project.file("p.env", "HOST=h\n");
    assert_snapshot!(project.run(&["render", "--parameters", "p.env"]).failure(3), @"
    exit: 3
    --- stdout
    --- stderr
    error: the file of `--parameters` has no value for `ssm:/shop/password`, `ssm:/shop/`
      hint: write them there by these names, or by those that shipspec.yml gives them
    ");
}

#[test]
fn without_a_network_it_fails_in_seconds() {
    let project = Project::new()
        .file(
            "shipspec.yml",
            "version: 1\nparameters: { A: \"ssm:/a\" }\nartifacts: { a.json: { json: {} } }\n",
        )
        .variable("AWS_ACCESS_KEY_ID", "AKIATEST")
        .variable("AWS_SECRET_ACCESS_KEY", "x")
        .variable("AWS_REGION", "eu-west-1")
        .variable("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:9");
    let start = std::time::Instant::now();
    let told = project.run(&["render"]).failure(3);
    assert!(told.stderr.contains("failed to read parameters from SSM Parameter Store: "), "{told}");
    assert!(told.stderr.contains("hint: check the region (`AWS_REGION`), the network"), "{told}");
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

#[test]
#[ignore = "needs the testbed"]
fn the_policy_names_all_that_is_read() {
    let shipspec = "version: 1\nparameters:\n  A: ssm:/shop/a:3\n  app: ssm:/shop/dev/\n  B: secretsmanager:hub:token\n  ONLY: ssm:/shop/only\n  THEIRS: { from: \"ssm:/x\", role: \"arn:aws:iam::222222222222:role/reader\" }\nartifacts:\n  a.json: { json: { a: \"${arn('ONLY')}\" } }\n";
    let project = Project::new().file("shipspec.yml", shipspec);
    let told =
        project.run(&["policy", "--account", "111111111111", "--region", "eu-west-1"]).success();
    let policy: Value = serde_json::from_str(&told.stdout).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let line = |statement: &Value| format!("{} {}", statement["Action"], statement["Resource"]);
    let lines: Vec<_> = statements.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            r#""ssm:GetParameters" ["arn:aws:ssm:eu-west-1:111111111111:parameter/shop/a"]"#,
            r#""ssm:GetParametersByPath" ["arn:aws:ssm:eu-west-1:111111111111:parameter/shop/dev"]"#,
            r#""secretsmanager:GetSecretValue" ["arn:aws:secretsmanager:eu-west-1:111111111111:secret:hub-??????"]"#,
            r#""sts:AssumeRole" ["arn:aws:iam::222222222222:role/reader"]"#,
            r#""kms:Decrypt" "*""#,
            r#""kms:Decrypt" "*""#,
        ]
    );
}

/// No form of the canary stands in a text.
fn assert_no_canary(text: &str, what: &str) {
    for form in common::forms_of(CANARY) {
        assert!(!text.contains(&form), "{what}: {form:?} stands in\n{text}");
    }
}
