//! Repositories that a run makes where there are none.

use std::sync::Arc;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde_json::Value as Json;

use super::text::{RawText, Text, keep, named_texts, texts};
use super::tree::RawTree;
use crate::diagnostic::Diagnostics;
use crate::source::Source;

/// How a repository is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryConfig {
    /// Images are scanned when they are pushed.
    pub scan_on_push: bool,
    /// Tags may not be moved.
    pub immutable: bool,
    /// Filters of tags that may be moved all the same.
    pub mutable_tags: Vec<Text>,
    /// How it is encrypted, if that is said.
    pub encryption: Option<Encryption>,
    /// The key to encrypt it with.
    pub kms_key: Option<Text>,
    /// Its lifecycle policy, JSON.
    pub lifecycle: Option<Text>,
    /// Tags of AWS to put on it.
    pub tags: IndexMap<String, Text>,
}

/// How a repository is encrypted ([encryption]).
///
/// [encryption]: https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
pub enum Encryption {
    /// With a key of S3's.
    #[serde(rename = "AES256")]
    Aes256,
    /// With a key of KMS's.
    #[serde(rename = "KMS")]
    Kms,
    /// Twice, with keys of KMS's.
    #[serde(rename = "KMS_DSSE")]
    KmsDsse,
}

/// `create_repository`: true, or how.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, rename = "CreateRepository")]
pub(super) enum RawCreateRepository {
    Plain(bool),
    Map(Box<RawRepository>),
}

/// How a repository is made.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Repository")]
pub(super) struct RawRepository {
    /// Scan images when they are pushed.
    #[schemars(default)]
    pub(super) scan_on_push: bool,
    /// Tags may not be moved.
    #[schemars(default)]
    pub(super) immutable: bool,
    /// Tags that may be moved although `immutable` is true, `*` for any text: `[latest, "dev-*"]`.
    #[schemars(default)]
    pub(super) mutable_tags: Vec<RawText>,
    /// How it is encrypted. Without it, as ECR does: `AES256`.
    #[schemars(default)]
    pub(super) encryption: Option<Encryption>,
    /// The ARN or alias of the KMS key. Without it, the key that AWS has for ECR.
    #[schemars(default)]
    pub(super) kms_key: Option<RawText>,
    /// The lifecycle policy, as JSON: `${file('lifecycle.json')}`.
    #[schemars(default)]
    pub(super) lifecycle: Option<RawText>,
    /// Tags of AWS to put on the repository.
    #[schemars(default)]
    pub(super) tags: IndexMap<String, RawText>,
}

impl TryFrom<RawTree> for RawCreateRepository {
    type Error = &'static str;

    fn try_from(tree: RawTree) -> Result<Self, Self::Error> {
        match tree {
            RawTree::Literal(Json::Bool(creates), _) => Ok(Self::Plain(creates)),
            RawTree::Map(entries) => Ok(Self::Map(Box::new(entries.try_into()?))),
            _ => Err("`create_repository` must be true, false or a map"),
        }
    }
}

impl TryFrom<IndexMap<String, RawTree>> for RawRepository {
    type Error = &'static str;

    fn try_from(mut entries: IndexMap<String, RawTree>) -> Result<Self, Self::Error> {
        let mut take = |key: &str| entries.shift_remove(key);
        let truth = |tree: Option<RawTree>| match tree {
            Some(RawTree::Literal(Json::Bool(truth), _)) => Ok(truth),
            Some(_) => Err("`scan_on_push` and `immutable` must be true or false"),
            None => Ok(false),
        };
        Ok(Self {
            scan_on_push: truth(take("scan_on_push"))?,
            immutable: truth(take("immutable"))?,
            mutable_tags: match take("mutable_tags") {
                Some(RawTree::List(items)) => {
                    items.into_iter().map(RawText::try_from).collect::<Result<_, _>>()?
                }
                Some(_) => return Err("`mutable_tags` must be a list"),
                None => Vec::new(),
            },
            encryption: match take("encryption").map(RawText::try_from).transpose()? {
                Some(word) => Some(word.as_str().try_into()?),
                None => None,
            },
            kms_key: take("kms_key").map(RawText::try_from).transpose()?,
            lifecycle: take("lifecycle").map(RawText::try_from).transpose()?,
            tags: match take("tags") {
                Some(RawTree::Map(entries)) => {
                    let entries = entries.into_iter();
                    entries.map(|(name, text)| Ok((name, text.try_into()?))).collect::<Result<
                        _,
                        Self::Error,
                    >>(
                    )?
                }
                Some(_) => return Err("`tags` must be a map"),
                None => IndexMap::new(),
            },
        })
    }
}

impl TryFrom<&str> for Encryption {
    type Error = &'static str;

    fn try_from(word: &str) -> Result<Self, Self::Error> {
        match word {
            "AES256" => Ok(Self::Aes256),
            "KMS" => Ok(Self::Kms),
            "KMS_DSSE" => Ok(Self::KmsDsse),
            _ => Err("`encryption` must be AES256, KMS or KMS_DSSE"),
        }
    }
}

impl RepositoryConfig {
    /// Nothing if no repository is to be made.
    pub(super) fn from_raw(
        raw: &RawCreateRepository,
        source: &Arc<Source>,
        found: &mut Diagnostics,
    ) -> Option<Self> {
        let raw = match raw {
            RawCreateRepository::Plain(creates) => return creates.then(Self::default),
            RawCreateRepository::Map(raw) => raw,
        };
        let mut optional = |text: &Option<RawText>| {
            text.as_ref().and_then(|text| keep(Text::from_raw(text, source), found))
        };
        let (kms_key, lifecycle) = (optional(&raw.kms_key), optional(&raw.lifecycle));
        Some(Self {
            scan_on_push: raw.scan_on_push,
            immutable: raw.immutable,
            mutable_tags: texts(&raw.mutable_tags, source, found),
            encryption: raw.encryption,
            kms_key,
            lifecycle,
            tags: named_texts(&raw.tags, source, found),
        })
    }

    /// Every text of it.
    pub(super) fn texts(&self) -> impl Iterator<Item = &Text> {
        self.mutable_tags
            .iter()
            .chain(&self.kms_key)
            .chain(&self.lifecycle)
            .chain(self.tags.values())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn repository(text: &str) -> Result<Option<RepositoryConfig>, String> {
        let text = format!(
            "version: 1\nimages:\n  app:\n    repository: r.example/a\n    create_repository: {text}\n"
        );
        let config = Config::parse(&Source::new("shipspec.yml", text));
        config
            .map(|config| config.images["app"].create_repository.clone())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_repository_is_made_plainly_or_as_it_is_said() {
        assert_eq!(repository("false").unwrap(), None);
        assert_eq!(repository("true").unwrap(), Some(RepositoryConfig::default()));
        let said = repository(
            "{ immutable: true, mutable_tags: [latest], encryption: KMS, kms_key: \"${KEY}\", tags: { team: web } }",
        );
        let said = said.unwrap().unwrap();
        assert!(said.immutable && !said.scan_on_push);
        assert_eq!(said.encryption, Some(Encryption::Kms));
        assert_eq!(said.texts().count(), 3);
    }

    #[test]
    fn what_is_no_repository_is_refused() {
        let error = repository("{ imutable: true }").unwrap_err();
        assert!(error.contains("unknown key `imutable`"), "{error}");
        assert!(repository("{ encryption: rot13 }").is_err());
        assert!(repository("sometimes").is_err());
    }
}
