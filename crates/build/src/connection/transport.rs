//! bollard over connections of our own.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use hyper::Uri;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::{Address, Stream};

/// Connections through `ssh` that are kept for the next request: each takes a while to make.
const IDLE_CONNECTIONS: usize = 4;

impl Connection for Box<dyn Stream> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Address {
    /// The engine's API at this address; one request may take as long as `limit`.
    pub(crate) fn docker(&self, limit: Duration) -> Result<Docker, Error> {
        let address = self.clone();
        let connector = tower::service_fn(move |_: Uri| {
            let address = address.clone();
            Box::pin(async move { address.open().await.map(TokioIo::new) })
        });
        let idle = if matches!(self, Self::Ssh(_)) { IDLE_CONNECTIONS } else { 0 };
        let client =
            Client::builder(TokioExecutor::new()).pool_max_idle_per_host(idle).build(connector);
        let transport = move |request: BollardRequest| {
            let answer = client.request(request);
            async move { answer.await.map_err(told_by_cause) }
        };
        let host = Some("http://docker");
        Docker::connect_with_custom_transport(transport, host, limit.as_secs(), API_DEFAULT_VERSION)
    }
}

/// Where there was no connection, its own error says more than that there was none.
fn told_by_cause(error: hyper_util::client::legacy::Error) -> Error {
    let mut cause = error.source();
    while let Some(source) = cause {
        if let Some(source) = source.downcast_ref::<io::Error>() {
            return io::Error::new(source.kind(), source.to_string()).into();
        }
        cause = source.source();
    }
    error.into()
}
