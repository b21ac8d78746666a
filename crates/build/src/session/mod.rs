//! Our end of a BuildKit session: the engine calls us for files, secrets, ssh agents
//! and credentials.
//!
//! A connection is upgraded on `/session`, and then we are the server on it. The services run on a
//! thread of their own, so that nothing that this program does elsewhere lets the engine wait: an
//! engine that hears nothing for some seconds gives the session up.

mod agents;
mod credentials;
mod files;
mod filter;
mod health;
mod links;
mod notes;
mod secrets;
mod walk;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bollard_buildkit_proto::health::health_server::HealthServer;
use bollard_buildkit_proto::moby::buildkit::secrets::v1::secrets_server::SecretsServer;
use bollard_buildkit_proto::moby::filesync::packet::file_sync_server::FileSyncServer;
use bollard_buildkit_proto::moby::filesync::v1::auth_server::AuthServer;
use bollard_buildkit_proto::moby::sshforward::v1::ssh_server::SshServer;
use hyper::server::conn::http2;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioExecutor;
use hyper_util::service::TowerToHyperService;
use indexmap::IndexMap;
use sha2::{Digest as _, Sha256};
use shipspec_spec::secret::Secret;
use tokio::sync::{mpsc, oneshot};
use tonic::service::Routes;

use crate::connection::{Address, UpgradeError};
pub(crate) use credentials::Question;
pub(crate) use files::Folders;
pub(crate) use filter::Filter;
pub(crate) use notes::Notes;
pub(crate) use walk::walk;

/// What the engine may call; it calls nothing that is not named in the head of the upgrade.
const METHODS: [&str; 6] = [
    "/grpc.health.v1.Health/Check",
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.filesync.v1.FileSync/DiffCopy",
    "/moby.sshforward.v1.SSH/CheckAgent",
    "/moby.sshforward.v1.SSH/ForwardAgent",
];

/// Bytes of names and values in the head of one call. All patterns of a `.dockerignore` come there, and
/// the usual limit is 16 KiB.
const HEAD_LIMIT: u32 = 16 * 1024 * 1024;

/// What the engine may have if it asks.
pub(crate) struct Given {
    pub(crate) folders: Folders,
    /// Secrets by their ids.
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// Sockets of ssh agents by their ids.
    pub(crate) agents: IndexMap<String, PathBuf>,
}

/// A session that is served until this value is dropped.
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) notes: Arc<Notes>,
    pub(crate) questions: mpsc::Receiver<Question>,
    /// Dropped with the session, which ends the thread.
    _until: oneshot::Sender<()>,
}

impl Session {
    /// Opens a session with the engine.
    pub(crate) async fn open(address: &Address, given: Given) -> Result<Self, UpgradeError> {
        let id = format!("{:032x}", rand::random::<u128>());
        let headers = headers(&id, &given.folders.context);
        let notes = Arc::<Notes>::default();
        let (asking, questions) = mpsc::channel(1);
        let routes = routes(given, &notes, asking);
        let (until, end) = oneshot::channel();
        let (opening, opened) = oneshot::channel();
        let address = address.clone();
        let opening_and_serving = async move {
            let (stream, outcome) = match address.upgrade("/session", &headers).await {
                Ok(stream) => (Some(stream), Ok(())),
                Err(error) => (None, Err(error)),
            };
            // Where nobody waits any more, nobody needs the session.
            if let (Ok(()), Some(stream)) = (opening.send(outcome), stream) {
                serve(stream, routes, end).await;
            }
        };
        std::thread::Builder::new().name("session".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(opening_and_serving);
            // A file that is being read is not waited for.
            runtime.shutdown_background();
            io::Result::Ok(())
        })?;
        opened.await.map_err(io::Error::other)??;
        Ok(Self { id, notes, questions, _until: until })
    }
}

fn headers(id: &str, context: &Path) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("X-Docker-Expose-Session-Uuid", id.to_owned()),
        ("X-Docker-Expose-Session-Name", "shipspec".to_owned()),
        ("X-Docker-Expose-Session-Sharedkey", shared_key(context)),
    ];
    let methods = METHODS.map(|method| ("X-Docker-Expose-Session-Grpc-Method", method.to_owned()));
    headers.extend(methods);
    headers
}

/// Tells the engine which of the files that it keeps are this folder's from an earlier build. It
/// compares sizes and times only. So a folder of another machine never has the same key, nor has one
/// that was made anew: files of a fresh archive may all have one time, whatever is in them.
fn shared_key(folder: &Path) -> String {
    let mut hash = Sha256::new();
    for file in ["/etc/machine-id", "/proc/sys/kernel/hostname"] {
        hash.update(std::fs::read(file).unwrap_or_default());
    }
    hash.update(folder.as_os_str().as_encoded_bytes());
    let made = folder.metadata().map(|metadata| (metadata.ino(), metadata.created().ok()));
    hash.update(format!("{made:?}"));
    let mut key = String::from("shipspec-");
    for byte in hash.finalize() {
        // Writing to a string does not fail.
        let _ = write!(key, "{byte:02x}");
    }
    key
}

fn routes(given: Given, notes: &Arc<Notes>, questions: mpsc::Sender<Question>) -> Routes {
    let files = files::FileService { folders: given.folders, notes: Arc::clone(notes) };
    let secrets = secrets::SecretService { secrets: given.secrets, notes: Arc::clone(notes) };
    let agents = agents::AgentService { agents: given.agents, notes: Arc::clone(notes) };
    Routes::new(HealthServer::new(health::HealthService))
        .add_service(FileSyncServer::new(files))
        .add_service(SecretsServer::new(secrets))
        .add_service(SshServer::new(agents))
        .add_service(AuthServer::new(credentials::CredentialService { questions }))
}

/// Serves the connection until it ends, or until nobody needs it any more.
async fn serve(stream: Upgraded, routes: Routes, end: oneshot::Receiver<()>) {
    let service = TowerToHyperService::new(routes);
    let mut builder = http2::Builder::new(TokioExecutor::new());
    let serving = builder.max_header_list_size(HEAD_LIMIT).serve_connection(stream, service);
    tokio::select! {
        // A connection that breaks ends the build in the engine, which is told there.
        _ = serving => {}
        _ = end => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_key_until_it_is_made_anew() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("context");
        std::fs::create_dir(&folder).unwrap();
        let first = shared_key(&folder);
        std::fs::write(folder.join("file"), "").unwrap();
        assert_eq!(shared_key(&folder), first);
        // The old one stays, so that its number is not given out again.
        std::fs::rename(&folder, parent.path().join("old")).unwrap();
        std::fs::create_dir(&folder).unwrap();
        assert_ne!(shared_key(&folder), first);
    }
}
