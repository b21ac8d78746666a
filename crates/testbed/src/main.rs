//! The testbed's own program: the first process of its namespaces, its services and its front.
//! `scripts/testbed` starts it; `docs/design/testbed.md` says how the parts fit.

mod front;
mod inside;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use inside::engine::Engine;
use shipspec_testbed::Layout;

/// The testbed, from the inside. Use `scripts/testbed`.
#[derive(Debug, clap::Parser)]
struct Arguments {
    /// The testbed's folder
    #[arg(long)]
    home: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Be the first process: start `serve`, bury the dead, pass on the order to stop
    Init {
        /// The cgroup below which containers run
        #[arg(long)]
        cgroup: String,
        /// The engine that runs
        #[arg(long)]
        engine: Engine,
    },
    /// Start the services and keep them
    Serve {
        /// The cgroup below which containers run
        #[arg(long)]
        cgroup: String,
        /// The engine that runs
        #[arg(long)]
        engine: Engine,
    },
    /// Run a command in the namespaces of a process, the testbed's first
    Enter {
        /// The process as this namespace numbers it
        #[arg(long)]
        process: i32,
        /// The command
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// Become a command that dies with its parent
    Exec {
        /// The command
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// Say which services answer
    Status,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let layout = Layout::new(arguments.home);
    let result = match arguments.command {
        Command::Init { cgroup, engine } => inside::init::run(&layout, &cgroup, engine),
        Command::Serve { cgroup, engine } => inside::serve::run(&layout, &cgroup, engine),
        Command::Enter { process, command } => inside::enter::run(&layout, process, &command),
        Command::Exec { command } => inside::enter::become_command(&command),
        Command::Status => inside::status::run(&layout),
    };
    result.unwrap_or_else(|error| {
        complain(&*error);
        ExitCode::from(125)
    })
}

/// Tells an error and its causes.
#[expect(clippy::print_stderr, reason = "this program's stderr is its log")]
fn complain(error: &dyn std::error::Error) {
    eprintln!("testbed: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  caused by: {error}");
        cause = error.source();
    }
}
