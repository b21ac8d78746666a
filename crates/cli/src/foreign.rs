//! Images that others build: their registries are asked for digests, where a text names one.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use shipspec_build::plan::{ForeignPlan, ImagePlan};
use shipspec_registry::access::Access;
use shipspec_registry::error::RegistryError;
use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::config::Text;
use shipspec_spec::image::Digest;
use shipspec_spec::scope::DigestState;

use crate::context::Context;
use crate::failure::Several;
use crate::project::Project;

/// An image of others whose registry was asked, and what it said.
pub(crate) type Asked = (ForeignPlan, anyhow::Result<Digest>);

impl Project {
    /// The images of others whose digests these images and artifacts name, and nobody knows yet.
    pub(crate) fn unasked(
        &self,
        plans: &[ImagePlan],
        artifacts: Option<&ArtifactPlans>,
    ) -> Vec<ForeignPlan> {
        let configs = plans.iter().filter_map(|plan| self.config.images.get(&plan.name));
        let of_images = configs.flat_map(|image| image.texts().flat_map(Text::references));
        let of_artifacts = artifacts.into_iter().flat_map(ArtifactPlans::references);
        let references: BTreeSet<_> = of_images.chain(of_artifacts).collect();
        let digests = self.scope.image_needs(references).digests;
        let is_open = |plan: &&ForeignPlan| {
            let known = self.scope.image(&plan.name);
            digests.contains(&plan.name)
                && known.is_some_and(|known| known.digest == DigestState::Later)
        };
        self.foreign.iter().filter(is_open).cloned().collect()
    }

    /// Notes the digests that registries have told. True if there were any.
    pub(crate) fn take_digests(&mut self, asked: &[Asked]) -> bool {
        let mut has_new = false;
        for (plan, digest) in asked {
            if let Ok(digest) = digest {
                self.set_digest(&plan.name, digest.clone());
                has_new = true;
            }
        }
        has_new
    }

    /// The digest of an image of others, as far as it is known.
    pub(crate) fn foreign_digest(&self, plan: &ForeignPlan) -> Option<Digest> {
        match &self.scope.image(&plan.name)?.digest {
            DigestState::Known(digest) => Some(digest.clone()),
            DigestState::Later | DigestState::Never(_) => None,
        }
    }
}

/// Asks the registries for digests, side by side.
pub(crate) async fn ask(access: &Access, wanted: Vec<ForeignPlan>) -> Vec<Asked> {
    let asked = wanted.into_iter().map(|plan| async {
        let digest = digest(access, &plan).await;
        (plan, digest)
    });
    join_all(asked).await
}

async fn digest(access: &Access, plan: &ForeignPlan) -> anyhow::Result<Digest> {
    let client = access.reader(&plan.repository)?;
    let digest = client.digest(&plan.asked).await?;
    digest.ok_or_else(|| {
        let (repository, reference) = (plan.repository.clone(), plan.asked.clone());
        RegistryError::NoManifest { repository, reference }.into()
    })
}

/// The images that are built, with the digests of others in them; an error if one of these is not known.
pub(crate) async fn require_digests(
    context: &Context<'_>,
    project: &mut Project,
    access: &Access,
    plans: Vec<ImagePlan>,
) -> anyhow::Result<Vec<ImagePlan>> {
    let asked = ask(access, project.unasked(&plans, None)).await;
    let has_new = project.take_digests(&asked);
    require_all(asked)?;
    if !has_new {
        return Ok(plans);
    }
    Ok(project.plan_images(context, &DigestState::Later)?)
}

/// Every digest is known, or each that is not is told.
pub(crate) fn require_all(asked: Vec<Asked>) -> anyhow::Result<()> {
    let error = |(_, digest): Asked| digest.err();
    Several::join(asked.into_iter().filter_map(error).collect()).map_or(Ok(()), Err)
}
