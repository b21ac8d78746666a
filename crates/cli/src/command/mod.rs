//! The commands.

mod base_policy;
mod build;
mod check;
mod completions;
mod daemon;
mod diff;
mod doctor;
mod ecs_policy;
mod env;
mod explain;
mod import;
mod init;
mod man;
mod plan;
mod policy;
mod promote;
mod promotion_policy;
mod publication_policy;
mod push;
mod render;
mod repository_policy;
mod run;
mod schema;
mod stand_ins;

use clap::Subcommand;

use crate::arguments::Output;
use crate::context::Context;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(run::Args),
    Build(build::Args),
    Push(push::Args),
    Render(render::Args),
    Promote(promote::Args),
    Plan(plan::Args),
    Check(Box<check::Args>),
    Diff(diff::Args),
    Explain(explain::Args),
    Env(env::Args),
    Doctor(doctor::Args),
    Init(init::Args),
    Import(import::Args),
    Policy(policy::Args),
    Daemon(daemon::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
}

impl Command {
    /// The command's name, if it tells its result as JSON.
    pub(crate) fn json(&self) -> Option<&'static str> {
        let (name, flags) = match self {
            Self::Run(args) => ("run", &args.output),
            Self::Build(args) => ("build", &args.output),
            Self::Push(args) => ("push", &args.output),
            Self::Promote(args) => ("promote", &args.output),
            Self::Plan(args) => ("plan", &args.output),
            Self::Diff(args) => ("diff", &args.output),
            _ => return None,
        };
        (flags.output == Output::Json).then_some(name)
    }
}

pub(crate) async fn run(command: &Command, context: &Context<'_>) -> anyhow::Result<()> {
    match command {
        Command::Run(args) => run::run(args, context).await,
        Command::Build(args) => build::run(args, context).await,
        Command::Push(args) => push::run(args, context).await,
        Command::Render(args) => render::run(args, context).await,
        Command::Promote(args) => promote::run(args, context).await,
        Command::Plan(args) => plan::run(args, context).await,
        Command::Check(args) => check::run(args, context).await,
        Command::Diff(args) => diff::run(args, context).await,
        Command::Explain(args) => explain::run(args, context).await,
        Command::Env(args) => env::run(args, context).await,
        Command::Doctor(args) => doctor::run(args, context).await,
        Command::Policy(args) => policy::run(args, context),
        Command::Init(args) => init::run(args, context).await,
        Command::Import(args) => import::run(args, context),
        Command::Daemon(args) => daemon::run(args, context).await,
        Command::Schema(args) => schema::run(args, context),
        Command::Completions(args) => completions::run(args, context),
        Command::Man(args) => man::run(args, context),
    }
}
