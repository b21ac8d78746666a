//! The steps that commands are made of, from a plan on: images → registry → tags → files.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Context as _;
use shipspec_build::docker::{BuildInputs, Built, Engine, LocalImage};
use shipspec_build::plan::ImagePlan;
use shipspec_build::progress::{Event, Reporter as _};
use shipspec_build::publish::{Staged, stage};
use shipspec_registry::access::Access;
use shipspec_render::artifact::{Artifact, Prepared};

use shipspec_spec::expression::Names as _;
use shipspec_spec::scope::Scope;

use crate::arguments::EngineFlags;
use crate::context::Context;
use crate::preflight::{Check, Finding, Preflight};
use crate::project::Project;
use crate::report::{ArtifactReport, ImageReport, Report};

/// Who may speak to the registries of these images. For work in the engine alone, no registry of
/// ECR is asked for a token.
pub(crate) async fn access(
    context: &Context<'_>,
    plans: &[ImagePlan],
    in_engine_alone: bool,
) -> Access {
    let is_ecr = plans.iter().any(|plan| plan.repository.registry.ecr().is_some());
    let aws = if is_ecr && !in_engine_alone { Some(context.aws().await.clone()) } else { None };
    Access::new(aws)
}

/// The engine, once it answers.
pub(crate) async fn connect(context: &Context<'_>, flags: &EngineFlags) -> anyhow::Result<Engine> {
    Ok(Engine::connect(&context.environment, flags.docker_wait, context.console).await?)
}

/// The report of a command, with what is known at its start.
pub(crate) fn report(command: &'static str, project: &Project, checks: &[Check]) -> Report {
    let text = |name: &str| project.scope.resolve(name).ok().and_then(|value| value.text());
    let reason = |check: &Check| match &check.finding {
        Finding::NotChecked(reason) => Some(format!("{}: {reason}", check.subject)),
        _ => None,
    };
    Report {
        commit: text("COMMIT"),
        tag: text("IMAGE_TAG"),
        not_checked: checks.iter().filter_map(reason).collect(),
        ..Report::new(command)
    }
}

/// Builds images one after the other and leaves each in the engine under its main tag.
pub(crate) async fn build_all(
    context: &Context<'_>,
    engine: &Engine,
    ready: &Preflight,
    report: &mut Report,
) -> anyhow::Result<Vec<(ImagePlan, LocalImage)>> {
    let mut images = Vec::new();
    for plan in &ready.plans {
        let start = Instant::now();
        let image = build(context, engine, &ready.access, plan).await?;
        let duration = start.elapsed();
        context.console.report(Event::Built { image: &plan.name, duration });
        let mut told = ImageReport::new(plan);
        told.build_seconds = Some(duration.as_secs_f64());
        report.images.push(told);
        images.push((plan.clone(), image));
    }
    Ok(images)
}

async fn build(
    context: &Context<'_>,
    engine: &Engine,
    access: &Access,
    plan: &ImagePlan,
) -> anyhow::Result<LocalImage> {
    let image = &*plan.name;
    context.console.report(Event::BuildStarted { image });
    let reference = plan.repository.tagged(plan.main_tag());
    let inputs = BuildInputs { plan, tag: &reference, access, secrets: &BTreeMap::new() };
    let built = engine.build(&inputs, context.console).await;
    let built = built.with_context(|| format!("failed to build the image `{image}`"))?;
    note_build(context, image, &built);
    Ok(built.image)
}

/// Says what is not as one would expect.
fn note_build(context: &Context<'_>, image: &str, built: &Built) {
    if built.is_classic {
        context.console.note(format_args!(
            "note: the engine has no BuildKit; its classic builder built `{image}`"
        ));
    }
    for id in &built.unknown_secrets {
        context.console.note(format_args!(
            "note: a step of `{image}` asked for the secret `{id}`, which was not given, and ran without it"
        ));
    }
    for id in &built.unknown_agents {
        context.console.note(format_args!(
            "note: a step of `{image}` asked for the ssh agent `{id}`, which is not under `ssh`, and ran without it"
        ));
    }
}

/// Gives images in the engine all of their tags there.
pub(crate) async fn tag_locally(
    engine: &Engine,
    images: &[(ImagePlan, LocalImage)],
) -> anyhow::Result<()> {
    for (plan, image) in images {
        for planned in &plan.tags {
            engine.tag(image.id.as_str(), &plan.repository, &planned.tag).await?;
        }
    }
    Ok(())
}

/// Brings images to their registries, under tags that nobody deploys.
pub(crate) async fn stage_all(
    context: &Context<'_>,
    engine: &Engine,
    access: &Access,
    images: &[(ImagePlan, LocalImage)],
    report: &mut Report,
) -> anyhow::Result<Vec<Staged>> {
    let mut all = Vec::new();
    for (plan, image) in images {
        let credentials = access.credentials(&plan.repository.registry).await?;
        let staged = stage(engine, plan, image, credentials, context.console).await?;
        report.image(plan).set_published(staged.published());
        all.push(staged);
    }
    Ok(all)
}

/// Puts the tags that belong to the source version on all images, and then those that move.
pub(crate) async fn tag_all(
    context: &Context<'_>,
    images: &[(ImagePlan, LocalImage)],
    staged: &[Staged],
    report: &mut Report,
) -> anyhow::Result<()> {
    for moving in [false, true] {
        for ((plan, _), staged) in images.iter().zip(staged) {
            for planned in plan.tags.iter().filter(|planned| planned.moving == moving) {
                let change = staged.put_tag(&planned.tag, context.console).await?;
                report.image(plan).set_change(planned.tag.as_str(), change);
            }
        }
    }
    Ok(())
}

/// Writes all artifacts beside their places: what can go wrong with the disk goes wrong here.
pub(crate) fn prepare(context: &Context<'_>, artifacts: &[Artifact]) -> anyhow::Result<Prepared> {
    note_all(context, artifacts);
    Ok(Prepared::write(&context.folder, artifacts)?)
}

/// Moves all artifacts to their places, or none.
pub(crate) fn commit(
    context: &Context<'_>,
    artifacts: &[Artifact],
    prepared: Prepared,
    report: &mut Report,
) -> anyhow::Result<()> {
    prepared.commit()?;
    let mut lines = Vec::new();
    for artifact in artifacts {
        let path = artifact.path.display().to_string();
        lines.push(
            match artifact.secrets.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>() {
                secrets if secrets.is_empty() => format!("wrote {path}"),
                secrets => format!(
                    "wrote {path}, with {} in plain text (`allow_secrets`)",
                    secrets.join(", ")
                ),
            },
        );
        report.artifacts.push(ArtifactReport { path, text: None, reason: None });
    }
    if !lines.is_empty() {
        context.console.note(lines.join("\n"));
    }
    Ok(())
}

/// Says what the authors of artifacts may want to know.
pub(crate) fn note_all(context: &Context<'_>, artifacts: &[Artifact]) {
    for note in artifacts.iter().flat_map(|artifact| &artifact.notes) {
        context.console.note(format_args!("note: {note}"));
    }
}

/// Says which names of the environment do not count.
pub(crate) fn note_overruled(context: &Context<'_>, scope: &Scope) {
    for name in scope.overruled() {
        context.console.note(format_args!(
            "note: `{name}` of the environment is overruled by the one that shipspec makes"
        ));
    }
}
