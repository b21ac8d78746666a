//! What the names of an image stand for.

use serde_json::json;

use crate::expression::NameError;
use crate::image::{Digest, DigestError, Registry, Repository, RepositoryError};
use crate::tag::{Tag, TagError};

/// What the names of an image stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageNames {
    /// Where it is pushed to.
    pub repository: Repository,
    /// The tag that names it: its first that does not move, else its first. An image that is only
    /// known by its digest has none.
    pub tag: Option<Tag>,
    /// The digest, as far as it is known.
    pub digest: DigestState,
    /// The tag is made from the image's content key: before that is known, another stands for it.
    pub is_keyed: bool,
    /// The reference as it is written, of an image that others build: that names it, whatever stands for
    /// the same.
    pub written: Option<String>,
}

/// Whether the digest of an image is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DigestState {
    /// It will be, when the registry has taken the image; of one that others build, when it is asked.
    Later,
    /// It will not be, for this reason.
    Never(String),
    /// The registry confirmed it.
    Known(Digest),
}

impl ImageNames {
    /// Reads a whole reference: `registry/repository:tag`, `…@sha256:…`, or both.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn parse(reference: &str) -> Result<Self, String> {
        let (rest, digest) = match reference.split_once('@') {
            Some((rest, digest)) => {
                let digest = digest.parse().map_err(|error: DigestError| error.to_string())?;
                (rest, DigestState::Known(digest))
            }
            None => (reference, DigestState::Never("its reference was given without one".into())),
        };
        // A colon before the last slash belongs to the port of the registry.
        let name_start = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (repository, tag) = match rest[name_start..].find(':') {
            Some(colon) => (&rest[..name_start + colon], Some(&rest[name_start + colon + 1..])),
            None => (rest, None),
        };
        let tag =
            tag.map(|tag| tag.parse().map_err(|error: TagError| error.to_string())).transpose()?;
        if tag.is_none() && !matches!(digest, DigestState::Known(_)) {
            return Err(format!("`{reference}` has neither a tag nor a digest"));
        }
        let repository = repository.parse().map_err(|error: RepositoryError| error.to_string())?;
        Ok(Self { repository, tag, digest, is_keyed: false, written: None })
    }

    /// As [`ImageNames::parse`], of an image that others build: it is named by this very text, which
    /// others have to understand as well. Its digest is asked for where none stands there.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn foreign(reference: &str) -> Result<Self, String> {
        let mut names = Self::parse(reference)?;
        let repository = &mut names.repository;
        let is_hub = repository.registry.as_str() == Registry::DOCKER_HUB;
        let behind = |start: &str| reference.strip_prefix(start).map(|rest| rest.get(..1));
        let is_named = |start: &str| matches!(behind(start), Some(Some(":" | "@")));
        let is_plain = is_named(&repository.to_string()) || is_hub && is_named(&repository.name);
        if !is_plain {
            return Err(format!(
                "`{reference}` is no image reference: it begins with `{repository}` and has nothing around"
            ));
        }
        if is_hub && !repository.name.contains('/') {
            repository.name = format!("library/{}", repository.name);
        }
        if matches!(names.digest, DigestState::Never(_)) {
            names.digest = DigestState::Later;
        }
        Ok(Self { written: Some(reference.to_owned()), ..names })
    }

    /// The reference by tag, or by digest where there is no tag.
    pub(super) fn uri(&self) -> String {
        if let Some(written) = &self.written {
            return written.clone();
        }
        match (&self.tag, &self.digest) {
            (Some(tag), _) => self.repository.tagged(tag),
            (None, DigestState::Known(digest)) => self.repository.pinned(digest),
            (None, _) => self.repository.to_string(),
        }
    }

    pub(super) fn digest(&self, name: &str) -> Result<&Digest, NameError> {
        match &self.digest {
            DigestState::Known(digest) => Ok(digest),
            DigestState::Later => Err(NameError::Later {
                name: name.into(),
                stage: match self.written {
                    Some(_) => "its registry is asked",
                    None => "the registry has taken the image",
                },
            }),
            DigestState::Never(reason) => {
                Err(NameError::Never { name: name.into(), reason: reason.clone() })
            }
        }
    }

    /// All of it; without the tag if that may not be told.
    pub(super) fn values(&self, has_tag: bool) -> serde_json::Value {
        let mut values = json!({
            "repository": self.repository.name,
            "registry": self.repository.registry.as_str(),
        });
        if has_tag {
            values["uri"] = self.uri().into();
        }
        if let Some(tag) = self.tag.as_ref().filter(|_| has_tag) {
            values["tag"] = tag.as_str().into();
        }
        if let DigestState::Known(digest) = &self.digest {
            values["digest"] = digest.as_str().into();
            values["pinned"] = self.repository.pinned(digest).into();
        }
        values
    }
}
