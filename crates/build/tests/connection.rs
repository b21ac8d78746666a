//! Engines that are reached by TLS, by ssh and by Docker's contexts.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use common::Project;
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use shipspec_testbed::{Layout, Testbed};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

const FILE: &str = "COPY data /data\nRUN cat /data/file";

fn project(testbed: &Testbed) -> Project {
    Project::new(testbed, FILE).file("data/file", "came through")
}

/// An authority and the certificates that it has signed.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
}

impl Authority {
    fn new() -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = authority.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(authority, key), certificate }
    }

    fn sign(&self, names: &[&str]) -> (Certificate, KeyPair) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        (CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// Writes what an engine's client needs, as Docker has it.
    fn write(&self, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        let (certificate, key) = self.sign(&["client"]);
        std::fs::write(folder.join("ca.pem"), self.certificate.pem()).unwrap();
        std::fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    }

    /// An engine that wants to see a certificate of this authority; gives its port.
    async fn serve(&self) -> u16 {
        let (certificate, key) = self.sign(&["localhost"]);
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut client) = acceptor.accept(client).await else { return };
                    let mut engine = UnixStream::connect(Layout::ENGINE_SOCKET).await.unwrap();
                    // Either side may end it.
                    let _ = copy_bidirectional(&mut client, &mut engine).await;
                });
            }
        });
        port
    }
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn an_engine_behind_tls_builds() {
    let testbed = Testbed::current();
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    authority.write(folder.path());
    let port = authority.serve().await;
    let project = project(&testbed)
        .on(format!("tcp://localhost:{port}"))
        .variable("DOCKER_TLS_VERIFY", "1")
        .variable("DOCKER_CERT_PATH", &folder.path().display().to_string());
    assert!(!project.build().await.unwrap().is_classic);
    assert!(project.told.has("came through"));

    // `localhost` is in the certificate, the address is not.
    let project = project.on(format!("https://127.0.0.1:{port}"));
    let error = project.error().await;
    assert!(error.contains("certificate"), "{error}");
    // Another authority has signed what we trust.
    Authority::new().write(folder.path());
    let project = project.on(format!("https://localhost:{port}"));
    let error = project.error().await;
    assert!(error.contains("certificate"), "{error}");
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_context_with_files_for_tls_builds() {
    let testbed = Testbed::current();
    let home = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let port = authority.serve().await;
    let host = format!("host=tcp://localhost:{port}");
    let files = home.path().join("files");
    authority.write(&files);
    let file = |name: &str| files.join(name).display().to_string();
    let tls =
        format!("{host},ca={},cert={},key={}", file("ca.pem"), file("cert.pem"), file("key.pem"));
    // Docker's own command line makes it.
    for arguments in
        [&["context", "create", "far", "--docker", &tls][..], &["context", "use", "far"]]
    {
        let mut docker = std::process::Command::new("docker");
        docker.args(arguments).env("HOME", home.path()).env_remove("DOCKER_CONFIG");
        let output = docker.env_remove("DOCKER_HOST").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    std::fs::remove_dir_all(&files).unwrap();
    let project =
        project(&testbed).on(String::new()).variable("HOME", &home.path().display().to_string());
    assert!(!project.build().await.unwrap().is_classic);
    assert!(project.told.has("came through"));
}

/// What `ssh` would be, if the other host were this one.
const SSH: &str = r#"#!/usr/bin/env python3
import os, socket, sys, threading
with open("LOG", "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\n")
if "nobody" in sys.argv:
    sys.exit("ssh: Could not resolve hostname nobody")
engine = socket.socket(socket.AF_UNIX)
engine.connect("SOCKET")
def back():
    with os.fdopen(1, "wb", buffering=0) as out:
        while data := engine.recv(65536):
            view = memoryview(data)
            while view:
                view = view[out.write(view):]
thread = threading.Thread(target=back)
thread.start()
while data := os.read(0, 65536):
    engine.sendall(data)
engine.shutdown(socket.SHUT_WR)
thread.join()
"#;

#[tokio::test]
#[ignore = "needs the testbed"]
async fn an_engine_behind_ssh_builds() {
    let testbed = Testbed::current();
    let folder = tempfile::tempdir().unwrap();
    let (log, ssh) = (folder.path().join("log"), folder.path().join("ssh"));
    let script = SSH.replace("LOG", &log.display().to_string());
    std::fs::write(&ssh, script.replace("SOCKET", Layout::ENGINE_SOCKET)).unwrap();
    std::fs::set_permissions(&ssh, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let project = project(&testbed).on("ssh://me@builder:2222".into()).variable("PATH", &path);
    assert!(!project.build().await.unwrap().is_classic);
    assert!(project.told.has("came through"));
    let asked = std::fs::read_to_string(&log).unwrap();
    let expected =
        "-o ConnectTimeout=30 -T -l me -p 2222 -- builder docker system dial-stdio".to_owned();
    assert!(asked.lines().all(|line| line == expected), "{asked}");
    // The plain API goes over one connection, BuildKit and its session have one each.
    assert_eq!(asked.lines().count(), 3);

    let project = project.on("ssh://nobody".into());
    let error = project.error().await;
    let expected = "no Docker engine answers at `ssh://nobody`: \
                    `ssh` ended: ssh: Could not resolve hostname nobody";
    assert_eq!(error, expected);
    let project = project.variable("PATH", "/nowhere");
    assert!(project.error().await.contains("`ssh` does not start"), "{}", project.error().await);
}
