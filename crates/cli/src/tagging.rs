//! Tags of all images: first those that belong to the source version, then those that move. If
//! anything fails after that, those that were moved are put back.

use std::collections::VecDeque;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use shipspec_build::progress::TagChange;
use shipspec_build::tagging::{Put, PutBack};

use crate::context::Context;
use crate::failure::Several;
use crate::images::Made;
use crate::report::Report;

/// Tags that are put at one time. ECR takes ten a second.
const AT_ONCE: usize = 5;

/// The moving tags that were put.
pub(crate) struct Moves<'a> {
    puts: Vec<Put<'a>>,
}

/// Puts every tag of every image.
pub(crate) async fn tag_all<'a>(
    context: &Context<'_>,
    images: &'a [Made],
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
    images: &'a [Made],
    moving: bool,
    report: &mut Report,
) -> (Moves<'a>, Vec<anyhow::Error>) {
    let mut waiting: VecDeque<_> = images
        .iter()
        .filter_map(|made| made.staged.as_ref().zip(Some(&made.plan)))
        .flat_map(|(staged, plan)| plan.tags.iter().map(move |planned| (staged, planned)))
        .filter(|(_, planned)| planned.moving == moving)
        .collect();
    let mut running = FuturesUnordered::new();
    let (mut puts, mut failed) = (Vec::new(), Vec::new());
    loop {
        while running.len() < AT_ONCE
            && failed.is_empty()
            && let Some((staged, planned)) = waiting.pop_front()
        {
            running.push(staged.put_tag(&planned.tag, context.console));
        }
        match running.next().await {
            None => return (Moves { puts }, failed),
            Some(Ok(put)) => {
                report.set_change(put.image(), put.tag(), put.change);
                puts.push(put);
            }
            Some(Err(error)) => failed.push(error.into()),
        }
    }
}

impl Moves<'_> {
    /// Gives every tag back to the image that it named before, as far as that can be done, and says
    /// what cannot.
    pub(crate) async fn put_back(self, context: &Context<'_>, report: &mut Report) {
        for put in self.puts.iter().filter(|put| put.change != TagChange::Unchanged) {
            let reference = put.reference();
            let why = match put.put_back(context.console).await {
                Ok(PutBack::Done) => {
                    report.set_change(put.image(), put.tag(), TagChange::PutBack);
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
