//! Tags of all images: first those that belong to the source version, then those that move. If
//! anything fails after that, those that were moved are put back.

use std::collections::{BTreeMap, VecDeque};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use shipspec_build::plan::PlannedTag;
use shipspec_build::progress::{Event, Reporter as _};
use shipspec_registry::client::Client;
use shipspec_registry::error::RegistryError;
use shipspec_registry::manifest::Manifest;
use shipspec_registry::tagging::{NotPut, Put, PutBack, TagChange, put_tag};
use shipspec_spec::image::Digest;

use crate::context::Context;
use crate::failure::Several;
use crate::report::Report;

/// Tags that are put at one time. ECR takes ten a second.
const AT_ONCE: usize = 5;

/// Tags that are asked for at one time.
const LOOKS_AT_ONCE: usize = 10;

/// An image that its repository holds, and the tags that it is to have there.
#[derive(Clone, Copy)]
pub(crate) struct Holding<'a> {
    /// Its name in shipspec.yml.
    pub(crate) image: &'a str,
    pub(crate) client: &'a Client,
    pub(crate) manifest: &'a Manifest,
    pub(crate) tags: &'a [PlannedTag],
}

/// Moving tags that a newer run has put, by image and tag.
#[derive(Debug, Default)]
pub(crate) struct Newer(pub(crate) BTreeMap<(String, String), NewerPut>);

/// A tag that stays as long as it names what a newer run has put it on.
#[derive(Debug, Clone)]
pub(crate) struct NewerPut {
    pub(crate) digest: Digest,
    /// What that run is called.
    pub(crate) by: String,
}

impl Newer {
    fn of(&self, image: &str, planned: &PlannedTag) -> Option<&NewerPut> {
        let key = (image.to_owned(), planned.tag.to_string());
        self.0.get(&key).filter(|_| planned.moving)
    }
}

/// The moving tags that were put, and the images that they were put on.
pub(crate) struct Moves<'a> {
    puts: Vec<(&'a str, Put<'a>)>,
}

/// The order in which tags are put. What the source version names comes first, `latest` last: it must
/// not have moved where another tag is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Steady,
    Moving,
    Latest,
}

impl Phase {
    fn of(planned: &PlannedTag) -> Self {
        match (planned.moving, planned.tag.as_str()) {
            (false, _) => Self::Steady,
            (true, "latest") => Self::Latest,
            (true, _) => Self::Moving,
        }
    }
}

/// A tag to put, and what it names before.
struct Open<'a> {
    holding: Holding<'a>,
    planned: &'a PlannedTag,
    before: Result<Option<Manifest>, RegistryError>,
}

/// Puts every tag of every image. What they name by now is asked for at once, and beside that `newer`, which
/// nothing but moving tags have to wait for. Gives what came of that as well. A signal ends it between two
/// tags, and then what had moved is put back too.
pub(crate) async fn tag_all<'a, T>(
    context: &Context<'_>,
    images: &[Holding<'a>],
    newer: impl Future<Output = (T, Newer)>,
    report: &mut Report,
) -> anyhow::Result<(T, Moves<'a>)> {
    let _hold = context.stop.hold();
    let mut moves = Moves { puts: Vec::new() };
    let (mut open, (asked, newer)) = tokio::join!(look(images), newer);
    for phase in [Phase::Steady, Phase::Moving, Phase::Latest] {
        let (now, later): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|open| Phase::of(open.planned) == phase);
        open = later;
        let (puts, failed) = put_all(context, now, &newer, report).await;
        if phase != Phase::Steady {
            moves.puts.extend(puts);
        }
        if let Some(error) = Several::join(failed) {
            moves.put_back(context, report).await;
            return Err(error);
        }
    }
    Ok((asked, moves))
}

/// Asks what all tags name by now.
async fn look<'a>(images: &[Holding<'a>]) -> Vec<Open<'a>> {
    let all = images.iter().flat_map(|image| image.tags.iter().map(move |tag| (*image, tag)));
    let asked = all.map(|(holding, planned)| async move {
        let before = holding.client.manifest(planned.tag.as_str()).await;
        Open { holding, planned, before }
    });
    futures_util::stream::iter(asked).buffered(LOOKS_AT_ONCE).collect().await
}

/// Puts the tags of one phase on all images, and ends after the first failure. What is under way then is
/// waited for, so that it is known what has moved, or may have.
async fn put_all<'a>(
    context: &Context<'_>,
    open: Vec<Open<'a>>,
    newer: &Newer,
    report: &mut Report,
) -> (Vec<(&'a str, Put<'a>)>, Vec<anyhow::Error>) {
    let mut waiting = VecDeque::from(open);
    let mut running = FuturesUnordered::new();
    let (mut puts, mut failed) = (Vec::new(), Vec::new());
    loop {
        let stopped = context.stop.check();
        while running.len() < AT_ONCE
            && failed.is_empty()
            && stopped.is_ok()
            && let Some(open) = waiting.pop_front()
        {
            let newer = newer.of(open.holding.image, open.planned);
            running.push(put(context, open, newer));
        }
        match running.next().await {
            None => {
                failed.extend(stopped.err().map(anyhow::Error::from));
                return (puts, failed);
            }
            Some((image, Ok((put, kept_by)))) => {
                report.set_change(image, put.repository(), put.tag, put.change);
                if let Some(by) = kept_by {
                    report.set_kept(image, put.tag, &reason(&by));
                }
                puts.push((image, put));
            }
            Some((image, Err(NotPut { error, unsure }))) => {
                let error = anyhow::Error::from(error);
                failed.push(error.context(format!("failed to tag the image `{image}`")));
                puts.extend(unsure.map(|put| (image, put)));
            }
        }
    }
}

async fn put<'a>(
    context: &Context<'_>,
    Open { holding, planned, before }: Open<'a>,
    newer: Option<&NewerPut>,
) -> (&'a str, Result<(Put<'a>, Option<String>), NotPut<'a>>) {
    let Holding { image, client, manifest, .. } = holding;
    let before = match before {
        Ok(before) => before,
        Err(error) => return (image, Err(error.into())),
    };
    let newer_digest = newer.map(|put| &put.digest);
    let put = match put_tag(client, manifest, &planned.tag, before, newer_digest).await {
        Ok(put) => put,
        Err(error) => return (image, Err(error)),
    };
    let (reference, change) = (put.reference(), put.change);
    let kept_by = newer.filter(|_| change == TagChange::Kept).map(|newer| newer.by.clone());
    match &kept_by {
        Some(by) => context.console.note(format_args!(
            "{image}: {reference} stays: {}; `--force-moving` moves it",
            reason(by)
        )),
        None => context.console.report(Event::Tagged { image, reference: &reference, change }),
    }
    (image, Ok((put, kept_by)))
}

/// Why a tag stays where it is.
fn reason(by: &str) -> String {
    format!("it was put by a newer run ({by})")
}

impl Moves<'_> {
    /// Gives every tag back to the image that it named before, as far as that can be done, and says
    /// what cannot.
    pub(crate) async fn put_back(self, context: &Context<'_>, report: &mut Report) {
        for (image, put) in &self.puts {
            if matches!(put.change, TagChange::Unchanged | TagChange::Kept) {
                continue;
            }
            let reference = &*put.reference();
            // In a box of its own: the futures below it are nested deeper than the compiler follows.
            let why = match Box::pin(put.put_back()).await {
                Ok(PutBack::Done(digest)) => {
                    report.set_change(image, put.repository(), put.tag, TagChange::PutBack);
                    context.console.report(Event::PutBack { image, reference, digest: &digest });
                    continue;
                }
                Ok(PutBack::Unmoved) => continue,
                Ok(PutBack::Taken) => "somebody else has moved it on".to_owned(),
                Ok(PutBack::Stays) => "it is new, and named nothing before".to_owned(),
                Err(error) => format!("{:#}", anyhow::Error::from(error)),
            };
            context.console.note(format_args!("{reference} is not put back: {why}"));
        }
    }
}
