//! Who speaks to the registries of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_config::{Region, SdkConfig};
use shipspec_build::plan::{ForeignPlan, ImagePlan};
use shipspec_parameters::request::Caller;
use shipspec_registry::access::{Access, AccessSettings};
use shipspec_spec::image::{Registry, Repository};
use shipspec_spec::place::{Place, Role};

use crate::context::Context;
use crate::parameters;
use crate::users::Users;

/// Who may speak to the registries that `plans` are pushed to, and to those that `bases` and images of
/// others come from.
pub(crate) async fn of_run<'a>(
    context: &Context<'_>,
    users: &Users,
    plans: impl IntoIterator<Item = &'a ImagePlan> + Clone,
    foreign: &[ForeignPlan],
    bases: &BTreeSet<Registry>,
) -> Access {
    let targets = plans.clone().into_iter().flat_map(ImagePlan::repositories);
    let targets = targets.map(|target| &target.registry);
    let others = foreign.iter().map(|plan| &plan.repository.registry).chain(bases);
    let mut settings = settings(context, users, targets, others).await;
    let foreign = foreign.iter().map(|plan| (&plan.repository, plan.insecure, &plan.role));
    let built = plans.into_iter().map(|plan| (&plan.repository, plan.insecure, &plan.role));
    for (Repository { registry, .. }, insecure, role) in foreign.chain(built) {
        if insecure {
            settings.insecure.insert(registry.clone());
        }
        if let Some(role) = role.as_ref().filter(|_| registry.ecr().is_some()) {
            settings.roles.insert(registry.clone(), assume(context, role, registry).await);
        }
    }
    Access::new(settings, Arc::clone(&context.observer))
}

/// Who may speak to registries that images are copied from.
pub(crate) async fn of_sources(
    context: &Context<'_>,
    users: &Users,
    registries: impl IntoIterator<Item = &Registry>,
) -> Access {
    let settings = settings(context, users, [], registries).await;
    Access::new(settings, Arc::clone(&context.observer))
}

/// Who may speak to registries that images are copied to, by a role if there is one.
pub(crate) async fn of_targets(
    context: &Context<'_>,
    users: &Users,
    registries: &[&Registry],
    role: Option<&Role>,
) -> Access {
    let mut settings = settings(context, users, registries.iter().copied(), []).await;
    if let Some(role) = role {
        let mut roles = BTreeMap::new();
        for registry in registries.iter().filter(|registry| registry.ecr().is_some()) {
            roles.insert((*registry).clone(), assume(context, role, registry).await);
        }
        settings.roles = roles;
    }
    Access::new(settings, Arc::clone(&context.observer))
}

/// Credentials of AWS are looked for only if a registry is ECR's, or something is pushed to ECR Public.
async fn settings<'a>(
    context: &Context<'_>,
    users: &Users,
    targets: impl IntoIterator<Item = &'a Registry>,
    others: impl IntoIterator<Item = &'a Registry>,
) -> AccessSettings {
    let targets: Vec<_> = targets.into_iter().collect();
    let is_public = targets.iter().any(|registry| registry.is_ecr_public());
    let is_ecr = targets.into_iter().chain(others).any(|registry| registry.ecr().is_some());
    let aws = if is_ecr || is_public { Some(context.aws().await.clone()) } else { None };
    AccessSettings {
        public_aws: aws.clone().filter(|_| is_public),
        aws: aws.filter(|_| is_ecr),
        users: users.clone(),
        ..AccessSettings::default()
    }
}

/// Credentials of a role, which are fetched when they are first needed.
async fn assume(context: &Context<'_>, role: &Role, registry: &Registry) -> SdkConfig {
    let aws = context.aws().await;
    // STS is asked in the region of the run; where there is none, in the registry's.
    let aws = match aws.region() {
        Some(_) => aws.clone(),
        None => {
            let region = registry.ecr().map(|host| Region::new(host.region));
            aws.to_builder().region(region).build()
        }
    };
    let session = parameters::session_name(context);
    let place = Place { region: None, role: Some(role.clone()) };
    Caller { aws: &aws, session: &session }.at(&place).await
}
