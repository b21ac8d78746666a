//! Repositories of ECR that are made where there are none.

use indexmap::IndexMap;
use shipspec_spec::config::Encryption;

/// How a repository is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositorySettings {
    /// Images are scanned when they are pushed.
    pub scan_on_push: bool,
    /// Tags may not be moved.
    pub immutable: bool,
    /// Filters of tags that may be moved all the same, `*` for any text.
    pub mutable_tags: Vec<String>,
    /// How it is encrypted; nothing for what ECR does by itself.
    pub encryption: Option<Encryption>,
    /// The ARN or alias of the key of KMS's; nothing for the one that AWS has for ECR.
    pub kms_key: Option<String>,
    /// The lifecycle policy, JSON.
    pub lifecycle: Option<String>,
    /// Tags of AWS on it.
    pub tags: IndexMap<String, String>,
}

/// What making a repository came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    /// It was made.
    Created,
    /// It was there, and has got the lifecycle policy that it lacked.
    PolicyPut,
    /// It was there.
    Exists,
}
