use serde::{Deserialize, Serialize};

/// One request that the front answered, in the order of arrival of the answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// When it arrived, in seconds since 1970.
    pub time: f64,
    /// How long the answer's head took, in milliseconds. Bodies stream after it.
    pub milliseconds: u64,
    /// The service: `registry`, `layers` (a registry's downloads), `ecr` (its API), `ssm`, `ecs`…
    pub service: String,
    /// The HTTP method.
    pub method: String,
    /// The host that was asked.
    pub host: String,
    /// Path and query.
    pub path: String,
    /// What was asked; the kinds are listed at [`Fault`](crate::Fault).
    pub kind: String,
    /// The IAM action that it needs, `ecr:PutImage` for one. `/v2/` needs none.
    pub action: String,
    /// `<account>/<region>/<name>` of the repository.
    pub repository: Option<String>,
    /// Who asked.
    pub access_key: Option<String>,
    /// The program that asked.
    pub user_agent: String,
    /// The HTTP status; 0 if the connection was reset before there was one.
    pub status: u16,
    /// Bytes of the request's body that were read.
    pub request_bytes: u64,
    /// Bytes of the response's body that were sent.
    pub response_bytes: u64,
}
