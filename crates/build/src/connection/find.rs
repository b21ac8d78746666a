//! Which engine is meant: `DOCKER_HOST`, Docker's contexts, or the one of this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Address, docker_context, ssh, tls};

/// The socket of an engine on this machine.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// The ports of an engine without TLS and with it.
const PORTS: [u16; 2] = [2375, 2376];

/// An engine's place: how it is named, and how it is reached.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// Such as `unix:///var/run/docker.sock`.
    pub(crate) host: String,
    pub(crate) address: Address,
}

/// Why it cannot be said which engine is meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The address is of a kind that is not spoken, or is none.
    #[error(
        "`{0}` is no address of a Docker engine; it begins with `unix://`, `tcp://`, `https://` or `ssh://`"
    )]
    Form(String),
    /// TLS was asked for in a way that checks nobody.
    #[error("{0} asks for TLS without checking who answers, which is not done")]
    Unchecked(String),
    /// The files for TLS do not serve.
    #[error("there is no TLS with `{host}`: {reason}")]
    Tls {
        /// The engine's address.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// The Docker context that is meant is not there, or cannot be read.
    #[error("the Docker context `{name}` cannot be used: {reason}")]
    Context {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// Docker's configuration cannot be read.
    #[error("`{}` cannot be read: {reason}", path.display())]
    Configuration {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// A variable that is set and not empty.
pub(super) fn variable<'a>(
    environment: &'a BTreeMap<String, String>,
    name: &str,
) -> Option<&'a str> {
    environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

impl Endpoint {
    /// The engine that an environment means, in the order in which Docker's command line looks:
    /// `DOCKER_HOST`, `DOCKER_CONTEXT`, the context that was chosen last, this machine's.
    pub(crate) fn find(environment: &BTreeMap<String, String>) -> Result<Self, AddressError> {
        if let Some(host) = variable(environment, "DOCKER_HOST") {
            return Self::named(host, environment);
        }
        match docker_context::current(environment)? {
            Some(context) => context.endpoint(environment),
            None => Ok(Self::of_this_machine(environment)),
        }
    }

    /// The engine at an address, with TLS where `DOCKER_TLS_VERIFY` asks for it.
    pub(crate) fn named(
        host: &str,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, AddressError> {
        let is_verified = variable(environment, "DOCKER_TLS_VERIFY").is_some();
        let is_unchecked = !is_verified && variable(environment, "DOCKER_TLS").is_some();
        if is_unchecked && host.starts_with("tcp://") {
            return Err(AddressError::Unchecked("`DOCKER_TLS` without `DOCKER_TLS_VERIFY`".into()));
        }
        let is_tls = is_verified || host.starts_with("https://");
        let folder = match variable(environment, "DOCKER_CERT_PATH") {
            Some(folder) => PathBuf::from(folder),
            None => docker_context::configuration(environment).unwrap_or_default(),
        };
        Self::at(host, is_tls.then_some(&*folder), environment)
    }

    /// The engine at an address; `certificates` is the folder with the files for TLS.
    pub(super) fn at(
        host: &str,
        certificates: Option<&Path>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, AddressError> {
        let form = || AddressError::Form(host.into());
        let (scheme, rest) = host.split_once("://").ok_or_else(form)?;
        let address = match (scheme, certificates) {
            ("unix", _) if rest.starts_with('/') => Address::Unix(rest.into()),
            ("tcp" | "http", None) => Address::Tcp(authority(rest, PORTS[0]).ok_or_else(form)?),
            ("tcp" | "https", Some(folder)) => {
                let authority = authority(rest, PORTS[1]).ok_or_else(form)?;
                let server = tls::Server::new(&authority, folder);
                let error = |reason| AddressError::Tls { host: host.into(), reason };
                Address::Tls(Arc::new(server.map_err(error)?))
            }
            ("ssh", _) => {
                Address::Ssh(Arc::new(ssh::Host::parse(rest, environment).ok_or_else(form)?))
            }
            _ => return Err(form()),
        };
        Ok(Self { host: host.into(), address })
    }

    /// The usual socket, or else that of an engine that the user runs without being root.
    fn of_this_machine(environment: &BTreeMap<String, String>) -> Self {
        let folder = variable(environment, "XDG_RUNTIME_DIR");
        let own = folder.map(|folder| Path::new(folder).join("docker.sock"));
        let usual = PathBuf::from(DEFAULT_SOCKET);
        let socket = match own {
            Some(own) if !usual.exists() && own.exists() => own,
            _ => usual,
        };
        Self { host: format!("unix://{}", socket.display()), address: Address::Unix(socket) }
    }
}

/// A host with a port.
fn authority(text: &str, port: u16) -> Option<String> {
    let text = text.trim_end_matches('/');
    if text.is_empty() || text.contains(['/', '@']) {
        return None;
    }
    let has_port = text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    Some(if has_port { text.to_owned() } else { format!("{text}:{port}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    fn find(pairs: &[(&str, &str)]) -> Result<Endpoint, String> {
        Endpoint::find(&environment(pairs)).map_err(|error| error.to_string())
    }

    fn tcp(host: &str) -> Option<String> {
        match find(&[("DOCKER_HOST", host)]).ok()?.address {
            Address::Tcp(authority) => Some(authority),
            _ => None,
        }
    }

    #[test]
    fn addresses_are_sockets_or_hosts_with_a_port() {
        assert_eq!(tcp("tcp://h:1/").as_deref(), Some("h:1"));
        assert_eq!(tcp("tcp://[::1]").as_deref(), Some("[::1]:2375"));
        assert_eq!(tcp("tcp://"), None);
        let socket = find(&[("DOCKER_HOST", "unix:///a/b")]).unwrap();
        assert!(matches!(socket.address, Address::Unix(path) if path == Path::new("/a/b")));
        for wrong in ["h:1", "fd://", "unix://a", "ssh://", "ssh://a:b@c"] {
            let error = find(&[("DOCKER_HOST", wrong)]).unwrap_err();
            assert!(error.starts_with(&format!("`{wrong}` is no address")), "{error}");
        }
    }

    #[test]
    fn tls_is_verified_or_refused() {
        let host = ("DOCKER_HOST", "tcp://h");
        let error = find(&[host, ("DOCKER_TLS", "1")]).unwrap_err();
        assert!(error.starts_with("`DOCKER_TLS` without `DOCKER_TLS_VERIFY`"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        let verified = [host, ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", &*path)];
        assert!(matches!(find(&verified).unwrap().address, Address::Tls(_)));
        std::fs::write(folder.path().join("cert.pem"), "").unwrap();
        let error = find(&verified).unwrap_err();
        assert_eq!(error, format!("there is no TLS with `tcp://h`: there is no `{path}/key.pem`"));
        std::fs::write(folder.path().join("ca.pem"), "nothing").unwrap();
        let error = find(&verified).unwrap_err();
        assert!(error.ends_with("ca.pem` holds no certificate"), "{error}");
    }

    #[test]
    fn the_engine_of_a_user_serves_where_there_is_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        let host = || find(&[("XDG_RUNTIME_DIR", &path)]).unwrap().host;
        assert_eq!(host(), "unix:///var/run/docker.sock");
        std::fs::write(folder.path().join("docker.sock"), "").unwrap();
        if !Path::new(DEFAULT_SOCKET).exists() {
            assert_eq!(host(), format!("unix://{path}/docker.sock"));
        }
    }
}
