//! ECR's own API: tokens, and what a repository allows.

mod create;

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_sdk_ecr::Client;
use aws_sdk_ecr::config::Region;
use aws_sdk_ecr::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecr::primitives::{DateTime, DateTimeFormat};
use aws_sdk_ecr::types::{ImageIdentifier, ImageTagMutability, Repository};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use shipspec_spec::aws::{CREDENTIALS_HINT, causes, connection_hint, is_credentials_code};
use shipspec_spec::ecr_host::EcrHost;
use shipspec_spec::hint::Hint;
use shipspec_spec::image::Digest;
use shipspec_spec::secret::Secret;

use crate::credentials::Credentials;
use crate::manifest::{MEDIA_TYPES, Manifest};

/// Why ECR's API did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EcrError {
    /// There are no AWS credentials, or none that are valid.
    #[error("no valid AWS credentials for `{action}`: {message}")]
    Credentials {
        /// What was asked.
        action: &'static str,
        /// What the SDK or the service says.
        message: String,
    },
    /// The role to speak to the registry with cannot be assumed.
    #[error("the role for `{action}` cannot be assumed: {message}")]
    Role {
        /// What was to be asked with it.
        action: &'static str,
        /// What the SDK or STS says.
        message: String,
    },
    /// The role may not do this.
    #[error("access denied to `{action}`: {message}")]
    Denied {
        /// What was asked.
        action: &'static str,
        /// The service's own words.
        message: String,
    },
    /// The repository does not exist.
    #[error("the repository does not exist")]
    NoRepository,
    /// Anything else that went wrong.
    #[error("`{action}` failed in region {region}: {message}")]
    Request {
        /// What was asked.
        action: &'static str,
        /// Where.
        region: String,
        /// What happened.
        message: String,
        /// The service has not answered at all.
        is_connection: bool,
    },
    /// A manifest has another digest than ECR says.
    #[error("ECR answered with a manifest that is not what its digest says")]
    Manifest,
    /// The token is not what the documentation says it is.
    #[error("ECR answered with a token that cannot be read")]
    Token,
}

impl Hint for EcrError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Credentials { .. } => Some(CREDENTIALS_HINT.into()),
            Self::Denied { action: crate::ecr_public::LOGIN, .. } => Some(format!(
                "allow `{}` and `sts:GetServiceBearerToken` to the role that shipspec runs with",
                crate::ecr_public::LOGIN
            )),
            Self::Role { .. } => Some(
                "allow `sts:AssumeRole` on it to the role that shipspec runs with, and let it trust that role; an external id has to be the one that it asks for".into(),
            ),
            Self::Denied { action, .. } => {
                Some(format!("allow `{action}` to the role that shipspec runs with"))
            }
            Self::Request { message, is_connection: true, .. } => {
                Some(connection_hint(message).into())
            }
            Self::Request { .. } | Self::NoRepository | Self::Manifest | Self::Token => None,
        }
    }
}

/// Which tags of a repository may be moved ([mutability]).
///
/// [mutability]: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutability {
    /// Tags may not be moved, except those that a filter excludes.
    pub immutable: bool,
    /// Filters, `*` for any run of characters: tags for which the opposite holds.
    pub exclusions: Vec<String>,
}

/// Credentials that end some day.
#[derive(Debug, Clone)]
pub struct Passing {
    /// Good until then.
    pub credentials: Credentials,
    /// When; nothing if that is not known.
    pub end: Option<SystemTime>,
}

/// When an image was pushed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PushTime(DateTime);

impl fmt::Display for PushTime {
    /// To the minute, in UTC.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.fmt(DateTimeFormat::DateTime).unwrap_or_default();
        match (text.get(..10), text.get(11..16)) {
            (Some(day), Some(minute)) => write!(formatter, "{day} {minute} UTC"),
            _ => formatter.write_str("at an unknown time"),
        }
    }
}

/// Reads an authorization token: a user and a password.
pub(crate) fn read_token(token: &str) -> Result<Credentials, EcrError> {
    let decoded = BASE64_STANDARD.decode(token).map_err(|_| EcrError::Token)?;
    let text = String::from_utf8(decoded).map_err(|_| EcrError::Token)?;
    // Only the first colon separates: the password may hold others.
    let (username, password) = text.split_once(':').ok_or(EcrError::Token)?;
    Ok(Credentials { username: username.into(), password: Secret::new(password) })
}

/// ECR's API, for one region.
#[derive(Debug, Clone)]
pub struct Ecr {
    client: Client,
    host: EcrHost,
}

impl Ecr {
    /// The API of the region that the registry's host names. Nothing is asked yet.
    #[must_use]
    pub fn new(aws: &SdkConfig, host: EcrHost) -> Self {
        let config = aws_sdk_ecr::config::Builder::from(aws)
            .region(Region::new(host.region.clone()))
            .use_fips(host.fips);
        Self { client: Client::from_conf(config.build()), host }
    }

    /// A user and a password for the registry, good for twelve hours. A token belongs to its region
    /// and serves every registry there that the caller may reach ([authentication]).
    ///
    /// # Errors
    ///
    /// [`EcrError`].
    ///
    /// [authentication]: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
    pub async fn fetch_credentials(&self) -> Result<Passing, EcrError> {
        let answer = self.client.get_authorization_token().send().await;
        let answer = answer.map_err(|error| self.error("ecr:GetAuthorizationToken", &error))?;
        let data = answer.authorization_data().first().ok_or(EcrError::Token)?;
        let token = data.authorization_token().ok_or(EcrError::Token)?;
        let end = data.expires_at().and_then(|end| SystemTime::try_from(*end).ok());
        Ok(Passing { credentials: read_token(token)?, end })
    }

    /// When images were pushed, as far as it is known.
    ///
    /// # Errors
    ///
    /// [`EcrError`].
    pub async fn pushed_at(
        &self,
        name: &str,
        digests: &[&Digest],
    ) -> Result<BTreeMap<Digest, PushTime>, EcrError> {
        let id =
            |digest: &&Digest| ImageIdentifier::builder().image_digest(digest.as_str()).build();
        let request = self.client.describe_images().repository_name(name);
        let request = request.registry_id(&self.host.account);
        let request = request.set_image_ids(Some(digests.iter().map(id).collect()));
        let answer = request.send().await;
        let answer = answer.map_err(|error| self.error("ecr:DescribeImages", &error))?;
        let found = answer.image_details().iter().filter_map(|image| {
            Some((image.image_digest()?.parse().ok()?, PushTime(*image.image_pushed_at()?)))
        });
        Ok(found.collect())
    }

    /// How many tags the image has that has this one; nothing if there is none.
    ///
    /// # Errors
    ///
    /// [`EcrError`].
    pub(crate) async fn tag_count(&self, name: &str, tag: &str) -> Result<Option<usize>, EcrError> {
        let id = ImageIdentifier::builder().image_tag(tag).build();
        let request = self.client.describe_images().repository_name(name).image_ids(id);
        match request.registry_id(&self.host.account).send().await {
            Ok(answer) => Ok(answer.image_details().first().map(|image| image.image_tags().len())),
            Err(error) => match error.code() {
                Some("ImageNotFoundException" | "RepositoryNotFoundException") => Ok(None),
                _ => Err(self.error("ecr:DescribeImages", &error)),
            },
        }
    }

    /// The manifests under tags, as far as there are any.
    ///
    /// # Errors
    ///
    /// [`EcrError`]; [`EcrError::Manifest`] for a manifest that is not what its digest says.
    pub(crate) async fn images(
        &self,
        name: &str,
        tags: &[String],
    ) -> Result<BTreeMap<String, Manifest>, EcrError> {
        let id = |tag: &String| ImageIdentifier::builder().image_tag(tag).build();
        let request = self.client.batch_get_image().repository_name(name);
        let request = request.registry_id(&self.host.account);
        let request = request.set_image_ids(Some(tags.iter().map(id).collect()));
        // Without them, ECR may write a manifest anew.
        let types = MEDIA_TYPES.map(str::to_owned).to_vec();
        let answer = request.set_accepted_media_types(Some(types)).send().await;
        let answer = answer.map_err(|error| match error.code() {
            Some("RepositoryNotFoundException") => EcrError::NoRepository,
            _ => self.error("ecr:BatchGetImage", &error),
        })?;
        let mut found = BTreeMap::new();
        for image in answer.images() {
            let (Some(id), Some(text)) = (image.image_id(), image.image_manifest()) else {
                continue;
            };
            let bytes = Bytes::copy_from_slice(text.as_bytes());
            let media_type = image.image_manifest_media_type().unwrap_or_default();
            let manifest = Manifest::new(bytes, media_type);
            if id.image_digest() != Some(manifest.digest.as_str()) {
                return Err(EcrError::Manifest);
            }
            found.extend(id.image_tag().map(|tag| (tag.to_owned(), manifest)));
        }
        Ok(found)
    }

    /// What the repository `name` allows.
    ///
    /// # Errors
    ///
    /// [`EcrError`]; [`EcrError::Denied`] says that it could not be asked, not that it is missing.
    pub async fn describe(&self, name: &str) -> Result<Mutability, EcrError> {
        let request = self.client.describe_repositories().repository_names(name);
        let answer = request.registry_id(&self.host.account).send().await;
        let answer = answer.map_err(|error| match error.code() {
            Some("RepositoryNotFoundException") => EcrError::NoRepository,
            _ => self.error("ecr:DescribeRepositories", &error),
        })?;
        let repository = answer.repositories().first();
        let kind = repository.and_then(|repository| repository.image_tag_mutability());
        let filters = repository.map(Repository::image_tag_mutability_exclusion_filters);
        Ok(Mutability {
            immutable: matches!(
                kind,
                Some(ImageTagMutability::Immutable | ImageTagMutability::ImmutableWithExclusion)
            ),
            exclusions: filters
                .into_iter()
                .flatten()
                .map(|filter| filter.filter().into())
                .collect(),
        })
    }

    fn error<E, R>(&self, action: &'static str, error: &SdkError<E, R>) -> EcrError
    where
        SdkError<E, R>: ProvideErrorMetadata + std::error::Error,
    {
        EcrError::of(action, &self.host.region, error)
    }
}

impl EcrError {
    /// What an answer of the SDK comes to.
    pub(crate) fn of<E, R>(action: &'static str, region: &str, error: &SdkError<E, R>) -> Self
    where
        SdkError<E, R>: ProvideErrorMetadata + std::error::Error,
    {
        let told = error.message().map(str::to_owned);
        let message = told.unwrap_or_else(|| causes(error));
        match error.code() {
            Some("AccessDeniedException" | "AccessDenied") => Self::Denied { action, message },
            Some(code) if is_credentials_code(code) => Self::Credentials { action, message },
            None if message.contains("AssumeRole") => Self::Role { action, message },
            None if message.contains("credential") => Self::Credentials { action, message },
            code => {
                let (region, is_connection) = (region.to_owned(), code.is_none());
                Self::Request { action, region, message, is_connection }
            }
        }
    }
}

impl Mutability {
    /// The tag may be moved to another image.
    #[must_use]
    pub fn allows_moving(&self, tag: &str) -> bool {
        let excluded = self.exclusions.iter().any(|filter| matches(filter, tag));
        self.immutable == excluded
    }
}

/// `filter` describes the whole of `tag`; each `*` stands for any run of characters.
pub(crate) fn matches(filter: &str, tag: &str) -> bool {
    match filter.split_once('*') {
        None => filter == tag,
        Some((head, rest)) => tag.strip_prefix(head).is_some_and(|behind| {
            (0..=behind.len())
                .filter(|index| behind.is_char_boundary(*index))
                .any(|index| matches(rest, &behind[index..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_push_is_told_to_the_minute() {
        assert_eq!(PushTime(DateTime::from_secs(0)).to_string(), "1970-01-01 00:00 UTC");
    }

    #[test]
    fn a_password_keeps_its_colons() {
        let token = BASE64_STANDARD.encode("AWS:a:b::");
        let credentials = read_token(&token).unwrap();
        assert_eq!((&*credentials.username, credentials.password.expose()), ("AWS", "a:b::"));
        assert!(matches!(read_token("AWS:a"), Err(EcrError::Token)));
        assert!(matches!(read_token(&BASE64_STANDARD.encode("AWS")), Err(EcrError::Token)));
    }

    #[test]
    fn filters_exclude_tags_from_the_rule() {
        let repository = |immutable, filters: &[&str]| Mutability {
            immutable,
            exclusions: filters.iter().map(|filter| (*filter).to_owned()).collect(),
        };
        assert!(repository(false, &[]).allows_moving("latest"));
        assert!(!repository(true, &[]).allows_moving("latest"));
        assert!(repository(true, &["latest", "dev-*"]).allows_moving("dev-1"));
        assert!(!repository(true, &["dev-*"]).allows_moving("prod"));
        assert!(!repository(false, &["v*.*"]).allows_moving("v1.2"));
        assert!(repository(false, &["v*.*"]).allows_moving("v1"));
    }
}
