//! The first process of the PID namespace. When it ends, the kernel ends all others.

use std::process::{Command, ExitCode};
use std::thread;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use shipspec_testbed::Layout;
use signal_hook::consts::{SIGINT, SIGTERM};

use super::Fatal;
use super::engine::Engine;

/// Starts the services in a process of their own, waits for every orphan, and ends with that
/// process.
pub(crate) fn run(layout: &Layout, cgroup: &str, engine: Engine) -> Result<ExitCode, Fatal> {
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT])?;
    let program = std::env::current_exe()?;
    let child = Command::new(program)
        .arg("--home")
        .arg(layout.home())
        .args(["serve", "--cgroup", cgroup, "--engine", engine.name()])
        .spawn()?;
    let server =
        Pid::from_raw(i32::try_from(child.id())?).ok_or("the server has no process number")?;
    thread::spawn(move || {
        for _signal in &mut signals {
            // It may be gone already, and then so is this process.
            let _sent = kill_process(server, Signal::TERM);
        }
    });
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((process, status))) if process == server => {
                let code = status.exit_status().and_then(|code| u8::try_from(code).ok());
                return Ok(ExitCode::from(code.unwrap_or(1)));
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
