//! `testbed status`: asked inside, told to a person.

use std::process::ExitCode;

use shipspec_testbed::Layout;
use shipspec_testbed::control::{Command, order};

use super::Fatal;

/// Prints a line for each service; fails if one of them does not answer.
#[expect(clippy::print_stdout, reason = "this is what was asked for")]
pub(crate) fn run(layout: &Layout) -> Result<ExitCode, Fatal> {
    let answer = order(&Command::Status)?;
    let services = answer.as_object().ok_or("the status is no object")?;
    let mut code = ExitCode::SUCCESS;
    for (service, well) in services {
        let well = well == true;
        println!(
            "{service:10} {:7} {}",
            if well { "ok" } else { "NOT OK" },
            layout.log(service).display()
        );
        if !well {
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}
