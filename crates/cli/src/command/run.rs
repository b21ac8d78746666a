//! `shipspec run`: the line in the buildspec.

use clap::Args as ClapArgs;
use shipspec_render::artifact::Artifact;
use shipspec_spec::scope::DigestState;

use crate::arguments::{BuildFlags, EngineFlags, Output, OutputFlags, ProjectFlags, RenderFlags};
use crate::context::Context;
use crate::deployed::Deployed;
use crate::images::{Made, Maker};
use crate::preflight::{Needs, Preflight};
use crate::project::{Project, refuse_after_failure, require_something};
use crate::releases::{Released, Releases};
use crate::report::Report;
use crate::reuse::Rebuild;
use crate::tagging::Newer;
use crate::{checks, failure, pipeline, publishing, release, tagging};

/// Build, push, tag and write the artifacts: everything, or nothing
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    project: ProjectFlags,
    #[command(flatten)]
    render: RenderFlags,
    #[command(flatten)]
    engine: EngineFlags,
    #[command(flatten)]
    build: BuildFlags,
    #[command(flatten)]
    pub(super) output: OutputFlags,
    /// Leave the images in the engine: no registry is asked for them, and no digest of theirs is known
    #[arg(long)]
    no_push: bool,
    /// Build these images even if their registries hold what is made from the same; without a name,
    /// all
    #[arg(long, value_name = "IMAGE", num_args = 0..)]
    rebuild: Option<Vec<String>>,
    /// Say that something changed, whatever the last release was: for one whose deployment failed
    #[arg(long)]
    changed: bool,
    /// Move moving tags, such as `latest`, even if a newer run has put them
    #[arg(long)]
    force_moving: bool,
}

pub(crate) async fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    refuse_after_failure(context)?;
    let mut project = Project::read(context, &args.project, &args.render)?;
    require_something(&project.config)?;
    project.select(&args.build.only)?;
    let digest = if args.no_push {
        DigestState::Never("with `--no-push` no registry takes the image".into())
    } else {
        DigestState::Later
    };
    let rebuild = Rebuild::new(args.rebuild.as_deref(), &project)?;
    let reuse = (!args.no_push).then_some(rebuild);
    let publishes = is_whole(args);
    let needs = Needs { registry: !args.no_push, artifacts: true, publishes, builds: true, reuse };
    let ready = Preflight::make(context, &mut project, &args.engine, &digest, needs).await;
    let mut ready = ready.require(context)?;
    pipeline::note_overruled(context, &project.scope);
    let mut report = pipeline::report("run", &project, &ready.checks);
    if let Err(error) = publish(args, context, &mut project, &mut ready, &mut report).await {
        return Err(failure::unfinished(report, error));
    }
    match args.output.output {
        Output::Json => context.console.data(&report.json())?,
        Output::Text if report.images.is_empty() => {}
        Output::Text => context.console.note(format_args!("\n{}", report.table().trim_end())),
    }
    Ok(())
}

/// All images are made and pushed: what they make together can be released and published.
fn is_whole(args: &Args) -> bool {
    !args.no_push && args.build.only.is_empty()
}

/// From the plan to the files. Nothing that anybody deploys changes before all of it is sure.
async fn publish(
    args: &Args,
    context: &Context<'_>,
    project: &mut Project,
    ready: &mut Preflight<'_>,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !args.no_push {
        pipeline::create_repositories(context, ready).await?;
    }
    let looked = std::mem::take(&mut ready.looked);
    pipeline::note_written(context, &looked, ready.artifacts.as_ref());
    let releases = if args.no_push {
        Releases::none()
    } else {
        Releases::open(context, project, ready, args.changed).await?
    };
    let maker = Maker {
        context,
        engine: ready.engine.as_ref(),
        access: &ready.access,
        stages: !args.no_push,
        memory: ready.memory.as_ref(),
    };
    let jobs = args.build.jobs.into();
    let images = maker.make_all(project, &ready.plans, looked, jobs, report).await?;
    if args.no_push {
        maker.tag_locally(&images).await?;
    }
    let artifacts = match &ready.artifacts {
        Some(artifacts) => artifacts.fill(&project.scope)?,
        None => Vec::new(),
    };
    checks::of_rendered(&project.config, &artifacts)?;
    let made = Released {
        images: &images,
        artifacts: release::artifacts(project, ready.artifacts.as_ref()),
        deployed: Deployed::new(ready, &images, &artifacts),
        stays: false,
    };
    release(args, context, project, &releases, &artifacts, made, report).await
}

/// Tags → files → places → record. A failure puts back what it can, and so does a signal: nobody drops
/// this half-way.
async fn release(
    args: &Args,
    context: &Context<'_>,
    project: &Project,
    releases: &Releases,
    artifacts: &[Artifact],
    made: Released<'_>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let _hold = context.stop.hold();
    let prepared = pipeline::prepare(context, artifacts)?;
    let holdings: Vec<_> = made.images.iter().flat_map(Made::holdings).collect();
    let asked = async {
        let last = releases.last(context).await;
        let newer = if args.force_moving { Newer::default() } else { releases.newer_tags(&last) };
        (last, newer)
    };
    let (last, moves) = tagging::tag_all(context, &holdings, asked, report).await?;
    let written = match pipeline::commit(context, artifacts, prepared, report) {
        Ok(written) => written,
        Err(error) => {
            moves.put_back(context, report).await;
            return Err(error);
        }
    };
    let mut out = Outside::Nothing;
    let mut done = Ok(());
    let is_whole = is_whole(args);
    if is_whole {
        (out, done) = publish_artifacts(context, artifacts, report).await;
    } else {
        publishing::note_unpublished(context, artifacts);
    }
    let made = Released { stays: out == Outside::Something, ..made };
    let is_put_back = done.is_err() && !made.stays;
    // A release that was not published is none: the next run has to say that something changed.
    if is_whole && done.is_ok() {
        done = releases.keep(context, project, made, last, report).await;
    } else if !is_put_back {
        releases.mark(context, project, made, &last, report).await;
    }
    if done.is_err() && out == Outside::Nothing {
        written.put_back();
        report.artifacts.clear();
        moves.put_back(context, report).await;
    }
    done
}

/// What can be seen of the artifacts outside of this machine.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outside {
    Nothing,
    /// Another pipeline may have begun with it, and reads the images by their tags.
    Something,
}

/// Puts the artifacts where `publish:` says.
async fn publish_artifacts(
    context: &Context<'_>,
    artifacts: &[Artifact],
    report: &mut Report,
) -> (Outside, anyhow::Result<()>) {
    let published = publishing::publish_all(context, artifacts, report).await;
    let is_anything_out = match &published {
        Ok(()) => report.has_published(),
        Err(unpublished) => !unpublished.is_nothing_out,
    };
    let out = if is_anything_out { Outside::Something } else { Outside::Nothing };
    (out, published.map_err(|unpublished| unpublished.error))
}
