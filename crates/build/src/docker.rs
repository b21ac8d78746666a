//! The Docker engine: build, tag, push.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::errors::Error;
use bollard::query_parameters::{
    PushImageOptionsBuilder, RemoveImageOptionsBuilder, TagImageOptionsBuilder,
};
use futures_util::StreamExt as _;
use shipspec_registry::access::Access;
use shipspec_registry::credentials::Credentials;
use shipspec_spec::aws::causes;
use shipspec_spec::image::{Digest, ImageReference, Repository};
use shipspec_spec::secret::Secret;
use shipspec_spec::tag::Tag;

use crate::bases::{self, Difference};
use crate::classic;
use crate::connection::{Address, Endpoint};
use crate::context::Context;
pub use crate::error::{AddressError, BuildError, EngineError, PushError};
use crate::failure::shortened;
use crate::options::Abilities;
use crate::plan::ImagePlan;
use crate::progress::{Event, Reporter};
use crate::reuse::BaseDigests;
use crate::solve::{BuildKit, Outcome};

/// How long one request may take; the engine answers a build only when it has read the context.
const REQUEST_TIMEOUT: Duration = Duration::from_hours(8);

/// How long the engine may take to say that it is there, and a connection through `ssh` to be made.
const PING_TIMEOUT: Duration = Duration::from_secs(5);
const REMOTE_PING_TIMEOUT: Duration = Duration::from_secs(35);

/// Between two questions whether the engine is there. Hosts turn clients of ssh away that come too
/// often.
const PING_INTERVAL: Duration = Duration::from_millis(250);
const REMOTE_PING_INTERVAL: Duration = Duration::from_secs(5);

/// How many seconds an engine waits before it sends a layer for the last time.
const LAST_WAIT: u64 = 20;

/// A Docker engine that answers.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) docker: Docker,
    address: Address,
}

/// What a build is made from.
#[derive(Debug, Clone, Copy)]
pub struct BuildInputs<'a> {
    /// What to build.
    pub plan: &'a ImagePlan,
    /// The reference that the image has in the engine afterwards.
    pub tag: &'a str,
    /// Who may pull base images. It is asked for the registries that the build comes to need.
    pub access: &'a Access,
    /// Secrets for `RUN --mount=type=secret`, by their ids.
    pub secrets: &'a BTreeMap<String, BuildSecret>,
    /// The base images that it has to be made from, if they are known. The engine asks their registries
    /// then, whatever it has itself.
    pub bases: Option<&'a BaseDigests>,
}

/// A secret for a step.
#[derive(Debug, Clone)]
pub struct BuildSecret {
    /// What it holds.
    pub value: Secret,
    /// What tells it from another version of it. Without it, a step that the engine has run before
    /// is not run again because of it.
    pub version: Option<String>,
}

/// What came of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The image in the engine.
    pub image: LocalImage,
    /// Ids of secrets that steps asked for and that were not given. A step that does not require its
    /// secret has run without it; one whose result was kept has not asked.
    pub unknown_secrets: BTreeSet<String>,
    /// Ids of ssh agents, likewise.
    pub unknown_agents: BTreeSet<String>,
    /// The engine has no BuildKit; its classic builder built the image. What it is made from, nobody
    /// knows.
    pub is_classic: bool,
    /// Base images, as the engine names them, of which nothing was known before.
    pub unknown_bases: BTreeSet<String>,
    /// Base images of which the engine did not tell which image it took.
    pub untold_bases: BTreeSet<ImageReference>,
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

/// An image in the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalImage {
    /// What the engine knows it by: the digest of its configuration, or in a containerd store that
    /// of its manifest.
    pub id: Digest,
    /// Its size in the engine, in bytes, not compressed.
    pub size: u64,
}

impl Engine {
    /// Connects to the engine that an environment means, in the order in which Docker's command line
    /// looks: `DOCKER_HOST`, `DOCKER_CONTEXT`, the context that was chosen last, this machine's. Waits
    /// up to `wait` until it answers.
    ///
    /// # Errors
    ///
    /// [`EngineError`]; a missing permission is told at once.
    pub async fn connect(
        environment: &BTreeMap<String, String>,
        wait: Duration,
        reporter: &dyn Reporter,
    ) -> Result<Self, EngineError> {
        Self::connect_to(&Endpoint::find(environment)?, wait, reporter).await
    }

    pub(crate) async fn connect_to(
        endpoint: &Endpoint,
        wait: Duration,
        reporter: &dyn Reporter,
    ) -> Result<Self, EngineError> {
        let host = &*endpoint.host;
        let is_socket = matches!(endpoint.address, Address::Unix(_));
        let start = Instant::now();
        let mut told = false;
        loop {
            let reason = match Self::try_connect(&endpoint.address).await {
                Ok(engine) => return Ok(engine),
                Err(reason) if is_socket && reason.contains("ermission denied") => {
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
            let is_remote = matches!(endpoint.address, Address::Ssh(_));
            tokio::time::sleep(if is_remote { REMOTE_PING_INTERVAL } else { PING_INTERVAL }).await;
        }
    }

    async fn try_connect(address: &Address) -> Result<Self, String> {
        let docker = address.docker(REQUEST_TIMEOUT).map_err(|error| causes(&error))?;
        let docker = docker.with_request_modifier(url_safe_credentials);
        let limit = if let Address::Ssh(_) = address { REMOTE_PING_TIMEOUT } else { PING_TIMEOUT };
        match tokio::time::timeout(limit, docker.ping()).await {
            Ok(Ok(_)) => Ok(Self { docker, address: address.clone() }),
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

    /// Builds an image and leaves it in the engine under its tag. Dropping the future ends the build
    /// in the engine.
    ///
    /// BuildKit builds it, where the engine has it; that is found out by asking for it. Otherwise the
    /// classic builder does, which knows no secrets.
    ///
    /// # Errors
    ///
    /// [`BuildError`].
    pub async fn build(
        &self,
        inputs: &BuildInputs<'_>,
        reporter: &dyn Reporter,
    ) -> Result<Built, BuildError> {
        let context = Context::open(&inputs.plan.context, &inputs.plan.dockerfile)?;
        let buildkit = self.buildkit().await?;
        let is_classic = buildkit.is_none();
        if inputs.plan.options.asks_much() {
            inputs.plan.options.check(self.abilities(!is_classic).await?)?;
        }
        inputs.plan.options.check_files()?;
        let Outcome { unknown_secrets, unknown_agents, bases } = match buildkit {
            Some(buildkit) => match buildkit.build(inputs, &context, reporter).await {
                Err(error) if error.is_name_taken() => match self.buildkit().await? {
                    Some(again) => again.build(inputs, &context, reporter).await?,
                    None => return Err(error),
                },
                built => built?,
            },
            None => {
                classic::build(&self.docker, inputs, context, reporter).await?;
                Outcome::default()
            }
        };
        let difference = match inputs.bases {
            Some(known) => bases::compare(known, bases)?,
            None => Difference::default(),
        };
        let Difference { unknown: unknown_bases, untold: untold_bases } = difference;
        match self.inspect(inputs.tag).await? {
            Some(image) => Ok(Built {
                image,
                unknown_secrets,
                unknown_agents,
                is_classic,
                unknown_bases,
                untold_bases,
            }),
            None => Err(BuildError::Engine(format!("it has no image `{}` afterwards", inputs.tag))),
        }
    }

    async fn buildkit(&self) -> Result<Option<BuildKit>, BuildError> {
        let buildkit = BuildKit::connect(&self.address).await;
        buildkit.map_err(|error| BuildError::Engine(causes(&error)))
    }

    /// Refuses what this engine would leave out of a build, or do in another way than was asked.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unfit`] for the first that it cannot do.
    pub async fn check(&self, plans: &[ImagePlan]) -> Result<(), EngineError> {
        if !plans.iter().any(|plan| plan.options.asks_much()) {
            return Ok(());
        }
        let buildkit = BuildKit::connect(&self.address).await;
        let buildkit = buildkit.map_err(|error| EngineError::Unfit(causes(&error)))?;
        let abilities = self.abilities(buildkit.is_some()).await?;
        plans.iter().try_for_each(|plan| plan.options.check(abilities))
    }

    async fn abilities(&self, has_buildkit: bool) -> Result<Abilities, EngineError> {
        let info = self.docker.info().await;
        let info = info.map_err(|source| request_error("describe itself".into(), source))?;
        let status = info.driver_status.unwrap_or_default();
        let is_containerd = |words: &Vec<String>| {
            words.iter().any(|word| word.starts_with("io.containerd.snapshotter"))
        };
        let has_containerd_store = status.iter().any(is_containerd);
        Ok(Abilities { has_buildkit, has_containerd_store })
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
        let (mut digest, mut last, mut seconds, mut gave_up) = (None, String::new(), 0, false);
        while let Some(message) = messages.next().await {
            match message {
                Ok(info) => {
                    let status = info.status.unwrap_or_default();
                    digest = pushed_digest(&status).or(digest);
                    if let Some(left) = retry_seconds(&status) {
                        // It counts down, a line each second; the first tells enough.
                        if left > seconds {
                            let wait = Duration::from_secs(left);
                            reporter.report(Event::PushRetrying { image, wait });
                        }
                        seconds = left;
                        gave_up |= left >= LAST_WAIT;
                    } else if last != status {
                        reporter.report(Event::PushLine { image, line: &status });
                        last = status;
                    }
                }
                // A fault of bollard: the last two bytes came apart from the rest.
                Err(Error::IOError { .. }) if digest.is_some() => break,
                Err(error) => {
                    let message = shortened(&causes(&error));
                    return Err(PushError::Refused { reference, message, gave_up });
                }
            }
        }
        digest.ok_or(PushError::NoDigest(reference))
    }
}

/// The digest in `latest: digest: sha256:… size: 527`.
fn pushed_digest(status: &str) -> Option<Digest> {
    let (_, rest) = status.split_once("digest: ")?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The number in `Retrying in 5 seconds`.
fn retry_seconds(status: &str) -> Option<u64> {
    status.strip_prefix("Retrying in ")?.split_once(' ')?.0.parse().ok()
}

pub(crate) fn docker_credentials(credentials: &Credentials) -> DockerCredentials {
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
        assert_eq!(retry_seconds("Retrying in 15 seconds"), Some(15));
        assert_eq!(retry_seconds("Pushing"), None);
    }
}
