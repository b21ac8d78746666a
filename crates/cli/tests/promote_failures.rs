//! `shipspec promote` where something is in its way.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use common::SHORT;
use common::promotion::{assert_arrived, both, noise, project, promote, put_image, sent};
use shipspec_testbed::{Fault, OTHER_ACCOUNT, Request, Testbed};

#[test]
#[ignore = "needs the testbed"]
fn whatever_breaks_on_the_way_is_taken_up_again() {
    let testbed = Testbed::current();
    let upload = "(attempt 2 of 6)";
    for (name, at_source, fault) in [
        ("reset", false, Fault::reset_request(300_000).on("upload-part").times(2)),
        ("lost-part", false, Fault::reset_response(0).on("upload-part")),
        ("lost-finish", false, Fault::reset_response(0).on("upload-finish")),
        ("start", false, Fault::throttle_for(1).on("upload-start")),
        ("part-429", false, Fault::throttle().on("upload-part")),
        ("part-502", false, Fault::html(502).on("upload-part")),
        ("head", false, Fault::registry_error(503, "UNAVAILABLE", "later").on("blob-head")),
        ("manifest", false, Fault::throttle_for(1).on("manifest-put")),
        ("truncated", true, Fault::truncate(400_000).on("layer-get").times(3)),
        // One of them meets the configuration, which has come whole by then.
        ("download-reset", true, Fault::reset_response(100_000).on("layer-get").times(2)),
        ("slow-down", true, Fault::throttle_for(1).on("layer-get")),
        ("where", true, Fault::html(502).on("blob-get")),
        ("part-401", false, Fault::unauthorized().on("upload-part")),
        ("part-ended", false, Fault::expired_token().on("upload-part")),
    ] {
        let (source, target, project) = both(&testbed, name);
        let digest = put_image(&source, &[noise(10, 2_000_000)], Some(SHORT));
        let faulty = if at_source { &source } else { &target };
        faulty.fault(fault);
        let outcome = promote(&project).success();
        assert!(outcome.stderr.contains(upload), "{name}: {outcome}");
        assert_arrived(&source, &target, &digest);
    }
}

#[test]
#[ignore = "needs the testbed"]
fn a_download_goes_on_where_it_broke() {
    let testbed = Testbed::current();
    let (source, target, project) = both(&testbed, "range");
    let digest = put_image(&source, &[noise(11, 2_000_000)], Some(SHORT));
    source.fault(Fault::truncate(1_500_000).on("layer-get").times(2));
    promote(&project).success();
    assert_arrived(&source, &target, &digest);
    let parts: Vec<_> = source
        .requests()
        .into_iter()
        .filter(|request| request.kind == "layer-get" && request.status == 206)
        .collect();
    assert!(!parts.is_empty());
    assert!(parts.iter().all(|request| request.response_bytes <= 500_000), "{parts:#?}");
}

#[test]
#[ignore = "needs the testbed"]
fn an_upload_that_the_registry_forgot_begins_anew() {
    let testbed = Testbed::current();
    for kind in ["upload-part", "upload-finish"] {
        let (source, target, project) = both(&testbed, "forgot");
        let digest = put_image(&source, &[noise(12, 500_000)], Some(SHORT));
        target.fault(Fault::registry_error(404, "BLOB_UPLOAD_UNKNOWN", "no such upload").on(kind));
        promote(&project).success();
        assert_arrived(&source, &target, &digest);
    }
}

#[test]
#[ignore = "needs the testbed"]
fn a_target_that_stays_away_gets_no_tag_and_the_next_run_succeeds() {
    let testbed = Testbed::current();
    let (source, target, project) = both(&testbed, "away");
    let digest = put_image(&source, &[noise(13, 500_000)], Some(SHORT));
    target.fault(Fault::reset_request(1000).on("upload-part").always());
    let outcome = promote(&project).failure(4);
    assert!(outcome.stderr.contains("error: failed to copy the image `app`"), "{outcome}");
    assert!(outcome.stderr.contains("(attempt 6 of 6)"), "{outcome}");
    assert!(target.tags().is_empty());
    target.clear_faults();
    promote(&project).success();
    assert_arrived(&source, &target, &digest);
}

#[test]
#[ignore = "needs the testbed"]
fn each_denied_action_is_named() {
    let testbed = Testbed::current();
    for action in [
        "ecr:GetAuthorizationToken",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchCheckLayerAvailability",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:PutImage",
    ] {
        let (source, target, project) = both(&testbed, "denied");
        put_image(&source, &[noise(14, 5000)], Some(SHORT));
        let project = project.role(&testbed.role_without(&[action]));
        let outcome = promote(&project).failure(4);
        let error = outcome.stderr.split_once("error: ").unwrap().1;
        assert!(error.contains(action), "{action}: {outcome}");
        assert!(error.contains("hint: allow `ecr:"), "{action}: {outcome}");
        assert!(target.tags().is_empty());
    }
}

#[test]
#[ignore = "needs the testbed"]
fn what_may_not_be_described_is_not_checked_and_copied_all_the_same() {
    let testbed = Testbed::current();
    let (source, target, project) = both(&testbed, "described");
    let digest = put_image(&source, &[noise(15, 5000)], Some(SHORT));
    let role = testbed.role_without(&["ecr:DescribeRepositories"]);
    let outcome = promote(&project.role(&role)).success();
    assert!(outcome.stderr.contains("not checked: tag mutability of"), "{outcome}");
    assert_arrived(&source, &target, &digest);
}

#[test]
#[ignore = "needs the testbed"]
fn what_is_missing_is_told_before_anything_is_copied() {
    let testbed = Testbed::current();
    let source = testbed.repository("there");
    let missing = testbed.repository_builder("missing").account(OTHER_ACCOUNT).missing();
    put_image(&source, &[noise(16, 5000)], Some(SHORT));
    let outcome = promote(&project(&testbed, &source, &missing)).failure(4);
    let uri = missing.uri();
    assert!(
        outcome.stderr.contains(&format!("the repository `{uri}` does not exist")),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("aws ecr create-repository"), "{outcome}");

    let (source, target, project) = both(&testbed, "no-image");
    let outcome = promote(&project).failure(4);
    let error = format!("`{}` has no image `{SHORT}`", source.uri());
    assert!(outcome.stderr.contains(&error), "{outcome}");
    assert!(sent(&target).is_empty());
}

#[test]
#[ignore = "needs the testbed"]
fn bytes_that_are_not_what_they_should_be_do_not_arrive() {
    let testbed = Testbed::current();
    for (kind, fault) in [
        ("manifest", Fault::wrong_digest().on("manifest-get").always()),
        (
            "layer",
            Fault::answer(200, "application/octet-stream", &"x".repeat(5000))
                .on("layer-get")
                .always(),
        ),
    ] {
        let (source, target, project) = both(&testbed, "wrong");
        put_image(&source, &[noise(17, 5000)], Some(SHORT));
        source.fault(fault);
        let outcome = promote(&project).failure(4);
        assert!(
            outcome.stderr.contains("the registry answered with the digest sha256:")
                || outcome.stderr.contains("is larger than its manifest says"),
            "{kind}: {outcome}"
        );
        assert!(target.tags().is_empty());
        let is_kept = |request: &Request| request.kind == "manifest-put";
        assert!(!sent(&target).iter().any(is_kept), "{kind}");
    }
}

#[test]
#[ignore = "needs the testbed"]
fn the_host_of_the_layers_is_named_if_it_refuses() {
    let testbed = Testbed::current();
    let (source, _target, project) = both(&testbed, "bucket");
    put_image(&source, &[noise(18, 5000)], Some(SHORT));
    let xml = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
    source.fault(Fault::answer(403, "application/xml", xml).on("layer-get").always());
    let outcome = promote(&project).failure(4);
    assert!(outcome.stderr.contains("which answered 403: AccessDenied"), "{outcome}");
    assert!(outcome.stderr.contains("hint: allow `s3:GetObject` on `prod-"), "{outcome}");
    assert!(!outcome.stderr.contains("X-Amz"), "{outcome}");
}

#[test]
#[ignore = "needs the testbed"]
fn a_tag_that_may_not_move_is_told_before_anything_is_copied() {
    let testbed = Testbed::current();
    for (tag, error) in
        [(SHORT, "is immutable and names sha256:"), ("latest", "cannot be moved from sha256:")]
    {
        let source = testbed.repository("fixed");
        let target =
            testbed.repository_builder("fixed-prod").account(OTHER_ACCOUNT).immutable().create();
        put_image(&source, &[noise(19, 5000)], Some(SHORT));
        put_image(&target, &[noise(20, 5000)], Some(tag));
        let outcome = promote(&project(&testbed, &source, &target)).failure(4);
        assert!(outcome.stderr.contains(error), "{outcome}");
        assert!(sent(&target).is_empty());
    }
}
