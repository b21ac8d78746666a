//! The artifacts as `render` fills them: with images that are in their registries already.

use std::collections::BTreeSet;

use shipspec_build::plan::ImagePlan;
use shipspec_render::artifact::Artifact;
use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::scope::{DigestState, ImageNames, ImageNeeds};

use crate::context::Context;
use crate::project::Project;
use crate::{access, failure};

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
    let has_images = !project.config.images.is_empty();
    // Images that no artifact names need not even have a repository.
    let read = match project.read_artifacts(context) {
        Ok(artifacts) if !has_images || !needs(&artifacts, project).names => Some(artifacts),
        Ok(_) => None,
        // A path or a condition names an image: then the images have to be planned first.
        Err(errors) if errors.clone().without_premature().is_empty() => None,
        Err(errors) => return Err(errors.into()),
    };
    let plans = match read {
        Some(plans) => plans,
        None => plan(context, project, given).await?,
    };
    let artifacts = plans.fill(&project.scope)?;
    Ok(Filled { plans, artifacts })
}

/// The artifacts, once the images that they name are known.
async fn plan(
    context: &Context<'_>,
    project: &mut Project,
    given: &[(String, String)],
) -> anyhow::Result<ArtifactPlans> {
    project.config.images.retain(|name, _| !given.iter().any(|(given, _)| given == name));
    let images = project.plan_images(context, &DigestState::Later);
    let images = images.map_err(|mut errors| {
        // What is wrong in the artifacts besides is told in the same go.
        if let Err(more) = project.check_artifacts(context) {
            errors.extend(more.without_premature());
        }
        errors
    })?;
    let read = project.read_artifacts(context)?;
    let needs = needs(&read, project);
    ask_registries(context, project, &images, &needs).await?;
    Ok(read)
}

fn needs(artifacts: &ArtifactPlans, project: &Project) -> ImageNeeds {
    project.scope.image_needs(artifacts.references())
}

/// Takes the references of images as they were given.
pub(crate) fn give_images(project: &mut Project, given: &[(String, String)]) -> anyhow::Result<()> {
    given.iter().try_for_each(|(name, reference)| give_image(project, name, reference))
}

/// Asks the registries for the digests that artifacts name, by the tags that name the images.
async fn ask_registries(
    context: &Context<'_>,
    project: &mut Project,
    plans: &[ImagePlan],
    needs: &ImageNeeds,
) -> anyhow::Result<()> {
    let plans: Vec<_> = plans.iter().filter(|plan| needs.digests.contains(&plan.name)).collect();
    let access =
        access::of_run(context, &project.users, plans.iter().copied(), &BTreeSet::new()).await;
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
    if !project.config.images.contains_key(name) {
        let known: Vec<_> = project.config.images.keys().map(String::as_str).collect();
        let hint = format!("`images:` has: {}", known.join(", "));
        return Err(failure::input(format!("no image has the name `{name}`"), Some(&hint)));
    }
    let names = ImageNames::parse(reference).map_err(|why| failure::input(why, None))?;
    project.scope.set_image(name, names);
    Ok(())
}
