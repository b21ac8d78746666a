//! One daemon: started, watched, stopped.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use shipspec_testbed::Layout;
use tokio::process::{Child, Command};

use super::Fatal;

/// How long a daemon has to stop by itself.
const PATIENCE: Duration = Duration::from_secs(8);

/// A daemon that runs.
pub(crate) struct Service {
    name: &'static str,
    child: Child,
}

impl Service {
    /// Starts a program with nothing of this process's environment but what is given.
    pub(crate) fn start(
        layout: &Layout,
        name: &'static str,
        program: &Path,
        arguments: &[OsString],
        environment: &[(&str, OsString)],
    ) -> Result<Self, Fatal> {
        let log = File::create(layout.log(name))?;
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("HOME", layout.state().join("home"))
            .env("PATH", search_path(layout))
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir(layout.state())
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .map_err(|error| format!("{name} does not start: {}: {error}", program.display()))?;
        Ok(Self { name, child })
    }

    /// Its name, which is its log's too.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks it to stop, and makes it if it does not.
    pub(crate) async fn stop(mut self) {
        let process = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(process) = process {
            let _sent = kill_process(process, Signal::TERM);
        }
        if tokio::time::timeout(PATIENCE, self.child.wait()).await.is_err() {
            let _killed = self.child.kill().await;
        }
    }
}

/// The unpacked programs first, then the machine's own.
pub(crate) fn search_path(layout: &Layout) -> OsString {
    let mut path = layout.commands().into_os_string();
    path.push(":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    path
}
