//! Everything that can be known to go wrong before anything is built, asked at once.

mod engine;
mod lifecycle;
mod platforms;
mod registries;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use shipspec_build::docker::Engine;
use shipspec_build::plan::ImagePlan;
use shipspec_registry::access::Access;
use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::diagnostic::Diagnostics;
use shipspec_spec::image::Repository;
use shipspec_spec::scope::DigestState;

use crate::arguments::EngineFlags;
use crate::context::Context;
use crate::foreign::Asked;
use crate::project::Project;
use crate::reuse::{Looked, Memory, Rebuild};
use crate::{access, dockerfiles, failure, foreign, publishing};
use engine::check_engine;
pub(crate) use lifecycle::check_lifecycles;
use platforms::check_platforms;
use registries::check_registries;

/// One thing that was looked at.
pub(crate) struct Check {
    /// What: `engine`, `repository …`.
    pub(crate) subject: String,
    /// What came of it.
    pub(crate) finding: Finding,
}

/// What came of a check.
pub(crate) enum Finding {
    /// It is as it should be; what was found.
    Good(String),
    /// There is no such repository yet; a run makes it.
    ToBeMade(Repository),
    /// A run goes on, but somebody should know of it.
    Doubtful(String),
    /// It could not be looked at, for this reason. That is no success.
    NotChecked(String),
    /// It will fail.
    Bad(anyhow::Error),
}

/// What was found, and what a run goes on with.
pub(crate) struct Preflight<'a> {
    pub(crate) checks: Vec<Check>,
    pub(crate) plans: Vec<ImagePlan>,
    pub(crate) artifacts: Option<ArtifactPlans>,
    /// Nothing if nothing has to be built.
    pub(crate) engine: Option<Engine>,
    pub(crate) access: Access,
    /// Who knows what the registries hold, if they are asked.
    pub(crate) memory: Option<Memory<'a>>,
    /// The images that were looked for.
    pub(crate) looked: BTreeMap<String, Looked>,
}

/// What a command is about to use.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each says whether one part of a run is wanted")]
pub(crate) struct Needs {
    pub(crate) registry: bool,
    pub(crate) artifacts: bool,
    /// Artifacts are published.
    pub(crate) publishes: bool,
    /// Images are built, and not only looked for.
    pub(crate) builds: bool,
    /// What the registries hold is not built, except these; nothing if they are not asked.
    pub(crate) reuse: Option<Rebuild>,
}

impl<'a> Preflight<'a> {
    /// Looks at all of it. Parameters come first, because names are made from them; the engine and
    /// the registries are asked side by side. Where images can be reused, the registries come first, and
    /// the engine only if something has to be built.
    pub(crate) async fn make(
        context: &'a Context<'a>,
        project: &mut Project,
        flags: &EngineFlags,
        digest: &DigestState,
        needs: Needs,
    ) -> Self {
        if needs.reuse.is_some() {
            let mut found = Self::of(check_values(context, project, digest, &needs).await);
            let (access, plans) = (found.access.clone(), found.plans.clone());
            let registries = check_registries(&access, &plans);
            let looks = found.look_up(context, project, needs.reuse);
            let (registries, failed) = tokio::join!(registries, looks);
            found.take(registries, failed);
            let is_needed = !project.config.images.is_empty() && !found.has_all();
            let engine = check_engine(context, flags, is_needed).await;
            return found.with_engine(engine).await;
        }
        let (engine, rest) = tokio::join!(
            check_engine(context, flags, !project.config.images.is_empty()),
            check_rest(context, project, digest, &needs)
        );
        let mut found = Self::of(rest);
        // No image is looked for, but a tag may be made from a key.
        if found.plans.iter().any(|plan| plan.has_content) {
            let failed = found.look_up(context, project, None).await;
            found.take(Vec::new(), failed);
        }
        found.with_engine(engine).await
    }

    fn of((checks, plans, artifacts, access): Rest) -> Self {
        let (memory, looked) = (None, BTreeMap::new());
        Self { checks, plans, artifacts, engine: None, access, memory, looked }
    }

    /// Asks the registries for the images, unless it is known already that nothing will come of it.
    async fn look_up(
        &mut self,
        context: &'a Context<'a>,
        project: &mut Project,
        rebuild: Option<Rebuild>,
    ) -> Option<anyhow::Error> {
        if self.checks.iter().any(|check| matches!(check.finding, Finding::Bad(_))) {
            return None;
        }
        let is_blind = rebuild.is_none();
        let memory = Memory::new(context, &self.access, &self.plans, rebuild.unwrap_or_default());
        let memory = if is_blind { memory.blind() } else { memory.silent() };
        let looked = memory.look_up_all(project, &self.plans).await;
        self.memory = Some(memory);
        match looked {
            Ok(looked) => {
                for plan in self.plans.iter_mut().filter(|plan| plan.has_content) {
                    if let Some(looked) = looked.get(&plan.name) {
                        plan.clone_from(&looked.plan);
                    }
                }
                self.looked = looked;
                None
            }
            Err(error) => Some(error),
        }
    }

    /// Takes what was asked side by side. A registry that is not as it should be is told once, and
    /// nothing that follows from it.
    fn take(&mut self, registries: Vec<Check>, failed: Option<anyhow::Error>) {
        let is_bad = |check: &Check| matches!(check.finding, Finding::Bad(_));
        let has_bad = registries.iter().any(is_bad);
        self.checks.extend(registries);
        if has_bad {
            return;
        }
        if let Some(memory) = &self.memory {
            memory.speak();
        }
        self.checks.extend(failed.map(|error| bad("images", error)));
    }

    /// The registries hold every image.
    fn has_all(&self) -> bool {
        !self.plans.is_empty() && self.to_build().is_empty()
    }

    async fn with_engine(mut self, (checks, engine): (Vec<Check>, Option<Engine>)) -> Self {
        self.checks.splice(..0, checks);
        if let Some(engine) = &engine
            && let Err(error) = engine.check(&self.to_build()).await
        {
            self.checks.push(bad("engine", error));
        }
        Self { engine, ..self }
    }

    fn to_build(&self) -> Vec<ImagePlan> {
        let is_held = |plan: &&ImagePlan| {
            self.looked.get(&plan.name).is_some_and(|looked| looked.held.is_some())
        };
        self.plans.iter().filter(|plan| !is_held(plan)).cloned().collect()
    }

    /// What a run goes on with, or everything that will fail.
    pub(crate) fn require(self, context: &Context<'_>) -> anyhow::Result<Self> {
        let mut errors = Vec::new();
        let mut checks = Vec::new();
        for check in self.checks {
            match check.finding {
                Finding::Bad(error) => errors.push(error),
                Finding::NotChecked(ref reason) => {
                    context.console.note(format_args!("not checked: {}: {reason}", check.subject));
                    checks.push(check);
                }
                Finding::Good(_) | Finding::Doubtful(_) | Finding::ToBeMade(_) => {
                    checks.push(check);
                }
            }
        }
        match failure::Several::join(errors) {
            Some(error) => Err(error),
            None => Ok(Self { checks, ..self }),
        }
    }
}

/// The repositories among the checks that a run makes.
pub(crate) fn to_be_made(checks: &[Check]) -> BTreeSet<&Repository> {
    let repositories = checks.iter().filter_map(|check| match &check.finding {
        Finding::ToBeMade(repository) => Some(repository),
        _ => None,
    });
    repositories.collect()
}

pub(crate) fn good(subject: impl Into<String>, found: impl fmt::Display) -> Check {
    Check { subject: subject.into(), finding: Finding::Good(found.to_string()) }
}

pub(crate) fn not_checked(subject: impl Into<String>, reason: impl fmt::Display) -> Check {
    Check { subject: subject.into(), finding: Finding::NotChecked(reason.to_string()) }
}

pub(crate) fn bad(subject: impl Into<String>, error: impl Into<anyhow::Error>) -> Check {
    Check { subject: subject.into(), finding: Finding::Bad(error.into()) }
}
/// How findings about names are judged.
#[derive(Debug, Clone, Copy)]
enum Judge {
    /// Every one is a mistake.
    Strict,
    /// Parameters or images are missing, which is told already: what that leaves without a value is
    /// no second mistake.
    Lenient,
}

impl Judge {
    fn of(self, subject: &str, errors: Diagnostics) -> Option<Check> {
        let errors = match self {
            Self::Strict => errors,
            Self::Lenient => errors.without_premature(),
        };
        (!errors.is_empty()).then(|| bad(subject, errors))
    }
}

/// All but the engine.
type Rest = (Vec<Check>, Vec<ImagePlan>, Option<ArtifactPlans>, Access);

/// As [`check_values`], with the repositories.
async fn check_rest(
    context: &Context<'_>,
    project: &mut Project,
    digest: &DigestState,
    needs: &Needs,
) -> Rest {
    let (mut checks, plans, artifacts, access) =
        check_values(context, project, digest, needs).await;
    if needs.registry {
        checks.extend(check_registries(&access, &plans).await);
    }
    (checks, plans, artifacts, access)
}

/// Whatever is known without the repositories that images go to.
async fn check_values(
    context: &Context<'_>,
    project: &mut Project,
    digest: &DigestState,
    needs: &Needs,
) -> Rest {
    let mut checks = Vec::new();
    let mut judge = Judge::Strict;
    if !project.requests.is_empty() {
        checks.push(match project.fetch_parameters(context).await {
            Ok(()) => good("parameters", format_args!("{} fetched", project.requests.len())),
            Err(error) => {
                judge = Judge::Lenient;
                bad("parameters", error)
            }
        });
    }
    if needs.artifacts {
        match project.fetch_bases(context).await {
            Ok(0) => {}
            Ok(count) => checks.push(good("base", format_args!("{count} fetched from ECS"))),
            Err(error) => {
                // Names that want parameters which are not there are no mistakes of their own.
                let is_told = matches!(judge, Judge::Lenient);
                checks.extend(match error.downcast::<Diagnostics>() {
                    Ok(errors) if is_told => judge.of("base", errors),
                    Ok(errors) => Some(bad("base", errors)),
                    Err(error) => Some(bad("base", error)),
                });
                judge = Judge::Lenient;
            }
        }
    }
    let plans = project.plan_images(context, digest).unwrap_or_else(|errors| {
        checks.extend(judge.of("images", errors));
        judge = Judge::Lenient;
        Vec::new()
    });
    let artifacts =
        if needs.artifacts { check_artifacts(context, project, judge, &mut checks) } else { None };
    // What AWS would refuse; what has no value is told already.
    if needs.artifacts
        && let Err(errors) = crate::checks::before_run(context, project)
    {
        checks.extend(judge.of("check", errors));
    }
    if let Some(artifacts) = artifacts.as_ref().filter(|_| needs.publishes) {
        checks.extend(publishing::check(context, artifacts).await);
    }
    if let Some(artifacts) = &artifacts
        && let Err(errors) = check_platforms(&plans, artifacts, &project.scope)
    {
        checks.push(bad("platforms", errors));
    }
    let mut bases = BTreeSet::new();
    if needs.builds {
        let (registries, found) = dockerfiles::check(context, &plans);
        bases.extend(registries);
        checks.extend(found);
    }
    let pushed = plans.iter().filter(|_| needs.registry);
    let access = access::of_run(context, &project.users, pushed, &project.foreign, &bases).await;
    let unasked = project.unasked(&plans, artifacts.as_ref());
    let asked = foreign::ask(&access, unasked).await;
    // With the digests that are known now, images that are made from them are what they will be.
    let plans = if project.take_digests(&asked) {
        project.plan_images(context, digest).unwrap_or(plans)
    } else {
        plans
    };
    checks.extend(asked.into_iter().map(check_foreign));
    (checks, plans, artifacts, access)
}

fn check_foreign((plan, digest): Asked) -> Check {
    let subject = format!("image {}", plan.name);
    match digest {
        Ok(digest) => good(subject, format_args!("{} is {digest}", plan.reference)),
        Err(error) => bad(subject, error),
    }
}

/// Every template is there, and every name in it will have a value.
fn check_artifacts(
    context: &Context<'_>,
    project: &Project,
    judge: Judge,
    checks: &mut Vec<Check>,
) -> Option<ArtifactPlans> {
    match project.check_artifacts(context) {
        Ok(artifacts) => {
            let count = artifacts.paths().count();
            if count > 0 {
                checks.push(good("artifacts", format_args!("{count} can be filled")));
            }
            Some(artifacts)
        }
        Err(errors) => {
            checks.extend(judge.of("artifacts", errors));
            None
        }
    }
}
