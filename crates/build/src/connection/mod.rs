//! Connections to the engine, whatever carries them, and the request that turns one into a stream of
//! HTTP/2.

mod docker_context;
mod find;
mod ssh;
mod tls;
mod transport;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, UPGRADE};
use hyper::upgrade::Upgraded;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

pub use find::AddressError;
pub(crate) use find::Endpoint;

/// How long the engine may take to answer the request; it has nothing to do for it.
const UPGRADE_LIMIT: Duration = Duration::from_mins(1);

/// How long a host may take to accept a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// Where an engine listens.
#[derive(Debug, Clone)]
pub(crate) enum Address {
    /// A socket on this machine.
    Unix(PathBuf),
    /// A host and a port, without TLS.
    Tcp(String),
    /// A host and a port, with TLS.
    Tls(Arc<tls::Server>),
    /// What `docker system dial-stdio` reaches on another host.
    Ssh(Arc<ssh::Host>),
}

/// A connection, whatever carries it.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Why a connection did not become a stream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpgradeError {
    /// The engine answers, and has no such endpoint.
    #[error("the engine does not offer `{path}` ({status})")]
    NotOffered { path: &'static str, status: StatusCode },
    /// The engine refused.
    #[error("the engine answered `{path}` with {status}: {message}")]
    Refused { path: &'static str, status: StatusCode, message: String },
    /// Nothing could be sent or received.
    #[error("the connection to the engine failed: {0}")]
    Connection(#[from] hyper::Error),
    /// Nothing answers at the address.
    #[error("the engine cannot be reached: {0}")]
    Unreachable(#[from] io::Error),
}

impl Address {
    /// Opens a connection.
    pub(crate) async fn open(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Unix(path) => Box::new(open_socket(path).await?),
            Self::Tcp(authority) => Box::new(open_tcp(authority).await?),
            Self::Tls(server) => Box::new(server.open().await?),
            Self::Ssh(host) => Box::new(host.open()?),
        })
    }

    /// Opens a connection and has the engine speak HTTP/2 on it from then on.
    pub(crate) async fn upgrade(
        &self,
        path: &'static str,
        headers: &[(&'static str, String)],
    ) -> Result<Upgraded, UpgradeError> {
        let upgrade = tokio::time::timeout(UPGRADE_LIMIT, self.try_upgrade(path, headers)).await;
        upgrade.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "it does not answer"))?
    }

    async fn try_upgrade(
        &self,
        path: &'static str,
        headers: &[(&'static str, String)],
    ) -> Result<Upgraded, UpgradeError> {
        let stream = TokioIo::new(self.open().await?);
        let (mut sender, connection) = http1::handshake(stream).await?;
        // It ends with the stream that comes out of it.
        tokio::spawn(connection.with_upgrades());
        let mut request = Request::post(path)
            .header(HOST, "docker")
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "h2c");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(io::Error::other)?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        if status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(hyper::upgrade::on(answer).await?);
        }
        if status.is_client_error() || status == StatusCode::NOT_IMPLEMENTED {
            return Err(UpgradeError::NotOffered { path, status });
        }
        let body = answer.into_body().collect().await?.to_bytes();
        let message = String::from_utf8_lossy(&body).trim().to_owned();
        Err(UpgradeError::Refused { path, status, message })
    }
}

async fn open_socket(path: &PathBuf) -> io::Result<UnixStream> {
    UnixStream::connect(path).await.map_err(|error| match error.kind() {
        kind @ io::ErrorKind::NotFound => io::Error::new(kind, "there is no such socket"),
        _ => error,
    })
}

async fn open_tcp(authority: &str) -> io::Result<TcpStream> {
    let stream = tokio::time::timeout(CONNECT_LIMIT, TcpStream::connect(authority)).await;
    let stream = stream.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    stream.set_nodelay(true)?;
    Ok(stream)
}
