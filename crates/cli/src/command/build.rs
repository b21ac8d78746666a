//! `shipspec build`: the first step alone.

use clap::Args as ClapArgs;
use shipspec_spec::scope::DigestState;

use crate::arguments::{EngineFlags, ImageFlags, RenderFlags};
use crate::context::Context;
use crate::pipeline;

/// Build the images and leave them in the engine
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    image: ImageFlags,
    #[command(flatten)]
    engine: EngineFlags,
}

pub(crate) async fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    let mut project = pipeline::load(context, &args.image, &RenderFlags::default()).await?;
    let plans = project.plan_images(context, &DigestState::Later)?;
    pipeline::require_images(&plans)?;
    let access = pipeline::access(context, &plans, true).await;
    let engine = pipeline::connect(context, &args.engine).await?;
    for plan in &plans {
        let image = pipeline::build(context, &engine, &access, plan).await?;
        pipeline::tag_locally(&engine, plan, &image).await?;
    }
    Ok(())
}
