//! `shipspec daemon ensure`: an engine where a privileged build has none.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use shipspec_build::daemon::{DaemonOptions, ensure};

use crate::arguments::EngineFlags;
use crate::console::Seconds;
use crate::context::Context;

/// Start a Docker engine of this machine
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Ensure(EnsureArgs),
}

/// Start dockerd where no engine answers, and wait until it does
#[derive(Debug, ClapArgs)]
struct EnsureArgs {
    /// The socket, as `unix://` and a path [default: where the environment says]
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,

    /// Listen on port 2375 of 127.0.0.1 as well, without TLS
    #[arg(long)]
    tcp: bool,

    /// How dockerd keeps images [default: what it chooses itself]
    #[arg(long, value_name = "DRIVER")]
    storage_driver: Option<String>,

    /// The file that dockerd writes to [default: /var/log/dockerd.log, else one in the folder for
    /// temporary files]
    #[arg(long, value_name = "PATH")]
    log: Option<PathBuf>,

    #[command(flatten)]
    engine: EngineFlags,

    /// More arguments for dockerd, after `--`
    #[arg(last = true, value_name = "DOCKERD ARGUMENT")]
    arguments: Vec<String>,
}

pub(crate) async fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    let Command::Ensure(args) = &args.command;
    let options = DaemonOptions {
        host: args.host.clone(),
        tcp: args.tcp,
        storage_driver: args.storage_driver.clone(),
        log: args.log.as_ref().map(|path| context.current.join(path)),
        arguments: args.arguments.clone(),
        wait: args.engine.docker_wait,
    };
    let ensured = ensure(&options, &context.environment, context.console).await?;
    let (host, version) = (&ensured.host, &ensured.version);
    match ensured.started {
        Some(started) => context.console.note(format_args!(
            "dockerd {version} answers at {host} after {} (process {})",
            Seconds(started.duration),
            started.process
        )),
        None => context
            .console
            .note(format_args!("Docker {version} answers at {host} already; nothing was started")),
    }
    Ok(())
}
