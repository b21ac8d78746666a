//! What the tests of the testbed itself share: a client for the wire, and commands.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use shipspec_testbed::{Role, TestRepository, Testbed};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// An answer off the wire.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub time: Duration,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The code and text of a registry's error.
    pub fn error(&self) -> (String, String) {
        let error = self.json()["errors"][0].clone();
        (
            error["code"].as_str().unwrap_or_default().into(),
            error["message"].as_str().unwrap_or_default().into(),
        )
    }
}

/// Sends a request; an error's text has all its causes.
pub fn https(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Result<Answer, String> {
    let rest = url.strip_prefix("https://").expect("https");
    let (host, path) = rest.split_once('/').expect("a path");
    let mut request =
        Request::builder().method(method).uri(format!("/{path}")).header("host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body.into())).expect("a request");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let begin = Instant::now();
    runtime.block_on(async {
        let stream = TcpStream::connect((host, 443)).await.map_err(told)?;
        let name = ServerName::try_from(host.to_owned()).expect("a name");
        let stream = connector().connect(name, stream).await.map_err(told)?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(told)?;
        let driver = tokio::spawn(connection);
        let answer = async {
            let answer = sender.send_request(request).await.map_err(told)?;
            let (parts, body) = answer.into_parts();
            let body = body.collect().await.map_err(told)?.to_bytes().to_vec();
            Ok(Answer {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body,
                time: begin.elapsed(),
            })
        };
        let answer = answer.await;
        drop(sender);
        drop(driver);
        answer
    })
}

fn connector() -> TlsConnector {
    let bundle = std::env::var_os("SSL_CERT_FILE").expect("SSL_CERT_FILE");
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(
        CertificateDer::pem_file_iter(bundle).expect("a bundle").flatten(),
    );
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

fn told(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Calls ECR's API as a role; gives status and answer.
pub fn ecr(role: &Role, operation: &str, input: &serde_json::Value) -> Answer {
    ecr_in("ap-northeast-1", role, operation, input)
}

/// The same in another region.
pub fn ecr_in(region: &str, role: &Role, operation: &str, input: &serde_json::Value) -> Answer {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/20260101/{region}/ecr/aws4_request, SignedHeaders=host, Signature=0",
        role.access_key()
    );
    let target = format!("AmazonEC2ContainerRegistry_V20150921.{operation}");
    let headers = [("authorization", authorization.as_str()), ("x-amz-target", target.as_str())];
    https("POST", &format!("https://api.ecr.{region}.amazonaws.com/"), &headers, input.to_string())
        .expect("an answer")
}

/// The `Authorization` header of a role's token.
pub fn token(role: &Role, region: &str) -> String {
    let answer = ecr_in(region, role, "GetAuthorizationToken", &serde_json::json!({})).json();
    format!(
        "Basic {}",
        answer["authorizationData"][0]["authorizationToken"].as_str().expect("a token")
    )
}

/// Asks a registry about a repository, with a token.
pub fn registry(
    repository: &TestRepository,
    authorization: &str,
    method: &str,
    tail: &str,
    body: &[u8],
) -> Result<Answer, String> {
    let url = format!("https://{}/v2/{}/{tail}", repository.registry(), repository.name());
    let mut headers = vec![("authorization", authorization)];
    if tail.starts_with("manifests/") && method == "PUT" {
        headers.push(("content-type", "application/vnd.oci.image.manifest.v1+json"));
    }
    https(method, &url, &headers, body.to_vec())
}

/// Uploads a blob as a client does, in three requests.
pub fn upload(
    repository: &TestRepository,
    authorization: &str,
    content: &[u8],
) -> Result<String, String> {
    let digest = sha256(content);
    let started = registry(repository, authorization, "POST", "blobs/uploads/", b"")?;
    assert_eq!(started.status, 202, "{}", started.text());
    let headers = [("authorization", authorization), ("content-type", "application/octet-stream")];
    let part = https("PATCH", started.header("location"), &headers, content.to_vec())?;
    assert_eq!(part.status, 202, "{}", part.text());
    let location = part.header("location");
    let separator = if location.contains('?') { '&' } else { '?' };
    let done = https("PUT", &format!("{location}{separator}digest={digest}"), &headers, "")?;
    assert_eq!(done.status, 201, "{}", done.text());
    Ok(digest)
}

/// A small image whose only layer is this text; gives its manifest.
pub fn manifest(repository: &TestRepository, authorization: &str, content: &str) -> Vec<u8> {
    let layer = upload(repository, authorization, content.as_bytes()).expect("an upload");
    let config = upload(repository, authorization, b"{}").expect("an upload");
    serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2 },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": content.len() }],
    })
    .to_string()
    .into_bytes()
}

/// The digest of these bytes.
pub fn sha256(content: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content);
    let hexadecimal: Vec<String> =
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{}", hexadecimal.concat())
}

/// Runs a command with nothing but this environment; gives its code and all that it said.
pub fn command(environment: &[(String, String)], words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new("env")
        .arg("-i")
        .args(environment.iter().map(|(name, value)| format!("{name}={value}")))
        .args(words)
        .output()
        .expect("env");
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}

/// Runs a command that has to succeed.
pub fn succeeds(environment: &[(String, String)], words: &[&str]) -> String {
    let (code, said) = command(environment, words);
    assert_eq!(code, Some(0), "{words:?}: {said}");
    said
}

/// Runs a command that has to fail.
pub fn fails(environment: &[(String, String)], words: &[&str]) -> String {
    let (code, said) = command(environment, words);
    assert_ne!(code, Some(0), "{words:?}: {said}");
    said
}

/// Logs the docker command in at a registry, as pipelines do.
pub fn log_in(environment: &[(String, String)], registry: &str) {
    let region = registry.split('.').nth(3).expect("a region");
    let line = format!(
        "aws ecr get-login-password --region {region} | docker login --username AWS --password-stdin {registry}"
    );
    succeeds(environment, &["sh", "-c", &line]);
}

/// Builds an image with a step that runs; its content is unique.
pub fn build(testbed: &Testbed, environment: &[(String, String)], reference: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(testbed.busybox(), folder.path().join("busybox")).expect("busybox");
    let content = testbed.unique("content");
    let step = format!("echo {content} > /content");
    // The classic builder's images of steps are shared: another test may remove one that is in use.
    let dockerfile = format!(
        "FROM scratch\nLABEL of={content}\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"sh\", \"-c\", \"{step}\"]\n\
         CMD [\"/bin/busybox\", \"cat\", \"/content\"]\n"
    );
    std::fs::write(folder.path().join("Dockerfile"), dockerfile).expect("Dockerfile");
    succeeds(
        environment,
        &["docker", "build", "-q", "-t", reference, &folder.path().display().to_string()],
    );
}
