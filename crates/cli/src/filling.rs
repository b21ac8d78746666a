//! The artifacts as `render` fills them: with images that are in their registries already.

use std::collections::BTreeSet;

use shipspec_build::plan::ImagePlan;
use shipspec_render::artifact::Artifact;
use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::scope::{DigestState, ImageNames, ImageNeeds};

use crate::context::Context;
use crate::project::{Project, with_bases};
use crate::reuse::{Memory, Rebuild};
use crate::{access, dockerfiles, failure, foreign};

/// The artifacts, with every template read, and what they come to.
pub(crate) struct Filled {
    pub(crate) plans: ArtifactPlans,
    /// In the order of the plans.
    pub(crate) artifacts: Vec<Artifact>,
}

/// Fills every artifact. The registries are asked for the digests that artifacts name, but for the images
/// that are `given` by their references.
pub(crate) async fn fill(
    context: &Context<'_>,
    project: &mut Project,
    given: &[(String, String)],
) -> anyhow::Result<Filled> {
    let has_images = !project.config.images.is_empty() || !project.config.foreign.is_empty();
    // Images that no artifact names need not even have a repository.
    let read = match project.read_artifacts(context) {
        Ok(artifacts) => Some(artifacts),
        // A path or a condition names an image: then the images have to be planned first.
        Err(errors) if errors.clone().without_premature().is_empty() => None,
        Err(errors) => return Err(errors.into()),
    };
    let plans = match read {
        Some(plans) if !has_images || !needs(&plans, project).names => plans,
        read => plan(context, project, given, read.as_ref()).await?,
    };
    let artifacts = plans.fill(&project.scope)?;
    Ok(Filled { plans, artifacts })
}

/// The artifacts, once the images that they name are known; `read` is what is known of them before.
async fn plan(
    context: &Context<'_>,
    project: &mut Project,
    given: &[(String, String)],
    read: Option<&ArtifactPlans>,
) -> anyhow::Result<ArtifactPlans> {
    let is_given = |name: &String| given.iter().any(|(given, _)| given == name);
    project.config.images.retain(|name, _| !is_given(name));
    project.config.foreign.retain(|name, _| !is_given(name));
    if let Some(artifacts) = read {
        leave_out_unnamed(project, artifacts);
    }
    let images = project.plan_images(context, &DigestState::Later);
    let images = images.map_err(|mut errors| {
        // What is wrong in the artifacts besides is told in the same go.
        if let Err(more) = project.check_artifacts(context) {
            errors.extend(more.without_premature());
        }
        errors
    })?;
    let images = make_contents(context, project, images, read).await?;
    let read = project.read_artifacts(context)?;
    let needs = needs(&read, project);
    ask_registries(context, project, &images, (&read, &needs)).await?;
    Ok(read)
}

fn needs(artifacts: &ArtifactPlans, project: &Project) -> ImageNeeds {
    project.scope.image_needs(artifacts.references())
}

/// Takes the references of images as they were given.
pub(crate) fn give_images(project: &mut Project, given: &[(String, String)]) -> anyhow::Result<()> {
    given.iter().try_for_each(|(name, reference)| give_image(project, name, reference))
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
