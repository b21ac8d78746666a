//! What can go wrong with a registry.

use std::time::Duration;

use serde::Deserialize;
use shipspec_spec::aws;
use shipspec_spec::hint::Hint;
use shipspec_spec::image::{Digest, Repository};
use shipspec_spec::tag::Tag;

use crate::access::AccessError;
use crate::ecr::PushTime;

/// Why a registry did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The repository does not exist.
    #[error("the repository `{0}` does not exist")]
    NoRepository(Repository),
    /// Who asks may not do this.
    #[error("the registry refused access to `{repository}`: {message}")]
    Denied {
        /// What was asked for.
        repository: Repository,
        /// The registry's own words.
        message: String,
    },
    /// The registry does not know who asks.
    #[error("the registry of `{repository}` did not accept the credentials: {message}")]
    Unauthorized {
        /// What was asked for.
        repository: Repository,
        /// The registry's own words.
        message: String,
    },
    /// A tag that names another image, and may not be moved.
    #[error(transparent)]
    Immutable(Box<ImmutableTag>),
    /// A tag that is to move with each release, in a repository whose tags do not move.
    #[error(
        "the tag `{tag}` of `{repository}` cannot be moved from {there}: the repository's tags are immutable"
    )]
    Pinned {
        /// Where.
        repository: Repository,
        /// The tag.
        tag: Tag,
        /// What it names for good.
        there: Digest,
    },
    /// What was to be there is not.
    #[error("`{repository}` has no image `{reference}`")]
    NoManifest {
        /// Where.
        repository: Repository,
        /// The tag or digest.
        reference: String,
    },
    /// A part of an image is not there.
    #[error("`{repository}` has no layer `{digest}`")]
    NoLayer {
        /// Where.
        repository: Repository,
        /// The layer's digest, or the configuration's.
        digest: Digest,
    },
    /// A manifest that cannot be copied.
    #[error("the manifest `{reference}` of `{repository}` {problem}")]
    Manifest {
        /// Where.
        repository: Repository,
        /// Its digest.
        reference: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The registry holds other bytes than it should.
    #[error(
        "the registry answered with the digest {found} for `{reference}` of `{repository}`, where {wanted} was expected"
    )]
    WrongDigest {
        /// Where.
        repository: Repository,
        /// The tag or digest that was asked for.
        reference: String,
        /// What it should be.
        wanted: Digest,
        /// What it is.
        found: String,
    },
    /// The registry answered something that the protocol does not know.
    #[error("the registry of `{repository}` answered {status}: {message}")]
    Answer {
        /// What was asked for.
        repository: Repository,
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer.
        message: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The registry did not accept the token any longer while something was sent to it. There is
    /// another one by now.
    #[error("the token for `{0}` has ended while a layer was sent")]
    TokenEnd(Repository),
    /// There are no credentials to speak to it with.
    #[error(transparent)]
    Access(Box<AccessError>),
    /// The host that the registry keeps its layers on refused.
    #[error("the layers of `{repository}` are on `{host}`, which answered {status}: {message}")]
    Storage {
        /// What was asked for.
        repository: Repository,
        /// Where the registry sent us: for ECR a bucket of S3.
        host: String,
        /// The HTTP status.
        status: u16,
        /// Its own word for it.
        message: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// A layer stopped on its way.
    #[error("the layer `{digest}` of `{repository}` {problem}")]
    Interrupted {
        /// Where it is.
        repository: Repository,
        /// Which.
        digest: Digest,
        /// What happened to it.
        problem: &'static str,
    },
    /// The registry could not be reached, or fell silent.
    #[error("failed to reach the registry of `{repository}`")]
    Transport {
        /// What was asked for.
        repository: Repository,
        /// What happened.
        #[source]
        source: reqwest::Error,
    },
}

/// A tag that names another image, and may not be moved.
#[derive(Debug, thiserror::Error)]
#[error(
    "the tag `{tag}` of `{repository}` is immutable and names {}{}",
    .there.as_ref().map_or("another image", Digest::as_str),
    pushed(*.there_pushed)
)]
pub struct ImmutableTag {
    /// Where.
    pub repository: Repository,
    /// The tag.
    pub tag: Tag,
    /// What it was to name.
    pub wanted: Digest,
    /// When that was pushed, if it is known.
    pub wanted_pushed: Option<PushTime>,
    /// What it names.
    pub there: Option<Digest>,
    /// When that was pushed, if it is known.
    pub there_pushed: Option<PushTime>,
}

impl RegistryError {
    /// How long the registry asks to be left alone before it is asked again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Answer { retry_after, .. } | Self::Storage { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Asking again can help: the network, a throttled or a failing registry.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Transport { source, .. } => !source.is_builder() && !source.is_redirect(),
            Self::Answer { status, .. } | Self::Storage { status, .. } => {
                *status == 429 || (500..600).contains(status)
            }
            Self::Interrupted { .. } | Self::TokenEnd(_) => true,
            _ => false,
        }
    }
}

impl Hint for RegistryError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoRepository(repository) => Some(match repository.registry.ecr() {
                Some(host) => format!(
                    "create it: aws ecr create-repository --repository-name {} --region {}",
                    repository.name, host.region
                ),
                None => "check the name, or create the repository".into(),
            }),
            Self::Denied { message, .. } => Some(match message.split("perform: ").nth(1) {
                Some(rest) => {
                    let action = rest.split_whitespace().next().unwrap_or(rest);
                    format!("allow `{action}` to the role that shipspec runs with, and in the repository's policy if that is in another account")
                }
                None => "check what the user or role may do in this repository".into(),
            }),
            Self::Unauthorized { repository, .. } => Some(match repository.registry.ecr() {
                Some(_) => "the token is for another region or account, or the clock of this machine is wrong".into(),
                None => format!(
                    "run `docker login {0}`, or name its user in shipspec.yml: `registries: {{ {0}: \
                     {{ username, password }} }}`",
                    repository.registry
                ),
            }),
            Self::Immutable(tag) => Some(format!(
                "the new image is {}{}; build another commit, or make the tag mutable",
                tag.wanted,
                pushed(tag.wanted_pushed)
            )),
            Self::Pinned { repository, tag, .. } => {
                let region = repository.registry.ecr().map(|host| format!(" --region {}", host.region));
                Some(format!(
                    "take `{tag}` out of `tags:`, or exclude it from immutability, beside what is excluded already: aws ecr put-image-tag-mutability --repository-name {}{} --image-tag-mutability IMMUTABLE_WITH_EXCLUSION --image-tag-mutability-exclusion-filters filterType=WILDCARD,filter={tag}",
                    repository.name,
                    region.unwrap_or_default()
                ))
            }
            Self::NoLayer { .. } => Some("the image there is damaged: build and push it again".into()),
            Self::Interrupted { .. } => {
                Some("run it again: what has arrived is not sent once more".into())
            }
            Self::NoManifest { .. } => {
                Some("check the tag or digest, and that the image was pushed there".into())
            }
            Self::Storage { host, status: 403, .. } => Some(format!(
                "allow `s3:GetObject` on `{host}` in the policy of the network's endpoint for S3: ECR keeps its layers there"
            )),
            Self::Answer { status: 429, retry_after: Some(time), .. } => Some(format!(
                "the registry limits how often it is asked, and asks to be left alone for {} seconds",
                time.as_secs()
            )),
            Self::Answer { status: 429, .. } => {
                Some("the registry limits how often it is asked; try again later".into())
            }
            Self::Access(source) => source.hint(),
            Self::Answer { status: 500.., .. } => {
                Some("the registry has a fault of its own; try again later".into())
            }
            Self::Transport { source, .. } => {
                Some(aws::connection_hint(&aws::causes(source)).into())
            }
            _ => None,
        }
    }
}

/// When an image was pushed, in words that go behind its digest.
fn pushed(time: Option<PushTime>) -> String {
    time.map(|time| format!(", pushed {time}")).unwrap_or_default()
}

/// The body of an error, as the OCI distribution specification has it.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ErrorBody {
    #[serde(default)]
    errors: Vec<ErrorEntry>,
}

#[derive(Debug, Deserialize)]
struct ErrorEntry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl ErrorBody {
    /// The code and the message of a failed answer; a body of another form gives its first line.
    pub(crate) fn read(body: &[u8]) -> (String, String) {
        let parsed: Self = serde_json::from_slice(body).unwrap_or_default();
        match parsed.errors.into_iter().next() {
            Some(entry) => (entry.code, entry.message),
            None => (String::new(), first_line(&String::from_utf8_lossy(body))),
        }
    }
}

/// Enough of a text to recognise it by, on one line; a page of HTML is told as such.
fn first_line(text: &str) -> String {
    const MOST: usize = 200;
    let line =
        text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("an empty answer");
    if line.starts_with('<') {
        return "a page of HTML, which no registry sends; a proxy may stand in between".into();
    }
    line.chars().take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_every_form_give_a_message() {
        let json = br#"{"errors":[{"code":"NAME_UNKNOWN","message":"no such"}]}"#;
        assert_eq!(ErrorBody::read(json), ("NAME_UNKNOWN".into(), "no such".into()));
        assert!(ErrorBody::read(b"<html>").1.contains("HTML"));
        assert_eq!(ErrorBody::read(b"\n busy \n").1, "busy");
        assert_eq!(ErrorBody::read(b"").1, "an empty answer");
    }
}
