//! What is to be done, and what every name stands for: configuration → values → plan.

use std::collections::{BTreeMap, BTreeSet};

use shipspec_build::docker::BuildSecret;
use shipspec_build::plan::{ForeignPlan, ImagePlan, PlannedSecret, plan, plan_again, with_content};
use shipspec_parameters::fetch::Version;
use shipspec_parameters::offline;
use shipspec_parameters::request::Requests;
use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::codebuild::BUILD_SUCCEEDING;
use shipspec_spec::config::Config;
use shipspec_spec::diagnostic::Diagnostics;
use shipspec_spec::image::Digest;
use shipspec_spec::nearest::nearest;
use shipspec_spec::scope::{DigestState, ImageNames, Origin, Scope};
use shipspec_spec::tag::Tag;

use crate::arguments::{ProjectFlags, RenderFlags};
use crate::context::Context;
use crate::users::{self, Users};
use crate::{commit, failure, parameters};

/// The configuration, and the values of its names as far as they are known.
pub(crate) struct Project {
    pub(crate) config: Config,
    pub(crate) scope: Scope,
    /// Who is asked for the parameters, by the names that shipspec.yml gives them.
    pub(crate) requests: Requests,
    /// The images that others build, once they are planned.
    pub(crate) foreign: Vec<ForeignPlan>,
    /// The first of all images, whichever are meant: its repository has the records of releases.
    pub(crate) first_image: Option<ImagePlan>,
    /// The images that a run is about, if not all.
    pub(crate) only: Option<BTreeSet<String>>,
    /// What is asked instead of AWS.
    pub(crate) offline: Option<offline::File>,
    /// Which versions of the parameters were read.
    pub(crate) versions: BTreeMap<String, Version>,
    /// Who speaks to registries that are none of ECR's; known with the images.
    pub(crate) users: Users,
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
        let (config, scope) = Self::begin(context, flags, render)?;
        let requests = parameters::requests(&config, &scope)?;
        Self::new(context, flags, config, scope, requests)
    }

    /// The configuration with the flags over it, and the names that it has.
    pub(crate) fn begin(
        context: &Context<'_>,
        flags: &ProjectFlags,
        render: &RenderFlags,
    ) -> anyhow::Result<(Config, Scope)> {
        let mut config = context.read_config()?;
        flags.image.apply(&mut config, context)?;
        render.apply(&mut config)?;
        let scope = Scope::new(&config, context.environment.clone(), commit::find(context))
            .with_given(flags.given(context)?, context.folder.clone())
            .with_files(flags.values.files(context));
        scope.cycles().or(())?;
        Ok((config, scope))
    }

    /// A project of which it is known who is asked for its parameters.
    pub(crate) fn new(
        context: &Context<'_>,
        flags: &ProjectFlags,
        config: Config,
        scope: Scope,
        requests: Requests,
    ) -> anyhow::Result<Self> {
        let offline = flags.parameters(context)?.map(parameters::offline);
        let (versions, users) = Default::default();
        let (foreign, first_image, only) = Default::default();
        Ok(Self { config, scope, requests, foreign, first_image, only, offline, versions, users })
    }

    /// Limits the run to these images, and to the artifacts that name no others.
    pub(crate) fn select(&mut self, names: &[String]) -> anyhow::Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        self.require_known(names)?;
        self.only = Some(names.iter().cloned().collect());
        Ok(())
    }

    /// Every one of these names is that of an image that is built.
    pub(crate) fn require_known(&self, names: &[String]) -> anyhow::Result<()> {
        if let Some(name) = names.iter().find(|name| self.config.foreign.contains_key(*name)) {
            let message = format!("`{name}` is not built: it has a `reference`");
            return Err(failure::input(message, None));
        }
        let known = || self.config.images.keys().map(String::as_str);
        let unknown = names.iter().find(|name| !self.config.images.contains_key(*name));
        let Some(name) = unknown else { return Ok(()) };
        let hint = match nearest(name, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("`images:` has: {}", known().collect::<Vec<_>>().join(", ")),
        };
        Err(failure::input(format!("no image has the name `{name}`"), Some(&hint)))
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

    /// What is to be built; `digest` is what can be known of digests. With `--only`, the others have
    /// their names all the same.
    pub(crate) fn plan_images(
        &mut self,
        context: &Context<'_>,
        digest: &DigestState,
    ) -> Result<Vec<ImagePlan>, Diagnostics> {
        let all = plan(&self.config, &mut self.scope, &context.folder, digest);
        self.users = users::of_config(&self.config, &self.scope).map_err(|mut errors| {
            errors.extend(all.as_ref().err().cloned().unwrap_or_default());
            errors
        })?;
        let all = all?;
        self.foreign = all.foreign;
        let mut plans = all.images;
        self.first_image = plans.first().cloned();
        if let Some(only) = self.selected(&plans) {
            plans.retain(|plan| only.contains(&plan.name));
        }
        self.hide_secrets(context, &plans);
        Ok(plans)
    }

    /// The images of `--only`, and those that they are made from; nothing if all are meant.
    fn selected(&self, plans: &[ImagePlan]) -> Option<BTreeSet<String>> {
        Some(with_bases(plans, self.only.as_ref()?.iter().cloned()))
    }

    /// An image once more, now that the digests of those that it is made from are known.
    pub(crate) fn plan_again(
        &self,
        context: &Context<'_>,
        name: &str,
    ) -> Result<ImagePlan, Diagnostics> {
        plan_again(&self.config, &self.scope, &context.folder, name)
    }

    /// The image with the tags that its content gives it.
    pub(crate) fn with_content(
        &self,
        plan: ImagePlan,
        content: &Tag,
    ) -> Result<ImagePlan, Diagnostics> {
        with_content(&self.config.images[&plan.name], &self.scope, plan, content)
    }

    /// Notes the tags that its content gives an image, so that others can name it.
    pub(crate) fn set_content(&mut self, plan: &ImagePlan, content: &Tag) {
        self.scope.set_content(&plan.name, content, plan.main_tag());
    }

    /// The image as it is planned by now: once more, if a digest in it was not known before.
    pub(crate) fn plan_now(
        &self,
        context: &Context<'_>,
        plan: &ImagePlan,
    ) -> Result<ImagePlan, Diagnostics> {
        if plan.is_provisional { self.plan_again(context, &plan.name) } else { Ok(plan.clone()) }
    }

    /// What tells the secrets of an image from other values of their names for good, by these names.
    /// One of which nobody knows the version is left out.
    pub(crate) fn secret_versions(&self, plan: &ImagePlan) -> BTreeMap<String, String> {
        let of_test = plan.test.iter().flat_map(|test| test.secrets.values());
        let mounted = plan.secrets.values().chain(of_test).map(|secret| &secret.name);
        let of_arguments = plan.secret_args.values().flat_map(|argument| &argument.secrets);
        let version = |name: &String| Some((name.clone(), self.secret_version(name)?));
        mounted.chain(of_arguments).filter_map(version).collect()
    }

    /// What was asked for, whose it is and its version; of a name that is made from others, their texts
    /// as well.
    pub(crate) fn secret_version(&self, name: &str) -> Option<String> {
        let names = self.scope.names(BTreeSet::from([name.to_owned()]));
        let parts: Option<Vec<_>> = names.iter().map(|name| self.version_of(name)).collect();
        parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join("\n"))
    }

    fn version_of(&self, name: &str) -> Option<String> {
        let root = name.split('.').next().unwrap_or(name);
        let mut parts = Vec::new();
        for origin in self.scope.origins(root) {
            match origin {
                Origin::Parameter => {
                    let version = self.versions.get(root);
                    let version = version.filter(|version| !version.arn.is_empty())?;
                    let source = &self.requests.get(root)?.source;
                    let inside = name.strip_prefix(root).unwrap_or_default();
                    parts.push(format!("{source}{inside} {} {}", version.arn, version.version));
                    break;
                }
                Origin::Variable(_) => {
                    let text = self.config.variables.get(root)?;
                    // What a file holds is told by no text.
                    if text.as_written().contains("file(") {
                        return None;
                    }
                    parts.push(format!("{name} {}", text.as_written()));
                    // Inside a variable its own name is the next source down.
                    if !text.references().iter().any(|other| other.split('.').next() == Some(root))
                    {
                        break;
                    }
                }
                Origin::Given | Origin::Matrix | Origin::ToolMade | Origin::Environment => {
                    return None;
                }
            }
        }
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// The secrets of an image's steps, with the versions that were read.
    pub(crate) fn build_secrets(&self, plan: &ImagePlan) -> BTreeMap<String, BuildSecret> {
        let secret = |(id, planned): (&String, &PlannedSecret)| {
            let names = self.scope.names(BTreeSet::from([planned.name.clone()]));
            let roots: BTreeSet<_> =
                names.iter().map(|name| name.split('.').next().unwrap_or(name)).collect();
            let versions = roots.into_iter().filter_map(|root| self.versions.get(root));
            let versions: Vec<_> =
                versions.map(|version| format!("{} {}", version.arn, version.version)).collect();
            let version = (!versions.is_empty()).then(|| versions.join("\n"));
            (id.clone(), BuildSecret { value: planned.value.clone(), version })
        };
        plan.secrets.iter().map(secret).collect()
    }

    /// The artifacts, with every template read.
    pub(crate) fn read_artifacts(
        &self,
        context: &Context<'_>,
    ) -> Result<ArtifactPlans, Diagnostics> {
        let mut artifacts = ArtifactPlans::read(&self.config, &self.scope, &context.folder)?;
        if let Some(only) = &self.only {
            artifacts.retain_of(&self.scope, only);
        }
        Ok(artifacts)
    }

    /// The artifacts, with every template read and every name in them looked up.
    pub(crate) fn check_artifacts(
        &self,
        context: &Context<'_>,
    ) -> Result<ArtifactPlans, Diagnostics> {
        let artifacts = self.read_artifacts(context)?;
        artifacts.fill(&self.scope.with_stand_ins())?;
        Ok(artifacts)
    }

    /// Notes what the registry has taken, so that artifacts can name it.
    pub(crate) fn set_digest(&mut self, image: &str, digest: Digest) {
        if let Some(known) = self.scope.image(image).cloned() {
            let digest = DigestState::Known(digest);
            self.scope.set_image(image, ImageNames { digest, ..known });
        }
    }
}

/// These images, and those that they are made from.
pub(crate) fn with_bases(
    plans: &[ImagePlan],
    names: impl IntoIterator<Item = String>,
) -> BTreeSet<String> {
    let mut open: Vec<_> = names.into_iter().collect();
    let mut selected = BTreeSet::new();
    while let Some(name) = open.pop() {
        let plan = plans.iter().find(|plan| plan.name == name);
        if selected.insert(name) {
            open.extend(plan.into_iter().flat_map(|plan| plan.depends_on.iter().cloned()));
        }
    }
    selected
}

/// There is an image to build or an artifact to write.
pub(crate) fn require_something(config: &Config) -> anyhow::Result<()> {
    let has_images = !config.images.is_empty() || !config.foreign.is_empty();
    if !has_images && config.artifacts.is_empty() {
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
