//! `shipspec man`: the manual page.

use clap::{Args as ClapArgs, CommandFactory as _};

use crate::arguments::Arguments;
use crate::context::Context;

/// Print the manual page of shipspec, or of one of its commands
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The command
    command: Option<String>,
}

pub(crate) fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    let mut all = Arguments::command();
    all.build();
    let wanted = match &args.command {
        Some(name) => all
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| crate::failure::input(format!("there is no command `{name}`"), None))?,
        None => all,
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(wanted).render(&mut page)?;
    Ok(context.console.data(&String::from_utf8(page)?)?)
}
