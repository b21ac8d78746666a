//! A test of an image: a command in a container, which is always removed.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, DownloadFromContainerOptionsBuilder, LogsOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveImageOptions,
};
use futures_util::StreamExt as _;
use shipspec_spec::aws::causes;
use shipspec_spec::hint::Hint;
use tempfile::TempDir;

use crate::docker::{Engine, EngineError};
use crate::plan::TestPlan;
use crate::progress::{Event, Reporter};
use crate::vertices::{drawn_last, keep, line_end};

/// Why a test did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// The command ended with another exit code than 0.
    #[error("the test failed with exit code {exit_code}")]
    Failed {
        /// As the command ended.
        exit_code: i64,
        /// The end of what it said.
        lines: Vec<String>,
    },
    /// It took too long.
    #[error("the test did not come to an end within {} s", limit.as_secs())]
    Timeout {
        /// How long it was given.
        limit: Duration,
        /// The end of what it said.
        lines: Vec<String>,
    },
    /// The engine could not run it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// What it left cannot be taken out of the container.
    #[error("failed to take `{path}` out of the test's container: {message}")]
    Report {
        /// The path in the container.
        path: String,
        /// What went wrong.
        message: String,
    },
}

impl Hint for TestError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Engine(source) => source.hint(),
            Self::Timeout { .. } => {
                Some("give it longer with `timeout`, such as `timeout: 2h`".into())
            }
            Self::Failed { .. } => Some("nothing was tagged or written".into()),
            Self::Report { .. } => None,
        }
    }
}

impl TestError {
    /// The end of what the command said.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        match self {
            Self::Failed { lines, .. } | Self::Timeout { lines, .. } => lines,
            Self::Engine(_) | Self::Report { .. } => &[],
        }
    }
}

impl Engine {
    /// Runs a test in a container of `image`. What it leaves is taken out of the container whether it
    /// succeeds or not.
    ///
    /// # Errors
    ///
    /// [`TestError`].
    pub async fn test(
        &self,
        name: &str,
        image: &str,
        plan: &TestPlan,
        reporter: &dyn Reporter,
    ) -> Result<(), TestError> {
        let start = Instant::now();
        reporter.report(Event::TestStarted { image: name });
        let container = Container::create(self.docker.clone(), image, plan).await?;
        let mut output = Output { name, reporter, partial: Vec::new(), lines: VecDeque::new() };
        let ended = tokio::time::timeout(plan.timeout, container.run(&mut output)).await;
        output.end();
        let lines = || output.lines.iter().cloned().collect();
        let result = match ended {
            Ok(Ok(0)) => Ok(()),
            Ok(Ok(exit_code)) => Err(TestError::Failed { exit_code, lines: lines() }),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(TestError::Timeout { limit: plan.timeout, lines: lines() }),
        };
        let mut taken = Ok(());
        for (path, folder) in &plan.reports {
            taken = taken.and(container.take(path, folder).await);
        }
        let removed = container.remove().await.map_err(TestError::from);
        // That the test failed is more than that it left nothing.
        result.and(taken).and(removed)?;
        reporter.report(Event::Tested { image: name, duration: start.elapsed() });
        Ok(())
    }
}

/// A container that is removed when this value is dropped, also where a signal ends the run. It has a
/// name before the engine has made it, so that it can be removed even then.
struct Container {
    docker: Docker,
    name: String,
    is_there: bool,
}

impl Container {
    async fn create(docker: Docker, image: &str, plan: &TestPlan) -> Result<Self, EngineError> {
        let env = plan.env.iter().map(|(name, value)| format!("{name}={value}"));
        let secrets = plan.secrets.iter();
        let secrets = secrets.map(|(name, secret)| format!("{name}={}", secret.value.expose()));
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            // The words of the command are whole: what the image would put before them does not count.
            entrypoint: (!plan.command.is_empty()).then(|| plan.command[..1].to_vec()),
            cmd: (!plan.command.is_empty()).then(|| plan.command[1..].to_vec()),
            env: Some(env.chain(secrets).collect()),
            ..ContainerCreateBody::default()
        };
        let name = format!("shipspec-test-{:032x}", rand::random::<u128>());
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        let mut container = Self { docker, name, is_there: true };
        let made = container.docker.create_container(Some(options), body).await;
        container.is_there = made.is_ok();
        made.map_err(|source| request("create the test's container", source))?;
        Ok(container)
    }

    /// Runs it to its end, and gives its exit code.
    async fn run(&self, output: &mut Output<'_>) -> Result<i64, EngineError> {
        let started = self.docker.start_container(&self.name, None).await;
        started.map_err(|source| request("start the test", source))?;
        let options = LogsOptionsBuilder::default().follow(true).stdout(true).stderr(true).build();
        let mut logs = self.docker.logs(&self.name, Some(options));
        while let Some(message) = logs.next().await {
            output.take(&message.map_err(|source| request("tell what the test says", source))?);
        }
        let mut waiting = self.docker.wait_container(&self.name, None);
        match waiting.next().await {
            Some(Ok(ended)) => Ok(ended.status_code),
            Some(Err(Error::DockerContainerWaitError { code, .. })) => Ok(code),
            Some(Err(source)) => Err(request("wait for the test", source)),
            None => Err(EngineError::Unfit("the engine did not tell how the test ended".into())),
        }
    }

    /// Copies what is at a path in the container into a folder.
    async fn take(&self, path: &str, folder: &Path) -> Result<(), TestError> {
        let wrong = |message: String| TestError::Report { path: path.to_owned(), message };
        let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
        let mut archive = self.docker.download_from_container(&self.name, Some(options));
        let mut bytes = tempfile::tempfile().map_err(|error| wrong(error.to_string()))?;
        while let Some(chunk) = archive.next().await {
            let chunk = chunk.map_err(|error| match error {
                Error::DockerResponseServerError { status_code: 404, .. } => {
                    wrong("there is nothing at this path".into())
                }
                error => wrong(causes(&error)),
            })?;
            std::io::Write::write_all(&mut bytes, &chunk)
                .map_err(|error| wrong(error.to_string()))?;
        }
        let folder = folder.to_owned();
        let unpacked = tokio::task::spawn_blocking(move || unpack(bytes, &folder)).await;
        unpacked
            .map_err(|error| wrong(error.to_string()))?
            .map_err(|error| wrong(error.to_string()))
    }

    async fn remove(mut self) -> Result<(), EngineError> {
        self.is_there = false;
        let removed = remove(&self.docker, &self.name).await;
        removed.map_err(|source| request("remove the test's container", source))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if !self.is_there {
            return;
        }
        let (docker, name) = (self.docker.clone(), self.name.clone());
        at_the_end(async move { insist(&docker, &name).await });
    }
}

/// A name of an image that is taken away when this value is dropped.
pub struct Passing {
    docker: Docker,
    reference: String,
}

impl Engine {
    /// Takes a name of an image away when the value is dropped, also where a signal ends the run; the
    /// image goes with it if it has no other.
    #[must_use]
    pub fn passing(&self, reference: &str) -> Passing {
        Passing { docker: self.docker.clone(), reference: reference.to_owned() }
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        let (docker, reference) = (self.docker.clone(), self.reference.clone());
        at_the_end(async move {
            // It is not there if the build did not come so far.
            let _ = docker.remove_image(&reference, None::<RemoveImageOptions>, None).await;
        });
    }
}

/// Does something though the run may be about to end: on a thread of its own, and not for long.
fn at_the_end(work: impl Future<Output = ()> + Send + 'static) {
    let working = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            // Nothing is left to tell somebody that it failed.
            let _ = tokio::time::timeout(REMOVAL_LIMIT, work).await;
        });
        std::io::Result::Ok(())
    });
    let _ = working.join();
}

/// How long the removal of a container is waited for where the run was ended.
const REMOVAL_LIMIT: Duration = Duration::from_secs(10);

async fn remove(docker: &Docker, name: &str) -> Result<(), Error> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    docker.remove_container(name, Some(options)).await
}

/// Removes a container that the engine may be about to make.
async fn insist(docker: &Docker, name: &str) {
    for _ in 0..REMOVALS {
        let answer = remove(docker, name).await;
        if !matches!(answer, Err(Error::DockerResponseServerError { status_code: 404, .. })) {
            return;
        }
        tokio::time::sleep(REMOVAL_INTERVAL).await;
    }
}

/// How often a container that is not there yet is looked for.
const REMOVALS: usize = 10;

/// Between two of these looks.
const REMOVAL_INTERVAL: Duration = Duration::from_millis(100);

fn request(action: &str, source: Error) -> EngineError {
    EngineError::Request { action: action.into(), source }
}

/// Unpacks an archive of a file or a folder: the folder's content without the folder itself. It is
/// put together beside its place, so that no half of it is seen.
fn unpack(mut archive: std::fs::File, folder: &Path) -> std::io::Result<()> {
    use std::io::Seek as _;
    archive.rewind()?;
    std::fs::create_dir_all(folder)?;
    let beside = TempDir::new_in(folder)?;
    tar::Archive::new(archive).unpack(beside.path())?;
    for entry in std::fs::read_dir(beside.path())? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_symlink() {
            // It would lead to a place of this machine, not of the container.
            return Err(std::io::Error::other("it is a link; name what it leads to"));
        }
        if kind.is_dir() {
            for inner in std::fs::read_dir(&path)? {
                replace(&inner?.path(), folder)?;
            }
        } else {
            replace(&path, folder)?;
        }
    }
    Ok(())
}

/// Moves a file or a folder into a folder, in place of what has its name there.
fn replace(path: &Path, folder: &Path) -> std::io::Result<()> {
    let to: PathBuf = folder.join(path.file_name().unwrap_or_default());
    if std::fs::symlink_metadata(&to).is_ok_and(|there| there.is_dir()) {
        std::fs::remove_dir_all(&to)?;
    }
    std::fs::rename(path, to)
}

/// What the command says, line by line.
struct Output<'a> {
    name: &'a str,
    reporter: &'a dyn Reporter,
    partial: Vec<u8>,
    lines: VecDeque<String>,
}

impl Output<'_> {
    fn take(&mut self, message: &LogOutput) {
        let mut looked_at = self.partial.len();
        self.partial.extend_from_slice(message.as_ref());
        while let Some(end) = line_end(&self.partial, looked_at) {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            self.say(line.strip_suffix(b"\n").unwrap_or(&line));
            looked_at = 0;
        }
    }

    fn end(&mut self) {
        let rest = std::mem::take(&mut self.partial);
        if !rest.is_empty() {
            self.say(&rest);
        }
    }

    fn say(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let line = drawn_last(&text);
        keep(&mut self.lines, line);
        self.reporter.report(Event::TestOutput { image: self.name, line });
    }
}
