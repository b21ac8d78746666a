//! The command line of shipspec.

mod access;
mod age;
mod arguments;
mod checks;
mod command;
mod commit;
mod console;
mod context;
mod deployed;
mod deployment;
mod differences;
mod dockerfiles;
mod failure;
mod filling;
mod flags;
mod foreign;
mod images;
mod keys;
mod ledger;
mod live;
mod mirrors;
mod parameters;
mod pipeline;
mod preflight;
mod project;
mod promotion;
mod publishing;
#[cfg(test)]
mod reference;
mod release;
mod releases;
mod report;
mod reuse;
mod running;
mod signal;
mod tagging;
mod users;
mod values;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;

use crate::arguments::Arguments;
use crate::console::Console;
use crate::context::Context;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let console = Arc::new(Console::new());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure::show(&console, &error.into()),
    };
    let code = runtime.block_on(async {
        tokio::select! {
            biased;
            signal = signal::watch() => {
                console.settle();
                console.note(format_args!("interrupted by {}", signal.name()));
                ExitCode::from(signal.exit_code())
            }
            result = run(&arguments, &console) => {
                console.settle();
                match result {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(error) => failure::report(&console, error, arguments.command.json()),
                }
            }
        }
    });
    // A thread may still read a large file for an engine that has gone.
    runtime.shutdown_background();
    code
}

async fn run(arguments: &Arguments, console: &Arc<Console>) -> anyhow::Result<()> {
    let context = Context::new(arguments.file.clone(), console)?;
    command::run(&arguments.command, &context).await
}
