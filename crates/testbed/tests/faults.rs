//! Every fault, as a client meets it.

mod common;

use std::time::Duration;

use common::{ecr, manifest, registry, sha256, token, upload};
use serde_json::json;
use shipspec_testbed::{Fault, PRIMARY_ACCOUNT, PRIMARY_REGION, TestRepository, Testbed};

/// A repository that holds an image under `v1`, and a token.
fn stocked(testbed: &Testbed) -> (TestRepository, String, Vec<u8>) {
    let token = token(&testbed.default_role(PRIMARY_ACCOUNT), PRIMARY_REGION);
    let repository = testbed.repository("faults");
    let bytes = manifest(&repository, &token, &"content ".repeat(1000));
    assert_eq!(
        registry(&repository, &token, "PUT", "manifests/v1", &bytes).expect("an answer").status,
        201
    );
    (repository, token, bytes)
}

#[test]
#[ignore = "needs the testbed"]
fn answers_in_place_of_the_service() {
    let testbed = Testbed::current();
    let (repository, token, bytes) = stocked(&testbed);
    let get = || registry(&repository, &token, "GET", "manifests/v1", b"").expect("an answer");

    repository.fault(Fault::throttle_for(7).on("manifest-get"));
    let answer = get();
    assert_eq!((answer.status, answer.error().0.as_str()), (429, "TOOMANYREQUESTS"));
    assert_eq!(answer.header("retry-after"), "7");
    assert_eq!(get().body, bytes, "a fault fires once");

    repository.fault(Fault::html(502).times(2));
    assert_eq!((get().status, get().status, get().status), (502, 502, 200));

    repository.fault(Fault::registry_error(500, "UNKNOWN", "what").on("manifest-*"));
    assert_eq!(get().error(), ("UNKNOWN".to_owned(), "what".to_owned()));

    repository.fault(Fault::unauthorized());
    assert_eq!(get().status, 401);
    repository.fault(Fault::expired_token().always());
    assert_eq!((get().status, get().status), (403, 403));
    repository.clear_faults();
    assert_eq!(get().status, 200);

    repository.fault(Fault::wrong_digest());
    let wrong = get();
    assert_ne!(wrong.header("docker-content-digest"), sha256(&bytes));
    assert_eq!(wrong.body, bytes);

    repository.fault(Fault::delay(300).on("manifest-get").times(1));
    repository.fault(Fault::throttle());
    let slow = get();
    assert!(slow.time >= Duration::from_millis(300), "{:?}", slow.time);
    assert_eq!(slow.status, 429, "a delay goes together with another fault");
}

#[test]
#[ignore = "needs the testbed"]
fn connections_end_too_early() {
    let testbed = Testbed::current();
    let (repository, token, bytes) = stocked(&testbed);
    let get = || registry(&repository, &token, "GET", "manifests/v1", b"");

    repository.fault(Fault::reset_response(100));
    let error = get().expect_err("a reset");
    assert!(error.contains("reset"), "{error}");

    repository.fault(Fault::truncate(100));
    let error = get().expect_err("an early end");
    assert!(!error.contains("reset"), "{error}");

    repository.fault(Fault::reset_request(64 * 1024).on("upload-part"));
    let error = upload(&repository, &token, &vec![7; 4 * 1024 * 1024]).expect_err("a reset");
    assert!(error.contains("reset") || error.contains("roken pipe"), "{error}");
    let part = repository
        .requests()
        .into_iter()
        .find(|request| request.status == 0 && request.kind == "upload-part");
    let read = part.expect("the part").request_bytes;
    assert!((64 * 1024..4 * 1024 * 1024).contains(&read), "{read}");

    repository.fault(Fault::killed());
    for _ in 0..3 {
        get().expect_err("nobody is there");
    }
    repository.clear_faults();
    assert_eq!(get().expect("an answer").body, bytes);
}

#[test]
#[ignore = "needs the testbed"]
fn faults_of_the_api_meet_a_role_or_a_repository() {
    let testbed = Testbed::current();
    let (repository, _token, _bytes) = stocked(&testbed);
    let (unlucky, lucky) = (testbed.role(&["*"]), testbed.role(&["*"]));
    unlucky.fault(Fault::throttle().on("api:GetAuthorizationToken"));
    assert_eq!(ecr(&lucky, "GetAuthorizationToken", &json!({})).status, 200);
    assert_eq!(
        ecr(&unlucky, "GetAuthorizationToken", &json!({})).json()["__type"],
        "ThrottlingException"
    );
    assert_eq!(ecr(&unlucky, "GetAuthorizationToken", &json!({})).status, 200);

    unlucky.fault(Fault::api_error(400, "ExpiredTokenException", "too old"));
    assert_eq!(
        ecr(&unlucky, "DescribeRepositories", &json!({})).json()["__type"],
        "ExpiredTokenException"
    );

    repository.fault(
        Fault::api_error(400, "LimitExceededException", "too many").on("api:DescribeImages"),
    );
    let input = json!({ "repositoryName": repository.name() });
    assert_eq!(ecr(&lucky, "DescribeImages", &input).json()["__type"], "LimitExceededException");
    assert_eq!(ecr(&lucky, "DescribeImages", &input).status, 200);
}
