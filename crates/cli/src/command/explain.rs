//! `shipspec explain`: why an image was built, or will be.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::Args as ClapArgs;
use serde::Serialize;
use shipspec_build::key::{Change, KeyParts, compare};
use shipspec_spec::scope::DigestState;

use crate::arguments::{Output, OutputFlags, ProjectFlags, RenderFlags};
use crate::context::Context;
use crate::ledger::{Ledger, Which};
use crate::project::{Project, require_images};
use crate::release::Release;
use crate::reuse::{Memory, Rebuild};
use crate::{access, dockerfiles, failure, foreign};

/// Show which file, argument, base image or secret makes an image another one than in the last
/// release, or between two releases
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    project: ProjectFlags,
    /// The image; without it, all
    image: Option<String>,
    /// The release to compare with: a build's id, or a commit or its beginning [default: the last]
    #[arg(long, value_name = "RELEASE")]
    from: Option<String>,
    /// The release that is compared [default: what a run would make now]
    #[arg(long, value_name = "RELEASE")]
    to: Option<String>,
    #[command(flatten)]
    pub(super) output: OutputFlags,
}

/// What makes an image another one.
#[derive(Serialize)]
struct Explanation {
    image: String,
    /// The keys differ.
    changed: bool,
    /// Why nothing can be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    changes: Vec<Change>,
}

pub(crate) async fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    let mut project = Project::load(context, &args.project, &RenderFlags::default()).await?;
    project.require_known(args.image.as_slice())?;
    let plans = project.plan_images(context, &DigestState::Later)?;
    require_images(&plans)?;
    let (bases, _) = dockerfiles::check(context, &plans);
    let access = access::of_run(context, &project.users, &plans, &project.foreign, &bases).await;
    let plans = foreign::require_digests(context, &mut project, &access, plans).await?;
    let ledger = Ledger::open(context, &project, &access).await?;
    let Some(ledger) = ledger else { return Ok(()) };
    let before = find(&ledger, args.from.as_deref()).await?;
    let after = match &args.to {
        Some(to) => Some(find(&ledger, Some(to)).await?),
        None => None,
    };
    let mut explanations = Vec::new();
    let looked = match after {
        Some(_) => BTreeMap::new(),
        None => {
            let memory = Memory::new(context, &access, &plans, Rebuild::None);
            memory.look_up_all(&mut project, &plans).await?
        }
    };
    for plan in
        plans.iter().filter(|plan| args.image.as_ref().is_none_or(|name| *name == plan.name))
    {
        let old = before.images.get(&plan.name).and_then(|image| image.parts.as_ref());
        let new = match &after {
            Some(after) => after.images.get(&plan.name).and_then(|image| image.parts.clone()),
            None => {
                let key = looked.get(&plan.name).and_then(|looked| looked.key.as_ref());
                key.map(|key| key.parts.for_record())
            }
        };
        let waits = after.is_none() && !looked.contains_key(&plan.name);
        explanations.push(explain(&plan.name, old, new.as_ref(), waits));
    }
    context.console.data(&match args.output.output {
        Output::Json => format!("{}\n", serde_json::to_string_pretty(&explanations)?),
        Output::Text => describe(&before, &explanations),
    })?;
    Ok(())
}

async fn find(ledger: &Ledger, id: Option<&str>) -> anyhow::Result<Release> {
    let found = ledger.find(id.map_or(Which::Last, Which::Of)).await?;
    found.ok_or_else(|| {
        let message = match id {
            Some(id) => format!("there is no release of `{id}`"),
            None => "there is no release yet".to_owned(),
        };
        failure::input(message, Some("a `shipspec run` of all images makes one"))
    })
}

fn explain(
    image: &str,
    old: Option<&KeyParts>,
    new: Option<&KeyParts>,
    waits: bool,
) -> Explanation {
    let (changes, reason) = match (old, new) {
        (Some(old), Some(new)) => (compare(old, new), None),
        (_, None) if waits => {
            (Vec::new(), Some("it is made from another image that is built first".to_owned()))
        }
        (None, _) => {
            (Vec::new(), Some("the release does not know what it was made from".to_owned()))
        }
        (_, None) => (Vec::new(), Some("it has no key, and is built each time".to_owned())),
    };
    let is_same = reason.is_none() && changes.is_empty();
    Explanation { image: image.into(), changed: !is_same, reason, changes }
}

fn describe(before: &Release, explanations: &[Explanation]) -> String {
    let since = before.tag.as_deref().unwrap_or("without a tag");
    // A run of some of the images is no release, and yet the last that was put out.
    let before = if before.partial { "run" } else { "release" };
    let mut text = String::new();
    for Explanation { image, changed, reason, changes } in explanations {
        let what = if *changed { "not the same" } else { "the same" };
        let _ = writeln!(text, "{image}: {what} as in the {before} {since}");
        for line in reason.iter().cloned().chain(changes.iter().map(ToString::to_string)) {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}
