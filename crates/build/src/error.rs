//! What can go wrong between us and the engine.

use bollard::errors::Error;
use shipspec_registry::access::AccessError;
use shipspec_spec::hint::Hint;
use shipspec_spec::image::Digest;

pub use crate::connection::AddressError;
use crate::context::ContextError;
use crate::vertices::FailedStep;

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
    /// It cannot be said which engine is meant, or how it is reached.
    #[error(transparent)]
    Address(#[from] AddressError),
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
            Self::Absent { host, .. } if !host.starts_with("unix://") => {
                Some("check that an engine runs there, and DOCKER_HOST or the Docker context".into())
            }
            Self::Absent { .. } => Some(
                "start Docker (`shipspec daemon ensure`), or set DOCKER_HOST; in CodeBuild, the project needs privileged mode"
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
    #[error("the step {step} failed with exit code {exit_code}")]
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
    #[error("the step {step} failed: {message}")]
    OtherStep {
        /// Which, and the end of what it said.
        step: FailedStep,
        /// The engine's own words.
        message: String,
    },
    /// The registry of a base image did not give it out.
    #[error("the base image `{image}` cannot be pulled: {message}")]
    BaseImage {
        /// Its reference.
        image: String,
        /// The engine's own words, in which the registry's stand.
        message: String,
    },
    /// The registry of a base image gave out another one than it had named before the build.
    #[error(
        "the base image moved while the image was built: it was {wanted}, and the engine took `{image}`"
    )]
    BaseMoved {
        /// What the engine took.
        image: String,
        /// What it should have taken.
        wanted: Digest,
    },
    /// The engine gave up for another reason.
    #[error("the Docker engine could not build the image: {0}")]
    Engine(String),
    /// The engine went away in the middle.
    #[error("the connection to the engine ended during the build: {0}")]
    Lost(String),
    /// There were no credentials for a base image.
    #[error("failed to get credentials for a base image")]
    Access(#[source] Box<AccessError>),
    /// The engine cannot build it, or built it and does not have it.
    #[error(transparent)]
    Request(#[from] EngineError),
}

impl From<AccessError> for BuildError {
    fn from(source: AccessError) -> Self {
        Self::Access(Box::new(source))
    }
}

impl Hint for BuildError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Request(source) => source.hint(),
            Self::Access(source) => source.hint(),
            Self::BaseMoved { .. } => Some("nothing was tagged or written; run it again".into()),
            Self::Lost(_) => Some(
                "it was stopped or restarted, or had no memory left: its log tells; then run it again"
                    .into(),
            ),
            Self::Step { .. } => Some("nothing was tagged or written".into()),
            Self::BaseImage { message, .. } => base_hint(message).map(str::to_owned),
            _ => None,
        }
    }
}

impl BuildError {
    /// Another build gave its image the same name at the same moment, which containerd's store refuses to
    /// the second. Asked again, it finds the name and takes it; all of its steps are known by then.
    pub(crate) fn is_name_taken(&self) -> bool {
        matches!(self, Self::OtherStep { step, message }
            if step.name.starts_with("exporting to image") && message.ends_with("already exists"))
    }
}

/// What may help where a base image cannot be pulled, from the engine's words.
fn base_hint(message: &str) -> Option<&'static str> {
    let message = message.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if has(&["toomanyrequests", "too many requests", "rate limit"]) {
        return Some(
            "the registry limits how often it is asked: run it again later, sign in to it, or take the image through a pull-through cache of ECR",
        );
    }
    if has(&["403", "401", "forbidden", "denied", "unauthorized", "authorization"]) {
        return Some(
            "allow `ecr:BatchGetImage` and `ecr:GetDownloadUrlForLayer` in its repository, or sign in to its registry; some registries say the same of an image that does not exist",
        );
    }
    let is_missing = has(&["not found", "manifest unknown", "name unknown", "does not exist"]);
    is_missing.then_some("check its name and tag: its registry has no such image")
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
        /// The engine has sent a layer again as often as it does.
        gave_up: bool,
    },
    /// The engine said that it was done, but not what the digest is.
    #[error("the Docker engine pushed `{0}` without telling its digest")]
    NoDigest(String),
    /// The engine could not be asked.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

#[cfg(test)]
mod tests {
    use super::base_hint;

    #[test]
    fn a_base_image_that_is_limited_denied_or_missing_is_told_apart() {
        for (message, hint) in [
            ("unexpected status code [manifests 1]: 429 Too Many Requests", "limits how often"),
            ("toomanyrequests: You have reached your pull rate limit", "limits how often"),
            (
                "pulling from host r.example failed with status code [manifests 1]: 403 Forbidden",
                "allow `ecr:",
            ),
            (
                "pull access denied, repository does not exist or may require authorization",
                "allow `ecr:",
            ),
            ("r.example/web:1: not found", "check its name"),
        ] {
            let told = base_hint(message).unwrap_or_default();
            assert!(told.starts_with(hint) || told.contains(hint), "{message}: {told}");
        }
        assert_eq!(base_hint("dial tcp: lookup r.example: no such host"), None);
    }
}
