//! What a build must be allowed to pull: base images, contexts and caches in ECR.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shipspec_build::dockerfile::Dockerfile;
use shipspec_build::key::bases_of;
use shipspec_build::plan::{ForeignPlan, ImagePlan};
use shipspec_spec::image::{ImageReference, Registry, Repository};

use super::repository_policy::arn;
use crate::context::Context;

/// What an engine and a key ask of the repositories of base images. Where the same registry is spoken to by
/// a role, that role needs it.
pub(super) fn of_run(
    context: &Context<'_>,
    plans: &[ImagePlan],
    foreign: &[ForeignPlan],
) -> Option<Value> {
    let of_images = plans.iter().map(|plan| (&plan.role, &plan.repository.registry));
    let of_others = foreign.iter().map(|plan| (&plan.role, &plan.repository.registry));
    let with_role = of_images.chain(of_others).filter(|(role, _)| role.is_some());
    let by_role: BTreeSet<&Registry> = with_role.map(|(_, registry)| registry).collect();
    let arns: BTreeSet<_> = plans
        .iter()
        .flat_map(|plan| repositories(context, plan))
        .filter(|repository| !by_role.contains(&repository.registry))
        .filter_map(|repository| arn(&repository))
        .collect();
    (!arns.is_empty()).then(|| {
        json!({
            "Sid": "EcrBases", "Effect": "Allow",
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], "Resource": arns,
        })
    })
}

/// The repositories that are pulled from to build an image. What cannot be known is told.
fn repositories(context: &Context<'_>, plan: &ImagePlan) -> Vec<Repository> {
    let path = plan.context.join(&plan.dockerfile);
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
    let found = text.and_then(|text| {
        let dockerfile = Dockerfile::parse(&text).map_err(|error| error.to_string())?;
        bases_of(&dockerfile, plan).map_err(|error| error.to_string())
    });
    let note = |reason: &str| {
        let image = &plan.name;
        context.console.note(format_args!(
            "note: not known: which images of ECR `{image}` is made from: {reason}"
        ));
    };
    let bases = found.unwrap_or_else(|reason| {
        note(&reason);
        Default::default()
    });
    for base in &bases.unknown {
        note(&format!("`{base}` is known only when it is built"));
    }
    let named = bases.to_resolve.iter().chain(bases.pinned.keys());
    let references = named.chain(&plan.options.cache_from).filter_map(|text| {
        let text = cache_reference(text)?;
        text.parse::<ImageReference>().ok()
    });
    references.map(|reference| reference.repository).collect()
}

/// The reference in an entry of `cache_from:`, which is one, or has it as `ref=`.
fn cache_reference(text: &str) -> Option<&str> {
    if !text.contains('=') {
        return Some(text);
    }
    text.split(',').find_map(|word| word.trim().strip_prefix("ref="))
}
