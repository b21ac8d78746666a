//! `shipspec render`: the artifacts alone.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::Args as ClapArgs;
use shipspec_build::plan::ImagePlan;
use shipspec_render::artifact::Artifact;
use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::expression::Names as _;
use shipspec_spec::scope::{DigestState, ImageNames, ImageNeeds};

use super::doctor;
use crate::arguments::{self, ProjectFlags, RenderFlags};
use crate::context::Context;
use crate::project::{Project, refuse_after_failure, with_bases};
use crate::report::Report;
use crate::reuse::{Memory, Rebuild};
use crate::{access, dockerfiles, failure, foreign, pipeline, publishing};

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
    for (name, reference) in &args.images {
        give_image(&mut project, name, reference)?;
    }
    if let Some(name) = &args.explain {
        return explain(context, &project, name);
    }
    if project.config.artifacts.is_empty() {
        let hint = "write `artifacts:` in shipspec.yml, or use `--render TEMPLATE=ARTIFACT`";
        return Err(failure::input("there is no artifact to render", Some(hint)));
    }
    pipeline::note_overruled(context, &project.scope);
    // Images that no artifact names need not even have a repository.
    let mut artifacts = match project.read_artifacts(context) {
        Ok(artifacts) => Some(artifacts),
        // A path or a condition names an image: then the images have to be planned first.
        Err(errors) if errors.clone().without_premature().is_empty() => None,
        Err(errors) => return Err(errors.into()),
    };
    let needs = |artifacts: &ArtifactPlans, project: &Project| {
        project.scope.image_needs(artifacts.references())
    };
    let has_images = !project.config.images.is_empty() || !project.config.foreign.is_empty();
    if artifacts.as_ref().is_none_or(|artifacts| has_images && needs(artifacts, &project).names) {
        let given: Vec<_> = args.images.iter().map(|(name, _)| name).collect();
        project.config.images.retain(|name, _| !given.contains(&name));
        project.config.foreign.retain(|name, _| !given.contains(&name));
        if let Some(artifacts) = &artifacts {
            leave_out_unnamed(&mut project, artifacts);
        }
        let plans = project.plan_images(context, &DigestState::Later);
        let plans = plans.map_err(|mut errors| {
            // What is wrong in the artifacts besides is told in the same go.
            if let Err(more) = project.check_artifacts(context) {
                errors.extend(more.without_premature());
            }
            errors
        })?;
        let plans = make_contents(context, &mut project, plans, artifacts.as_ref()).await?;
        let read = project.read_artifacts(context)?;
        let needs = needs(&read, &project);
        ask_registries(context, &mut project, &plans, (&read, &needs)).await?;
        artifacts = Some(read);
    }
    let artifacts = match artifacts {
        Some(artifacts) => artifacts.fill(&project.scope)?,
        None => Vec::new(),
    };
    if args.stdout {
        refuse_secrets(&artifacts)?;
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

/// Gives the images that artifacts name the tags that their contents give them.
async fn make_contents(
    context: &Context<'_>,
    project: &mut Project,
    plans: Vec<ImagePlan>,
    artifacts: Option<&ArtifactPlans>,
) -> anyhow::Result<Vec<ImagePlan>> {
    let named = artifacts.map(|read| project.scope.images_of(read.references()));
    let is_named = |plan: &ImagePlan| named.as_ref().is_none_or(|names| names.contains(&plan.name));
    let wanted = plans.iter().filter(|plan| plan.has_content && is_named(plan));
    let wanted = with_bases(&plans, wanted.map(|plan| plan.name.clone()));
    if wanted.is_empty() {
        return Ok(plans);
    }
    let (bases, _) = dockerfiles::check(context, &plans);
    let access = access::of_run(context, &project.users, &plans, &project.foreign, &bases).await;
    let plans = foreign::require_digests(context, project, &access, plans).await?;
    let memory = Memory::new(context, &access, &plans, Rebuild::None);
    let asked: Vec<_> = plans.iter().filter(|plan| wanted.contains(&plan.name)).cloned().collect();
    let looked = memory.look_up_all(project, &asked).await?;
    let found = |plan: ImagePlan| match looked.get(&plan.name) {
        Some(looked) => looked.plan.clone(),
        None => plan,
    };
    Ok(plans.into_iter().map(found).collect())
}

/// Where artifacts name images of others alone, those that are built need no repository.
fn leave_out_unnamed(project: &mut Project, artifacts: &ArtifactPlans) {
    let named = project.scope.images_of(artifacts.references());
    let mut built = named.iter().filter(|name| !project.scope.is_foreign(name));
    if built.next().is_none() {
        project.config.images.clear();
    }
}

/// Asks the registries for the digests that artifacts name, by the tags that name the images.
async fn ask_registries(
    context: &Context<'_>,
    project: &mut Project,
    plans: &[ImagePlan],
    (artifacts, needs): (&ArtifactPlans, &ImageNeeds),
) -> anyhow::Result<()> {
    let plans: Vec<_> = plans.iter().filter(|plan| needs.digests.contains(&plan.name)).collect();
    let foreign = project.unasked(&[], Some(artifacts));
    let access =
        access::of_run(context, &project.users, plans.iter().copied(), &foreign, &BTreeSet::new())
            .await;
    let asked = foreign::ask(&access, foreign).await;
    project.take_digests(&asked);
    foreign::require_all(asked)?;
    for plan in plans {
        let client = access.client(&plan.repository)?;
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

/// Takes the reference of an image as it was given.
fn give_image(project: &mut Project, name: &str, reference: &str) -> anyhow::Result<()> {
    let config = &project.config;
    if !config.images.contains_key(name) && !config.foreign.contains_key(name) {
        let known = config.images.keys().chain(config.foreign.keys());
        let known: Vec<_> = known.map(String::as_str).collect();
        let hint = format!("`images:` has: {}", known.join(", "));
        return Err(failure::input(format!("no image has the name `{name}`"), Some(&hint)));
    }
    let names = ImageNames::parse(reference).map_err(|why| failure::input(why, None))?;
    project.scope.set_image(name, names);
    Ok(())
}

/// Every source that has a value for a name; never a secret.
fn explain(context: &Context<'_>, project: &Project, name: &str) -> anyhow::Result<()> {
    let root = name.split('.').next().unwrap_or(name);
    let mut text = format!("{name} = {}\n", doctor::value(project, name));
    for (index, origin) in project.scope.origins(root).iter().enumerate() {
        let what = if index == 0 { "from" } else { "not" };
        let _ = writeln!(text, "  {what:4} {}", doctor::describe(project, root, origin));
    }
    if let Err(error) = project.scope.resolve(name) {
        let _ = writeln!(text, "  {error}");
    }
    Ok(context.console.data(&text)?)
}
