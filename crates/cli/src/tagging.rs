//! Tags of all images: first those that belong to the source version, then those that move. If
//! anything fails after that, those that were moved are put back.

use std::collections::VecDeque;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use shipspec_build::plan::PlannedTag;
use shipspec_build::progress::{Event, Reporter as _};
use shipspec_registry::client::Client;
use shipspec_registry::manifest::Manifest;
use shipspec_registry::tagging::{Put, PutBack, TagChange, put_tag};

use crate::context::Context;
use crate::failure::Several;
use crate::report::Report;

/// Tags that are put at one time. ECR takes ten a second.
const AT_ONCE: usize = 5;

/// An image that its repository holds, and the tags that it is to have there.
#[derive(Clone, Copy)]
pub(crate) struct Holding<'a> {
    /// Its name in shipspec.yml.
    pub(crate) image: &'a str,
    pub(crate) client: &'a Client,
    pub(crate) manifest: &'a Manifest,
    pub(crate) tags: &'a [PlannedTag],
}

/// The moving tags that were put, and the images that they were put on.
pub(crate) struct Moves<'a> {
    puts: Vec<(&'a str, Put<'a>)>,
}

/// Puts every tag of every image.
pub(crate) async fn tag_all<'a>(
    context: &Context<'_>,
    images: &[Holding<'a>],
    report: &mut Report,
) -> anyhow::Result<Moves<'a>> {
    let (_, failed) = put_all(context, images, false, report).await;
    if let Some(error) = Several::join(failed) {
        return Err(error);
    }
    let (moves, failed) = put_all(context, images, true, report).await;
    match Several::join(failed) {
        None => Ok(moves),
        Some(error) => {
            moves.put_back(context, report).await;
            Err(error)
        }
    }
}

/// Puts the moving tags of all images, or the others, and ends after the first failure. What is under
/// way then is waited for, so that it is known what has moved.
async fn put_all<'a>(
    context: &Context<'_>,
    images: &[Holding<'a>],
    moving: bool,
    report: &mut Report,
) -> (Moves<'a>, Vec<anyhow::Error>) {
    let mut waiting: VecDeque<_> = images
        .iter()
        .flat_map(|image| image.tags.iter().map(move |planned| (*image, planned)))
        .filter(|(_, planned)| planned.moving == moving)
        .collect();
    let mut running = FuturesUnordered::new();
    let (mut puts, mut failed) = (Vec::new(), Vec::new());
    loop {
        while running.len() < AT_ONCE
            && failed.is_empty()
            && let Some((image, planned)) = waiting.pop_front()
        {
            running.push(put(context, image, planned));
        }
        match running.next().await {
            None => return (Moves { puts }, failed),
            Some(Ok((image, put))) => {
                report.set_change(image, put.tag, put.change);
                puts.push((image, put));
            }
            Some(Err(error)) => failed.push(error),
        }
    }
}

async fn put<'a>(
    context: &Context<'_>,
    holding: Holding<'a>,
    planned: &'a PlannedTag,
) -> anyhow::Result<(&'a str, Put<'a>)> {
    let Holding { image, client, manifest, .. } = holding;
    let put = put_tag(client, manifest, &planned.tag).await;
    let put = put.with_context(|| format!("failed to tag the image `{image}`"))?;
    let (reference, change) = (put.reference(), put.change);
    context.console.report(Event::Tagged { image, reference: &reference, change });
    Ok((image, put))
}

impl Moves<'_> {
    /// Gives every tag back to the image that it named before, as far as that can be done, and says
    /// what cannot.
    pub(crate) async fn put_back(self, context: &Context<'_>, report: &mut Report) {
        for (image, put) in &self.puts {
            if put.change == TagChange::Unchanged {
                continue;
            }
            let reference = &*put.reference();
            let why = match put.put_back().await {
                Ok(PutBack::Done(digest)) => {
                    report.set_change(image, put.tag, TagChange::PutBack);
                    context.console.report(Event::PutBack { image, reference, digest: &digest });
                    continue;
                }
                Ok(PutBack::Taken) => "somebody else has moved it on".to_owned(),
                Ok(PutBack::Stays) => "it is new, and named nothing before".to_owned(),
                Err(error) => format!("{:#}", anyhow::Error::from(error)),
            };
            context.console.note(format_args!("{reference} is not put back: {why}"));
        }
    }
}
