//! What a run makes of the last release of its pipeline: what changed, and the next record.

use std::collections::BTreeMap;

use crate::age::Age;
use crate::context::Context;
use crate::deployed::Deployed;
use crate::images::Made;
use crate::ledger::{Ledger, Which};
use crate::preflight::Preflight;
use crate::project::Project;
use crate::release::{self, Release, ReleasedArtifact};
use crate::report::Report;
use crate::tagging::Newer;

/// The releases of the pipeline, where a run makes one: with all of its images, in their registries.
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
}

/// What is known of the release before.
pub(crate) enum Last {
    None,
    Known(Box<Release>),
    Unknown,
}

impl Releases {
    pub(crate) async fn open(
        context: &Context<'_>,
        project: &Project,
        ready: &Preflight<'_>,
        is_whole: bool,
        is_forced: bool,
    ) -> anyhow::Result<Self> {
        let ledger = if is_whole {
            Ledger::open(context, project, &ready.access, &ready.plans).await?
        } else {
            None
        };
        let age = match ledger {
            Some(_) => Age::of_run(context, project),
            None => Age::default(),
        };
        Ok(Self { ledger, is_forced, age })
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
                    "not checked: what changed since the last release: {}",
                    format_args!("{error:#}")
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
        let references = release::references(project);
        let names = ledger.names(context, project);
        let mut release = Release::new(names, made.images, made.artifacts, references, &self.age);
        if let Last::Known(last) = &last {
            release.keep_tags(last, report);
            release.compare(Some(last));
        }
        release.changed |= self.is_forced;
        // A release whose deployment failed is no reason to skip the next one.
        let behind = if release.changed { None } else { made.deployed.behind(context).await };
        release.changed |= behind.is_some();
        if !ledger.keep(&release).await? {
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
}

/// What changed since the last release, in a line.
fn describe(release: &Release, last: &Release) -> String {
    let since = last.tag.as_deref().or(last.commit.as_deref()).unwrap_or("without a tag");
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
