//! The Docker engine: build, tag, push. Nothing else knows bollard.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::errors::Error;
use bollard::query_parameters::{
    BuildImageOptions, BuildImageOptionsBuilder, BuilderVersion, PushImageOptionsBuilder,
    RemoveImageOptionsBuilder, TagImageOptionsBuilder,
};
use futures_util::StreamExt as _;
use shipspec_registry::credentials::Credentials;
use shipspec_spec::aws::causes;
use shipspec_spec::hint::Hint;
use shipspec_spec::image::{Digest, Repository};
use shipspec_spec::tag::Tag;

use crate::context::{Context, ContextError};
use crate::plan::ImagePlan;
use crate::progress::{Event, Reporter};
use crate::vertices::{FailedStep, Vertices};

/// The socket of an engine on this machine.
const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";

/// How long one request may take; the engine answers a build only when it has read the context.
const REQUEST_TIMEOUT: Duration = Duration::from_hours(8);

/// How long the engine may take to say that it is there.
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// Between two questions whether the engine is there.
const PING_INTERVAL: Duration = Duration::from_millis(250);

/// A Docker engine that answers.
#[derive(Debug, Clone)]
pub struct Engine {
    docker: Docker,
}

/// What an engine says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineFacts {
    /// Such as `28.5.2`.
    pub version: String,
    /// Such as `linux`.
    pub os: String,
    /// In Go's words, such as `amd64`.
    pub architecture: String,
    /// Where it keeps images; on its own machine, which may be another one.
    pub data_folder: PathBuf,
    /// It is Podman behind Docker's API, which has no BuildKit.
    pub is_podman: bool,
}

/// Why there is no engine to work with.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nothing answers at the address.
    #[error("no Docker engine answers at `{host}`: {reason}")]
    Absent {
        /// The address.
        host: String,
        /// What was tried and what came of it.
        reason: String,
    },
    /// The user may not speak to the engine.
    #[error("permission denied on the Docker socket `{0}`")]
    Permission(String),
    /// The address is of a kind that is not spoken.
    #[error("`DOCKER_HOST={0}` cannot be used: only `unix://` and `tcp://` without TLS can")]
    Address(String),
    /// It cannot do what is needed.
    #[error("{0}")]
    Unfit(String),
    /// The engine refused a request.
    #[error("the Docker engine failed to {action}")]
    Request {
        /// What it was to do.
        action: String,
        /// What it said.
        #[source]
        source: Error,
    },
}

impl Hint for EngineError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Absent { .. } => Some(
                "start Docker, or set DOCKER_HOST; in CodeBuild, the project needs privileged mode"
                    .into(),
            ),
            Self::Permission(_) => Some(
                "run as root, or add the user to the group that owns the socket (`docker`)".into(),
            ),
            Self::Unfit(_) | Self::Address(_) | Self::Request { .. } => None,
        }
    }
}

/// Why an image was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The build context cannot be sent.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// A RUN of the Dockerfile ended with another exit code than 0.
    #[error("the step `{}` failed with exit code {exit_code}", step.name)]
    Step {
        /// Which, and the end of what it said.
        step: FailedStep,
        /// As the step ended.
        exit_code: i64,
    },
    /// The Dockerfile cannot be read.
    #[error("the Dockerfile is wrong: {0}")]
    Dockerfile(String),
    /// Another step failed.
    #[error("the step `{}` failed: {message}", step.name)]
    OtherStep {
        /// Which, and the end of what it said.
        step: FailedStep,
        /// The engine's own words.
        message: String,
    },
    /// The engine gave up for another reason.
    #[error("the Docker engine could not build the image: {0}")]
    Engine(String),
    /// The engine built the image and does not have it.
    #[error(transparent)]
    Request(#[from] EngineError),
}

impl Hint for BuildError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Request(source) => source.hint(),
            Self::Step { .. } => Some("nothing was tagged or written".into()),
            _ => None,
        }
    }
}

/// An image in the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalImage {
    /// What the engine knows it by: the digest of its configuration, or in a containerd store that
    /// of its manifest.
    pub id: Digest,
    /// Its size in the engine, in bytes, not compressed.
    pub size: u64,
}

/// Why an image was not pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The registry, or the engine, refused.
    #[error("failed to push `{reference}`: {message}")]
    Refused {
        /// What was pushed.
        reference: String,
        /// The engine's own words, in which the registry's stand.
        message: String,
    },
    /// The engine said that it was done, but not what the digest is.
    #[error("the Docker engine pushed `{0}` without telling its digest")]
    NoDigest(String),
    /// The engine could not be asked.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Engine {
    /// Connects to the engine that `DOCKER_HOST` names, or else to this machine's, and waits up to
    /// `wait` until it answers.
    ///
    /// # Errors
    ///
    /// [`EngineError`]; a missing permission is told at once.
    pub async fn connect(
        host: Option<&str>,
        wait: Duration,
        reporter: &dyn Reporter,
    ) -> Result<Self, EngineError> {
        let host = host.filter(|host| !host.is_empty()).unwrap_or(DEFAULT_HOST);
        if !(host.starts_with("unix://") || host.starts_with("tcp://")) {
            return Err(EngineError::Address(host.into()));
        }
        let start = Instant::now();
        let mut told = false;
        loop {
            let reason = match Self::try_connect(host).await {
                Ok(engine) => return Ok(engine),
                Err(reason) if reason.contains("ermission denied") => {
                    return Err(EngineError::Permission(host.into()));
                }
                Err(reason) => reason,
            };
            if start.elapsed() >= wait {
                return Err(EngineError::Absent { host: host.into(), reason });
            }
            if !std::mem::replace(&mut told, true) {
                reporter.report(Event::Waiting { host, reason: &reason, limit: wait });
            }
            tokio::time::sleep(PING_INTERVAL).await;
        }
    }

    async fn try_connect(host: &str) -> Result<Self, String> {
        let mut docker = Docker::connect_with_host(host).map_err(|error| causes(&error))?;
        docker.set_timeout(REQUEST_TIMEOUT);
        let docker = docker.with_request_modifier(url_safe_credentials);
        match tokio::time::timeout(PING_TIMEOUT, docker.ping()).await {
            Ok(Ok(_)) => Ok(Self { docker }),
            Ok(Err(error)) => Err(causes(&error)),
            Err(_) => Err("it does not answer".into()),
        }
    }

    /// What the engine says of itself.
    ///
    /// # Errors
    ///
    /// [`EngineError::Request`].
    pub async fn facts(&self) -> Result<EngineFacts, EngineError> {
        let info = self.docker.info().await;
        let info = info.map_err(|source| request_error("describe itself".into(), source))?;
        let version = self.docker.version().await;
        let version = version.map_err(|source| request_error("tell its version".into(), source))?;
        let components = version.components.unwrap_or_default();
        Ok(EngineFacts {
            version: version.version.unwrap_or_default(),
            os: version.os.unwrap_or_default(),
            architecture: version.arch.unwrap_or_default(),
            data_folder: info.docker_root_dir.unwrap_or_default().into(),
            is_podman: components.iter().any(|part| part.name.contains("Podman")),
        })
    }

    /// Builds an image with BuildKit and leaves it in the engine under `tag`. Dropping the future
    /// ends the build in the engine.
    ///
    /// # Errors
    ///
    /// [`BuildError`].
    pub async fn build(
        &self,
        plan: &ImagePlan,
        tag: &str,
        credentials: &[(String, Credentials)],
        reporter: &dyn Reporter,
    ) -> Result<LocalImage, BuildError> {
        let context = Context::open(&plan.context, &plan.dockerfile)?;
        let options = build_options(plan, tag, context.dockerfile());
        let credentials: HashMap<_, _> = credentials
            .iter()
            .map(|(host, known)| (host.clone(), docker_credentials(known)))
            .collect();
        let body = bollard::body_try_stream(context.stream());
        let mut messages =
            std::pin::pin!(self.docker.build_image(options, Some(credentials), Some(body)));
        let mut vertices = Vertices::new(&plan.name, reporter);
        while let Some(message) = messages.next().await {
            match message {
                Ok(info) => vertices.take(&info),
                Err(error) => return Err(build_error(&error, &vertices)),
            }
        }
        match self.inspect(tag).await? {
            Some(image) => Ok(image),
            None => Err(BuildError::Engine(format!("it has no image `{tag}` afterwards"))),
        }
    }

    /// The image that the engine has under a reference.
    ///
    /// # Errors
    ///
    /// [`EngineError::Request`].
    pub async fn inspect(&self, reference: &str) -> Result<Option<LocalImage>, EngineError> {
        match self.docker.inspect_image(reference).await {
            Ok(image) => {
                let id = image.id.and_then(|id| id.parse().ok());
                let size = image.size.and_then(|size| size.try_into().ok()).unwrap_or(0);
                Ok(id.map(|id| LocalImage { id, size }))
            }
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(source) => Err(request_error(format!("look for `{reference}`"), source)),
        }
    }

    /// Gives an image one more name.
    ///
    /// # Errors
    ///
    /// [`EngineError::Request`].
    pub async fn tag(
        &self,
        image: &str,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<(), EngineError> {
        let options = TagImageOptionsBuilder::default()
            .repo(&repository.to_string())
            .tag(tag.as_str())
            .build();
        let result = self.docker.tag_image(image, Some(options)).await;
        result.map_err(|source| request_error(format!("tag `{}`", repository.tagged(tag)), source))
    }

    /// Takes a name from an image; the image stays while it has another one.
    ///
    /// # Errors
    ///
    /// [`EngineError::Request`].
    pub async fn untag(&self, reference: &str) -> Result<(), EngineError> {
        let options = RemoveImageOptionsBuilder::default().noprune(true).build();
        let result = self.docker.remove_image(reference, Some(options), None).await;
        result.map(drop).map_err(|source| request_error(format!("untag `{reference}`"), source))
    }

    /// Pushes what the engine has under `tag`. The digest is the one that the engine tells; the
    /// registry has still to confirm it.
    ///
    /// # Errors
    ///
    /// [`PushError`]. The engine reports a refusal inside an answer that begins as a success, so
    /// the answer is read to its end.
    pub async fn push(
        &self,
        image: &str,
        repository: &Repository,
        tag: &Tag,
        credentials: Option<&Credentials>,
        reporter: &dyn Reporter,
    ) -> Result<Digest, PushError> {
        let reference = repository.tagged(tag);
        let options = PushImageOptionsBuilder::default().tag(tag.as_str()).build();
        let credentials = credentials.map(docker_credentials);
        let name = repository.to_string();
        let mut messages =
            std::pin::pin!(self.docker.push_image(&name, Some(options), credentials));
        let (mut digest, mut last) = (None, String::new());
        while let Some(message) = messages.next().await {
            match message {
                Ok(info) => {
                    let status = info.status.unwrap_or_default();
                    digest = pushed_digest(&status).or(digest);
                    let line = folded(&status);
                    if last != line {
                        reporter.report(Event::PushLine { image, line: &line });
                        last = line;
                    }
                }
                // A fault of bollard: the last two bytes came apart from the rest.
                Err(Error::IOError { .. }) if digest.is_some() => break,
                Err(error) => {
                    let message = shortened(&causes(&error));
                    return Err(PushError::Refused { reference, message });
                }
            }
        }
        digest.ok_or(PushError::NoDigest(reference))
    }
}

fn build_options(plan: &ImagePlan, tag: &str, dockerfile: &Path) -> BuildImageOptions {
    let pairs = |pairs: &indexmap::IndexMap<String, String>| -> HashMap<String, String> {
        pairs.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let options = BuildImageOptionsBuilder::default()
        .dockerfile(&dockerfile.to_string_lossy())
        .t(tag)
        .platform(&plan.platform.to_string())
        .buildargs(&pairs(&plan.build_args))
        .labels(&pairs(&plan.labels))
        .version(BuilderVersion::BuilderBuildKit)
        .session(&format!("shipspec-{:016x}", rand::random::<u64>()));
    match &plan.target {
        Some(target) => options.target(target).build(),
        None => options.build(),
    }
}

/// What the engine's last words mean.
fn build_error(error: &Error, vertices: &Vertices<'_>) -> BuildError {
    let message = causes(error);
    if message.contains("dockerfile parse error") || message.contains("failed to parse dockerfile")
    {
        return BuildError::Dockerfile(shortened(&message));
    }
    let Some(step) = vertices.failed() else { return BuildError::Engine(shortened(&message)) };
    match exit_code(&message) {
        Some(exit_code) => BuildError::Step { step, exit_code },
        None => BuildError::OtherStep { step, message: shortened(&message) },
    }
}

/// BuildKit tells the exit code only at the end of its message.
fn exit_code(message: &str) -> Option<i64> {
    let (_, code) = message.rsplit_once("exit code: ")?;
    code.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

/// The message without the words that every one begins with.
fn shortened(message: &str) -> String {
    const PREFIXES: [&str; 4] = [
        "Docker stream error: ",
        "rpc error: code = Unknown desc = ",
        "failed to solve with frontend dockerfile.v0: ",
        "failed to create LLB definition: ",
    ];
    let mut rest = message.trim();
    while let Some(shorter) = PREFIXES.iter().find_map(|prefix| rest.strip_prefix(prefix)) {
        rest = shorter;
    }
    rest.to_owned()
}

/// The digest in `latest: digest: sha256:… size: 527`.
fn pushed_digest(status: &str) -> Option<Digest> {
    let (_, rest) = status.split_once("digest: ")?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The engine counts seconds down in a line each; told once, they are enough.
fn folded(status: &str) -> String {
    match status.strip_prefix("Retrying in ") {
        Some(_) => "the registry did not answer the engine as it should; it tries again".into(),
        None => status.to_owned(),
    }
}

fn docker_credentials(credentials: &Credentials) -> DockerCredentials {
    DockerCredentials {
        username: Some(credentials.username.clone()),
        password: Some(credentials.password.expose().to_owned()),
        ..DockerCredentials::default()
    }
}

/// bollard encodes credentials in one alphabet of base64, engines decode the other one.
fn url_safe_credentials(mut request: bollard::BollardRequest) -> bollard::BollardRequest {
    for name in ["x-registry-auth", "x-registry-config"] {
        let Some(value) = request.headers_mut().get_mut(name) else { continue };
        let safe: String = value
            .as_bytes()
            .iter()
            .map(|byte| match byte {
                b'+' => '-',
                b'/' => '_',
                other => char::from(*other),
            })
            .collect();
        if let Ok(safe) = safe.try_into() {
            *value = safe;
            value.set_sensitive(true);
        }
    }
    request
}

fn request_error(action: String, source: Error) -> EngineError {
    EngineError::Request { action, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_found_in_the_engines_words() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let status = format!("latest: digest: {digest} size: 527");
        assert_eq!(pushed_digest(&status).unwrap().as_str(), digest);
        assert_eq!(pushed_digest("Pushed"), None);
    }

    #[test]
    fn exit_codes_are_found_in_both_wordings() {
        assert_eq!(exit_code("executor failed running [/bin/sh -c x]: exit code: 3"), Some(3));
        assert_eq!(
            exit_code("process \"x\" did not complete successfully: exit code: 127"),
            Some(127)
        );
        assert_eq!(exit_code("no such file"), None);
    }
}
