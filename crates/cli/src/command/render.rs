//! `shipspec render`: the artifacts alone.

use clap::Args as ClapArgs;
use shipspec_ecs::compare::first_hidden;
use shipspec_render::artifact::Artifact;
use shipspec_spec::config::Text;

use crate::arguments::{self, ProjectFlags, RenderFlags};
use crate::context::Context;
use crate::filling::{self, Filled};
use crate::project::{Project, refuse_after_failure};
use crate::report::Report;
use crate::{failure, origins, pipeline, publishing};

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
    let Filled { plans, artifacts } = filling::fill(context, &mut project, &args.images).await?;
    if args.stdout {
        refuse_secrets(&artifacts)?;
        let of_bases = artifacts.iter().zip(plans.have_base()).filter(|(_, has_base)| *has_base);
        of_bases.map(|(artifact, _)| artifact).try_for_each(refuse_passwords)?;
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

/// A task definition that came from ECS may hold passwords that nobody told this run of. What is not shown
/// in a comparison is not shown here either.
fn refuse_passwords(artifact: &Artifact) -> anyhow::Result<()> {
    let task = artifact.content.text().and_then(|text| serde_json::from_str(text).ok());
    let Some(place) = task.as_ref().and_then(first_hidden) else { return Ok(()) };
    let message = format!(
        "`{}` has what looks like a password in `{place}`, in plain text, and is not printed",
        artifact.path.display()
    );
    let hint =
        "render it to its file, without `--stdout`; `secrets:` keeps it out of the task definition";
    Err(failure::input(message, Some(hint)))
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

/// Where the value of a name comes from. What is wrong with artifacts is for other commands to tell.
fn explain(context: &Context<'_>, project: &Project, name: &str) -> anyhow::Result<()> {
    let text = Text::parse("--explain", &format!("${{{name}}}"))?;
    if !text.references().contains(name) {
        let hint = "`--explain` wants the name of a value, such as `IMAGE_TAG` or `images.app.uri`";
        return Err(failure::input(format!("`{name}` is no name"), Some(hint)));
    }
    let artifacts = project.read_artifacts(context).ok();
    if artifacts.is_none() {
        let note =
            "note: the artifacts cannot be read as they are; names of their own are left out";
        context.console.note(note);
    }
    Ok(context.console.data(&origins::explain(project, artifacts.as_ref(), name))?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value as Json, json};
    use shipspec_render::artifact::Content;

    use super::*;

    fn artifact(container: &Json) -> Artifact {
        let task = json!({ "family": "web", "containerDefinitions": [container] });
        Artifact {
            path: "taskdef.json".into(),
            content: Content::Text(task.to_string()),
            secrets: BTreeSet::new(),
            notes: Vec::new(),
            publish: Vec::new(),
            allow: Vec::new(),
        }
    }

    #[test]
    fn what_a_comparison_hides_is_not_printed() {
        for (place, container) in [
            ("command", json!({"name": "web", "command": ["serve", "--token=S3cretTok"]})),
            (
                "entryPoint",
                json!({"name": "web", "entryPoint": ["run", "--password", "S3cretTok"]}),
            ),
            (
                "environment[DB]",
                json!({"name": "web", "environment": [{"name": "DB", "value": "postgres://u:S3cretTok@h/db"}]}),
            ),
            (
                "logConfiguration.options.splunk-token",
                json!({"name": "web", "logConfiguration": {"logDriver": "splunk", "options": {"splunk-token": "S3cretTok"}}}),
            ),
            (
                "dockerLabels.api_key",
                json!({"name": "web", "dockerLabels": {"api_key": "S3cretTok"}}),
            ),
        ] {
            let told = format!("{:#}", refuse_passwords(&artifact(&container)).unwrap_err());
            assert!(told.contains(&format!("`containerDefinitions[web].{place}`")), "{told}");
            assert!(!told.contains("S3cretTok"), "{told}");
        }
        let open = json!({"name": "web", "command": ["serve"], "dockerLabels": {"team": "shop"}});
        assert!(refuse_passwords(&artifact(&open)).is_ok());
    }
}
