//! `shipspec doctor`: what a run would find, and what every name stands for.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::Args as ClapArgs;
use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::expression::Names as _;
use shipspec_spec::scope::{DigestState, Origin};

use crate::arguments::{EngineFlags, ProjectFlags, RenderFlags};
use crate::context::Context;
use crate::origins::{describe, value};
use crate::preflight::{Check, Finding, Needs, Preflight, check_lifecycles};
use crate::project::Project;
use crate::{deployment, failure};

/// Look at everything that a run needs, and show what every name stands for
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    project: ProjectFlags,
    #[command(flatten)]
    render: RenderFlags,
    #[command(flatten)]
    engine: EngineFlags,
}

pub(crate) async fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    let mut project = Project::read(context, &args.project, &args.render)?;
    let needs =
        Needs { registry: true, artifacts: true, publishes: true, builds: true, reuse: None };
    let digest = DigestState::Later;
    let found = Preflight::make(context, &mut project, &args.engine, &digest, needs).await;
    let mut errors = Vec::new();
    let unasked = found.plans.iter().map(|plan| Check {
        subject: format!("push to {}", plan.repository),
        finding: Finding::NotChecked("only a push shows whether it is allowed".into()),
    });
    let places = found.artifacts.iter().flat_map(ArtifactPlans::published);
    let unwritten = places.flat_map(|(_, places)| places).map(|place| Check {
        subject: format!("write {}", place.destination),
        finding: Finding::NotChecked("only publishing shows whether it is allowed".into()),
    });
    let lifecycles = check_lifecycles(&found.access, &found.plans).await;
    let checks = found.checks.into_iter().chain(lifecycles);
    let mut checks: Vec<_> = checks.chain(unasked).chain(unwritten).collect();
    if let Some(artifacts) = &found.artifacts {
        checks.extend(deployment::check(context, &project, artifacts).await);
    }
    for check in checks {
        let line = match check.finding {
            Finding::Good(found) => format!("ok           {}: {found}", check.subject),
            Finding::ToBeMade(_) => {
                format!("ok           {}: does not exist yet; a run makes it", check.subject)
            }
            Finding::Doubtful(what) => format!("warning      {}: {what}", check.subject),
            Finding::NotChecked(reason) => format!("not checked  {}: {reason}", check.subject),
            Finding::Bad(error) => {
                errors.push(error);
                format!("failed       {}", check.subject)
            }
        };
        context.console.note(line);
    }
    let mut references = project.config.references();
    references.extend(found.artifacts.iter().flat_map(ArtifactPlans::references));
    context.console.note(names(&project, references).trim_end());
    failure::Several::join(errors).map_or(Ok(()), Err)
}

/// Every name that the project asks for: what it stands for, and where that comes from.
fn names(project: &Project, references: BTreeSet<String>) -> String {
    let mut names = project.scope.names(references);
    names.extend(["COMMIT", "COMMIT_HASH", "IMAGE_TAG"].map(str::to_owned));
    names.extend(project.config.variables.keys().cloned());
    names.extend(project.config.parameters.keys().cloned());
    let rows: Vec<_> = names
        .iter()
        .map(|name| (name, value(&project.scope, name), origin(project, name)))
        .collect();
    let width =
        |text: fn(&(&String, String, String)) -> usize| rows.iter().map(text).max().unwrap_or(0);
    let (first, second) = (width(|row| row.0.len()), width(|row| row.1.chars().count()));
    let mut text = String::from("\n");
    for (name, value, origin) in &rows {
        let _ = writeln!(text, "{name:first$}  {value:second$}  {origin}");
    }
    text
}

fn origin(project: &Project, name: &str) -> String {
    let root = name.split('.').next().unwrap_or(name);
    let reason = project.scope.resolve(name).err().map(|error| error.to_string());
    match project.scope.origins(root).into_iter().next() {
        Some(Origin::ToolMade) => reason.unwrap_or_else(|| "made by shipspec".into()),
        Some(origin) => describe(project, root, &origin),
        None => reason.unwrap_or_else(|| "nobody sets it".into()),
    }
}
