//! What a request asks for, as far as faults, rights and the journal care.

use std::fmt;
use std::str::FromStr;

use super::answer::Protocol;
use super::route::{PUBLIC_ACCOUNT, PUBLIC_HOST};

/// One request, classified.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// `registry`, `layers`, `ecr`, `ssm`…
    pub(crate) service: String,
    /// As [`shipspec_testbed::Fault`] lists them.
    pub(crate) kind: String,
    /// The IAM action; empty where none is needed.
    pub(crate) action: String,
    /// What the action is done to, for refusals.
    pub(crate) resource: String,
    /// The repository that it is about.
    pub(crate) repository: Option<RepositoryKey>,
    /// Who asks.
    pub(crate) access_key: Option<String>,
    /// How errors are worded.
    pub(crate) protocol: Protocol,
}

/// Which repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RepositoryKey {
    /// The account that owns it.
    pub(crate) account: String,
    /// The region that it is in.
    pub(crate) region: String,
    /// Its name.
    pub(crate) name: String,
}

impl RepositoryKey {
    /// The key of a name in a registry.
    pub(crate) fn new(account: &str, region: &str, name: &str) -> Self {
        Self { account: account.to_owned(), region: region.to_owned(), name: name.to_owned() }
    }

    /// The repository's ARN.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:ecr:{}:{}:repository/{}", self.region, self.account, self.name)
    }

    /// The registry's host.
    pub(crate) fn host(&self) -> String {
        if self.account == PUBLIC_ACCOUNT {
            return PUBLIC_HOST.to_owned();
        }
        format!("{}.dkr.ecr.{}.amazonaws.com", self.account, self.region)
    }
}

/// The name that the storage has for it.
impl fmt::Display for RepositoryKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}/{}", self.account, self.region, self.name)
    }
}

impl FromStr for RepositoryKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, '/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(account), Some(region), Some(name)) => Ok(Self::new(account, region, name)),
            _ => Err(format!("`{text}` is not account/region/name")),
        }
    }
}
