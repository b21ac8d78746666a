//! Whether the services answer.

use std::time::Duration;

use shipspec_testbed::{Layout, ports};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// How long a service that is well takes at most; they share two cores with the tests.
const PATIENCE: Duration = Duration::from_secs(5);

/// The services that can be asked, in the order in which they are told.
pub(crate) const CHECKS: [&str; 4] = ["dockerd", "registry", "moto", "front"];

/// Whether this service answers.
pub(crate) async fn is_well(service: &str) -> bool {
    let check = async {
        match service {
            "dockerd" => {
                asks(UnixStream::connect(Layout::ENGINE_SOCKET).await.ok()?, "/_ping").await
            }
            "registry" => {
                asks(TcpStream::connect(("127.0.0.1", ports::STORAGE)).await.ok()?, "/v2/").await
            }
            "moto" => {
                asks(
                    TcpStream::connect(("127.0.0.1", ports::MOTO)).await.ok()?,
                    "/moto-api/data.json",
                )
                .await
            }
            _ => TcpStream::connect(("127.0.0.1", ports::FRONT)).await.is_ok().then_some(()),
        }
    };
    matches!(timeout(PATIENCE, check).await, Ok(Some(())))
}

/// Whether a path is answered with 200.
async fn asks(mut stream: impl AsyncRead + AsyncWrite + Unpin, path: &str) -> Option<()> {
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.ok()?;
    head.ends_with(b" 200").then_some(())
}
