//! dockerd, where no engine answers: started as people start it by hand, and waited for.

mod error;
mod log;
mod process;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use error::DaemonError;

use crate::connection::{Address, Endpoint};
use crate::docker::{Engine, EngineError};
use crate::progress::{Event, Reporter};
use log::Log;
use process::{Starting, running};

/// Where dockerd notes its process unless it is told otherwise.
const PROCESS_FILE: &str = "/var/run/docker.pid";

/// Between two questions whether the engine is there.
const INTERVAL: Duration = Duration::from_millis(100);

/// The engine without TLS for those who want TCP. Only this machine reaches it.
const TCP: &str = "tcp://127.0.0.1:2375";

/// How dockerd is to be started.
#[derive(Debug, Clone, Default)]
pub struct DaemonOptions {
    /// Where it is to listen; without it, where the environment says that the engine is.
    pub host: Option<String>,
    /// It is to listen on `tcp://127.0.0.1:2375` as well.
    pub tcp: bool,
    /// How it keeps images; without it, as it likes.
    pub storage_driver: Option<String>,
    /// The file for what it says.
    pub log: Option<PathBuf>,
    /// More arguments for it.
    pub arguments: Vec<String>,
    /// How long it may take until it answers.
    pub wait: Duration,
}

/// An engine that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ensured {
    /// Its address.
    pub host: String,
    /// Such as `28.5.2`.
    pub version: String,
    /// What was started for it; nothing if it was there before.
    pub started: Option<Started>,
}

/// A dockerd of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The number of its process.
    pub process: u32,
    /// The file with what it says.
    pub log: PathBuf,
    /// How long it took until it answered.
    pub duration: Duration,
}

/// Starts dockerd if no engine answers, and waits until it does. It goes on when this process ends;
/// dropping the future before it answers stops it.
///
/// # Errors
///
/// [`DaemonError`].
pub async fn ensure(
    options: &DaemonOptions,
    environment: &BTreeMap<String, String>,
    reporter: &dyn Reporter,
) -> Result<Ensured, DaemonError> {
    let endpoint = match &options.host {
        Some(host) => Endpoint::named(host, environment).map_err(EngineError::from)?,
        None => Endpoint::find(environment).map_err(EngineError::from)?,
    };
    match Engine::connect_to(&endpoint, Duration::ZERO, reporter).await {
        Ok(engine) => return answer(&endpoint, &engine, None).await,
        Err(EngineError::Absent { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    if !matches!(endpoint.address, Address::Unix(_)) {
        return Err(DaemonError::Elsewhere(endpoint.host));
    }
    if let Some(process) = running(&process_file(&options.arguments), reporter)? {
        // Somebody has started it just now.
        let engine = Engine::connect_to(&endpoint, options.wait, reporter).await;
        let silent = |_| DaemonError::Silent { process, host: endpoint.host.clone() };
        return answer(&endpoint, &engine.map_err(silent)?, None).await;
    }
    start(options, environment, &endpoint, reporter).await
}

async fn start(
    options: &DaemonOptions,
    environment: &BTreeMap<String, String>,
    endpoint: &Endpoint,
    reporter: &dyn Reporter,
) -> Result<Ensured, DaemonError> {
    let log = Log::open(options.log.as_deref(), environment)?;
    let start = Instant::now();
    let mut starting = Starting::spawn(&arguments(options, &endpoint.host), environment, &log)?;
    reporter.report(Event::DaemonStarting { log: &log.path().display().to_string() });
    let engine = loop {
        if let Ok(engine) = Engine::connect_to(endpoint, Duration::ZERO, reporter).await {
            break engine;
        }
        if let Some(status) = starting.ended() {
            return Err(DaemonError::ended(status, &log));
        }
        if start.elapsed() >= options.wait {
            return Err(DaemonError::late(options.wait, &log));
        }
        tokio::time::sleep(INTERVAL).await;
    };
    let (process, duration) = (starting.leave(), start.elapsed());
    let started = Started { process, log: log.path().to_owned(), duration };
    answer(endpoint, &engine, Some(started)).await
}

async fn answer(
    endpoint: &Endpoint,
    engine: &Engine,
    started: Option<Started>,
) -> Result<Ensured, DaemonError> {
    let version = engine.facts().await?.version;
    Ok(Ensured { host: endpoint.host.clone(), version, started })
}

fn arguments(options: &DaemonOptions, host: &str) -> Vec<String> {
    let mut arguments = vec![format!("--host={host}")];
    if options.tcp {
        // Without the second word, engines wait a while for somebody to read a warning.
        arguments.extend([format!("--host={TCP}"), "--tls=false".to_owned()]);
    }
    let driver = options.storage_driver.iter();
    arguments.extend(driver.map(|driver| format!("--storage-driver={driver}")));
    arguments.extend(options.arguments.iter().cloned());
    arguments
}

/// The file that holds the number of dockerd's process, if its arguments do not name another.
fn process_file(arguments: &[String]) -> PathBuf {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if let Some(path) = argument.strip_prefix("--pidfile=") {
            return path.into();
        }
        if let ("--pidfile" | "-p", Some(path)) = (argument.as_str(), arguments.clone().next()) {
            return path.into();
        }
    }
    PROCESS_FILE.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockerd_is_told_where_to_listen_and_what_users_add() {
        let options = DaemonOptions { arguments: vec!["--debug".into()], ..Default::default() };
        assert_eq!(arguments(&options, "unix:///a"), ["--host=unix:///a", "--debug"]);
        let options =
            DaemonOptions { tcp: true, storage_driver: Some("vfs".into()), ..Default::default() };
        assert_eq!(
            arguments(&options, "unix:///a").join(" "),
            "--host=unix:///a --host=tcp://127.0.0.1:2375 --tls=false --storage-driver=vfs"
        );
    }

    #[test]
    fn the_process_file_is_found_among_the_arguments() {
        let file = |arguments: &[&str]| {
            let arguments: Vec<_> = arguments.iter().map(|text| (*text).to_owned()).collect();
            process_file(&arguments).display().to_string()
        };
        assert_eq!(file(&["--debug"]), PROCESS_FILE);
        assert_eq!(file(&["--debug", "--pidfile=/a"]), "/a");
        assert_eq!(file(&["--pidfile", "/b"]), "/b");
        assert_eq!(file(&["-p", "/c"]), "/c");
    }
}
