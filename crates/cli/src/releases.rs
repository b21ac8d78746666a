//! What a run makes of the last release of its pipeline: what changed, and the next record.

use std::collections::{BTreeMap, BTreeSet};

use crate::access;
use crate::age::Age;
use crate::context::Context;
use crate::deployed::Deployed;
use crate::images::Made;
use crate::ledger::{Ledger, NotKept, Which};
use crate::preflight::Preflight;
use crate::project::Project;
use crate::release::{self, Release, ReleasedArtifact};
use crate::report::Report;
use crate::tagging::Newer;

/// The releases of the pipeline, for whoever pushes images.
pub(crate) struct Releases {
    ledger: Option<Ledger>,
    is_forced: bool,
    age: Age,
}

/// What a run has made, as it is released.
pub(crate) struct Released<'a> {
    pub(crate) images: &'a [Made],
    pub(crate) artifacts: BTreeMap<String, ReleasedArtifact>,
    /// What services of ECS should run then.
    pub(crate) deployed: Deployed<'a>,
    /// Tags and files stay, even if its record cannot be kept.
    pub(crate) stays: bool,
}

/// What is known of the release before.
pub(crate) enum Last {
    None,
    Known(Box<Release>),
    Unknown,
}

impl Releases {
    /// Those that the run is compared with, by its first image: whichever images are meant this time.
    pub(crate) async fn open(
        context: &Context<'_>,
        project: &Project,
        ready: &Preflight<'_>,
        is_forced: bool,
    ) -> anyhow::Result<Self> {
        let Some(first) = &project.first_image else { return Ok(Self::none()) };
        let is_planned = ready.plans.iter().any(|plan| plan.name == first.name);
        let ledger = if is_planned {
            Ledger::open(context, project, &ready.access).await?
        } else {
            let access =
                access::of_run(context, &project.users, [first], &[], &BTreeSet::new()).await;
            Ledger::open(context, project, &access).await?
        };
        Ok(Self { ledger, is_forced, age: Age::of_run(context, project) })
    }

    /// None, for whoever pushes nothing.
    pub(crate) fn none() -> Self {
        Self { ledger: None, is_forced: false, age: Age::default() }
    }

    /// The moving tags that newer runs of the pipeline have put.
    pub(crate) fn newer_tags(&self, last: &Last) -> Newer {
        match last {
            Last::Known(last) => last.newer_tags(&self.age),
            Last::None | Last::Unknown => Newer::default(),
        }
    }

    pub(crate) async fn last(&self, context: &Context<'_>) -> Last {
        let Some(ledger) = &self.ledger else { return Last::Unknown };
        match ledger.find(Which::Last).await {
            Ok(Some(last)) => Last::Known(Box::new(last)),
            Ok(None) => Last::None,
            Err(error) => {
                context.console.note(format_args!(
                    "not checked: what changed since the last release, and whether a newer run has put moving tags: {error:#}"
                ));
                Last::Unknown
            }
        }
    }

    /// Keeps what was released, and says what of it is new.
    pub(crate) async fn keep(
        &self,
        context: &Context<'_>,
        project: &Project,
        made: Released<'_>,
        last: Last,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        let mut release = self.release(ledger, context, project, &made, &last, report);
        if let Last::Known(last) = &last {
            release.compare(Some(last));
        }
        release.changed |= self.is_forced;
        // A release whose deployment failed is no reason to skip the next one.
        let behind = if release.changed { None } else { made.deployed.behind(context).await };
        release.changed |= behind.is_some();
        let is_kept = match ledger.keep(context, &release).await {
            Ok(is_kept) => is_kept,
            Err(NotKept { error, may_be_found }) => {
                if may_be_found {
                    // After it, so that it is not the last.
                    release.time += 1;
                    if let (Last::Known(last), false) = (&last, made.stays) {
                        release.images.clone_from(&last.images);
                    }
                    mark(ledger, context, release).await;
                }
                return Err(error);
            }
        };
        if !is_kept {
            context.console.note("note: this registry takes no record of a release: the next run cannot say what changed");
        }
        report.changed = Some(release.changed);
        for (name, image) in &release.images {
            report.set_changed(name, image.changed);
        }
        report.since = Some(match &last {
            Last::Known(_) if behind.is_some() => {
                format!("changed: {}", behind.unwrap_or_default())
            }
            Last::Known(last) => describe(&release, last),
            Last::None => format!("changed: it is the first release of `{}`", release.pipeline),
            Last::Unknown => "changed: the last release is not known".into(),
        });
        Ok(())
    }

    /// Notes that something was put out that is no release: only some images, or not all that is published.
    /// Nobody may take the release before for what was put out last.
    pub(crate) async fn mark(
        &self,
        context: &Context<'_>,
        project: &Project,
        made: Released<'_>,
        last: &Last,
        report: &Report,
    ) {
        let Some(ledger) = &self.ledger else { return };
        let mut release = self.release(ledger, context, project, &made, last, report);
        if let Last::Known(last) = last {
            // Who has put their moving tags has to be known all the same.
            for (name, image) in &last.images {
                release.images.entry(name.clone()).or_insert_with(|| image.clone());
            }
        }
        mark(ledger, context, release).await;
    }

    /// What the run has made, before it is compared.
    fn release(
        &self,
        ledger: &Ledger,
        context: &Context<'_>,
        project: &Project,
        made: &Released<'_>,
        last: &Last,
        report: &Report,
    ) -> Release {
        let references = release::references(project);
        let names = ledger.names(context, project);
        let artifacts = made.artifacts.clone();
        let mut release = Release::new(names, made.images, artifacts, references, &self.age);
        if let Last::Known(last) = last {
            release.keep_tags(last, report);
        }
        release
    }
}

/// Keeps what is no whole release. A run does not fail for it: it says what that leads to.
async fn mark(ledger: &Ledger, context: &Context<'_>, release: Release) {
    let release = Release { partial: true, ..release };
    if let Err(NotKept { error, .. }) = ledger.keep(context, &release).await {
        context.console.note(format_args!(
            "note: the next run does not know of this one, and may say that nothing changed; `--changed` says that something did: {error:#}"
        ));
    }
}

/// What changed since the last release, in a line.
fn describe(release: &Release, last: &Release) -> String {
    let since = last.tag.as_deref().or(last.commit.as_deref()).unwrap_or("without a tag");
    if last.partial {
        return format!(
            "changed: the run before ({since}) has put something out that is no release"
        );
    }
    if !release.changed {
        return format!("unchanged since the last release ({since})");
    }
    let images =
        release.images.iter().filter(|(_, image)| image.changed).map(|(name, _)| name.clone());
    let gone = last.images.keys().filter(|name| !release.images.contains_key(*name)).cloned();
    let all = images.chain(gone).chain(release.changed_references(last));
    let mut all: Vec<_> = all.chain(release.changed_artifacts(last)).collect();
    if all.is_empty() {
        all.push("`--changed` says so".into());
    }
    format!("changed since the last release ({since}): {}", all.join(", "))
}
