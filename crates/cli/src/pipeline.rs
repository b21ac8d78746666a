//! The steps that commands are made of: configuration → values → plan → images → artifacts → files.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Context as _;
use shipspec_build::docker::{Engine, LocalImage};
use shipspec_build::plan::{ImagePlan, plan};
use shipspec_build::progress::{Event, Reporter as _};
use shipspec_build::publish::{Staged, stage};
use shipspec_registry::access::Access;
use shipspec_render::artifact::{Artifact, write_all};
use shipspec_render::plan::ArtifactPlans;
use shipspec_render::ssm::{ParameterValue, fetch_parameters};
use shipspec_spec::codebuild::BUILD_SUCCEEDING;
use shipspec_spec::config::{ArtifactConfig, ArtifactContent, Config, ImageConfig, Text};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::image::Digest;
use shipspec_spec::parameter::ParameterSource;
use shipspec_spec::scope::{DigestState, ImageNames, ImageNeeds, Scope};
use shipspec_spec::value::Value;

use crate::arguments::{EngineFlags, ImageFlags, RenderFlags};
use crate::commit;
use crate::context::Context;
use crate::failure;

/// What is to be done, and what every name stands for so far.
pub(crate) struct Project {
    pub(crate) config: Config,
    pub(crate) scope: Scope,
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

/// Reads the configuration and the flags, and fetches the parameters.
pub(crate) async fn load(
    context: &Context<'_>,
    image: &ImageFlags,
    render: &RenderFlags,
) -> anyhow::Result<Project> {
    let mut config = context.read_config()?;
    image.apply(&mut config, context)?;
    render.apply(&mut config)?;
    let mut scope = Scope::new(&config, context.environment.clone(), commit::find(context));
    let parameters = fetch(context, &config, &scope).await?;
    scope.set_parameters(parameters);
    Ok(Project { config, scope })
}

/// The values of all parameters, by the names that shipspec.yml gives them.
async fn fetch(
    context: &Context<'_>,
    config: &Config,
    scope: &Scope,
) -> anyhow::Result<BTreeMap<String, Value>> {
    let (mut names, mut found) = (BTreeMap::new(), Diagnostics::default());
    for (name, text) in &config.parameters {
        let source = text.evaluate_text(scope).and_then(|(filled, _)| {
            let parsed = filled.parse::<ParameterSource>();
            parsed.map_err(|error| Diagnostic::at(text.span().clone(), error.to_string()).into())
        });
        match source {
            Ok(ParameterSource::Ssm(parameter)) => drop(names.insert(name.clone(), parameter)),
            Err(errors) => found.extend(errors),
        }
    }
    found.or(())?;
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = names.values().cloned().collect();
    let fetched = fetch_parameters(context.aws().await, &wanted).await?;
    Ok(names
        .into_iter()
        .map(|(name, parameter)| {
            let value = match &fetched[&parameter] {
                ParameterValue::Text(text) => Value::plain(text.clone()),
                ParameterValue::List(items) => Value::plain(items.clone()),
                ParameterValue::Secret(secret) => Value::secret(&*name, secret.expose()),
            };
            (name, value)
        })
        .collect())
}

impl Project {
    /// What is to be built; `digest` is what can be known of digests.
    pub(crate) fn plan_images(
        &mut self,
        context: &Context<'_>,
        digest: &DigestState,
    ) -> anyhow::Result<Vec<ImagePlan>> {
        Ok(plan(&self.config, &mut self.scope, &context.folder, digest)?)
    }

    /// The artifacts, with everything wrong in them that can be told before there are images.
    pub(crate) fn read_artifacts(&self, context: &Context<'_>) -> anyhow::Result<ArtifactPlans> {
        let artifacts = ArtifactPlans::read(&self.config, &self.scope, &context.folder)?;
        let mut scope = self.scope.clone();
        for name in self.config.images.keys() {
            let Some(known) = scope.image(name).cloned() else { continue };
            if known.digest == DigestState::Later {
                let digest = DigestState::Known(Digest::from_sha256([0; 32]));
                scope.set_image(name, ImageNames { digest, ..known });
            }
        }
        artifacts.fill(&scope)?;
        Ok(artifacts)
    }

    /// What the artifacts need to know of images.
    pub(crate) fn artifact_needs(&self, context: &Context<'_>) -> anyhow::Result<ImageNeeds> {
        let artifacts = ArtifactPlans::read(&self.config, &self.scope, &context.folder)?;
        Ok(self.scope.image_needs(artifacts.references()))
    }

    /// Notes what the registry has taken, so that artifacts can name it.
    pub(crate) fn set_digest(&mut self, image: &str, digest: Digest) {
        if let Some(known) = self.scope.image(image).cloned() {
            let digest = DigestState::Known(digest);
            self.scope.set_image(image, ImageNames { digest, ..known });
        }
    }
}

/// A command about images needs one.
pub(crate) fn require_images(plans: &[ImagePlan]) -> anyhow::Result<()> {
    if plans.is_empty() {
        let hint = "write `images:` in shipspec.yml, or name the repository with `--repository`";
        return Err(failure::input("no image is configured", Some(hint)));
    }
    Ok(())
}

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
    let host = context.variable("DOCKER_HOST");
    Ok(Engine::connect(host, flags.docker_wait, context.console).await?)
}

/// Builds an image and leaves it in the engine under its main tag.
pub(crate) async fn build(
    context: &Context<'_>,
    engine: &Engine,
    access: &Access,
    plan: &ImagePlan,
) -> anyhow::Result<LocalImage> {
    let start = Instant::now();
    let image = &*plan.name;
    context.console.report(Event::BuildStarted { image });
    // Base images often live beside the image that is made from them.
    let registry = &plan.repository.registry;
    let credentials = access.credentials(registry).await?;
    let credentials: Vec<_> =
        credentials.map(|known| (registry.to_string(), known)).into_iter().collect();
    let reference = plan.repository.tagged(plan.main_tag());
    let built = engine.build(plan, &reference, &credentials, context.console).await;
    let built = built.with_context(|| format!("failed to build the image `{image}`"))?;
    context.console.report(Event::Built { image, duration: start.elapsed() });
    Ok(built)
}

/// Gives an image in the engine all of its tags there.
pub(crate) async fn tag_locally(
    engine: &Engine,
    plan: &ImagePlan,
    image: &LocalImage,
) -> anyhow::Result<()> {
    for planned in &plan.tags {
        engine.tag(image.id.as_str(), &plan.repository, &planned.tag).await?;
    }
    Ok(())
}

/// Brings images to their registries, under tags that nobody deploys.
pub(crate) async fn stage_all(
    context: &Context<'_>,
    engine: &Engine,
    access: &Access,
    images: &[(ImagePlan, LocalImage)],
) -> anyhow::Result<Vec<Staged>> {
    let mut staged = Vec::new();
    for (plan, image) in images {
        let credentials = access.credentials(&plan.repository.registry).await?;
        staged.push(stage(engine, plan, image, credentials, context.console).await?);
    }
    Ok(staged)
}

/// Puts the tags that belong to the source version on all images, and then those that move.
pub(crate) async fn tag_all(
    context: &Context<'_>,
    images: &[(ImagePlan, LocalImage)],
    staged: &[Staged],
) -> anyhow::Result<()> {
    for moving in [false, true] {
        for ((plan, _), staged) in images.iter().zip(staged) {
            for planned in plan.tags.iter().filter(|planned| planned.moving == moving) {
                staged.put_tag(&planned.tag, context.console).await?;
            }
        }
    }
    Ok(())
}

/// Writes all artifacts, or none.
pub(crate) fn write(context: &Context<'_>, artifacts: &[Artifact]) -> anyhow::Result<()> {
    write_all(&context.folder, artifacts)?;
    for artifact in artifacts {
        context.console.note(format_args!("wrote {}", artifact.path.display()));
    }
    Ok(())
}

impl ImageFlags {
    /// Puts what the flags say over what the file says of its only image.
    fn apply(&self, config: &mut Config, context: &Context<'_>) -> anyhow::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let name = match (config.images.keys().collect::<Vec<_>>().as_slice(), &self.repository) {
            ([name], _) => (*name).clone(),
            ([], Some(repository)) => {
                let repository = Text::parse("--repository", repository)?;
                config.images.insert("app".into(), ImageConfig::new(repository));
                "app".into()
            }
            ([], None) => {
                let hint = "name the repository with `--repository`, or write a shipspec.yml";
                return Err(failure::input("no image is configured", Some(hint)));
            }
            _ => {
                let hint = "write it in shipspec.yml, under the image that it is for";
                return Err(failure::input(
                    "flags for an image need a single one to be about",
                    Some(hint),
                ));
            }
        };
        let image = &mut config.images[&name];
        if let Some(repository) = &self.repository {
            image.repository = Text::parse("--repository", repository)?;
        }
        if let Some(folder) = &self.context {
            let folder = context.current.join(folder);
            image.context = Some(Text::literal("--context", &folder.to_string_lossy()));
        }
        for (flag, value, place) in [
            ("--dockerfile", &self.dockerfile, &mut image.dockerfile),
            ("--target", &self.target, &mut image.target),
            ("--platform", &self.platform, &mut image.platform),
        ] {
            if let Some(value) = value {
                *place = Some(Text::parse(flag, value)?);
            }
        }
        if !self.tags.is_empty() {
            let tags = self.tags.iter().map(|tag| Text::parse("--tag", tag));
            image.tags = tags.collect::<Result<_, _>>()?;
        }
        for (name, value) in &self.build_args {
            image.build_args.insert(name.clone(), Text::parse("--build-arg", value)?);
        }
        for (name, value) in &self.labels {
            image.labels.insert(name.clone(), Text::parse("--label", value)?);
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        let single = [&self.repository, &self.dockerfile, &self.target, &self.platform];
        single.iter().all(|flag| flag.is_none())
            && self.context.is_none()
            && self.tags.is_empty()
            && self.build_args.is_empty()
            && self.labels.is_empty()
    }
}

impl RenderFlags {
    /// Adds the artifacts that flags ask for.
    fn apply(&self, config: &mut Config) -> anyhow::Result<()> {
        for (template, artifact) in &self.templates {
            config.artifacts.push(ArtifactConfig {
                path: Text::parse("--render", artifact)?,
                content: ArtifactContent::Template(Text::parse("--render", template)?),
                allow_secrets: Vec::new(),
            });
        }
        Ok(())
    }
}
