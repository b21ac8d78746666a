//! The registry protocol, off the wire.

mod common;

use common::{https, manifest, registry, sha256, token, upload};
use shipspec_testbed::{
    Mutability, OTHER_ACCOUNT, OTHER_REGION, PRIMARY_ACCOUNT, PRIMARY_REGION, Testbed,
};

#[test]
#[ignore = "needs the testbed"]
fn who_has_no_credentials_is_told_how_to_get_in() {
    let testbed = Testbed::current();
    let registry = testbed.repository("anonymous").registry();
    let answer = https("GET", &format!("https://{registry}/v2/"), &[], "").expect("an answer");
    assert_eq!(answer.status, 401);
    let challenge = format!("Basic realm=\"https://{registry}/\",service=\"ecr.amazonaws.com\"");
    assert_eq!(answer.header("www-authenticate"), challenge);

    let wrong = [("authorization", "Basic QVdTOnRlc3Q=")];
    let answer = https("GET", &format!("https://{registry}/v2/"), &wrong, "").expect("an answer");
    assert_eq!((answer.status, answer.error().0.as_str()), (400, "DENIED"));
}

#[test]
#[ignore = "needs the testbed"]
fn a_token_opens_the_registries_of_its_region() {
    let testbed = Testbed::current();
    let role = testbed.default_role(PRIMARY_ACCOUNT);
    let here = testbed.repository("here");
    let there = testbed.repository_builder("there").region(OTHER_REGION).create();
    let token = token(&role, PRIMARY_REGION);
    assert_eq!(registry(&here, &token, "GET", "tags/list", b"").expect("an answer").status, 200);
    assert_eq!(registry(&there, &token, "GET", "tags/list", b"").expect("an answer").status, 403);
}

#[test]
#[ignore = "needs the testbed"]
fn accounts_and_regions_do_not_share_repositories() {
    let testbed = Testbed::current();
    let name = testbed.unique("same");
    let token = token(&testbed.default_role(PRIMARY_ACCOUNT), PRIMARY_REGION);
    let mine = testbed.repository_builder("").name(&name).create();
    let theirs = testbed.repository_builder("").name(&name).account(OTHER_ACCOUNT).create();
    let digest = upload(&mine, &token, b"a layer").expect("an upload");
    let head = |repository| {
        registry(repository, &token, "HEAD", &format!("blobs/{digest}"), b"").expect("an answer")
    };
    assert_eq!(head(&mine).status, 200);
    assert_eq!(head(&theirs).status, 404);
}

#[test]
#[ignore = "needs the testbed"]
fn a_layer_is_fetched_from_a_bucket_without_credentials() {
    let testbed = Testbed::current();
    let role = testbed.default_role(PRIMARY_ACCOUNT);
    let token = token(&role, PRIMARY_REGION);
    let repository = testbed.repository("layers");
    let content = b"the layer's bytes";
    let digest = upload(&repository, &token, content).expect("an upload");
    let answer =
        registry(&repository, &token, "GET", &format!("blobs/{digest}"), b"").expect("an answer");
    assert_eq!(answer.status, 307);
    let address = answer.header("location");
    assert!(
        address.starts_with("https://prod-ap-northeast-1-starport-layer-bucket.s3."),
        "{address}"
    );
    assert_eq!(https("GET", address, &[], "").expect("an answer").body, content);
    let refused = https("GET", address, &[("authorization", &token)], "").expect("an answer");
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("<Code>InvalidArgument</Code>"), "{}", refused.text());
    assert!(
        repository
            .requests()
            .iter()
            .any(|request| request.kind == "layer-get" && request.response_bytes == 17)
    );
}

#[test]
#[ignore = "needs the testbed"]
fn manifests_obey_the_rule_for_tags() {
    let testbed = Testbed::current();
    let token = token(&testbed.default_role(PRIMARY_ACCOUNT), PRIMARY_REGION);
    let repository = testbed.repository_builder("rules").immutable().create();
    let first = manifest(&repository, &token, "one");
    let second = manifest(&repository, &token, "two");
    let put = |reference: &str, manifest: &[u8]| {
        registry(&repository, &token, "PUT", &format!("manifests/{reference}"), manifest)
            .expect("an answer")
    };
    let answer = put("v1", &first);
    assert_eq!(
        (answer.status, answer.header("docker-content-digest")),
        (201, sha256(&first).as_str())
    );
    for manifest in [&first, &second] {
        let answer = put("v1", manifest);
        let (code, message) = answer.error();
        assert_eq!((answer.status, code.as_str()), (400, "TAG_INVALID"));
        assert!(
            message.ends_with("cannot be overwritten because the tag is immutable."),
            "{message}"
        );
    }
    assert_eq!(put(&sha256(&second), &second).status, 201, "a digest is no tag");
    repository.set_mutability(Mutability::ImmutableWithExclusion, &["latest*"]);
    assert_eq!(put("latest-1", &first).status, 201);
    assert_eq!(put("latest-1", &second).status, 201);
    assert_eq!(put("v1", &second).status, 400);
    assert_eq!(repository.tags()["latest-1"], sha256(&second));
    assert_eq!(repository.manifest("v1"), first);

    let list = registry(&repository, &token, "GET", "tags/list?n=1", b"").expect("an answer");
    assert_eq!(list.json()["tags"], serde_json::json!(["latest-1"]));
    assert!(list.header("link").contains("last=latest-1"));
}

#[test]
#[ignore = "needs the testbed"]
fn a_manifest_whose_layers_are_absent_is_refused() {
    let testbed = Testbed::current();
    let token = token(&testbed.default_role(PRIMARY_ACCOUNT), PRIMARY_REGION);
    let (full, empty) = (testbed.repository("full"), testbed.repository("empty"));
    let manifest = manifest(&full, &token, "layers of another repository");
    let answer = registry(&empty, &token, "PUT", "manifests/v1", &manifest).expect("an answer");
    assert_eq!((answer.status, answer.error().0.as_str()), (400, "MANIFEST_BLOB_UNKNOWN"));
    let answer = registry(&empty, &token, "GET", "manifests/v1", b"").expect("an answer");
    assert_eq!((answer.status, answer.error().0.as_str()), (404, "MANIFEST_UNKNOWN"));
}

#[test]
#[ignore = "needs the testbed"]
fn each_request_needs_its_action() {
    let testbed = Testbed::current();
    let everyone = token(&testbed.default_role(PRIMARY_ACCOUNT), PRIMARY_REGION);
    let repository = testbed.repository("actions");
    let bytes = manifest(&repository, &everyone, "content");
    let digest = sha256(b"content");
    for (action, method, tail) in [
        ("ecr:BatchCheckLayerAvailability", "HEAD", format!("blobs/{digest}")),
        ("ecr:GetDownloadUrlForLayer", "GET", format!("blobs/{digest}")),
        ("ecr:InitiateLayerUpload", "POST", "blobs/uploads/".to_owned()),
        ("ecr:UploadLayerPart", "PATCH", "blobs/uploads/x".to_owned()),
        ("ecr:CompleteLayerUpload", "PUT", format!("blobs/uploads/x?digest={digest}")),
        ("ecr:PutImage", "PUT", "manifests/v1".to_owned()),
        ("ecr:BatchGetImage", "GET", "manifests/v1".to_owned()),
        ("ecr:ListImages", "GET", "tags/list".to_owned()),
    ] {
        let role = testbed.role_without(&[action]);
        let theirs = token(&role, PRIMARY_REGION);
        let body = if method == "PUT" { bytes.as_slice() } else { b"" };
        let answer = registry(&repository, &theirs, method, &tail, body).expect("an answer");
        assert_eq!(answer.status, 403, "{action}");
        if method != "HEAD" {
            assert!(
                answer.error().1.contains(&format!("is not authorized to perform: {action} on")),
                "{action}"
            );
        }
        assert_eq!(role.requests().last().expect("a request").action, action);
    }
}
