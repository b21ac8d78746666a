//! A blob on its way from a registry. A connection that breaks is taken up again where it broke.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Method, Response, StatusCode};
use sha2::{Digest as _, Sha256};
use shipspec_spec::image::Digest;

use crate::blob::Blob;
use crate::client::{Client, header, retry_after};
use crate::error::RegistryError;
use crate::retry::Patience;

/// How long a download may stand still.
const SILENCE: Duration = Duration::from_secs(45);

/// How long one connection may last: as long as bytes come.
const CONNECTION_LIMIT: Duration = Duration::from_hours(12);

/// A blob that is read from its registry, in order.
pub(crate) struct Download<'a> {
    client: &'a Client,
    blob: &'a Blob,
    patience: Patience<'a>,
    answer: Option<Response>,
    /// What was received, and not asked for yet.
    rest: Bytes,
    /// How much comes before what is wanted.
    unwanted: u64,
    /// Where `rest` begins.
    offset: u64,
    hash: Sha256,
    /// How far the blob was hashed; what is read once more is not hashed once more.
    hashed: u64,
}

impl<'a> Download<'a> {
    /// Nothing is asked yet.
    pub(crate) fn new(client: &'a Client, blob: &'a Blob) -> Self {
        Self {
            client,
            blob,
            patience: client.patience(),
            answer: None,
            rest: Bytes::new(),
            unwanted: 0,
            offset: 0,
            hash: Sha256::new(),
            hashed: 0,
        }
    }

    /// How far it was read.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Goes on reading from here; only what was read before can be read again.
    pub(crate) fn seek(&mut self, offset: u64) {
        if offset != self.offset {
            (self.answer, self.rest, self.offset) = (None, Bytes::new(), offset.min(self.offset));
        }
    }

    /// The next bytes, at most so many and at least one.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] if they cannot be had, whatever was tried.
    pub(crate) async fn read(&mut self, most: u64) -> Result<Bytes, RegistryError> {
        while self.rest.is_empty() {
            match self.receive().await {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => {
                    self.rest = bytes;
                    self.patience.renew();
                }
                Err(failure) => {
                    self.answer = None;
                    self.patience.wait(failure).await?;
                }
            }
        }
        let length = usize::try_from(most).unwrap_or(usize::MAX).min(self.rest.len());
        let bytes = self.rest.split_to(length);
        let known = self.hashed.saturating_sub(self.offset).min(bytes.len() as u64);
        self.hash.update(&bytes[usize::try_from(known).unwrap_or(bytes.len())..]);
        self.offset += bytes.len() as u64;
        self.hashed = self.hashed.max(self.offset);
        Ok(bytes)
    }

    /// All of it was read, and is what its digest says.
    ///
    /// # Errors
    ///
    /// [`RegistryError::WrongDigest`].
    pub(crate) fn verify(&self) -> Result<(), RegistryError> {
        let found = Digest::from_sha256(self.hash.clone().finalize().into());
        let wanted = &self.blob.digest;
        self.client.compare(wanted.as_str(), wanted, found.to_string())
    }

    async fn receive(&mut self) -> Result<Bytes, RegistryError> {
        if self.answer.is_none() {
            let answer = self.open().await?;
            // A host that does not know ranges sends the blob from its beginning.
            let is_part = answer.status() == StatusCode::PARTIAL_CONTENT;
            self.unwanted = if is_part { 0 } else { self.offset };
            self.answer = Some(answer);
        }
        let Some(answer) = &mut self.answer else { return Ok(Bytes::new()) };
        let left = self.blob.size.saturating_sub(self.offset) + self.unwanted;
        let mut bytes = match tokio::time::timeout(SILENCE, answer.chunk()).await {
            Ok(Ok(Some(bytes))) if bytes.len() as u64 <= left => bytes,
            Ok(Ok(Some(_))) => {
                return Err(self.interrupted("is larger than its manifest says"));
            }
            Ok(Ok(None)) => return Err(self.interrupted("ended too early")),
            Ok(Err(source)) => return Err(self.client.transport(source)),
            Err(_) => return Err(self.interrupted("stopped coming")),
        };
        let cut = usize::try_from(self.unwanted).unwrap_or(usize::MAX).min(bytes.len());
        self.unwanted -= bytes.split_to(cut).len() as u64;
        Ok(bytes)
    }

    /// Asks for the blob from the offset on. ECR sends whoever asks on to another host, which is not
    /// told who asks: the client takes the credentials off.
    async fn open(&self) -> Result<Response, RegistryError> {
        let digest = &self.blob.digest;
        let mut request = self.client.request(Method::GET, &format!("blobs/{digest}"));
        if self.offset > 0 {
            request = request.header(RANGE, format!("bytes={}-", self.offset));
        }
        let registry = request.try_clone().and_then(|request| request.build().ok());
        let registry = registry.and_then(|request| request.url().host_str().map(str::to_owned));
        let answer = self.client.send(request.timeout(CONNECTION_LIMIT)).await?;
        let host = answer.url().host_str().map(str::to_owned);
        if host != registry && !answer.status().is_success() {
            return Err(self.storage_failure(host.unwrap_or_default(), answer).await);
        }
        if answer.status() == StatusCode::NOT_FOUND {
            let failure = self.client.check(answer, None).await.err();
            return Err(match failure {
                Some(failure @ RegistryError::NoRepository(_)) => failure,
                _ => self.no_layer(),
            });
        }
        let answer = self.client.check(answer, None).await?;
        if answer.status() == StatusCode::PARTIAL_CONTENT && !starts_at(&answer, self.offset) {
            return Err(self.interrupted("was sent from another place on than asked for"));
        }
        Ok(answer)
    }

    async fn storage_failure(&self, host: String, answer: Response) -> RegistryError {
        let (status, retry_after) = (answer.status().as_u16(), retry_after(&answer));
        let body = answer.text().await.unwrap_or_default();
        // S3's errors are XML.
        let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        let message = code.map_or("no reason", |(code, _)| code).chars().take(80).collect();
        let repository = self.client.repository().clone();
        RegistryError::Storage { repository, host, status, message, retry_after }
    }

    fn interrupted(&self, problem: &'static str) -> RegistryError {
        let (repository, digest) = (self.client.repository().clone(), self.blob.digest.clone());
        RegistryError::Interrupted { repository, digest, problem }
    }

    fn no_layer(&self) -> RegistryError {
        let (repository, digest) = (self.client.repository().clone(), self.blob.digest.clone());
        RegistryError::NoLayer { repository, digest }
    }
}

/// The answer is the part that was asked for.
fn starts_at(answer: &Response, offset: u64) -> bool {
    let range = header(answer, CONTENT_RANGE.as_str()).unwrap_or_default();
    range.strip_prefix("bytes ").and_then(|range| range.split('-').next()?.parse().ok())
        == Some(offset)
}
