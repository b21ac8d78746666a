//! `shipspec completions`: what a shell needs to complete commands and flags.

use clap::{Args as ClapArgs, CommandFactory as _};
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::context::Context;

/// Print the completion script for a shell
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "shipspec", &mut script);
    Ok(context.console.data(&String::from_utf8(script)?)?)
}
