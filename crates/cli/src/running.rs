//! What ECS runs: who is asked for it, and where.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use shipspec_ecs::error::EcsError;
use shipspec_ecs::running::{Running, ServiceName, Which, running};
use shipspec_parameters::request::Caller;
use shipspec_render::plan::bases;
use shipspec_spec::config::{Base, Service};
use shipspec_spec::place::Place;

use crate::context::Context;
use crate::failure::Several;
use crate::parameters;
use crate::project::Project;

/// A task definition of ECS, and where it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    pub(crate) which: Which,
    pub(crate) place: Place,
}

impl Target {
    /// The newest revision of a family, in the region and account of the run.
    pub(crate) fn family(family: &str) -> Self {
        Self { which: Which::Family(family.to_owned()), place: Place::default() }
    }

    /// What a service of `CLUSTER/SERVICE` runs.
    pub(crate) fn named(cluster: &str, service: &str) -> Self {
        let name = ServiceName { cluster: cluster.to_owned(), name: service.to_owned() };
        Self { which: Which::Service(name), place: Place::default() }
    }

    /// What a service of shipspec.yml runs.
    pub(crate) fn of_service(service: &Service) -> Self {
        let place = service.place.clone();
        Self { place, ..Self::named(&service.cluster, &service.name) }
    }

    /// What an artifact begins from.
    pub(crate) fn of_base(base: &Base) -> Self {
        match base {
            Base::Service(service) => Self::of_service(service),
            Base::Family(family, place) => Self { place: place.clone(), ..Self::family(family) },
        }
    }

    /// Asks ECS for it.
    pub(crate) async fn fetch(&self, context: &Context<'_>) -> Result<Running, EcsError> {
        let session = parameters::session_name(context);
        let caller = Caller { aws: context.aws().await, session: &session };
        let found = running(caller, &self.place, &self.which).await?;
        for path in &found.unknown {
            context.console.note(format_args!(
                "note: `{path}` of {} is in no model of ECS that is known here; it is kept",
                found.name()
            ));
        }
        Ok(found)
    }
}

impl Project {
    /// Fetches the task definitions that artifacts begin from; asks nobody where there are none.
    pub(crate) async fn fetch_bases(&mut self, context: &Context<'_>) -> anyhow::Result<usize> {
        let wanted = bases(&self.config, &self.scope)?;
        let questions = wanted.keys().map(|base| async move {
            let found = Target::of_base(base).fetch(context).await;
            found.map(|found| (base.clone(), found.task_definition))
        });
        let (mut found, mut errors) = (BTreeMap::new(), Vec::new());
        for answer in join_all(questions).await {
            match answer {
                Ok((base, task_definition)) => drop(found.insert(base, task_definition)),
                Err(error) => errors.push(error.into()),
            }
        }
        let count = found.len();
        self.scope.set_bases(found);
        self.hide_secrets(context, &[]);
        Several::join(errors).map_or(Ok(count), Err)
    }
}
