//! `shipspec push`: what `shipspec build` left in the engine goes to the registry.

use clap::Args as ClapArgs;
use shipspec_spec::scope::DigestState;

use crate::arguments::{EngineFlags, ImageFlags, RenderFlags};
use crate::context::Context;
use crate::{failure, pipeline};

/// Push the images that `shipspec build` left in the engine, and tag them; prints each by digest
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    image: ImageFlags,
    #[command(flatten)]
    engine: EngineFlags,
}

pub(crate) async fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    pipeline::refuse_after_failure(context)?;
    let mut project = pipeline::load(context, &args.image, &RenderFlags::default()).await?;
    let plans = project.plan_images(context, &DigestState::Later)?;
    pipeline::require_images(&plans)?;
    let access = pipeline::access(context, &plans, false).await;
    let engine = pipeline::connect(context, &args.engine).await?;
    let mut images = Vec::new();
    for plan in plans {
        let reference = plan.repository.tagged(plan.main_tag());
        match engine.inspect(&reference).await? {
            Some(image) => images.push((plan, image)),
            None => {
                let message = format!("the engine has no image `{reference}`");
                return Err(failure::input(message, Some("run `shipspec build` first")));
            }
        }
    }
    let staged = pipeline::stage_all(context, &engine, &access, &images).await?;
    pipeline::tag_all(context, &images, &staged).await?;
    for staged in &staged {
        let published = staged.published();
        context.console.data(&format!("{}\n", published.repository.pinned(&published.digest)))?;
    }
    Ok(())
}
