//! `shipspec render`: the artifacts alone.

use std::fmt::Write as _;

use clap::Args as ClapArgs;
use serde_json::Value as Json;
use shipspec_ecs::running::containers;
use shipspec_render::artifact::Artifact;
use shipspec_spec::expression::Names as _;
use shipspec_spec::scope::sounds_secret;

use super::doctor;
use crate::arguments::{self, ProjectFlags, RenderFlags};
use crate::context::Context;
use crate::project::{Project, refuse_after_failure};
use crate::report::Report;
use crate::{failure, filling, pipeline, publishing};

/// Fill the templates and write the artifacts
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    project: ProjectFlags,
    #[command(flatten)]
    render: RenderFlags,
    /// Print the artifacts instead of writing them
    #[arg(long)]
    stdout: bool,
    /// Put the artifacts also where `publish:` says
    #[arg(long, conflicts_with_all = ["stdout", "explain"])]
    publish: bool,
    /// Show where the value of a name comes from, and write nothing
    #[arg(long, value_name = "NAME")]
    explain: Option<String>,
    /// The reference of an image, so that no registry is asked for it; once for each
    #[arg(long = "image", value_name = "NAME=REFERENCE", value_parser = arguments::pair)]
    images: Vec<(String, String)>,
}

pub(crate) async fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    // To look on is allowed at any time.
    if !args.stdout && args.explain.is_none() {
        refuse_after_failure(context)?;
    }
    let mut project = Project::load(context, &args.project, &args.render).await?;
    project.fetch_bases(context).await?;
    filling::give_images(&mut project, &args.images)?;
    if let Some(name) = &args.explain {
        return explain(context, &project, name);
    }
    if project.config.artifacts.is_empty() {
        let hint = "write `artifacts:` in shipspec.yml, or use `--render TEMPLATE=ARTIFACT`";
        return Err(failure::input("there is no artifact to render", Some(hint)));
    }
    pipeline::note_overruled(context, &project.scope);
    let artifacts = filling::fill(context, &mut project, &args.images).await?.artifacts;
    if args.stdout {
        refuse_secrets(&artifacts)?;
        refuse_variables_of_bases(&project, &artifacts)?;
        pipeline::note_all(context, &artifacts);
        for artifact in &artifacts {
            match artifact.content.text() {
                Some(text) => context.console.data(text)?,
                None => context.console.note(format_args!(
                    "note: `{}` is a zip, and is not printed",
                    artifact.path.display()
                )),
            }
        }
        return Ok(());
    }
    let _hold = context.stop.hold();
    let prepared = pipeline::prepare(context, &artifacts)?;
    let mut report = Report::new("render");
    let written = pipeline::commit(context, &artifacts, prepared, &mut report)?;
    if !args.publish {
        return Ok(());
    }
    let published = publishing::publish_all(context, &artifacts, &mut report).await;
    if matches!(&published, Err(unpublished) if unpublished.is_nothing_out) {
        written.put_back();
    }
    published.map_err(|unpublished| unpublished.error)
}

/// Variables that came from ECS may be passwords that nobody told this run of. What is not shown in a
/// comparison is not shown here either.
fn refuse_variables_of_bases(project: &Project, artifacts: &[Artifact]) -> anyhow::Result<()> {
    if !project.config.artifacts.iter().any(|artifact| artifact.base().is_some()) {
        return Ok(());
    }
    for artifact in artifacts {
        let task = artifact.content.text().and_then(|text| serde_json::from_str::<Json>(text).ok());
        let containers = task.iter().flat_map(containers);
        let variables = containers.filter_map(|container| container["environment"].as_array());
        let mut names = variables.flatten().filter_map(|variable| variable["name"].as_str());
        if let Some(name) = names.find(|name| sounds_secret(name)) {
            let message = format!(
                "`{}` has the variable `{name}` in plain text, and is not printed",
                artifact.path.display()
            );
            let hint = "render it to its file, without `--stdout`; `secrets:` keeps it out of the task definition";
            return Err(failure::input(message, Some(hint)));
        }
    }
    Ok(())
}

/// A file is what a secret may stand in, if shipspec.yml says so; a terminal and a log are not.
fn refuse_secrets(artifacts: &[Artifact]) -> anyhow::Result<()> {
    match artifacts.iter().find(|artifact| !artifact.secrets.is_empty()) {
        Some(artifact) => {
            let message =
                format!("`{}` holds a secret, and is not printed", artifact.path.display());
            Err(failure::input(message, Some("render it to its file, without `--stdout`")))
        }
        None => Ok(()),
    }
}

/// Every source that has a value for a name; never a secret.
fn explain(context: &Context<'_>, project: &Project, name: &str) -> anyhow::Result<()> {
    let root = name.split('.').next().unwrap_or(name);
    let mut text = format!("{name} = {}\n", doctor::value(project, name));
    for (index, origin) in project.scope.origins(root).iter().enumerate() {
        let what = if index == 0 { "from" } else { "not" };
        let _ = writeln!(text, "  {what:4} {}", doctor::describe(project, root, origin));
    }
    if let Err(error) = project.scope.resolve(name) {
        let _ = writeln!(text, "  {error}");
    }
    Ok(context.console.data(&text)?)
}
