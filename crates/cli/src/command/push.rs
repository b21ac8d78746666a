//! `shipspec push`: what `shipspec build` left in the engine goes to the registry.

use clap::Args as ClapArgs;
use shipspec_build::docker::{Engine, LocalImage};
use shipspec_build::plan::ImagePlan;
use shipspec_spec::scope::DigestState;

use crate::arguments::{EngineFlags, Output, OutputFlags, ProjectFlags, RenderFlags};
use crate::context::Context;
use crate::images::{Made, Maker};
use crate::preflight::{Needs, Preflight};
use crate::project::{Project, refuse_after_failure, require_images};
use crate::releases::Releases;
use crate::report::Report;
use crate::tagging::Newer;
use crate::{failure, pipeline, tagging};

/// Push the images that `shipspec build` left in the engine, and tag them; prints each by digest
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    project: ProjectFlags,
    #[command(flatten)]
    engine: EngineFlags,
    #[command(flatten)]
    pub(super) output: OutputFlags,
    /// Move moving tags, such as `latest`, even if a newer run has put them
    #[arg(long)]
    force_moving: bool,
}

pub(crate) async fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    refuse_after_failure(context)?;
    let mut project = Project::read(context, &args.project, &RenderFlags::default())?;
    let needs =
        Needs { registry: true, artifacts: false, publishes: false, builds: false, reuse: None };
    let digest = DigestState::Later;
    let ready = Preflight::make(context, &mut project, &args.engine, &digest, needs).await;
    let ready = ready.require(context)?;
    require_images(&ready.plans)?;
    let mut report = pipeline::report("push", &project, &ready.checks);
    let Some(engine) = &ready.engine else { return Ok(()) };
    let images = find_all(engine, &ready.plans).await?;
    pipeline::create_repositories(context, &ready).await?;
    let maker =
        Maker { context, engine: Some(engine), access: &ready.access, stages: true, memory: None };
    let newer = if args.force_moving {
        Newer::default()
    } else {
        let releases = Releases::open(context, &project, &ready, false).await?;
        releases.newer_tags(&releases.last(context).await)
    };
    let images = match publish(maker, images, newer, &mut report).await {
        Ok(images) => images,
        Err(error) => return Err(failure::unfinished(report, error)),
    };
    if args.output.output == Output::Json {
        return Ok(context.console.data(&report.json())?);
    }
    for staged in images.iter().filter_map(|made| made.staged.as_ref()) {
        let published = staged.published();
        context.console.data(&format!("{}\n", published.repository.pinned(&published.digest)))?;
    }
    Ok(())
}

/// From the engine to the registry, and then all tags.
async fn publish(
    maker: Maker<'_>,
    images: Vec<(ImagePlan, LocalImage)>,
    newer: Newer,
    report: &mut Report,
) -> anyhow::Result<Vec<Made>> {
    let images = maker.stage_all(images, report).await?;
    let holdings: Vec<_> = images.iter().flat_map(Made::holdings).collect();
    tagging::tag_all(maker.context, &holdings, async { ((), newer) }, report).await?;
    Ok(images)
}

/// The images that a build left in the engine, by their main tags.
async fn find_all(
    engine: &Engine,
    plans: &[ImagePlan],
) -> anyhow::Result<Vec<(ImagePlan, LocalImage)>> {
    let mut images = Vec::new();
    for plan in plans {
        let reference = plan.repository.tagged(plan.main_tag());
        match engine.inspect(&reference).await? {
            Some(image) => images.push((plan.clone(), image)),
            None => {
                let message = format!("the engine has no image `{reference}`");
                return Err(failure::input(message, Some("run `shipspec build` first")));
            }
        }
    }
    Ok(images)
}
