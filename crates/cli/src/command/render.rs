//! `shipspec render`: the artifacts alone.

use clap::Args as ClapArgs;
use shipspec_build::plan::ImagePlan;
use shipspec_spec::scope::{DigestState, ImageNeeds};

use crate::arguments::{ImageFlags, RenderFlags};
use crate::context::Context;
use crate::project::{Project, refuse_after_failure};
use crate::report::Report;
use crate::{failure, pipeline};

/// Fill the templates and write the artifacts
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    image: ImageFlags,
    #[command(flatten)]
    render: RenderFlags,
    /// Print the artifacts instead of writing them
    #[arg(long)]
    stdout: bool,
}

pub(crate) async fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    refuse_after_failure(context)?;
    let mut project = Project::load(context, &args.image, &args.render).await?;
    if project.config.artifacts.is_empty() {
        let hint = "write `artifacts:` in shipspec.yml, or use `--render TEMPLATE=ARTIFACT`";
        return Err(failure::input("there is no artifact to render", Some(hint)));
    }
    // Images that no artifact names need not even have a repository.
    let mut needs = project.artifact_needs(context)?;
    if needs.names {
        let plans = project.plan_images(context, &DigestState::Later)?;
        needs = project.artifact_needs(context)?;
        ask_registries(context, &mut project, &plans, &needs).await?;
    }
    let artifacts = project.read_artifacts(context)?.fill(&project.scope)?;
    if args.stdout {
        for artifact in &artifacts {
            context.console.data(&artifact.text)?;
        }
        return Ok(());
    }
    pipeline::write(context, &artifacts, &mut Report::new("render"))
}

/// Asks the registries for the digests that artifacts name, by the tags that name the images.
async fn ask_registries(
    context: &Context<'_>,
    project: &mut Project,
    plans: &[ImagePlan],
    needs: &ImageNeeds,
) -> anyhow::Result<()> {
    let access = pipeline::access(context, plans, needs.digests.is_empty()).await;
    for plan in plans.iter().filter(|plan| needs.digests.contains(&plan.name)) {
        let client = access.client(&plan.repository).await?;
        match client.manifest(plan.main_tag().as_str()).await? {
            Some(manifest) => project.set_digest(&plan.name, manifest.digest),
            None => {
                let message = format!(
                    "the registry has no image `{}`",
                    plan.repository.tagged(plan.main_tag())
                );
                return Err(failure::input(
                    message,
                    Some("run `shipspec run` or `shipspec push` first"),
                ));
            }
        }
    }
    Ok(())
}
