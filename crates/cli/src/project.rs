//! What is to be done, and what every name stands for: configuration → values → plan.

use std::collections::BTreeMap;

use shipspec_build::docker::BuildSecret;
use shipspec_build::plan::{ImagePlan, PlannedSecret, plan};
use shipspec_parameters::fetch::Version;
use shipspec_parameters::offline;
use shipspec_parameters::request::Requests;
use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::codebuild::BUILD_SUCCEEDING;
use shipspec_spec::config::Config;
use shipspec_spec::diagnostic::Diagnostics;
use shipspec_spec::image::Digest;
use shipspec_spec::scope::{DigestState, ImageNames, Scope};

use crate::arguments::{ProjectFlags, RenderFlags};
use crate::context::Context;
use crate::{commit, failure, parameters};

/// The configuration, and the values of its names as far as they are known.
pub(crate) struct Project {
    pub(crate) config: Config,
    pub(crate) scope: Scope,
    /// Who is asked for the parameters, by the names that shipspec.yml gives them.
    pub(crate) requests: Requests,
    /// What is asked instead of AWS.
    pub(crate) offline: Option<offline::File>,
    /// Which versions of the parameters were read.
    pub(crate) versions: BTreeMap<String, Version>,
}

/// Stops where an earlier phase of CodeBuild has failed: `post_build` runs all the same, and would
/// publish what is broken.
pub(crate) fn refuse_after_failure(context: &Context<'_>) -> anyhow::Result<()> {
    if context.variable(BUILD_SUCCEEDING) == Some("0") {
        let message = format!("an earlier phase of this build failed ({BUILD_SUCCEEDING}=0)");
        return Err(failure::input(message, Some("nothing is published after a failure")));
    }
    Ok(())
}

impl Project {
    /// Reads the configuration and the flags. No value is fetched.
    pub(crate) fn read(
        context: &Context<'_>,
        flags: &ProjectFlags,
        render: &RenderFlags,
    ) -> anyhow::Result<Self> {
        let mut config = context.read_config()?;
        flags.image.apply(&mut config, context)?;
        render.apply(&mut config)?;
        let scope = Scope::new(&config, context.environment.clone(), commit::find(context))
            .with_given(flags.given(context)?, context.folder.clone());
        scope.cycles().or(())?;
        let requests = parameters::requests(&config, &scope)?;
        let offline = flags.parameters(context)?.map(parameters::offline);
        Ok(Self { config, scope, requests, offline, versions: BTreeMap::new() })
    }

    /// As [`Project::read`], with the values of the parameters.
    pub(crate) async fn load(
        context: &Context<'_>,
        flags: &ProjectFlags,
        render: &RenderFlags,
    ) -> anyhow::Result<Self> {
        let mut project = Self::read(context, flags, render)?;
        project.fetch_parameters(context).await?;
        Ok(project)
    }

    /// What is to be built; `digest` is what can be known of digests.
    pub(crate) fn plan_images(
        &mut self,
        context: &Context<'_>,
        digest: &DigestState,
    ) -> Result<Vec<ImagePlan>, Diagnostics> {
        plan(&self.config, &mut self.scope, &context.folder, digest)
    }

    /// The secrets of an image's steps, with the versions that were read.
    pub(crate) fn build_secrets(&self, plan: &ImagePlan) -> BTreeMap<String, BuildSecret> {
        let secret = |(id, planned): (&String, &PlannedSecret)| {
            let version = self.versions.get(&planned.name);
            let version = version.map(|version| format!("{} {}", version.arn, version.version));
            (id.clone(), BuildSecret { value: planned.value.clone(), version })
        };
        plan.secrets.iter().map(secret).collect()
    }

    /// The artifacts, with every template read.
    pub(crate) fn read_artifacts(
        &self,
        context: &Context<'_>,
    ) -> Result<ArtifactPlans, Diagnostics> {
        ArtifactPlans::read(&self.config, &self.scope, &context.folder)
    }

    /// The artifacts, with every template read and every name in them looked up.
    pub(crate) fn check_artifacts(
        &self,
        context: &Context<'_>,
    ) -> Result<ArtifactPlans, Diagnostics> {
        let artifacts = self.read_artifacts(context)?;
        artifacts.fill(&self.with_stand_ins())?;
        Ok(artifacts)
    }

    /// The values as they will be, with a digest of zeros where the registry has still to tell one.
    pub(crate) fn with_stand_ins(&self) -> Scope {
        let mut scope = self.scope.clone();
        for name in self.config.images.keys() {
            let Some(known) = scope.image(name).cloned() else { continue };
            if known.digest == DigestState::Later {
                let digest = DigestState::Known(Digest::from_sha256([0; 32]));
                scope.set_image(name, ImageNames { digest, ..known });
            }
        }
        scope
    }

    /// Notes what the registry has taken, so that artifacts can name it.
    pub(crate) fn set_digest(&mut self, image: &str, digest: Digest) {
        if let Some(known) = self.scope.image(image).cloned() {
            let digest = DigestState::Known(digest);
            self.scope.set_image(image, ImageNames { digest, ..known });
        }
    }
}

/// There is an image to build or an artifact to write.
pub(crate) fn require_something(config: &Config) -> anyhow::Result<()> {
    if config.images.is_empty() && config.artifacts.is_empty() {
        let hint = "write a shipspec.yml, or name the repository with `--repository`";
        return Err(failure::input("there is nothing to do", Some(hint)));
    }
    Ok(())
}

/// A command about images needs one.
pub(crate) fn require_images(plans: &[ImagePlan]) -> anyhow::Result<()> {
    if plans.is_empty() {
        let hint = "write `images:` in shipspec.yml, or name the repository with `--repository`";
        return Err(failure::input("no image is configured", Some(hint)));
    }
    Ok(())
}
