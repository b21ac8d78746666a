//! The front: TLS on 443 under every AWS name; ECR is answered here, all else is passed on.

mod answer;
mod body;
mod call;
mod connection;
mod control;
mod dispatch;
mod downloads;
mod ecr;
mod faults;
mod forward;
mod identity;
mod journal;
mod registry;
mod repositories;
mod route;
mod upstream;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use shipspec_testbed::ports;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::inside::Fatal;

/// Everything that the front knows.
pub(crate) struct Front {
    repositories: repositories::Repositories,
    identities: identity::Identities,
    faults: faults::Faults,
    journal: journal::Journal,
    downloads: downloads::Downloads,
    storage: upstream::Upstream,
    moto: upstream::Upstream,
    /// Milliseconds before each answer.
    latency: AtomicU64,
}

/// Listens until the program ends.
pub(crate) async fn serve(tls: Arc<ServerConfig>) -> Result<(), Fatal> {
    let front = Arc::new(Front {
        repositories: repositories::Repositories::default(),
        identities: identity::Identities::default(),
        faults: faults::Faults::default(),
        journal: journal::Journal::default(),
        downloads: downloads::Downloads::default(),
        storage: upstream::Upstream::new(ports::STORAGE),
        moto: upstream::Upstream::new(ports::MOTO),
        latency: AtomicU64::new(0),
    });
    let secure = TcpListener::bind(("0.0.0.0", ports::FRONT)).await?;
    let plain = TcpListener::bind(("127.0.0.1", ports::CONTROL)).await?;
    tokio::spawn(serve_secure(secure, TlsAcceptor::from(tls), Arc::clone(&front)));
    tokio::spawn(control::serve(plain, front));
    Ok(())
}

async fn serve_secure(listener: TcpListener, acceptor: TlsAcceptor, front: Arc<Front>) {
    loop {
        let Ok((stream, _address)) = listener.accept().await else { continue };
        let (acceptor, front) = (acceptor.clone(), Arc::clone(&front));
        tokio::spawn(async move {
            let (connection, breaker) = connection::Connection::new(stream);
            // A client that does not trust the certificate is the client's matter.
            let Ok(stream) = acceptor.accept(connection).await else { return };
            let service = service_fn(|request| {
                dispatch::answer(Arc::clone(&front), breaker.clone(), request)
            });
            let _ended = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
