//! What a deployment needs in AWS: the service, and what task definitions name. Only `doctor` looks; what
//! the pipeline's deploy action may do there is not known here.

mod named;
mod services;

use std::collections::BTreeSet;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use serde_json::Value as Json;
use shipspec_ecs::error::EcsError;
use shipspec_parameters::error::FetchError;
use shipspec_parameters::refusal::Refusal;
use shipspec_parameters::request::Caller;
use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::config::Service;
use shipspec_spec::hint::Hint;
use shipspec_spec::place::Place;

use crate::context::Context;
use crate::parameters;
use crate::preflight::{Check, bad, not_checked};
use crate::project::Project;

/// An artifact as ECS would get it.
struct Planned<'a> {
    path: &'a str,
    content: Json,
    service: Option<&'a Service>,
}

/// Looks at everything that the artifacts name in AWS. Only services that are named are asked.
pub(crate) async fn check(
    context: &Context<'_>,
    project: &Project,
    artifacts: &ArtifactPlans,
) -> Vec<Check> {
    let filled = artifacts.fill_each(&project.scope.with_stand_ins());
    let all = artifacts.paths().zip(artifacts.services()).zip(filled);
    let planned = all.filter_map(|((path, service), artifact)| {
        let parsed = serde_json::from_str(artifact.ok()?.content.text()?).ok()?;
        Some(Planned { path, content: parsed, service })
    });
    let planned: Vec<_> = planned.collect();
    let mut checks = services::check(context, &planned).await;
    let named: BTreeSet<_> = planned.iter().flat_map(named::of).collect();
    if named.is_empty() {
        return checks;
    }
    let session = parameters::session_name(context);
    let caller = Caller { aws: context.aws().await, session: &session };
    let asked = named.iter().map(|(thing, place)| -> BoxFuture<'_, Vec<Check>> {
        named::check(caller, place, thing).boxed()
    });
    checks.extend(join_all(asked).await.into_iter().flatten());
    checks
}

/// Where the things are asked for that an artifact names.
fn place_of(planned: &Planned<'_>) -> Place {
    planned.service.map(|service| service.place.clone()).unwrap_or_default()
}

/// A question of ECS, IAM or `CloudWatch` Logs that has no answer.
fn unanswered(subject: String, error: EcsError) -> Check {
    match &error {
        EcsError::Refused { refusal: Refusal::Denied { .. } | Refusal::Throttled(_), .. } => {
            not_checked(subject, reason(&error))
        }
        _ => bad(subject, error),
    }
}

/// A question of a store of parameters that has no answer.
fn unanswered_by_store(subject: String, error: FetchError) -> Check {
    match &error {
        FetchError::Denied { .. } => not_checked(subject, reason(&error)),
        _ => bad(subject, error),
    }
}

/// An error with its advice on one line.
fn reason(error: &(impl Hint + std::fmt::Display)) -> String {
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{error}{hint}")
}
