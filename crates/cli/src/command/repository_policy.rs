//! What a run must be allowed in the repositories that it pushes to.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shipspec_build::plan::{ForeignPlan, ImagePlan};
use shipspec_build::reuse::Reuse;
use shipspec_registry::repository::RepositorySettings;
use shipspec_spec::config::Encryption;
use shipspec_spec::image::Repository;

/// What a push and a preflight ask of a repository ([actions]).
///
/// [actions]: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
pub(super) const PUSH_ACTIONS: [&str; 7] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeRepositories",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
];

/// What a push to ECR Public asks for ([actions]).
///
/// [actions]: https://docs.aws.amazon.com/AmazonECR/latest/public/docker-push-ecr-image.html
const PUBLIC_ACTIONS: [&str; 7] = [
    "ecr-public:BatchCheckLayerAvailability",
    "ecr-public:CompleteLayerUpload",
    "ecr-public:GetAuthorizationToken",
    "ecr-public:InitiateLayerUpload",
    "ecr-public:PutImage",
    "ecr-public:UploadLayerPart",
    "sts:GetServiceBearerToken",
];

/// What ECR does with a key on behalf of who makes a repository ([encryption]).
///
/// [encryption]: https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html
const KEY_ACTIONS: [&str; 3] = ["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"];

/// The ARN of a private repository of ECR.
pub(super) fn arn(repository: &Repository) -> Option<String> {
    let host = repository.registry.ecr()?;
    let (partition, region, account) = (host.partition, host.region, host.account);
    Some(format!("arn:{partition}:ecr:{region}:{account}:repository/{}", repository.name))
}

/// What whoever runs it needs. For a repository with a role of its own that is no more than to assume
/// it.
pub(super) fn of_run(plans: &[ImagePlan]) -> Vec<Value> {
    let own = |plan: &&ImagePlan| plan.role.is_none();
    let firsts = plans.iter().filter(own).map(|plan| &plan.repository);
    let mirrors = plans.iter().flat_map(|plan| &plan.mirrors);
    let targets: BTreeSet<_> = firsts.chain(mirrors).filter_map(arn).collect();
    // Mirrors are filled from the first repository; the age of an image stands in its configuration.
    let is_read =
        |plan: &&ImagePlan| !plan.mirrors.is_empty() || matches!(plan.reuse, Reuse::For(_));
    // So is what another image is made from: where it was not built anew, the engine pulls it.
    let below: BTreeSet<_> = plans.iter().flat_map(|plan| &plan.depends_on).collect();
    let copied =
        plans.iter().filter(own).filter(|plan| is_read(plan) || below.contains(&plan.name));
    let copied: BTreeSet<_> = copied.filter_map(|plan| arn(&plan.repository)).collect();
    let roles: BTreeSet<_> =
        plans.iter().filter_map(|plan| plan.role.as_ref()).map(|role| &role.arn).collect();
    let mut statements = Vec::new();
    if !targets.is_empty() {
        statements.push(login());
    }
    statements.extend(statement("EcrPush", &PUSH_ACTIONS, &targets));
    statements.extend(statement("EcrRead", &["ecr:GetDownloadUrlForLayer"], &copied));
    statements.extend(statement("EcrReleases", &["ecr:ListImages"], &listed(plans)));
    statements.extend(statement("EcrRoles", &["sts:AssumeRole"], &roles));
    statements.extend(public(plans.iter().flat_map(ImagePlan::repositories)));
    statements.extend(creation(plans));
    statements
}

/// What the images of others need whose digests are asked for; an engine pulls those that `pulled` are
/// made from.
pub(super) fn of_foreign(asked: &[ForeignPlan], pulled: &[ForeignPlan]) -> Vec<Value> {
    let own = |plan: &&ForeignPlan| plan.role.is_none();
    let arns = |plans: &[ForeignPlan]| -> BTreeSet<String> {
        plans.iter().filter(own).filter_map(|plan| arn(&plan.repository)).collect()
    };
    let roles: BTreeSet<_> =
        asked.iter().filter_map(|plan| plan.role.as_ref()).map(|role| &role.arn).collect();
    [
        statement("EcrReferences", &["ecr:BatchGetImage"], &arns(asked)),
        statement("EcrReferencedLayers", &["ecr:GetDownloadUrlForLayer"], &arns(pulled)),
        statement("EcrReferenceRoles", &["sts:AssumeRole"], &roles),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Its registry is one of ECR that whoever runs it signs in to.
pub(super) fn is_asked_without_role(plan: &ForeignPlan) -> bool {
    plan.role.is_none() && plan.repository.registry.ecr().is_some()
}

/// What `doctor` asks of repositories besides.
pub(super) fn of_doctor(plans: &[ImagePlan]) -> Vec<Value> {
    let firsts = || plans.iter().filter(|plan| plan.role.is_none()).map(|plan| &plan.repository);
    let mirrors = plans.iter().flat_map(|plan| &plan.mirrors);
    let lifecycle: BTreeSet<_> = firsts().chain(mirrors).filter_map(arn).collect();
    let tags: BTreeSet<_> = firsts().filter_map(arn).collect();
    [
        statement("DoctorLifecycle", &["ecr:GetLifecyclePolicy"], &lifecycle),
        statement("DoctorTags", &["ecr:DescribeImages"], &tags),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Where tags cannot be moved, or the last record is not this build's, a release is looked for among all
/// tags of the first image's repository.
fn listed(plans: &[ImagePlan]) -> BTreeSet<String> {
    let first = plans.first().filter(|plan| plan.role.is_none());
    first.and_then(|plan| arn(&plan.repository)).into_iter().collect()
}

/// A login belongs to no repository, so it cannot be limited to one.
pub(super) fn login() -> Value {
    json!({
        "Sid": "EcrLogin", "Effect": "Allow",
        "Action": "ecr:GetAuthorizationToken", "Resource": "*",
    })
}

/// What a push to ECR Public needs, if there is one. The ARN of a public repository has the account,
/// which its host does not tell.
pub(super) fn public<'a>(mut repositories: impl Iterator<Item = &'a Repository>) -> Option<Value> {
    let is_public = repositories.any(|repository| repository.registry.is_ecr_public());
    is_public.then(|| {
        json!({
            "Sid": "EcrPublic", "Effect": "Allow", "Action": PUBLIC_ACTIONS, "Resource": "*",
        })
    })
}

/// What making repositories asks for.
fn creation(plans: &[ImagePlan]) -> Vec<Value> {
    let settings = |plan: &'_ ImagePlan| plan.create_repository.clone();
    let wanted = |is_wanted: fn(&RepositorySettings) -> bool| -> BTreeSet<String> {
        let plans = plans.iter().filter(|plan| settings(plan).as_ref().is_some_and(is_wanted));
        plans.flat_map(ImagePlan::repositories).filter_map(arn).collect()
    };
    let keys: BTreeSet<_> = plans.iter().filter_map(settings).filter_map(key).collect();
    let lifecycle = ["ecr:GetLifecyclePolicy", "ecr:PutLifecyclePolicy"];
    [
        statement("EcrCreate", &["ecr:CreateRepository"], &wanted(|_| true)),
        statement("EcrTag", &["ecr:TagResource"], &wanted(|settings| !settings.tags.is_empty())),
        statement("EcrLifecycle", &lifecycle, &wanted(|settings| settings.lifecycle.is_some())),
        statement("EcrKeys", &KEY_ACTIONS, &keys),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The key that repositories are encrypted with. An alias, or the key that AWS has for ECR, is not known
/// by its ARN here.
fn key(settings: RepositorySettings) -> Option<String> {
    match (settings.kms_key, settings.encryption) {
        (Some(key), _) if key.starts_with("arn:") && key.contains(":key/") => Some(key),
        (Some(_), _) | (None, Some(Encryption::Kms | Encryption::KmsDsse)) => Some("*".into()),
        (None, Some(Encryption::Aes256) | None) => None,
    }
}

/// A statement; nothing if it is about nothing.
fn statement<T: serde::Serialize>(
    sid: &str,
    actions: &[&str],
    resources: &BTreeSet<T>,
) -> Option<Value> {
    (!resources.is_empty()).then(|| {
        let actions = match actions {
            [action] => json!(action),
            actions => json!(actions),
        };
        json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources })
    })
}
