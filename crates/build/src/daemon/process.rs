//! The process of dockerd.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::error::DaemonError;
use super::log::Log;
use crate::progress::{Event, Reporter};

const NAME: &str = "dockerd";

/// Arguments of a process among which the program's name may be: a script or a loader may run it.
const FIRST_ARGUMENTS: usize = 4;

/// The process that a file of dockerd's names, if it is one of dockerd's. A file that names another
/// process, or none, would keep dockerd from starting, and is removed.
pub(super) fn running(file: &Path, reporter: &dyn Reporter) -> Result<Option<u32>, DaemonError> {
    let Ok(text) = std::fs::read_to_string(file) else { return Ok(None) };
    if let Some(process) = text.trim().parse().ok().filter(|process| is_dockerd(*process)) {
        return Ok(Some(process));
    }
    match std::fs::remove_file(file) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(DaemonError::ProcessFile { path: file.into(), source })
        }
        _ => {
            let path = &file.display().to_string();
            reporter.report(Event::ProcessFileRemoved { path });
            Ok(None)
        }
    }
}

fn is_dockerd(process: u32) -> bool {
    let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let mut arguments = line.split(|byte| *byte == 0).take(FIRST_ARGUMENTS);
    arguments.any(|argument| argument.rsplit(|byte| *byte == b'/').next() == Some(NAME.as_bytes()))
}

/// A dockerd that does not answer yet. It is stopped when this value is dropped.
#[derive(Debug)]
pub(super) struct Starting {
    child: Option<Child>,
}

impl Starting {
    /// Starts dockerd so that it goes on without us: in a process group of its own, which Ctrl-C in
    /// a terminal does not meet, and with none of our pipes.
    pub(super) fn spawn(
        arguments: &[String],
        environment: &BTreeMap<String, String>,
        log: &Log,
    ) -> Result<Self, DaemonError> {
        let program = find(environment).ok_or(DaemonError::NotInstalled)?;
        let file = || log.file().map_err(DaemonError::Spawn);
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(environment)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(file()?)
            .stderr(file()?)
            .process_group(0)
            .spawn()
            .map_err(DaemonError::Spawn)?;
        Ok(Self { child: Some(child) })
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut()?.try_wait().ok()?
    }

    /// Lets it go on; gives the number of its process.
    pub(super) fn leave(mut self) -> u32 {
        self.child.take().map_or(0, |child| child.id())
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        let Some(child) = &mut self.child else { return };
        if let Ok(None) = child.try_wait()
            && let Some(process) = i32::try_from(child.id()).ok().and_then(Pid::from_raw)
        {
            // It stops containerd, and removes its files. If it has ended meanwhile, that is well too.
            let _ = kill_process(process, Signal::TERM);
        }
    }
}

fn find(environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let path = environment.get("PATH")?;
    path.split(':').map(|folder| Path::new(folder).join(NAME)).find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    impl Reporter for Told {
        fn report(&self, event: Event<'_>) {
            self.0.lock().unwrap().push(format!("{event:?}"));
        }
    }

    #[test]
    fn a_file_that_names_no_dockerd_is_removed_and_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("docker.pid");
        let told = Told::default();
        assert_eq!(running(&file, &told).unwrap(), None);
        // A process that there is, and that is not dockerd.
        for text in [std::process::id().to_string(), "4194305".into(), String::new()] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(running(&file, &told).unwrap(), None);
            assert!(!file.exists());
        }
        assert_eq!(told.0.lock().unwrap().len(), 3);
    }
}
