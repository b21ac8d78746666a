//! What removes images by itself, and what limits their tags: for `doctor`, since a run goes on either way.

use std::collections::BTreeMap;

use shipspec_build::plan::ImagePlan;
use shipspec_registry::access::Access;
use shipspec_registry::lifecycle::{LifecyclePolicy, Rule};
use shipspec_spec::image::Repository;
use shipspec_spec::tag::Tag;

use super::registries::reason;
use super::{Check, Finding, good, not_checked};

/// Tags that ECR takes for one image ([quotas]).
///
/// [quotas]: https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
const MOST_TAGS: usize = 1000;

/// From so many on, somebody should know.
const MANY_TAGS: usize = 900;

/// What all tags of shipspec begin with, and those of releases.
const OWN: &str = "shipspec-";
const RELEASES: &str = "shipspec-release-";

/// Looks at the lifecycle policies of private repositories, and at how many tags their images have.
pub(crate) async fn check_lifecycles(access: &Access, plans: &[ImagePlan]) -> Vec<Check> {
    let mut by_repository: BTreeMap<&Repository, Vec<&ImagePlan>> = BTreeMap::new();
    for plan in plans {
        for repository in plan.repositories().filter(|it| it.registry.ecr().is_some()) {
            by_repository.entry(repository).or_default().push(plan);
        }
    }
    let first = plans.first().map(|plan| &plan.repository);
    let mut checks = Vec::new();
    for (repository, plans) in by_repository {
        checks.push(check_policy(access, repository, &plans, first == Some(repository)).await);
        // A mirror has the tags of the first repository.
        for plan in plans.into_iter().filter(|plan| plan.repository == *repository) {
            checks.extend(check_tags(access, plan).await);
        }
    }
    checks
}

async fn check_policy(
    access: &Access,
    repository: &Repository,
    plans: &[&ImagePlan],
    has_releases: bool,
) -> Check {
    let subject = format!("lifecycle policy of {repository}");
    let text = match access.lifecycle(repository).await {
        Ok(Some(text)) => text,
        Ok(None) => return good(subject, "none: nothing expires"),
        Err(error) => return not_checked(subject, reason(&error)),
    };
    let Some(policy) = LifecyclePolicy::parse(&text) else {
        return not_checked(subject, "it has a form that is not known here");
    };
    let mut found: Vec<_> =
        plans.iter().flat_map(|plan| judge_image(&policy, repository, plan)).collect();
    if has_releases {
        found.extend(judge_records(&policy));
    }
    found.dedup();
    match found.as_slice() {
        [] => good(subject, "keeps what is needed"),
        found => Check { subject, finding: Finding::Doubtful(found.join("; ")) },
    }
}

/// What a policy does to an image that runs, and to one that is only kept for its key, which only the first
/// repository holds.
fn judge_image(policy: &LifecyclePolicy, repository: &Repository, plan: &ImagePlan) -> Vec<String> {
    let has_keys = plan.repository == *repository;
    let key = Tag::of_key("0".repeat(64), 1);
    let steady = plan.tags.iter().filter(|planned| !planned.moving);
    let kept: Vec<_> = has_keys
        .then_some(key.as_str())
        .into_iter()
        .chain(steady.map(|planned| planned.tag.as_str()))
        .collect();
    let moving = plan.tags.iter().filter(|planned| planned.moving);
    let moving: Vec<_> = moving.map(|planned| planned.tag.as_str()).collect();
    let runs = [kept.clone(), moving.clone()].concat();
    let mut found = Vec::new();
    if let Some(rule) = policy.rule_of(&runs)
        && !moving.iter().any(|tag| rule.spares(tag))
    {
        found.push(format!(
            "{rule} also counts the image `{}` that runs: one that is reused was pushed long ago",
            plan.name
        ));
    }
    if has_keys {
        found.extend(caught(policy.rule_of(&kept), OWN, "images under their content keys"));
    }
    found
}

fn judge_records(policy: &LifecyclePolicy) -> Option<String> {
    let last = format!("{RELEASES}pipeline");
    caught(policy.rule_of(&[&last]), RELEASES, "the records of releases")
}

/// A rule that somebody wrote for something else.
fn caught(rule: Option<&Rule>, prefix: &str, what: &str) -> Option<String> {
    let rule = rule.filter(|rule| !rule.is_about(prefix))?;
    Some(format!(
        "{rule} {} {what} too, which a rule before it for `{prefix}` would keep",
        rule.verb()
    ))
}

/// How many tags the image has that a run would give one more.
async fn check_tags(access: &Access, plan: &ImagePlan) -> Option<Check> {
    let tag = plan.tags.iter().find(|planned| planned.moving);
    let tag = tag.map_or(plan.main_tag(), |planned| &planned.tag);
    let subject = format!("tags of {}", plan.repository.tagged(tag));
    Some(match access.tag_count(&plan.repository, tag).await {
        Ok(None) => return None,
        Ok(Some(count)) if count >= MANY_TAGS => Check {
            subject,
            finding: Finding::Doubtful(format!(
                "{count}, and ECR takes {MOST_TAGS} for one image: an age (`reuse: 30d`) makes a new one, or remove old ones"
            )),
        },
        Ok(Some(count)) => good(subject, format_args!("{count} of {MOST_TAGS}")),
        Err(error) => not_checked(subject, reason(&error)),
    })
}
