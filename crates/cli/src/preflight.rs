//! Everything that can be known to go wrong before anything is built, asked at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use shipspec_build::docker::{Engine, EngineFacts};
use shipspec_build::plan::{ImagePlan, PlannedTag};
use shipspec_registry::access::{Access, AccessError};
use shipspec_registry::ecr::Mutability;
use shipspec_registry::error::RegistryError;
use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::diagnostic::Diagnostics;
use shipspec_spec::hint::Hint as _;
use shipspec_spec::image::Repository;
use shipspec_spec::scope::DigestState;

use crate::arguments::EngineFlags;
use crate::console::Bytes;
use crate::context::Context;
use crate::project::Project;
use crate::reuse::{Looked, Memory, Rebuild};
use crate::{access, dockerfiles, failure, pipeline};

/// Free space below which an engine cannot be expected to build anything.
const LEAST_SPACE: u64 = 256_000_000;

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
pub(crate) struct Needs {
    pub(crate) registry: bool,
    pub(crate) artifacts: bool,
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
        if let Some(rebuild) = needs.reuse.clone() {
            let mut found = Self::of(check_rest(context, project, digest, &needs).await);
            found.look_up(context, project, rebuild).await;
            let is_needed = !project.config.images.is_empty() && !found.has_all();
            let engine = check_engine(context, flags, is_needed).await;
            return found.with_engine(engine).await;
        }
        let (engine, rest) = tokio::join!(
            check_engine(context, flags, !project.config.images.is_empty()),
            check_rest(context, project, digest, &needs)
        );
        Self::of(rest).with_engine(engine).await
    }

    fn of((checks, plans, artifacts, access): Rest) -> Self {
        let (memory, looked) = (None, BTreeMap::new());
        Self { checks, plans, artifacts, engine: None, access, memory, looked }
    }

    /// Asks the registries for the images, unless it is known already that nothing will come of it.
    async fn look_up(&mut self, context: &'a Context<'a>, project: &mut Project, rebuild: Rebuild) {
        if self.checks.iter().any(|check| matches!(check.finding, Finding::Bad(_))) {
            return;
        }
        let memory = Memory::new(context, &self.access, &self.plans, rebuild);
        match memory.look_up_all(project, &self.plans).await {
            Ok(looked) => self.looked = looked,
            Err(error) => self.checks.push(bad("images", error)),
        }
        self.memory = Some(memory);
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
                Finding::Good(_) | Finding::ToBeMade(_) => checks.push(check),
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

fn good(subject: impl Into<String>, found: impl fmt::Display) -> Check {
    Check { subject: subject.into(), finding: Finding::Good(found.to_string()) }
}

pub(crate) fn not_checked(subject: impl Into<String>, reason: impl fmt::Display) -> Check {
    Check { subject: subject.into(), finding: Finding::NotChecked(reason.to_string()) }
}

pub(crate) fn bad(subject: impl Into<String>, error: impl Into<anyhow::Error>) -> Check {
    Check { subject: subject.into(), finding: Finding::Bad(error.into()) }
}

async fn check_engine(
    context: &Context<'_>,
    flags: &EngineFlags,
    is_needed: bool,
) -> (Vec<Check>, Option<Engine>) {
    if !is_needed {
        return (Vec::new(), None);
    }
    let engine = match pipeline::connect(context, flags).await {
        Ok(engine) => engine,
        Err(error) => return (vec![bad("engine", error)], None),
    };
    let checks = match engine.facts().await {
        Ok(facts) => vec![check_facts(&facts), check_space(&facts)],
        Err(error) => vec![bad("engine", error)],
    };
    (checks, Some(engine))
}

fn check_facts(facts: &EngineFacts) -> Check {
    if facts.is_podman || facts.os != "linux" {
        let message = if facts.is_podman {
            "the engine is Podman, which has no BuildKit behind Docker's API".to_owned()
        } else {
            format!("the engine builds for `{}`, not for linux", facts.os)
        };
        return bad("engine", failure::engine(message));
    }
    good("engine", format_args!("Docker {} on {}/{}", facts.version, facts.os, facts.architecture))
}

/// The space where the engine keeps images, if that is on this machine.
fn check_space(facts: &EngineFacts) -> Check {
    let subject = "disk";
    match free_space(&facts.data_folder) {
        Some(free) if free < LEAST_SPACE => {
            let message = format!(
                "only {} are free in `{}`, where the engine keeps images",
                Bytes(free),
                facts.data_folder.display()
            );
            bad(subject, failure::engine(message))
        }
        Some(free) => good(subject, format_args!("{} free for images", Bytes(free))),
        None => not_checked(subject, "the engine keeps images where this process cannot look"),
    }
}

fn free_space(folder: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(folder).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
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

async fn check_rest(
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
    let mut bases = BTreeSet::new();
    if needs.builds {
        let (registries, found) = dockerfiles::check(context, &plans);
        bases.extend(registries);
        checks.extend(found);
    }
    let pushed = plans.iter().filter(|_| needs.registry);
    let access = access::of_run(context, pushed, &bases).await;
    if needs.registry {
        checks.extend(check_registries(&access, &plans).await);
    }
    (checks, plans, artifacts, access)
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

async fn check_registries(access: &Access, plans: &[ImagePlan]) -> Vec<Check> {
    let repositories: BTreeSet<_> = plans.iter().flat_map(ImagePlan::repositories).collect();
    let checks = repositories.into_iter().map(|repository| {
        let goes_there =
            move |plan: &&ImagePlan| plan.repositories().any(|target| target == repository);
        let plans = plans.iter().filter(goes_there);
        check_repository(access, repository, plans.collect())
    });
    futures_util::future::join_all(checks).await.into_iter().flatten().collect()
}

async fn check_repository(
    access: &Access,
    repository: &Repository,
    plans: Vec<&ImagePlan>,
) -> Vec<Check> {
    let subject = format!("repository {repository}");
    if let Err(error) = access.credentials(&repository.registry).await {
        return vec![bad(subject, error)];
    }
    let (described, asked) =
        tokio::join!(access.mutability(repository), check_pull(access, repository, plans[0]));
    match (described, asked) {
        (Err(AccessError::Registry(RegistryError::NoRepository(_))), _)
        | (_, Err(AccessError::Registry(RegistryError::NoRepository(_))))
            if plans.iter().any(|plan| plan.create_repository.is_some()) =>
        {
            vec![Check { subject, finding: Finding::ToBeMade(repository.clone()) }]
        }
        // Both say that it is missing; once is enough.
        (Err(error @ AccessError::Registry(RegistryError::NoRepository(_))), _) => {
            vec![bad(subject, error)]
        }
        (_, Err(error)) => vec![bad(subject, error)],
        (Ok(mutability), Ok(())) => {
            let mut checks = vec![good(&*subject, describe(mutability.as_ref()))];
            if let Some(mutability) = mutability {
                for tag in plans.iter().flat_map(|plan| &plan.tags) {
                    checks.extend(check_tag(access, repository, &mutability, tag).await);
                }
            }
            checks
        }
        (Err(error), Ok(())) => {
            vec![
                good(&*subject, "is there"),
                not_checked(format!("tag mutability of {repository}"), reason(&error)),
            ]
        }
    }
}

/// Asks for a manifest that need not be there: that tells whether the repository is, and whether we
/// may read it, with no permission but those that a push needs anyway.
async fn check_pull(
    access: &Access,
    repository: &Repository,
    plan: &ImagePlan,
) -> Result<(), AccessError> {
    let client = access.client(repository)?;
    client.manifest(plan.main_tag().as_str()).await?;
    Ok(())
}

/// A tag that moves with each release, where tags may not be moved.
async fn check_tag(
    access: &Access,
    repository: &Repository,
    mutability: &Mutability,
    planned: &PlannedTag,
) -> Option<Check> {
    if !planned.moving || mutability.allows_moving(planned.tag.as_str()) {
        return None;
    }
    let subject = format!("tag {}", repository.tagged(&planned.tag));
    let client = access.client(repository).ok()?;
    match client.manifest(planned.tag.as_str()).await {
        Ok(Some(there)) => Some(bad(
            subject,
            RegistryError::Pinned {
                repository: repository.clone(),
                tag: planned.tag.clone(),
                there: there.digest,
            },
        )),
        Ok(None) => Some(not_checked(
            subject,
            "it moves with each release, but tags of this repository are immutable: only the first run can put it",
        )),
        Err(error) => Some(not_checked(subject, error)),
    }
}

fn describe(mutability: Option<&Mutability>) -> String {
    match mutability {
        None => "answers".into(),
        Some(Mutability { immutable, exclusions }) => {
            let kind = if *immutable { "tags are immutable" } else { "tags are mutable" };
            match exclusions.as_slice() {
                [] => kind.into(),
                exclusions => format!("{kind}, except {}", exclusions.join(", ")),
            }
        }
    }
}

/// An error on one line, with what it was caused by.
fn reason(error: &AccessError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    let hint = error.hint().map(|hint| format!(" ({hint})"));
    format!("{error}{}{}", cause.unwrap_or_default(), hint.unwrap_or_default())
}
