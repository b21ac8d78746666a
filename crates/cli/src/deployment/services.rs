//! The services that artifacts are for, and the containers that they have.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use shipspec_ecs::error::EcsError;
use shipspec_spec::nearest::nearest;

use super::{Planned, unanswered};
use crate::context::Context;
use crate::preflight::{Check, bad, good, not_checked};
use crate::running::Target;

pub(super) async fn check(context: &Context<'_>, planned: &[Planned<'_>]) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut services: BTreeMap<Target, Vec<&Planned<'_>>> = BTreeMap::new();
    for artifact in planned {
        match artifact.service {
            Some(service) => {
                services.entry(Target::of_service(service)).or_default().push(artifact);
            }
            None if definitions(&artifact.content).is_some() => {
                let reason = "no service is named (write `service:` in shipspec.yml)";
                checks.push(not_checked(format!("containers of {}", artifact.path), reason));
            }
            None => {}
        }
    }
    for (target, artifacts) in services {
        // Others, such as an appspec, do not say what a service runs.
        let is_about = |it: &&Planned<'_>| {
            definitions(&it.content).is_some() || it.content["containerDefinitions"].is_array()
        };
        if !artifacts.iter().any(is_about) {
            continue;
        }
        let subject = target.which.to_string();
        match target.fetch(context).await {
            Err(error) => checks.push(unanswered(subject, error)),
            Ok(running) => {
                checks.push(good(subject, format_args!("runs {}", running.name())));
                let names: Vec<_> = running.containers().collect();
                for artifact in artifacts {
                    checks.extend(check_containers(artifact, &names, running.name()));
                }
            }
        }
    }
    checks
}

/// The entries of `imagedefinitions.json`, if it is one.
fn definitions(content: &Json) -> Option<&[Json]> {
    let items = content.as_array()?;
    items.first()?.get("imageUri").map(|_| items.as_slice())
}

/// The rolling action changes the images of these containers, and of no others.
fn check_containers(artifact: &Planned<'_>, names: &[&str], revision: &str) -> Option<Check> {
    let items = definitions(&artifact.content)?;
    let asked = items.iter().filter_map(|item| item["name"].as_str());
    let subject = format!("containers of {}", artifact.path);
    let mut missing = asked.filter(|name| !names.contains(name));
    let Some(missing) = missing.next() else {
        return Some(good(subject, format_args!("{revision} has them")));
    };
    let error = EcsError::NoContainer {
        container: missing.to_owned(),
        revision: revision.to_owned(),
        near: nearest(missing, names.iter().copied()).map(str::to_owned),
    };
    Some(bad(subject, error))
}
