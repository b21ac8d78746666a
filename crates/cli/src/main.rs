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
mod init;
mod keys;
mod ledger;
mod live;
mod mirrors;
mod newcomers;
mod origins;
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
use crate::signal::Stop;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let console = Arc::new(Console::new());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure::show(&console, &error.into()),
    };
    let stop = Stop::new();
    let code = runtime.block_on(async {
        // Before the run begins: what waits for a file gives nobody else a turn here.
        let interrupted = stop.watch(&console);
        tokio::select! {
            // A run that ended by itself has more to tell than that it was told to.
            biased;
            result = run(&arguments, &console, &stop) => {
                console.settle();
                match result {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(error) => failure::report(&console, error, arguments.command.json()),
                }
            }
            interrupted = interrupted => {
                console.settle();
                failure::report(&console, interrupted.into(), arguments.command.json())
            }
        }
    });
    // A thread may still read a large file for an engine that has gone.
    runtime.shutdown_background();
    code
}

async fn run(arguments: &Arguments, console: &Arc<Console>, stop: &Stop) -> anyhow::Result<()> {
    let context = Context::new(arguments.file.clone(), console, stop)?;
    command::run(&arguments.command, &context).await
}
