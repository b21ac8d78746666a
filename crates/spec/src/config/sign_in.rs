//! Users of registries, in shipspec.yml.

use std::sync::Arc;

use indexmap::IndexMap;

use super::raw::RawSignIn;
use super::text::{Text, keep, named_names};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::Node;
use crate::image::{Registry, Repository};
use crate::source::{Source, Span};

/// A user of a registry, and where the password comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInConfig {
    /// The user.
    pub username: Text,
    /// The name that has the password.
    pub password: Text,
}

impl SignInConfig {
    /// Every text of it, to find the names that it asks for.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        [&self.username, &self.password].into_iter()
    }
}

/// The users of all registries; `root` tells where their hosts are written.
pub(super) fn sign_ins(
    raw: &IndexMap<String, RawSignIn>,
    root: &Node,
    source: &Arc<Source>,
    found: &mut Diagnostics,
) -> IndexMap<Registry, SignInConfig> {
    let mut all = IndexMap::new();
    for (host, raw) in raw {
        let key = root.at(&["registries", host]).map_or(0..0, |(key, _)| key.range.clone());
        let key = Span::new(source, key);
        let registry =
            registry(host).map_err(|reason| found.push(Diagnostic::at(key.clone(), reason))).ok();
        let password = IndexMap::from([("password".to_owned(), raw.password.clone())]);
        let password = named_names(&password, source, found).swap_remove("password");
        let username = keep(Text::from_raw(&raw.username, source), found);
        if let (Some(registry), Some(username), Some(password)) = (registry, username, password)
            && all.insert(registry.clone(), SignInConfig { username, password }).is_some()
        {
            let message = format!("the registry `{registry}` has two users");
            found.push(Diagnostic::at(key, message));
        }
    }
    all
}

/// The registry at a host. Docker Hub has several names.
fn registry(host: &str) -> Result<Registry, String> {
    let name = match host {
        "index.docker.io" | "registry-1.docker.io" => Registry::DOCKER_HUB,
        host => host,
    };
    let repository: Result<Repository, _> = format!("{name}/any").parse();
    let registry = repository.ok().map(|repository| repository.registry);
    // A word without a dot would be read as a name on Docker Hub.
    let registry = registry
        .filter(|registry| registry.as_str() == name)
        .ok_or_else(|| format!("`{host}` is no host of a registry"))?;
    if registry.ecr().is_some() || registry.is_ecr_public() {
        return Err(format!("`{host}` is ECR's, which gives its tokens to a role"));
    }
    Ok(registry)
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        let text = format!("version: 1\nregistries:\n{text}");
        Config::parse(&Source::new("shipspec.yml", text)).map_err(|errors| errors.to_string())
    }

    #[test]
    fn a_registry_has_a_user_and_the_name_of_a_password() {
        let config = parse("  index.docker.io: { username: acme, password: hub.token }\n").unwrap();
        let (registry, user) = config.registries.first().unwrap();
        assert_eq!(registry.as_str(), "docker.io");
        assert_eq!(user.username.as_written(), "acme");
        assert_eq!(user.password.as_written(), "${hub.token}");
        assert!(config.references().contains("hub.token"));
    }

    #[test]
    fn what_is_wrong_with_a_user_is_told_with_its_line() {
        insta::assert_snapshot!(parse("  hub: { username: a, password: B }\n  public.ecr.aws: { username: a, password: B }\n  quay.io: { username: a, password: \"p4ss word\" }\n  docker.io: { username: a, password: B }\n  index.docker.io: { username: a, password: B }\n").unwrap_err(), @"
        shipspec.yml:3:3: `hub` is no host of a registry
        shipspec.yml:4:3: `public.ecr.aws` is ECR's, which gives its tokens to a role
        shipspec.yml:5:37: `p4ss word` is no name
        shipspec.yml:7:3: the registry `docker.io` has two users
        ");
    }
}
