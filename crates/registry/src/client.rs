//! The OCI distribution protocol, for one repository ([specification]).
//!
//! [specification]: https://github.com/opencontainers/distribution-spec/blob/main/spec.md

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use shipspec_spec::image::{Digest, Repository};
use shipspec_spec::tag::Tag;
use tokio::sync::Mutex;

use crate::access::Access;
use crate::ecr::PushTime;
use crate::error::{ErrorBody, ImmutableTag, RegistryError};
use crate::manifest::{MEDIA_TYPES, Manifest};
use crate::retry::Patience;
use crate::sign_in::{Authorization, is_token_end};

/// How long a registry may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an answer may take as a whole; manifests are small.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(1);

/// The header in which a registry tells the digest of what it took or sent.
pub(crate) const CONTENT_DIGEST: &str = "docker-content-digest";

/// Speaks to one repository of a registry.
///
/// Plain HTTP is used only for a registry on this machine, where Docker allows it too, or one that is
/// said to be insecure.
#[derive(Debug)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) repository: Repository,
    pub(crate) access: Access,
    pub(crate) authorization: Mutex<Authorization>,
    /// What a token server is asked for.
    pub(crate) right: Right,
}

/// What is done to the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// Somebody else's, who may let nobody but its owner write.
    Read,
    /// Ours.
    Write,
}

impl Client {
    /// A client for `repository`. Nothing is asked yet.
    pub(crate) fn new(
        repository: Repository,
        access: Access,
        right: Right,
    ) -> Result<Self, RegistryError> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("shipspec/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .https_only(!access.is_insecure(&repository.registry));
        let http = builder.build().map_err(|source| RegistryError::Transport {
            repository: repository.clone(),
            source,
        })?;
        let authorization = Mutex::new(Authorization::Nothing);
        Ok(Self { http, repository, access, authorization, right })
    }

    /// The repository that this client speaks to.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The manifest under a tag or a digest, or nothing if there is none.
    ///
    /// # Errors
    ///
    /// [`RegistryError`]; an answer whose bytes do not have the digest that was asked for, or that
    /// the registry names, is one.
    pub async fn manifest(&self, reference: &str) -> Result<Option<Manifest>, RegistryError> {
        self.retry(async || {
            let request = self.request(Method::GET, &format!("manifests/{reference}"));
            let answer = self.send(request.header(ACCEPT, MEDIA_TYPES.join(", "))).await?;
            let answer = match self.check(answer, Some(reference)).await {
                Ok(answer) => answer,
                Err(RegistryError::NoManifest { .. }) => return Ok(None),
                // Registries other than ECR's make a repository when something is pushed to it.
                Err(RegistryError::NoRepository(repository))
                    if repository.registry.ecr().is_none()
                        && !repository.registry.is_ecr_public() =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            let named = header(&answer, CONTENT_DIGEST);
            let media_type = header(&answer, CONTENT_TYPE.as_str()).unwrap_or_default();
            let bytes = answer.bytes().await.map_err(|source| self.transport(source))?;
            let manifest = Manifest::new(bytes, media_type);
            let asked = reference.parse::<Digest>().ok().map(|digest| digest.to_string());
            for expected in asked.into_iter().chain(named) {
                self.compare(reference, &manifest.digest, expected)?;
            }
            Ok(Some(manifest))
        })
        .await
    }

    /// Puts a manifest under a tag, with the very bytes that it has.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Immutable`] if the tag may not be moved, and the others.
    pub async fn put_manifest(&self, tag: &Tag, manifest: &Manifest) -> Result<(), RegistryError> {
        self.retry(async || {
            let request = self.request(Method::PUT, &format!("manifests/{tag}"));
            let request =
                request.header(CONTENT_TYPE, &manifest.media_type).body(manifest.bytes.clone());
            let answer = self.send(request).await?;
            let answer = self.check_put(answer, tag, manifest).await?;
            match header(&answer, CONTENT_DIGEST) {
                Some(found) => self.compare(tag.as_str(), &manifest.digest, found),
                None => Ok(()),
            }
        })
        .await
    }

    /// When images of the repository were pushed, as far as ECR tells: it needs a permission that
    /// nothing else here needs, so that what it says is for people only.
    pub async fn pushed_at(&self, digests: &[&Digest]) -> BTreeMap<Digest, PushTime> {
        let Repository { registry, name } = &self.repository;
        match self.access.ecr(registry) {
            Some(ecr) => ecr.pushed_at(name, digests).await.unwrap_or_default(),
            None => BTreeMap::new(),
        }
    }

    async fn check_put(
        &self,
        answer: Response,
        tag: &Tag,
        manifest: &Manifest,
    ) -> Result<Response, RegistryError> {
        if answer.status() != StatusCode::BAD_REQUEST {
            return self.check(answer, None).await;
        }
        let body = answer.bytes().await.map_err(|source| self.transport(source))?;
        let (code, message) = ErrorBody::read(&body);
        // The words have changed over time; these two have been there always. The name of the repository
        // stands among them.
        let words = message.replace(&self.repository.name, "");
        if code == "TAG_INVALID" || words.contains("immutable") {
            return Err(RegistryError::Immutable(Box::new(ImmutableTag {
                repository: self.repository.clone(),
                tag: tag.clone(),
                wanted: manifest.digest.clone(),
                wanted_pushed: None,
                there: None,
                there_pushed: None,
            })));
        }
        let (repository, status) = (self.repository.clone(), StatusCode::BAD_REQUEST.as_u16());
        Err(RegistryError::Answer { repository, status, message, retry_after: None })
    }

    pub(crate) fn compare(
        &self,
        reference: &str,
        wanted: &Digest,
        found: String,
    ) -> Result<(), RegistryError> {
        if wanted.as_str() == found {
            return Ok(());
        }
        Err(RegistryError::WrongDigest {
            repository: self.repository.clone(),
            reference: reference.into(),
            wanted: wanted.clone(),
            found,
        })
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let Repository { registry, name } = &self.repository;
        let scheme = if self.access.is_insecure(registry) { "http" } else { "https" };
        // The registry behind Docker Hub's name has a host of its own.
        let host = match registry.as_str() {
            "docker.io" => "registry-1.docker.io",
            host => host,
        };
        self.http.request(method, format!("{scheme}://{host}/v2/{name}/{path}"))
    }

    /// A request to an address that the registry has named.
    pub(crate) fn request_at(&self, method: Method, address: &str) -> RequestBuilder {
        self.http.request(method, address)
    }

    /// Makes a request until it succeeds, fails for good, or was tried often enough.
    pub(crate) async fn retry<T>(
        &self,
        request: impl AsyncFnMut() -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        self.patience().request(request).await
    }

    /// How often and how long this registry is asked again.
    pub(crate) fn patience(&self) -> Patience<'_> {
        Patience::new(&self.repository, self.access.observer())
    }

    /// The answer, if it is a success; `reference` is what a `404` is about.
    pub(crate) async fn check(
        &self,
        answer: Response,
        reference: Option<&str>,
    ) -> Result<Response, RegistryError> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let retry_after = retry_after(&answer);
        let body = answer.bytes().await.map_err(|source| self.transport(source))?;
        let (code, message) = ErrorBody::read(&body);
        let repository = self.repository.clone();
        Err(match (status, reference) {
            _ if code == "NAME_UNKNOWN" => RegistryError::NoRepository(repository),
            (StatusCode::NOT_FOUND, Some(reference)) => {
                RegistryError::NoManifest { repository, reference: reference.into() }
            }
            (StatusCode::UNAUTHORIZED, _) => RegistryError::Unauthorized { repository, message },
            // An expired token is told as a refusal.
            (StatusCode::FORBIDDEN, _) if is_token_end(&message) => {
                RegistryError::Unauthorized { repository, message }
            }
            (StatusCode::FORBIDDEN, _) => RegistryError::Denied { repository, message },
            _ => {
                RegistryError::Answer { repository, status: status.as_u16(), message, retry_after }
            }
        })
    }

    pub(crate) fn answer(&self, status: StatusCode, message: String) -> RegistryError {
        let (repository, status) = (self.repository.clone(), status.as_u16());
        RegistryError::Answer { repository, status, message, retry_after: None }
    }

    pub(crate) fn transport(&self, source: reqwest::Error) -> RegistryError {
        // The address may hold a signed query.
        let source = source.without_url();
        RegistryError::Transport { repository: self.repository.clone(), source }
    }
}

/// How long the registry asks to be left alone. The form with a date is not read: the two clocks
/// may differ.
pub(crate) fn retry_after(answer: &Response) -> Option<Duration> {
    Some(Duration::from_secs(header(answer, RETRY_AFTER.as_str())?.trim().parse().ok()?))
}

pub(crate) fn header(answer: &Response, name: &str) -> Option<String> {
    answer.headers().get(name)?.to_str().ok().map(str::to_owned)
}
