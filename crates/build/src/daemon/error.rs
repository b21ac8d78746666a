//! Why there is no dockerd.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use shipspec_spec::hint::Hint;

use super::log::Log;
use crate::docker::EngineError;

/// Words of dockerd, in small letters, where it may not do what it must.
const UNPRIVILEGED: [&str; 5] = [
    "operation not permitted",
    "permission denied (you must be root)",
    "are you trying to mount a filesystem as root",
    "needs to be started with root",
    "read-only file system",
];

/// Why there is no engine in the end.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// It cannot be said where the engine is to be, or it does not let us.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The engine that is meant is not one that can be started here.
    #[error(
        "no Docker engine answers at `{0}`, and only one at a socket (`unix://`) can be started"
    )]
    Elsewhere(String),
    /// There is no dockerd to start.
    #[error("`dockerd` is not installed: no folder of `PATH` has it")]
    NotInstalled,
    /// A dockerd is there and does not answer.
    #[error("dockerd runs already, as process {process}, and does not answer at `{host}`")]
    Silent {
        /// The number of its process.
        process: u32,
        /// Where it was expected.
        host: String,
    },
    /// What dockerd says cannot be kept.
    #[error("the log `{}` cannot be written", path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// A file that keeps dockerd from starting cannot be removed.
    #[error("`{}` names no dockerd that runs, and cannot be removed", path.display())]
    ProcessFile {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The process could not be made.
    #[error("dockerd cannot be started")]
    Spawn(#[source] io::Error),
    /// dockerd lacks rights of the machine.
    #[error("dockerd may not mount file systems or set up networks here: this is not privileged")]
    Unprivileged {
        /// The file with all that it said.
        log: PathBuf,
        /// The end of it.
        lines: Vec<String>,
    },
    /// dockerd ended, or did not answer in time.
    #[error("dockerd did not start: {reason}")]
    Failed {
        /// What it did.
        reason: String,
        /// The file with all that it said.
        log: PathBuf,
        /// The end of it.
        lines: Vec<String>,
    },
}

impl DaemonError {
    /// dockerd ended by itself.
    pub(super) fn ended(status: ExitStatus, log: &Log) -> Self {
        let (lines, log) = (log.last_lines(), log.path().to_owned());
        // What it says last is why it ended; what it says before, it could do without.
        let is_last_word = |line: &String| line.contains("failed to start daemon");
        let begin = lines.iter().rposition(is_last_word).unwrap_or(lines.len().saturating_sub(1));
        let words = lines[begin..].join("\n").to_lowercase();
        if UNPRIVILEGED.iter().any(|unprivileged| words.contains(unprivileged)) {
            return Self::Unprivileged { log, lines };
        }
        Self::Failed { reason: format!("it ended ({status})"), log, lines }
    }

    /// dockerd runs and does not answer.
    pub(super) fn late(wait: Duration, log: &Log) -> Self {
        let reason = format!("it did not answer within {} seconds", wait.as_secs_f64());
        Self::Failed { reason, log: log.path().to_owned(), lines: log.last_lines() }
    }

    /// The end of what dockerd said.
    #[must_use]
    pub fn last_lines(&self) -> &[String] {
        match self {
            Self::Unprivileged { lines, .. } | Self::Failed { lines, .. } => lines,
            _ => &[],
        }
    }
}

impl Hint for DaemonError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Engine(error) => return error.hint(),
            Self::NotInstalled => {
                "use a build image with Docker, such as CodeBuild's `standard`, or install it".into()
            }
            Self::Unprivileged { .. } => {
                "switch on privileged mode for the CodeBuild project (`privilegedMode`), or start the container with `--privileged`".into()
            }
            Self::Failed { log, .. } => format!("all that it said is in `{}`", log.display()),
            Self::Elsewhere(_) => {
                "unset DOCKER_HOST and DOCKER_CONTEXT, or name a socket with `--host`".into()
            }
            Self::Silent { .. } => "stop it, or wait longer with `--docker-wait`".into(),
            Self::Log { .. } => "name another file with `--log`".into(),
            Self::ProcessFile { .. } | Self::Spawn(_) => return None,
        })
    }
}
