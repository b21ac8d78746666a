//! The repositories that images go to, and whether their tags can be put.

use std::collections::BTreeSet;

use shipspec_build::plan::{ImagePlan, PlannedTag};
use shipspec_registry::access::{Access, AccessError};
use shipspec_registry::ecr::Mutability;
use shipspec_registry::error::RegistryError;
use shipspec_spec::hint::Hint as _;
use shipspec_spec::image::Repository;

use super::{Check, Finding, bad, good, not_checked};

pub(super) async fn check_registries(access: &Access, plans: &[ImagePlan]) -> Vec<Check> {
    let repositories: BTreeSet<_> = plans.iter().flat_map(ImagePlan::repositories).collect();
    let checks = repositories.into_iter().map(|repository| {
        let goes_there =
            move |plan: &&ImagePlan| plan.repositories().any(|target| target == repository);
        let plans = plans.iter().filter(goes_there);
        check_repository(access, repository, plans.collect())
    });
    futures_util::future::join_all(checks).await.into_iter().flatten().collect()
}

async fn check_repository(
    access: &Access,
    repository: &Repository,
    plans: Vec<&ImagePlan>,
) -> Vec<Check> {
    let subject = format!("repository {repository}");
    // ECR's API needs no token of the registry: it is asked while that is fetched.
    let asked = async {
        access.credentials(&repository.registry).await?;
        Ok(check_pull(access, repository, plans[0]).await)
    };
    let (described, asked) = tokio::join!(access.mutability(repository), asked);
    let asked: Result<_, AccessError> = asked;
    let asked = match asked {
        Ok(asked) => asked,
        Err(error) => return vec![bad(subject, error)],
    };
    match (described, asked) {
        (Err(AccessError::Registry(RegistryError::NoRepository(_))), _)
        | (_, Err(AccessError::Registry(RegistryError::NoRepository(_))))
            if plans.iter().any(|plan| plan.create_repository.is_some()) =>
        {
            vec![Check { subject, finding: Finding::ToBeMade(repository.clone()) }]
        }
        // Both say that it is missing; once is enough.
        (Err(error @ AccessError::Registry(RegistryError::NoRepository(_))), _) => {
            vec![bad(subject, error)]
        }
        (_, Err(error)) => vec![bad(subject, error)],
        (Ok(mutability), Ok(())) => {
            let mut checks = vec![good(&*subject, describe(mutability.as_ref()))];
            if let Some(mutability) = mutability {
                for tag in plans.iter().flat_map(|plan| &plan.tags) {
                    checks.extend(check_tag(access, repository, &mutability, tag).await);
                }
            }
            checks
        }
        (Err(error), Ok(())) => {
            vec![
                good(&*subject, "is there"),
                not_checked(format!("tag mutability of {repository}"), reason(&error)),
            ]
        }
    }
}

/// Asks for a manifest that need not be there: that tells whether the repository is, and whether we
/// may read it, with no permission but those that a push needs anyway.
async fn check_pull(
    access: &Access,
    repository: &Repository,
    plan: &ImagePlan,
) -> Result<(), AccessError> {
    let client = access.client(repository)?;
    client.manifest(plan.main_tag().as_str()).await?;
    Ok(())
}

/// A tag that moves with each release, where tags may not be moved.
async fn check_tag(
    access: &Access,
    repository: &Repository,
    mutability: &Mutability,
    planned: &PlannedTag,
) -> Option<Check> {
    if !planned.moving || mutability.allows_moving(planned.tag.as_str()) {
        return None;
    }
    let subject = format!("tag {}", repository.tagged(&planned.tag));
    let client = access.client(repository).ok()?;
    match client.manifest(planned.tag.as_str()).await {
        Ok(Some(there)) => Some(bad(
            subject,
            RegistryError::Pinned {
                repository: repository.clone(),
                tag: planned.tag.clone(),
                there: there.digest,
            },
        )),
        Ok(None) => Some(not_checked(
            subject,
            "it moves with each release, but tags of this repository are immutable: only the first run can put it",
        )),
        Err(error) => Some(not_checked(subject, error)),
    }
}

fn describe(mutability: Option<&Mutability>) -> String {
    match mutability {
        None => "answers".into(),
        Some(Mutability { immutable, exclusions }) => {
            let kind = if *immutable { "tags are immutable" } else { "tags are mutable" };
            match exclusions.as_slice() {
                [] => kind.into(),
                exclusions => format!("{kind}, except {}", exclusions.join(", ")),
            }
        }
    }
}

/// An error on one line, with what it was caused by.
pub(super) fn reason(error: &AccessError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    let hint = error.hint().map(|hint| format!(" ({hint})"));
    format!("{error}{}{}", cause.unwrap_or_default(), hint.unwrap_or_default())
}
