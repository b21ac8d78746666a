//! What a promotion must be allowed: to pull here, to push there, and to be who pushes there.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shipspec_build::plan::Promotion;

use super::policy::{REPOSITORY_ACTIONS, arn};

/// What a pull asks of a repository ([actions]).
///
/// [actions]: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
const PULL_ACTIONS: [&str; 3] =
    ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

/// What whoever runs it needs: where the target has a role of its own, no more than to assume it.
pub(super) fn of_caller(plan: &Promotion) -> Vec<Value> {
    let sources: BTreeSet<_> =
        plan.images.iter().filter_map(|image| arn(&image.source.repository)).collect();
    let mut statements = Vec::new();
    if !sources.is_empty() || plan.role.is_none() {
        statements.push(login());
    }
    if !sources.is_empty() {
        statements.push(json!({
            "Sid": "EcrPull", "Effect": "Allow", "Action": PULL_ACTIONS, "Resource": sources,
        }));
    }
    match &plan.role {
        Some(role) => statements.push(json!({
            "Sid": "PromotionRole", "Effect": "Allow",
            "Action": "sts:AssumeRole", "Resource": role.arn,
        })),
        None => statements.extend(push(plan)),
    }
    statements
}

/// What the target's own role needs.
pub(super) fn of_role(plan: &Promotion) -> Vec<Value> {
    std::iter::once(login()).chain(push(plan)).collect()
}

// A login belongs to no repository, so it cannot be limited to one.
fn login() -> Value {
    json!({
        "Sid": "EcrLogin", "Effect": "Allow",
        "Action": "ecr:GetAuthorizationToken", "Resource": "*",
    })
}

fn push(plan: &Promotion) -> Option<Value> {
    let targets: BTreeSet<_> =
        plan.images.iter().filter_map(|image| arn(&image.repository)).collect();
    (!targets.is_empty()).then(|| {
        json!({
            "Sid": "EcrPush", "Effect": "Allow",
            "Action": REPOSITORY_ACTIONS, "Resource": targets,
        })
    })
}
