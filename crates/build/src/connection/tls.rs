//! TLS to an engine, with the files that Docker keeps for it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls_native_certs::load_native_certs;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::open_tcp;

/// An engine that shows a certificate.
#[derive(Debug)]
pub(crate) struct Server {
    authority: String,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
}

impl Server {
    /// An engine at a host and a port, with `ca.pem`, `cert.pem` and `key.pem` of a folder. Without a
    /// `ca.pem` the machine's authorities count; without the other two we show no certificate.
    ///
    /// # Errors
    ///
    /// What is wrong with the files, or with the host's name.
    pub(super) fn new(authority: &str, folder: &Path) -> Result<Self, String> {
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host.clone());
        let name = name.map_err(|_| format!("`{host}` cannot be the name in a certificate"))?;
        let config = Arc::new(config(folder)?);
        Ok(Self { authority: authority.into(), name, config })
    }

    pub(super) async fn open(&self) -> io::Result<TlsStream<TcpStream>> {
        let stream = open_tcp(&self.authority).await?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        connector.connect(self.name.clone(), stream).await
    }
}

fn config(folder: &Path) -> Result<ClientConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    let builder = builder.with_root_certificates(authorities(&folder.join("ca.pem"))?);
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    match (certificate.is_file(), key.is_file()) {
        (false, false) => Ok(builder.with_no_client_auth()),
        (true, true) => {
            let key = PrivateKeyDer::from_pem_file(&key).map_err(|error| wrong(&key, &error))?;
            let chain = certificates(&certificate)?;
            let config = builder.with_client_auth_cert(chain, key);
            config.map_err(|error| wrong(&certificate, &error))
        }
        (true, false) => Err(format!("there is no `{}`", key.display())),
        (false, true) => Err(format!("there is no `{}`", certificate.display())),
    }
}

/// Who may sign the engine's certificate.
fn authorities(file: &Path) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    if file.is_file() {
        for certificate in certificates(file)? {
            store.add(certificate).map_err(|error| wrong(file, &error))?;
        }
    } else {
        store.add_parsable_certificates(load_native_certs().certs);
    }
    Ok(store)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let all = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let all = all.map_err(|error| wrong(file, &error))?;
    if all.is_empty() {
        return Err(format!("`{}` holds no certificate", file.display()));
    }
    Ok(all)
}

fn wrong(file: &Path, error: &dyn std::fmt::Display) -> String {
    format!("`{}` cannot be used: {error}", file.display())
}
