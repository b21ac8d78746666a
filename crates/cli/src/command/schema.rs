//! `shipspec schema`: the form of shipspec.yml, for editors.

use clap::Args as ClapArgs;
use shipspec_spec::config::Config;

use crate::context::Context;

/// Print the JSON schema of shipspec.yml
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    let schema = serde_json::to_string_pretty(&Config::schema())?;
    Ok(context.console.data(&format!("{schema}\n"))?)
}
