//! The steps that commands are made of, from a plan on: images → registry → tags → files.

use std::collections::BTreeMap;
use std::path::Path;

use shipspec_build::docker::Engine;
use shipspec_registry::repository::Creation;
use shipspec_render::artifact::{Artifact, Prepared, Written};
use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::expression::Names as _;
use shipspec_spec::scope::Scope;

use crate::arguments::EngineFlags;
use crate::context::Context;
use crate::preflight::{Check, Finding, Preflight, to_be_made};
use crate::project::Project;
use crate::report::{ArtifactReport, Report};
use crate::reuse::Looked;

/// Makes the repositories that shipspec.yml says are to be made. It comes before anything is built,
/// because a role that may not do it is better known then.
pub(crate) async fn create_repositories(
    context: &Context<'_>,
    ready: &Preflight<'_>,
) -> anyhow::Result<()> {
    let missing = to_be_made(&ready.checks);
    let wanted: BTreeMap<_, _> = ready
        .plans
        .iter()
        .filter_map(|plan| plan.create_repository.as_ref().map(|settings| (plan, settings)))
        .flat_map(|(plan, settings)| plan.repositories().map(move |target| (target, settings)))
        .collect();
    for (repository, settings) in wanted {
        let exists = !missing.contains(repository);
        match ready.access.create(repository, settings, exists).await? {
            Some(Creation::Created) => {
                context.console.note(format_args!("made the repository {repository}"));
            }
            Some(Creation::PolicyPut) => context
                .console
                .note(format_args!("gave the repository {repository} its lifecycle policy")),
            Some(Creation::Exists) | None => {}
        }
    }
    Ok(())
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
    let mut report = Report {
        commit: text("COMMIT"),
        tag: text("IMAGE_TAG"),
        not_checked: checks.iter().filter_map(reason).collect(),
        ..Report::new(command)
    };
    report.set_references(project);
    report
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
) -> anyhow::Result<Written> {
    let written = prepared.commit()?;
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
        let published = Vec::new();
        report.artifacts.push(ArtifactReport { path, text: None, reason: None, published });
    }
    if !lines.is_empty() {
        context.console.note(lines.join("\n"));
    }
    Ok(written)
}

/// Says which artifacts are part of what an image is made from: writing them makes it another image.
pub(crate) fn note_written(
    context: &Context<'_>,
    looked: &BTreeMap<String, Looked>,
    artifacts: Option<&ArtifactPlans>,
) {
    for Looked { plan, key, .. } in looked.values() {
        let Some(key) = key else { continue };
        let paths = artifacts.into_iter().flat_map(ArtifactPlans::paths);
        let inside: Vec<_> = paths
            .filter(|path| key.contains(plan, &context.folder.join(path)))
            .map(|path| format!("`{}`", Path::new(path).display()))
            .collect();
        if !inside.is_empty() {
            context.console.note(format_args!(
                "note: this run writes {} into the build context of `{}`, which makes it another image: name it in .dockerignore",
                inside.join(", "),
                plan.name
            ));
        }
    }
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
