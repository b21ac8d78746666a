//! A blob on its way into a registry ([protocol]): in parts that are streamed, never held. After a
//! broken connection the registry is asked how far it came, and sent the rest.
//!
//! [protocol]: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-a-blob-in-chunks

mod session;

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use reqwest::{Body, Method, Response, StatusCode};
use shipspec_spec::image::Repository;
use tokio::sync::mpsc;

use crate::blob::Blob;
use crate::client::{Client, TIMEOUT};
use crate::download::Download;
use crate::error::RegistryError;
use crate::observer::{Event, Observer, Way};
use crate::retry::Patience;
use session::{Session, address_of, reached};

/// How much is sent with one request: what has to be sent once more at the worst. ECR takes parts from
/// 5 MiB on, all but the last; fewer and larger ones cost less time.
const PART: u64 = 64 << 20;

/// Pieces that are received and not yet sent, some hundred kilobytes each at the most.
const PIECES: usize = 4;

/// Bytes a second that are expected even of a bad connection.
const SLOWEST: u64 = 64 << 10;

/// How often an upload is begun anew because the registry has forgotten it.
const BEGINNINGS: u32 = 3;

const CONTENT: &str = "application/octet-stream";

/// Brings a blob from one registry to another, or has the target take it from a repository of its
/// own.
pub(crate) async fn transfer(
    from: &Client,
    to: &Client,
    blob: &Blob,
    observer: &dyn Observer,
) -> Result<Way, RegistryError> {
    if to.has_blob(&blob.digest).await? {
        return Ok(Way::Skipped);
    }
    let target = Target { client: to, blob, observer };
    let (here, there) = (to.repository(), from.repository());
    let neighbour = (here.registry == there.registry).then_some(there);
    let Some(session) = target.begin(neighbour).await? else { return Ok(Way::Mounted) };
    target.fill(session, from).await?;
    Ok(Way::Copied)
}

#[derive(Clone, Copy)]
struct Target<'a> {
    client: &'a Client,
    blob: &'a Blob,
    observer: &'a dyn Observer,
}

/// How an attempt to send a part ended.
enum Outcome {
    Sent,
    /// The registry does not go on with this upload.
    Refused(RegistryError),
}

/// How an upload ended.
enum Ending {
    Done,
    /// The registry did not take a part in the form that it had.
    Refused(RegistryError),
    /// The registry does not know the upload any more.
    Forgotten(RegistryError),
}

impl Target<'_> {
    /// Begins an upload; nothing if the registry took the blob from a neighbour.
    async fn begin(
        &self,
        neighbour: Option<&Repository>,
    ) -> Result<Option<Session>, RegistryError> {
        if let Some(neighbour) = neighbour {
            let path = format!("blobs/uploads/?mount={}&from={}", self.blob.digest, neighbour.name);
            // Whatever is wrong with it, a whole upload may go well, or says what is.
            if let Ok(answer) = self.post(&path).await {
                return match answer.status() {
                    StatusCode::CREATED => Ok(None),
                    _ => self.session(&answer).map(Some),
                };
            }
        }
        let answer = self.post("blobs/uploads/").await?;
        self.session(&answer).map(Some)
    }

    async fn post(&self, path: &str) -> Result<Response, RegistryError> {
        self.client
            .retry(async || {
                let request = self.client.request(Method::POST, path).header(CONTENT_LENGTH, 0);
                self.client.check(self.client.send(request).await?, None).await
            })
            .await
    }

    fn session(&self, answer: &Response) -> Result<Session, RegistryError> {
        let address = address_of(answer).ok_or_else(|| {
            let message = "it began an upload and did not say where".to_owned();
            self.client.answer(answer.status(), message)
        })?;
        Ok(Session { address, offset: 0 })
    }

    /// Sends the whole blob, whatever breaks in between, and has the registry confirm it.
    async fn fill(&self, mut session: Session, from: &Client) -> Result<(), RegistryError> {
        let mut download = Download::new(from, self.blob);
        let mut patience = self.client.patience();
        let mut part = PART;
        for beginning in 1.. {
            let ending = self.send_all(&mut session, &mut download, &mut patience, part).await?;
            match ending {
                Ending::Done => break,
                Ending::Refused(error) | Ending::Forgotten(error) if beginning == BEGINNINGS => {
                    return Err(error);
                }
                // A registry that does not take parts may take the whole.
                Ending::Refused(_) => part = u64::MAX,
                Ending::Forgotten(_) => {}
            }
            let Some(begun) = self.begin(None).await? else { break };
            session = begun;
            download.seek(0);
        }
        Ok(())
    }

    /// Sends what the registry does not have yet, and takes it up again where it breaks.
    async fn send_all(
        &self,
        session: &mut Session,
        download: &mut Download<'_>,
        patience: &mut Patience<'_>,
        part: u64,
    ) -> Result<Ending, RegistryError> {
        loop {
            let failure = match self.advance(session, download, part).await {
                Ok(Outcome::Sent) if session.offset < self.blob.size => {
                    patience.renew();
                    continue;
                }
                Ok(Outcome::Sent) => {
                    download.verify()?;
                    match self.finish(session).await {
                        Ok(Outcome::Sent) => return Ok(Ending::Done),
                        Ok(Outcome::Refused(error)) => return Ok(Ending::Forgotten(error)),
                        Err(failure) => failure,
                    }
                }
                Ok(Outcome::Refused(error)) => return Ok(Ending::Refused(error)),
                Err(failure) => failure,
            };
            patience.wait(failure).await?;
            // It may have arrived, and only the answer not.
            let is_whole = session.offset == self.blob.size;
            if is_whole && self.client.has_blob(&self.blob.digest).await? {
                return Ok(Ending::Done);
            }
            if !self.ask(session).await || session.offset > download.offset() {
                return Ok(Ending::Forgotten(self.forgotten()));
            }
            download.seek(session.offset);
        }
    }

    /// Sends the next part, as it comes in.
    async fn advance(
        &self,
        session: &mut Session,
        download: &mut Download<'_>,
        part: u64,
    ) -> Result<Outcome, RegistryError> {
        let length = part.min(self.blob.size - session.offset);
        if length == 0 {
            return Ok(Outcome::Sent);
        }
        let (sender, receiver) = mpsc::channel(PIECES);
        let (fed, answer) = tokio::join!(
            self.feed(download, length, sender),
            self.patch(session, length, streamed(receiver))
        );
        // Where the source is at fault, the target merely sees a connection that breaks.
        fed?;
        let answer = answer?;
        if is_refusal(answer.status()) {
            let failure = self.client.check(answer, None).await.err();
            return match failure {
                Some(error @ RegistryError::Answer { .. }) => Ok(Outcome::Refused(error)),
                Some(failure) => Err(failure),
                None => Ok(Outcome::Sent),
            };
        }
        let answer = self.client.check(answer, None).await?;
        let sent = session.offset + length;
        session.offset = reached(&answer).filter(|reached| *reached < sent).unwrap_or(sent);
        download.seek(session.offset);
        if let Some(address) = address_of(&answer) {
            session.address = address;
        }
        Ok(Outcome::Sent)
    }

    /// Hands over so many bytes, until nobody takes them any more.
    async fn feed(
        &self,
        download: &mut Download<'_>,
        length: u64,
        sender: mpsc::Sender<io::Result<Bytes>>,
    ) -> Result<(), RegistryError> {
        let mut left = length;
        while left > 0 {
            let bytes = match download.read(left).await {
                Ok(bytes) => bytes,
                Err(error) => {
                    // The request must not end as if this were all.
                    let _ = sender.send(Err(io::ErrorKind::UnexpectedEof.into())).await;
                    return Err(error);
                }
            };
            left -= bytes.len() as u64;
            let moved = bytes.len() as u64;
            if sender.send(Ok(bytes)).await.is_err() {
                break;
            }
            self.observer.observe(Event::Moved { digest: &self.blob.digest, bytes: moved });
        }
        Ok(())
    }

    async fn patch(
        &self,
        session: &Session,
        length: u64,
        body: Body,
    ) -> Result<Response, RegistryError> {
        let mut request = session.request(self.client, Method::PATCH).header(CONTENT_TYPE, CONTENT);
        if length < self.blob.size {
            let range = format!("{}-{}", session.offset, session.offset + length - 1);
            request = request.header(CONTENT_RANGE, range);
        }
        let limit = TIMEOUT + Duration::from_secs(length / SLOWEST);
        let request = request.header(CONTENT_LENGTH, length).timeout(limit).body(body);
        session.send(self.client, request).await
    }

    /// Has the registry compare the digest, and keep the blob.
    async fn finish(&self, session: &Session) -> Result<Outcome, RegistryError> {
        let mut address = session.address.clone();
        address.query_pairs_mut().append_pair("digest", self.blob.digest.as_str());
        let session = Session { address, offset: session.offset };
        let request = session.request(self.client, Method::PUT).header(CONTENT_LENGTH, 0);
        // It may read all of the blob again before it answers.
        let limit = TIMEOUT + Duration::from_secs(self.blob.size / (SLOWEST * 100));
        let answer = session.send(self.client, request.timeout(limit)).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(Outcome::Refused(self.forgotten()));
        }
        self.client.check(answer, None).await.map(|_| Outcome::Sent)
    }

    /// Asks how far the upload is; false if there is no such upload any more.
    async fn ask(&self, session: &mut Session) -> bool {
        let asked = self
            .client
            .retry(async || {
                let request = session.request(self.client, Method::GET);
                self.client.check(session.send(self.client, request).await?, None).await
            })
            .await;
        let Ok(answer) = asked else { return false };
        session.offset = match reached(&answer) {
            Some(reached) => reached,
            // Of a single byte nobody can tell whether it arrived.
            None if self.blob.size == 1 => return false,
            None => 0,
        };
        if let Some(address) = address_of(&answer) {
            session.address = address;
        }
        true
    }

    fn forgotten(&self) -> RegistryError {
        self.client.answer(StatusCode::NOT_FOUND, "it has forgotten the upload of a layer".into())
    }
}

/// The registry does not want this upload to go on like this; another may do.
fn is_refusal(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE
    )
}

fn streamed(receiver: mpsc::Receiver<io::Result<Bytes>>) -> Body {
    let next = |mut receiver: mpsc::Receiver<_>| async move {
        let piece = receiver.recv().await?;
        Some((piece, receiver))
    };
    Body::wrap_stream(stream::unfold(receiver, next))
}
