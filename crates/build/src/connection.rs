//! Raw connections to the engine, and the request that turns one into a stream of HTTP/2.

use std::io;
use std::path::PathBuf;
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

/// The port of an engine without TLS.
const DEFAULT_PORT: u16 = 2375;

/// How long the engine may take to answer the request; it has nothing to do for it.
const UPGRADE_LIMIT: Duration = Duration::from_mins(1);

/// Where an engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// A socket on this machine.
    Unix(PathBuf),
    /// A host and a port, without TLS.
    Tcp(String),
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
    /// Reads `DOCKER_HOST`; nothing if it is of a kind that is not spoken.
    pub(crate) fn parse(host: &str) -> Option<Self> {
        if let Some(path) = host.strip_prefix("unix://") {
            return Some(Self::Unix(path.into()));
        }
        let authority = host.strip_prefix("tcp://")?.trim_end_matches('/');
        let has_port =
            authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let port = if has_port { String::new() } else { format!(":{DEFAULT_PORT}") };
        Some(Self::Tcp(format!("{authority}{port}")))
    }

    async fn open(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Self::Tcp(authority) => {
                let stream = TcpStream::connect(authority).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_sockets_or_hosts_with_a_port() {
        assert_eq!(Address::parse("unix:///a/b"), Some(Address::Unix("/a/b".into())));
        assert_eq!(Address::parse("tcp://h:1/"), Some(Address::Tcp("h:1".into())));
        assert_eq!(Address::parse("tcp://[::1]"), Some(Address::Tcp("[::1]:2375".into())));
        assert_eq!(Address::parse("ssh://h"), None);
    }
}
