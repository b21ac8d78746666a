//! Where images are: registries, repositories, references and digests.

use std::fmt;
use std::str::FromStr;

use crate::ecr_host::EcrHost;
use crate::tag::Tag;

/// The host of a registry, with its port if it has one: `123456789012.dkr.ecr.eu-west-1.amazonaws.com`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Registry(String);

impl Registry {
    /// The registry that Docker means when a reference names none.
    pub const DOCKER_HUB: &str = "docker.io";

    /// The host as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Account and region, if this is a private registry of ECR.
    #[must_use]
    pub fn ecr(&self) -> Option<EcrHost> {
        EcrHost::parse(&self.0)
    }

    /// It is ECR Public, by either of its hosts ([endpoints]).
    ///
    /// [endpoints]: https://docs.aws.amazon.com/AmazonECR/latest/public/public-registries.html
    #[must_use]
    pub fn is_ecr_public(&self) -> bool {
        matches!(self.as_str(), "public.ecr.aws" | "ecr-public.aws.com")
    }

    /// The host is this machine, where plain HTTP is allowed, as Docker allows it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = match self.0.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.0,
        };
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A repository in a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    /// The registry that holds it.
    pub registry: Registry,
    /// Its path in the registry, such as `team/web`.
    pub name: String,
}

impl Repository {
    /// The reference of `tag` in this repository.
    #[must_use]
    pub fn tagged(&self, tag: &Tag) -> String {
        format!("{self}:{tag}")
    }

    /// The reference by digest.
    #[must_use]
    pub fn pinned(&self, digest: &Digest) -> String {
        format!("{self}@{digest}")
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.name)
    }
}

/// Why a text is no repository.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RepositoryError {
    /// Nothing but space, as a variable that is empty leaves it.
    #[error("the repository is empty")]
    Empty,
    /// Nothing stands behind the registry, as a variable that is empty leaves it.
    #[error("the name of the repository is missing behind the registry `{0}`")]
    Unnamed(String),
    /// A tag or digest stands behind it.
    #[error("`{0}` names a tag or digest; a repository has none")]
    Tagged(String),
    /// The host in front is not one.
    #[error("`{0}` begins with no registry host")]
    Host(String),
    /// The path breaks the rules of the OCI distribution specification.
    #[error(
        "`{0}` is no repository name: lower-case letters and digits, joined by `.`, `_`, `-` or `/`"
    )]
    Name(String),
}

impl FromStr for Repository {
    type Err = RepositoryError;

    /// Reads `registry/name`; a `https://` in front and a `/` behind are accepted, because
    /// consoles and Terraform outputs show them.
    fn from_str(text: &str) -> Result<Self, RepositoryError> {
        let trimmed = text.trim();
        let address = trimmed.strip_prefix("https://").unwrap_or(trimmed);
        let bare = address.trim_end_matches('/');
        if bare.is_empty() {
            return Err(RepositoryError::Empty);
        }
        if is_registry_alone(address) {
            return Err(RepositoryError::Unnamed(bare.into()));
        }
        let (host, name) = split_host(bare);
        if name.contains([':', '@']) {
            return Err(RepositoryError::Tagged(bare.into()));
        }
        let wrong_host = |byte: u8| !(byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte));
        if host.is_empty() || host.bytes().any(wrong_host) {
            return Err(RepositoryError::Host(bare.into()));
        }
        if !is_name(name) {
            return Err(RepositoryError::Name(bare.into()));
        }
        Ok(Self { registry: Registry(host.into()), name: name.into() })
    }
}

/// The host is the first part if it looks like one, as Docker tells them apart; names without a host
/// belong to Docker Hub.
fn split_host(bare: &str) -> (&str, &str) {
    match bare.split_once('/') {
        Some((host, name)) if host.contains(['.', ':']) || host == "localhost" => (host, name),
        _ => (Registry::DOCKER_HUB, bare),
    }
}

/// A registry whose repository was forgotten: a single word with a `/` behind it, or one of ECR's hosts. Any
/// other word may be an image of this machine, or of Docker Hub.
fn is_registry_alone(address: &str) -> bool {
    match address.split_once('/') {
        Some((_, rest)) => rest.trim_end_matches('/').is_empty(),
        None => address.ends_with(".amazonaws.com") || address.ends_with(".amazonaws.com.cn"),
    }
}

/// The specification's pattern: `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/…)*`, at most 255 characters.
fn is_name(name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_part = |part: &str| {
        let separators =
            part.split(|character: char| is_word(u8::try_from(character).unwrap_or(0)));
        part.bytes().next().is_some_and(is_word)
            && part.bytes().next_back().is_some_and(is_word)
            && separators.into_iter().all(|between| {
                matches!(between, "" | "." | "_" | "__") || between.bytes().all(|byte| byte == b'-')
            })
    };
    name.len() <= 255 && name.split('/').all(is_part)
}

/// An image in a registry, by a tag or a digest, as Docker reads references: a name without a host is of
/// Docker Hub, there `library/` stands before a single word, and without a tag it is `latest`. Of a
/// reference with both, the digest counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageReference {
    /// Where it is.
    pub repository: Repository,
    /// Its tag.
    pub tag: String,
    /// Its digest, if it is named.
    pub digest: Option<Digest>,
}

impl FromStr for ImageReference {
    type Err = RepositoryError;

    fn from_str(text: &str) -> Result<Self, RepositoryError> {
        let (name, digest) = match text.rsplit_once('@') {
            Some((name, digest)) => (name, digest.parse().ok()),
            None => (text, None),
        };
        let (name, tag) = match name.rsplit_once(':') {
            Some((before, tag)) if !tag.contains('/') => (before, tag),
            _ => (name, "latest"),
        };
        let mut repository: Repository = name.parse()?;
        let is_hub = repository.registry.as_str() == Registry::DOCKER_HUB;
        if is_hub && !repository.name.contains('/') {
            repository.name = format!("library/{}", repository.name);
        }
        Ok(Self { repository, tag: tag.into(), digest })
    }
}

/// The digest of a manifest: `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

/// A text is no digest.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no digest: `sha256:` and 64 hexadecimal digits")]
pub struct DigestError(String);

impl Digest {
    /// The digest whose hash is known.
    #[must_use]
    pub fn from_sha256(hash: [u8; 32]) -> Self {
        let mut text = String::from("sha256:");
        for byte in hash {
            let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
            text.extend([digit(byte >> 4), digit(byte & 15)]);
        }
        Self(text)
    }

    /// The digest as text, `sha256:` in front.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 64 digits alone.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.0["sha256:".len()..]
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match text.strip_prefix("sha256:") {
            Some(hex) if hex.len() == 64 && hex.bytes().all(is_digit) => Ok(Self(text.into())),
            _ => Err(DigestError(text.into())),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_read_as_people_write_them() {
        let plain = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/web";
        for text in [plain.to_owned(), format!("https://{plain}"), format!(" {plain}/\n")] {
            assert_eq!(text.parse::<Repository>().unwrap().to_string(), plain);
        }
        assert_eq!(
            "library/nginx".parse::<Repository>().unwrap().to_string(),
            "docker.io/library/nginx"
        );
        assert_eq!("localhost:5000/a__b".parse::<Repository>().unwrap().name, "a__b");
    }

    #[test]
    fn references_are_read_as_docker_reads_them() {
        let read = |text: &str| {
            let image: ImageReference = text.parse().unwrap();
            format!("{} {} {}", image.repository, image.tag, image.digest.is_some())
        };
        assert_eq!(read("alpine"), "docker.io/library/alpine latest false");
        assert_eq!(read("docker.io/library/alpine:latest"), read("alpine"));
        assert_eq!(read("team/web:1"), "docker.io/team/web 1 false");
        assert_eq!(read("localhost:5000/web"), "localhost:5000/web latest false");
        let pinned = format!("r.example/web:1@sha256:{}", "0".repeat(64));
        assert_eq!(read(&pinned), "r.example/web 1 true");
        assert!("Web".parse::<ImageReference>().is_err());
    }

    #[test]
    fn what_is_no_repository_is_told_apart() {
        use RepositoryError::{Empty, Host, Name, Tagged, Unnamed};
        let error = |text: &str| text.parse::<Repository>().unwrap_err();
        assert_eq!(error(" "), Empty);
        assert_eq!(error("https:///"), Empty);
        let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        for text in [host.to_owned(), format!("{host}/"), format!("https://{host}//\n")] {
            assert_eq!(error(&text), Unnamed(host.into()), "{text}");
        }
        assert_eq!(error("localhost:5000/"), Unnamed("localhost:5000".into()));
        assert!(matches!(format!("{host}:1").parse::<ImageReference>(), Err(Unnamed(_))));
        assert_eq!(error("reg.example/web:1"), Tagged("reg.example/web:1".into()));
        assert_eq!(error("reg.exa mple/web"), Host("reg.exa mple/web".into()));
        for name in ["Web", "a//b", "a..b", "a___b", "-a", "wéb"] {
            assert!(matches!(error(&format!("reg.example/{name}")), Name(_)), "{name}");
        }
    }

    #[test]
    fn the_public_registry_of_ecr_has_two_hosts() {
        let registry = |text: &str| text.parse::<Repository>().unwrap().registry;
        assert!(registry("public.ecr.aws/a1b2/web").is_ecr_public());
        assert!(registry("ecr-public.aws.com/a1b2/web").is_ecr_public());
        assert!(!registry("public.ecr.aws.example/a1b2/web").is_ecr_public());
    }

    #[test]
    fn loopback_is_told_by_address() {
        let registry = |text: &str| format!("{text}/x").parse::<Repository>().unwrap().registry;
        assert!(registry("localhost:5000").is_loopback());
        assert!(registry("127.0.0.1:5000").is_loopback());
        assert!(!registry("localhost.example").is_loopback());
        assert!(!registry("10.0.0.1:5000").is_loopback());
    }
}
