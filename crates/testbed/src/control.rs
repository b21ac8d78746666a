//! The orders that tests give the testbed, over plain HTTP: one JSON command, one JSON answer.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Fault, Mutability, ports};

/// What a fault or a question about the log is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// A repository, `<account>/<region>/<name>`: its registry requests and the API's about it.
    Repository(String),
    /// Everything that one access key asks, and whoever holds a token of it.
    AccessKey(String),
    /// Every request.
    Everything,
}

/// An identity that may call the front.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleSpecification {
    /// Its access key, by which it is known.
    pub access_key: String,
    /// The account that it belongs to.
    pub account: String,
    /// The role's name, for the ARN in refusals.
    pub name: String,
    /// Actions that are allowed, `*` for any text.
    pub allow: Vec<String>,
    /// Actions that are denied whatever is allowed.
    pub deny: Vec<String>,
}

/// An order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// Whether each service answers.
    Status,
    /// Makes a repository, as ECR's `CreateRepository` would.
    CreateRepository {
        /// `<account>/<region>/<name>`.
        repository: String,
        /// Whether its tags move.
        mutability: Mutability,
        /// Exclusion filters.
        filters: Vec<String>,
    },
    /// Removes a repository and its images.
    DeleteRepository {
        /// `<account>/<region>/<name>`.
        repository: String,
    },
    /// Changes whether tags move.
    SetMutability {
        /// `<account>/<region>/<name>`.
        repository: String,
        /// Whether its tags move.
        mutability: Mutability,
        /// Exclusion filters.
        filters: Vec<String>,
    },
    /// What the repository was made with, and its lifecycle policy.
    Settings {
        /// `<account>/<region>/<name>`.
        repository: String,
    },
    /// Tags and the digests that they name.
    Tags {
        /// `<account>/<region>/<name>`.
        repository: String,
    },
    /// A manifest, in base64, with its media type and digest.
    Manifest {
        /// `<account>/<region>/<name>`.
        repository: String,
        /// A tag or a digest.
        reference: String,
    },
    /// A blob, in base64.
    Blob {
        /// `<account>/<region>/<name>`.
        repository: String,
        /// Its digest.
        digest: String,
    },
    /// Puts a blob, past every fault and right.
    PutBlob {
        /// `<account>/<region>/<name>`.
        repository: String,
        /// In base64.
        bytes: String,
    },
    /// Puts a manifest, past every fault and right; its blobs have to be there.
    PutManifest {
        /// `<account>/<region>/<name>`.
        repository: String,
        /// In base64.
        bytes: String,
        /// Its media type.
        media_type: String,
        /// Its tag, if it gets one.
        tag: Option<String>,
    },
    /// Registers an identity, in place of an earlier one with that access key.
    AddRole(RoleSpecification),
    /// Makes every token that this access key has got so far too old.
    ExpireTokens {
        /// The access key.
        access_key: String,
    },
    /// Adds a fault; it meets requests before faults that were added later.
    AddFault {
        /// Whose requests.
        scope: Scope,
        /// What goes wrong.
        fault: Fault,
    },
    /// Removes all faults of a scope.
    ClearFaults {
        /// Whose requests.
        scope: Scope,
    },
    /// Delays every answer of the front, for measurements that want a network's latency.
    SetLatency {
        /// For each request.
        milliseconds: u64,
    },
    /// The requests so far.
    Requests {
        /// Whose requests.
        scope: Scope,
    },
}

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens, or the connection broke.
    #[error("the testbed's control port does not answer")]
    Connection(#[from] std::io::Error),
    /// The answer is not what the protocol says.
    #[error("the testbed's answer cannot be read: {0}")]
    Answer(String),
    /// The testbed refused.
    #[error("the testbed refused: {0}")]
    Refused(String),
}

/// Gives one order and waits for the answer.
///
/// # Errors
///
/// [`ControlError::Refused`] with the testbed's words; the others if it is not there.
pub fn order(command: &Command) -> Result<serde_json::Value, ControlError> {
    let body =
        serde_json::to_vec(command).map_err(|error| ControlError::Answer(error.to_string()))?;
    let (status, answer) = send(ports::CONTROL, "POST", "/", &[], &body)?;
    if status == 200 {
        serde_json::from_slice(&answer).map_err(|error| ControlError::Answer(error.to_string()))
    } else {
        Err(ControlError::Refused(String::from_utf8_lossy(&answer).into_owned()))
    }
}

/// Sends one HTTP request to a port of this machine; gives status and body.
pub(crate) fn send(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<(u16, Vec<u8>), ControlError> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    stream.set_nodelay(true)?;
    let mut lines = vec![
        format!("{method} {path} HTTP/1.1"),
        "Connection: close".to_owned(),
        format!("Content-Length: {}", body.len()),
    ];
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        lines.push("Host: localhost".to_owned());
    }
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    let mut message = (lines.join("\r\n") + "\r\n\r\n").into_bytes();
    message.extend_from_slice(body);
    stream.write_all(&message)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let unreadable = || ControlError::Answer("not an HTTP answer".to_owned());
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(unreadable)?;
    let status = std::str::from_utf8(&answer[..end])
        .ok()
        .and_then(|head| head.split(' ').nth(1))
        .and_then(|status| status.parse().ok())
        .ok_or_else(unreadable)?;
    Ok((status, answer.split_off(end + 4)))
}
