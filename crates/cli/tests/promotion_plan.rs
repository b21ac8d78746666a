//! What `shipspec promote` and its policy say without asking anybody.

mod common;

use common::promotion::{SHIPSPEC, promote};
use common::{Outcome, Project};
use insta::assert_snapshot;
use shipspec_testbed::{OTHER_ACCOUNT, PRIMARY_ACCOUNT};

fn promote_with(project: &Project, arguments: &[&str]) -> Outcome {
    project.run(&[&["promote", "production"], arguments].concat())
}

fn offline() -> Project {
    Project::new()
        .variable("CODEBUILD_RESOLVED_SOURCE_VERSION", common::COMMIT)
        .variable(
            "REPOSITORY_URL",
            &format!("{PRIMARY_ACCOUNT}.dkr.ecr.ap-northeast-1.amazonaws.com/web"),
        )
        .variable("PRODUCTION", &format!("{OTHER_ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/web"))
        .file("shipspec.yml", SHIPSPEC)
}

#[test]
fn nothing_is_copied_after_a_failure() {
    let outcome = promote(&offline().variable("CODEBUILD_BUILD_SUCCEEDING", "0"));
    assert_snapshot!(outcome, @"
    exit: 2
    --- stdout
    --- stderr
    error: an earlier phase of this build failed (CODEBUILD_BUILD_SUCCEEDING=0)
     |
     = hint: nothing is published after a failure
    ");
}

#[test]
fn a_target_or_an_image_that_is_not_there_is_told_with_the_nearest() {
    let project = offline();
    assert_snapshot!(project.run(&["promote", "producton"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `promote:` has no `producton`
     |
     = hint: did you mean `production`?
    ");
    assert_snapshot!(promote_with(&project, &["--only", "ap"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `production` has no repository for an image `ap`
     |
     = hint: did you mean `app`?
    ");
    assert_snapshot!(promote(&project.without("PRODUCTION")), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: `PRODUCTION` has no value
     --> shipspec.yml:8:27
      |
    8 |     repositories: { app: "${PRODUCTION}" }
      |                           ^^^^^^^^^^^^^
      |
      = hint: set `PRODUCTION` in the environment or under `variables:`; to keep the text itself, write `$${PRODUCTION}`
    "#);
}

#[test]
fn the_policy_lets_the_caller_pull_and_push() {
    let project = offline();
    assert_snapshot!(project.run(&["policy", "--promote", "production"]), @r#"
    exit: 0
    --- stdout
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "EcrLogin",
          "Effect": "Allow",
          "Action": "ecr:GetAuthorizationToken",
          "Resource": "*"
        },
        {
          "Sid": "EcrPull",
          "Effect": "Allow",
          "Action": [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer"
          ],
          "Resource": [
            "arn:aws:ecr:ap-northeast-1:111111111111:repository/web"
          ]
        },
        {
          "Sid": "EcrPush",
          "Effect": "Allow",
          "Action": [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:CompleteLayerUpload",
            "ecr:DescribeRepositories",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:UploadLayerPart"
          ],
          "Resource": [
            "arn:aws:ecr:eu-west-1:222222222222:repository/web"
          ]
        }
      ]
    }
    --- stderr
    "#);
}

#[test]
fn the_policy_lets_the_caller_pull_and_the_role_push() {
    let role = format!("arn:aws:iam::{OTHER_ACCOUNT}:role/push");
    let shipspec = SHIPSPEC.replace("production:\n", &format!("production:\n    role: {role}\n"));
    let project = offline().file("shipspec.yml", &shipspec);
    assert_snapshot!(project.run(&["policy", "--promote", "production"]), @r#"
    exit: 0
    --- stdout
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "EcrLogin",
          "Effect": "Allow",
          "Action": "ecr:GetAuthorizationToken",
          "Resource": "*"
        },
        {
          "Sid": "EcrPull",
          "Effect": "Allow",
          "Action": [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer"
          ],
          "Resource": [
            "arn:aws:ecr:ap-northeast-1:111111111111:repository/web"
          ]
        },
        {
          "Sid": "PromotionRole",
          "Effect": "Allow",
          "Action": "sts:AssumeRole",
          "Resource": "arn:aws:iam::222222222222:role/push"
        }
      ]
    }
    --- stderr
    "#);
    assert_snapshot!(project.run(&["policy", "--promote", "production", "--of-role"]), @r#"
    exit: 0
    --- stdout
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "EcrLogin",
          "Effect": "Allow",
          "Action": "ecr:GetAuthorizationToken",
          "Resource": "*"
        },
        {
          "Sid": "EcrPush",
          "Effect": "Allow",
          "Action": [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:CompleteLayerUpload",
            "ecr:DescribeRepositories",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:UploadLayerPart"
          ],
          "Resource": [
            "arn:aws:ecr:eu-west-1:222222222222:repository/web"
          ]
        }
      ]
    }
    --- stderr
    "#);
}
