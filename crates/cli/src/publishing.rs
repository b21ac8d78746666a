//! Artifacts that go to Parameter Store and S3, once everything else is done. docs/design/publish.md says
//! why in this order.

use futures_util::FutureExt as _;
use shipspec_destination::error::PublicationError;
use shipspec_destination::target::{Change, Outcome, Outlook, Target};
use shipspec_parameters::request::Caller;
use shipspec_render::artifact::Artifact;
use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::destination::Publication;

use crate::context::Context;
use crate::parameters::session_name;
use crate::preflight::{Check, bad, good, not_checked};
use crate::report::{PublicationReport, Report};

/// Not everything was published.
pub(crate) struct Unpublished {
    pub(crate) error: anyhow::Error,
    /// No place has changed: what was done before can be put back.
    pub(crate) is_nothing_out: bool,
}

/// Looks at the places that artifacts are published to. Whether they may be written, nobody can know
/// before.
pub(crate) async fn check(context: &Context<'_>, artifacts: &ArtifactPlans) -> Vec<Check> {
    let places = artifacts.published().flat_map(|(_, places)| places);
    let looks = places
        .map(|place| async move { (place, open(context, place).await.look().await) }.boxed_local());
    let mut checks = Vec::new();
    for (place, outlook) in futures_util::future::join_all(looks).await {
        let subject = place.destination.to_string();
        match outlook {
            Ok(Outlook { found, not_checked: reasons }) => {
                checks.extend(found.map(|found| good(&*subject, found)));
                checks.extend(reasons.into_iter().map(|reason| not_checked(&*subject, reason)));
            }
            Err(error) => {
                let error = anyhow::Error::from(error);
                checks
                    .push(bad(&*subject, error.context(format!("cannot publish to `{subject}`"))));
            }
        }
    }
    checks
}

async fn open(context: &Context<'_>, place: &Publication) -> Target {
    let session = session_name(context);
    let caller = Caller { aws: context.aws().await, session: &session };
    Target::open(caller, place).await
}

/// Says that artifacts have places, and do not get there this time.
pub(crate) fn note_unpublished(context: &Context<'_>, artifacts: &[Artifact]) {
    let count = places(artifacts).len();
    if count > 0 {
        context.console.note(format_args!(
            "note: nothing is published: only a run with all images, and with their registries, does that ({count} not published)"
        ));
    }
}

/// Puts every artifact where it is to be published, one after the other in the order of shipspec.yml, and
/// ends at the first that fails. What a place holds already is not written again. A signal ends it as long as
/// nothing is out; then it goes on, because half of it is worth less to whoever reads it.
pub(crate) async fn publish_all(
    context: &Context<'_>,
    artifacts: &[Artifact],
    report: &mut Report,
) -> Result<(), Unpublished> {
    let places = places(artifacts);
    for (index, (artifact, place)) in places.iter().enumerate() {
        if !report.has_published() {
            context
                .stop
                .check()
                .map_err(|signal| Unpublished { error: signal.into(), is_nothing_out: true })?;
        }
        let target = open(context, place).await;
        let published = target.publish(artifact.content.bytes(), media_type(artifact)).await;
        match published {
            Ok(outcome) => {
                tell(context, place, &outcome);
                let (change, version) = (word(outcome.change), outcome.version);
                note(report, artifact, place, change, version);
            }
            Err(error) => {
                if error.is_unsure() {
                    note(report, artifact, place, UNSURE, None);
                }
                let is_nothing_out = !report.has_published();
                let error = failed(error, &places, index, report);
                return Err(Unpublished { error, is_nothing_out });
            }
        }
    }
    Ok(())
}

/// Every artifact with each of its places.
fn places(artifacts: &[Artifact]) -> Vec<(&Artifact, &Publication)> {
    let each = artifacts.iter().map(|artifact| (artifact, &artifact.publish));
    each.flat_map(|(artifact, places)| places.iter().map(move |place| (artifact, place))).collect()
}

/// The error, with what is published and what is not: whoever repairs it needs both.
fn failed(
    error: PublicationError,
    places: &[(&Artifact, &Publication)],
    index: usize,
    report: &Report,
) -> anyhow::Error {
    let names = |places: &[(&Artifact, &Publication)]| -> String {
        let names = places.iter().map(|(_, place)| format!("`{}`", place.destination));
        names.collect::<Vec<_>>().join(", ")
    };
    let (done, rest) = places.split_at(index);
    let is_unsure = error.is_unsure();
    let mut message = format!("failed to publish to {}", names(&rest[..1]));
    if is_unsure {
        message.push_str(", which may have been written");
    }
    if report.has_published() {
        if !done.is_empty() {
            message = format!("{message}; published are {}", names(done));
        }
        message.push_str("; tags and files stay, because what is published names them");
    } else {
        message.push_str("; nothing is published, and files and tags are put back");
    }
    if rest.len() > 1 {
        message = format!("{message}; not published are {}", names(&rest[1..]));
    }
    anyhow::Error::from(error).context(message)
}

fn tell(context: &Context<'_>, place: &Publication, outcome: &Outcome) {
    let to = &place.destination;
    if let Some(reason) = &outcome.not_compared {
        context
            .console
            .note(format_args!("not checked: whether `{to}` holds the same already: {reason}"));
    }
    let version = outcome.version.as_ref().map(|version| format!(", version {version}"));
    let version = version.unwrap_or_default();
    match outcome.change {
        Change::Unchanged => context.console.note(format_args!("{to} holds the same already")),
        change => {
            context.console.note(format_args!("published {to} ({}{version})", word(change)));
        }
    }
}

fn note(
    report: &mut Report,
    artifact: &Artifact,
    place: &Publication,
    change: &'static str,
    version: Option<String>,
) {
    let path = artifact.path.display().to_string();
    let told = report.artifacts.iter_mut().find(|told| told.path == path);
    if let Some(told) = told {
        let change = Some(change);
        told.published.push(PublicationReport { change, version, ..PublicationReport::new(place) });
    }
}

/// What came of a write that nobody answered.
const UNSURE: &str = "unsure";

fn word(change: Change) -> &'static str {
    match change {
        Change::New => "new",
        Change::Unchanged => "unchanged",
        Change::Changed => "changed",
        Change::Written => "written",
    }
}

impl Report {
    /// A place holds something else than before, or may.
    pub(crate) fn has_published(&self) -> bool {
        let places = self.artifacts.iter().flat_map(|artifact| &artifact.published);
        let mut changes = places.filter_map(|place| place.change);
        changes.any(|change| change != word(Change::Unchanged))
    }
}

/// What S3 says that an object is, by the ending of the artifact's name.
fn media_type(artifact: &Artifact) -> &'static str {
    match artifact.path.extension().and_then(std::ffi::OsStr::to_str) {
        Some("json") => "application/json",
        Some("yaml" | "yml") => "application/yaml",
        Some("zip") => "application/zip",
        _ if artifact.content.text().is_some() => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
