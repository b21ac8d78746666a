//! The commands.

mod build;
mod push;
mod render;
mod run;

use clap::Subcommand;

use crate::context::Context;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(run::Args),
    Build(build::Args),
    Push(push::Args),
    Render(render::Args),
}

pub(crate) async fn run(command: &Command, context: &Context<'_>) -> anyhow::Result<()> {
    match command {
        Command::Run(args) => run::run(args, context).await,
        Command::Build(args) => build::run(args, context).await,
        Command::Push(args) => push::run(args, context).await,
        Command::Render(args) => render::run(args, context).await,
    }
}
