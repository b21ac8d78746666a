//! `shipspec env`: what the run of this build came to, for the shell.

use std::fmt::Write as _;

use std::collections::{BTreeMap, BTreeSet};

use clap::Args as ClapArgs;
use shipspec_spec::codebuild::BUILD_ID;
use shipspec_spec::expression::Names as _;
use shipspec_spec::scope::DigestState;

use crate::arguments::{ProjectFlags, RenderFlags};
use crate::context::Context;
use crate::ledger::{Ledger, Which};
use crate::project::{Project, require_images};
use crate::release::Release;
use crate::{access, failure};

/// Print what this build's `run` came to, as lines for `eval`: `vars=$(shipspec env) && eval "$vars"`
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    project: ProjectFlags,
}

pub(crate) async fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    let mut project = Project::load(context, &args.project, &RenderFlags::default()).await?;
    let plans = project.plan_images(context, &DigestState::Later)?;
    require_images(&plans)?;
    let access = access::of_run(context, &project.users, &plans, &[], &BTreeSet::new()).await;
    let commit = project.scope.resolve("COMMIT").ok().and_then(|value| value.text());
    let id = context.variable(BUILD_ID).map(str::to_owned).or(commit);
    let Some(id) = id else {
        let message = format!(
            "it is not known which build this is: {BUILD_ID} is not set, and there is no commit"
        );
        return Err(failure::input(message, None));
    };
    let release = match Ledger::open(context, &project, &access).await? {
        Some(ledger) => ledger.find(Which::Of(&id)).await?,
        None => None,
    };
    let Some(release) = release else {
        let message = format!("there is no release of `{id}`");
        return Err(failure::input(message, Some("run `shipspec run` first, with all images")));
    };
    refuse_twins(&release)?;
    Ok(context.console.data(&lines(&release))?)
}

/// Two images whose names make one variable would hide each other.
fn refuse_twins(release: &Release) -> anyhow::Result<()> {
    let mut seen = BTreeMap::new();
    for name in release.images.keys() {
        if let Some(other) = seen.insert(variable(name), name) {
            let message = format!(
                "the images `{other}` and `{name}` would both be SHIPSPEC_{}_URI",
                variable(name)
            );
            return Err(failure::input(message, Some("give one of them another name")));
        }
    }
    Ok(())
}

/// `export NAME='value'`, a line for each.
fn lines(release: &Release) -> String {
    let mut text = String::new();
    let mut export = |name: &str, value: &str| {
        let value = value.replace('\'', r"'\''");
        let _ = writeln!(text, "export {name}='{value}'");
    };
    export("SHIPSPEC_CHANGED", if release.changed { "true" } else { "false" });
    export("SHIPSPEC_IMAGE_TAG", release.tag.as_deref().unwrap_or_default());
    for (name, image) in &release.images {
        let name = variable(name);
        export(&format!("SHIPSPEC_{name}_URI"), &image.uri);
        export(&format!("SHIPSPEC_{name}_DIGEST"), &image.digest);
    }
    text
}

/// The name of an image as part of a variable's.
fn variable(name: &str) -> String {
    let part = |character: char| match character {
        character if character.is_ascii_alphanumeric() => character.to_ascii_uppercase(),
        _ => '_',
    };
    name.chars().map(part).collect()
}
