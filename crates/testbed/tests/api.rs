//! ECR's API.

mod common;

use common::{ecr, manifest, registry, sha256, succeeds, token};
use serde_json::json;
use shipspec_testbed::{PRIMARY_ACCOUNT, PRIMARY_REGION, Testbed};

#[test]
#[ignore = "needs the testbed"]
fn images_are_put_described_and_taken_away() {
    let testbed = Testbed::current();
    let role = testbed.default_role(PRIMARY_ACCOUNT);
    let token = token(&role, PRIMARY_REGION);
    let repository = testbed.repository("api");
    let name = repository.name();
    let text = String::from_utf8(manifest(&repository, &token, "content")).expect("text");
    let digest = sha256(text.as_bytes());
    let put = |tag: &str| {
        ecr(
            &role,
            "PutImage",
            &json!({ "repositoryName": name, "imageManifest": text, "imageTag": tag }),
        )
    };

    assert_eq!(
        put("v1").json()["image"]["imageId"],
        json!({ "imageDigest": digest, "imageTag": "v1" })
    );
    assert_eq!(put("v2").status, 200);
    assert_eq!(put("v2").json()["__type"], "ImageAlreadyExistsException");
    let wrong =
        json!({ "repositoryName": name, "imageManifest": text, "imageDigest": sha256(b"") });
    assert_eq!(ecr(&role, "PutImage", &wrong).json()["__type"], "ImageDigestDoesNotMatchException");
    let broken = text.replace(&sha256(b"content"), &sha256(b"absent"));
    let input = json!({ "repositoryName": name, "imageManifest": broken, "imageTag": "v3" });
    let refused = ecr(&role, "PutImage", &input).json();
    assert_eq!(refused["__type"], "LayersNotFoundException", "{refused}");

    let details = ecr(&role, "DescribeImages", &json!({ "repositoryName": name })).json();
    let detail = &details["imageDetails"][0];
    assert_eq!(detail["imageTags"], json!(["v1", "v2"]));
    assert_eq!(detail["imageSizeInBytes"], 9);
    assert_eq!(detail["imageManifestMediaType"], "application/vnd.oci.image.manifest.v1+json");

    let ids = json!([{ "imageTag": "v1" }, { "imageTag": "none" }]);
    let got =
        ecr(&role, "BatchGetImage", &json!({ "repositoryName": name, "imageIds": ids })).json();
    assert_eq!(got["images"][0]["imageManifest"], text.as_str());
    assert_eq!(got["failures"][0]["failureCode"], "ImageNotFound");

    let frozen = json!({ "repositoryName": name, "imageTagMutability": "IMMUTABLE" });
    assert_eq!(ecr(&role, "PutImageTagMutability", &frozen).status, 200);
    assert_eq!(put("v1").json()["__type"], "ImageTagAlreadyExistsException");
    let policy = ecr(&role, "GetRepositoryPolicy", &json!({ "repositoryName": name })).json();
    assert_eq!(policy["__type"], "RepositoryPolicyNotFoundException");

    let layers =
        json!({ "repositoryName": name, "layerDigests": [sha256(b"content"), sha256(b"absent")] });
    let layers = ecr(&role, "BatchCheckLayerAvailability", &layers).json();
    assert_eq!(layers["layers"][0]["layerAvailability"], "AVAILABLE");
    assert_eq!(layers["layers"][1]["layerAvailability"], "UNAVAILABLE");

    let ids = json!([{ "imageTag": "v1" }]);
    ecr(&role, "BatchDeleteImage", &json!({ "repositoryName": name, "imageIds": ids }));
    assert_eq!(repository.tags().len(), 1);
    let delete = |force: bool| {
        ecr(&role, "DeleteRepository", &json!({ "repositoryName": name, "force": force }))
    };
    assert_eq!(delete(false).json()["__type"], "RepositoryNotEmptyException");
    assert_eq!(delete(true).status, 200);
    let gone = ecr(&role, "DescribeImages", &json!({ "repositoryName": name })).json();
    assert_eq!(gone["__type"], "RepositoryNotFoundException");
}

#[test]
#[ignore = "needs the testbed"]
fn the_command_line_of_aws_needs_no_endpoint() {
    let testbed = Testbed::current();
    let environment = testbed.environment();
    let name = testbed.unique("cli");
    let aws =
        |words: &[&str]| succeeds(&environment, &[&["aws"], words, &["--output", "json"]].concat());
    aws(&["ecr", "create-repository", "--repository-name", &name]);
    let described = aws(&["ecr", "describe-repositories", "--repository-names", &name]);
    assert!(
        described.contains(&format!("111111111111.dkr.ecr.ap-northeast-1.amazonaws.com/{name}")),
        "{described}"
    );
}

#[test]
#[ignore = "needs the testbed"]
fn a_role_does_what_it_may_and_no_more() {
    let testbed = Testbed::current();
    let twelve = [
        "ecr:GetAuthorizationToken",
        "ecr:DescribeRepositories",
        "ecr:DescribeImages",
        "ecr:ListImages",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchCheckLayerAvailability",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:PutImage",
        "ecr:GetRepositoryPolicy",
    ];
    let role = testbed.role(&twelve);
    let repository = testbed.repository("least");
    let theirs = token(&role, PRIMARY_REGION);
    let bytes = manifest(&repository, &theirs, "content");
    assert_eq!(
        registry(&repository, &theirs, "PUT", "manifests/v1", &bytes).expect("an answer").status,
        201
    );
    let refused = ecr(&role, "CreateRepository", &json!({ "repositoryName": "other" }));
    let expected = format!(
        "User: {} is not authorized to perform: ecr:CreateRepository on resource: \
         arn:aws:ecr:ap-northeast-1:111111111111:repository/other",
        role.arn()
    );
    assert_eq!((refused.status, &refused.json()["__type"]), (400, &json!("AccessDeniedException")));
    assert!(
        refused.json()["Message"].as_str().expect("a text").starts_with(&expected),
        "{}",
        refused.text()
    );
}
