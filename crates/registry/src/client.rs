//! The OCI distribution protocol, for one repository ([specification]).
//!
//! [specification]: https://github.com/opencontainers/distribution-spec/blob/main/spec.md

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, WWW_AUTHENTICATE};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use shipspec_spec::image::{Digest, Repository};
use shipspec_spec::secret::Secret;
use shipspec_spec::tag::Tag;
use tokio::sync::Mutex;

use crate::challenge::Challenge;
use crate::credentials::Credentials;
use crate::error::{ErrorBody, RegistryError};
use crate::manifest::{MEDIA_TYPES, Manifest};
use crate::retry::retry;

/// How long a registry may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an answer may take as a whole; manifests are small.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(1);

/// The header in which a registry tells the digest of what it took or sent.
pub(crate) const CONTENT_DIGEST: &str = "docker-content-digest";

/// Speaks to one repository of a registry.
///
/// Plain HTTP is used only for a registry on this machine, where Docker allows it too.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    repository: Repository,
    credentials: Option<Credentials>,
    authorization: Mutex<Authorization>,
}

/// What goes with each request.
#[derive(Debug, Clone)]
enum Authorization {
    Nothing,
    Basic,
    Bearer(Secret),
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

impl Client {
    /// A client for `repository`. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Transport`] if the trust roots of the system cannot be read.
    pub fn new(
        repository: Repository,
        credentials: Option<Credentials>,
    ) -> Result<Self, RegistryError> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("shipspec/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT);
        let http = builder.build().map_err(|source| RegistryError::Transport {
            repository: repository.clone(),
            source,
        })?;
        // ECR takes nothing else, so the round trip that asks what it takes is saved.
        let authorization = match (repository.registry.ecr(), &credentials) {
            (Some(_), Some(_)) => Authorization::Basic,
            _ => Authorization::Nothing,
        };
        Ok(Self { http, repository, credentials, authorization: Mutex::new(authorization) })
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
        retry(async || {
            let request = self.request(Method::GET, &format!("manifests/{reference}"));
            let answer = self.send(request.header(ACCEPT, MEDIA_TYPES.join(", "))).await?;
            let answer = match self.check(answer, Some(reference)).await {
                Ok(answer) => answer,
                Err(RegistryError::NoManifest { .. }) => return Ok(None),
                // Registries other than ECR make a repository when something is pushed to it.
                Err(RegistryError::NoRepository(repository))
                    if repository.registry.ecr().is_none() =>
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
        retry(async || {
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
        // The words have changed over time; these two have been there always.
        if code == "TAG_INVALID" || message.contains("immutable") {
            return Err(RegistryError::Immutable {
                repository: self.repository.clone(),
                tag: tag.clone(),
                wanted: manifest.digest.clone(),
                there: None,
            });
        }
        Err(self.answer(StatusCode::BAD_REQUEST, message))
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
        let scheme = if registry.is_loopback() { "http" } else { "https" };
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

    /// Sends a request; if the registry asks who is speaking, tells it and sends it once more.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, RegistryError> {
        let again = request.try_clone();
        let known = self.authorization.lock().await.clone();
        let answer = self.send_with(request, &known).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let challenge = header(&answer, WWW_AUTHENTICATE.as_str());
        let challenge = challenge.as_deref().and_then(Challenge::parse);
        let next = match (challenge, known) {
            (Some(Challenge::Basic), Authorization::Nothing) if self.credentials.is_some() => {
                Authorization::Basic
            }
            (Some(Challenge::Bearer { realm, parameters }), _) => {
                let query: Vec<_> = parameters.into_iter().collect();
                Authorization::Bearer(self.fetch_token(&realm, &query).await?)
            }
            _ => return Ok(answer),
        };
        *self.authorization.lock().await = next.clone();
        match again {
            Some(request) => self.send_with(request, &next).await,
            None => Ok(answer),
        }
    }

    async fn send_with(
        &self,
        request: RequestBuilder,
        authorization: &Authorization,
    ) -> Result<Response, RegistryError> {
        let request = match (authorization, &self.credentials) {
            (Authorization::Basic, Some(credentials)) => {
                request.basic_auth(&credentials.username, Some(credentials.password.expose()))
            }
            (Authorization::Bearer(token), _) => request.bearer_auth(token.expose()),
            _ => request,
        };
        request.send().await.map_err(|source| self.transport(source))
    }

    /// Asks a token server ([protocol]).
    ///
    /// [protocol]: https://distribution.github.io/distribution/spec/auth/token/
    async fn fetch_token(
        &self,
        realm: &str,
        query: &[(String, String)],
    ) -> Result<Secret, RegistryError> {
        let scope = format!("repository:{}:pull,push", self.repository.name);
        let request = self.http.get(realm).query(query).query(&[("scope", scope)]);
        let answer = self.send_with(request, &Authorization::Basic).await?;
        let answer = self.check(answer, None).await?;
        let answer: TokenAnswer = answer.json().await.map_err(|source| self.transport(source))?;
        let token = answer.token.or(answer.access_token).unwrap_or_default();
        Ok(Secret::new(token))
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
            (StatusCode::FORBIDDEN, _) if message.contains("token has expired") => {
                RegistryError::Unauthorized { repository, message }
            }
            (StatusCode::FORBIDDEN, _) => RegistryError::Denied { repository, message },
            _ => self.answer(status, message),
        })
    }

    pub(crate) fn answer(&self, status: StatusCode, message: String) -> RegistryError {
        let repository = self.repository.clone();
        RegistryError::Answer { repository, status: status.as_u16(), message }
    }

    pub(crate) fn transport(&self, source: reqwest::Error) -> RegistryError {
        // The address may hold a signed query.
        let source = source.without_url();
        RegistryError::Transport { repository: self.repository.clone(), source }
    }
}

pub(crate) fn header(answer: &Response, name: &str) -> Option<String> {
    answer.headers().get(name)?.to_str().ok().map(str::to_owned)
}
