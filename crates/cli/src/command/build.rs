//! `shipspec build`: the first step alone.

use clap::Args as ClapArgs;
use shipspec_spec::scope::DigestState;

use crate::arguments::{BuildFlags, EngineFlags, Output, OutputFlags, ProjectFlags, RenderFlags};
use crate::context::Context;
use crate::images::Maker;
use crate::pipeline;
use crate::preflight::{Needs, Preflight};
use crate::project::{Project, require_images};

/// Build the images and leave them in the engine
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    project: ProjectFlags,
    #[command(flatten)]
    engine: EngineFlags,
    #[command(flatten)]
    build: BuildFlags,
    #[command(flatten)]
    pub(super) output: OutputFlags,
}

pub(crate) async fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    let mut project = Project::read(context, &args.project, &RenderFlags::default())?;
    let needs =
        Needs { registry: false, artifacts: false, publishes: false, builds: true, reuse: None };
    project.select(&args.build.only)?;
    let digest = DigestState::Never("`shipspec build` pushes nothing; `shipspec run` does".into());
    let ready = Preflight::make(context, &mut project, &args.engine, &digest, needs).await;
    let mut ready = ready.require(context)?;
    require_images(&ready.plans)?;
    let mut report = pipeline::report("build", &project, &ready.checks);
    if let Some(engine) = &ready.engine {
        let maker = Maker {
            context,
            engine: Some(engine),
            access: &ready.access,
            stages: false,
            memory: ready.memory.as_ref(),
        };
        let jobs = args.build.jobs.into();
        let looked = std::mem::take(&mut ready.looked);
        let images = maker.make_all(&mut project, &ready.plans, looked, jobs, &mut report).await?;
        maker.tag_locally(&images).await?;
    }
    if args.output.output == Output::Json {
        context.console.data(&report.json())?;
    }
    Ok(())
}
