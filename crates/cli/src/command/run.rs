//! `shipspec run`: the line in the buildspec.

use clap::Args as ClapArgs;
use shipspec_spec::scope::DigestState;

use crate::arguments::{EngineFlags, ImageFlags, RenderFlags};
use crate::context::Context;
use crate::{failure, pipeline};

/// Build, push, tag and write the artifacts: everything, or nothing
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    image: ImageFlags,
    #[command(flatten)]
    render: RenderFlags,
    #[command(flatten)]
    engine: EngineFlags,
    /// Leave the images in the engine: no registry is asked, and no digest is known
    #[arg(long)]
    no_push: bool,
}

pub(crate) async fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    pipeline::refuse_after_failure(context)?;
    let mut project = pipeline::load(context, &args.image, &args.render).await?;
    if project.config.images.is_empty() && project.config.artifacts.is_empty() {
        let hint = "write a shipspec.yml, or name the repository with `--repository`";
        return Err(failure::input("there is nothing to do", Some(hint)));
    }
    let digest = if args.no_push {
        DigestState::Never("with `--no-push` no registry takes the image".into())
    } else {
        DigestState::Later
    };
    let plans = project.plan_images(context, &digest)?;
    let artifacts = project.read_artifacts(context)?;
    for name in project.scope.overruled() {
        context.console.note(format_args!(
            "note: `{name}` of the environment is overruled by the one that shipspec makes"
        ));
    }
    if plans.is_empty() {
        return pipeline::write(context, &artifacts.fill(&project.scope)?);
    }

    let access = pipeline::access(context, &plans, args.no_push).await;
    let engine = pipeline::connect(context, &args.engine).await?;
    let mut images = Vec::new();
    for plan in plans {
        let image = pipeline::build(context, &engine, &access, &plan).await?;
        images.push((plan, image));
    }
    if args.no_push {
        for (plan, image) in &images {
            pipeline::tag_locally(&engine, plan, image).await?;
        }
        return pipeline::write(context, &artifacts.fill(&project.scope)?);
    }

    let staged = pipeline::stage_all(context, &engine, &access, &images).await?;
    for ((plan, _), staged) in images.iter().zip(&staged) {
        project.set_digest(&plan.name, staged.published().digest.clone());
    }
    let artifacts = artifacts.fill(&project.scope)?;
    pipeline::tag_all(context, &images, &staged).await?;
    pipeline::write(context, &artifacts)
}
