//! How an image is built, beyond what goes into it: network, cache, contexts, agents.

use std::sync::Arc;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::raw::RawImage;
use super::text::{RawText, Text, keep, named_texts, texts};
use super::tree::RawTree;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Source;

/// The network of the steps of a build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// The engine's usual one.
    #[default]
    Default,
    /// None at all.
    None,
    /// That of the engine's machine.
    Host,
}

/// What is built anew, whatever the engine has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum NoCache<T> {
    /// Nothing.
    #[default]
    Never,
    /// Every step.
    Always,
    /// The steps of these stages.
    Stages(Vec<T>),
}

/// Where the engine puts what a later build may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheTo<T> {
    /// Into the image itself.
    Inline,
    /// To a registry, beside the image.
    Registry {
        /// The reference that it gets there.
        reference: T,
        /// The steps of all stages, not only of the last one.
        all_stages: bool,
    },
}

/// How an image is built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildOptionsConfig {
    /// The network of its steps.
    pub network: Network,
    /// Addresses of hosts that the steps know by name.
    pub extra_hosts: IndexMap<String, Text>,
    /// What is built anew.
    pub no_cache: NoCache<Text>,
    /// Base images are asked for again, even if the engine has them.
    pub pull: bool,
    /// Images with steps that need not be made again.
    pub cache_from: Vec<Text>,
    /// Where the steps of this build are kept.
    pub cache_to: Option<CacheTo<Text>>,
    /// Folders and images that the Dockerfile names as if they were stages.
    pub contexts: IndexMap<String, Text>,
    /// Sockets of ssh agents, by the ids that the Dockerfile asks for.
    pub ssh: IndexMap<String, Text>,
}

/// `no_cache`: true, or stages.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, rename = "NoCache")]
pub(super) enum RawNoCache {
    All(bool),
    Stages(Vec<RawText>),
}

/// `cache_to`: `inline`, or a registry.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, rename = "CacheTo")]
pub(super) enum RawCacheTo {
    Inline(RawInline),
    Registry(Box<RawRegistryCache>),
}

/// In the image itself: a later build names it under `cache_from`.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum RawInline {
    /// The one word there is.
    Inline,
}

/// A cache in a registry, beside the image.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "RegistryCache")]
pub(super) struct RawRegistryCache {
    /// The reference that the cache gets, such as `registry/repository:cache`.
    pub(super) registry: RawText,
    /// What is kept: `min`, the steps of the last stage, or `max`, those of all. Without it, `min`.
    #[schemars(default)]
    pub(super) mode: Option<RawCacheMode>,
}

/// What a cache keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "CacheMode")]
pub(super) enum RawCacheMode {
    /// The steps of the last stage.
    Min,
    /// The steps of all stages.
    Max,
}

impl TryFrom<RawTree> for RawNoCache {
    type Error = &'static str;

    fn try_from(tree: RawTree) -> Result<Self, Self::Error> {
        match tree {
            RawTree::Literal(serde_json::Value::Bool(all), _) => Ok(Self::All(all)),
            RawTree::List(items) => {
                let stages = items.into_iter().map(RawText::try_from);
                Ok(Self::Stages(stages.collect::<Result<_, _>>()?))
            }
            _ => Err("`no_cache` must be true, false or a list of stages"),
        }
    }
}

impl TryFrom<RawTree> for RawCacheTo {
    type Error = &'static str;

    fn try_from(tree: RawTree) -> Result<Self, Self::Error> {
        match tree {
            RawTree::Text(text) if text.as_str() == "inline" => Ok(Self::Inline(RawInline::Inline)),
            RawTree::Map(mut entries) => {
                let registry = entries.shift_remove("registry").ok_or("`registry` is missing")?;
                let mode = entries.shift_remove("mode").map(RawText::try_from).transpose()?;
                let mode = match mode.as_ref().map(RawText::as_str) {
                    None => None,
                    Some("min") => Some(RawCacheMode::Min),
                    Some("max") => Some(RawCacheMode::Max),
                    Some(_) => return Err("`mode` must be min or max"),
                };
                let registry = registry.try_into()?;
                Ok(Self::Registry(Box::new(RawRegistryCache { registry, mode })))
            }
            _ => Err("`cache_to` must be inline or a map with `registry`"),
        }
    }
}

impl BuildOptionsConfig {
    pub(super) fn from_raw(raw: &RawImage, source: &Arc<Source>, found: &mut Diagnostics) -> Self {
        Self {
            network: raw.network,
            extra_hosts: named_texts(&raw.extra_hosts, source, found),
            no_cache: match &raw.no_cache {
                Some(RawNoCache::All(true)) => NoCache::Always,
                Some(RawNoCache::Stages(stages)) if !stages.is_empty() => {
                    NoCache::Stages(texts(stages, source, found))
                }
                Some(_) | None => NoCache::Never,
            },
            pull: raw.pull,
            cache_from: texts(&raw.cache_from, source, found),
            cache_to: raw.cache_to.as_ref().and_then(|to| cache_to(to, source, found)),
            contexts: named_texts(&raw.contexts, source, found),
            ssh: agents(&raw.ssh, source, found),
        }
    }

    /// Every text of it.
    pub(super) fn texts(&self) -> impl Iterator<Item = &Text> {
        let stages = match &self.no_cache {
            NoCache::Stages(stages) => stages.as_slice(),
            NoCache::Never | NoCache::Always => &[],
        };
        let registry = match &self.cache_to {
            Some(CacheTo::Registry { reference, .. }) => Some(reference),
            Some(CacheTo::Inline) | None => None,
        };
        self.extra_hosts
            .values()
            .chain(stages)
            .chain(&self.cache_from)
            .chain(registry)
            .chain(self.contexts.values())
            .chain(self.ssh.values())
    }
}

fn cache_to(
    raw: &RawCacheTo,
    source: &Arc<Source>,
    found: &mut Diagnostics,
) -> Option<CacheTo<Text>> {
    match raw {
        RawCacheTo::Inline(_) => Some(CacheTo::Inline),
        RawCacheTo::Registry(raw) => {
            let reference = keep(Text::from_raw(&raw.registry, source), found)?;
            let all_stages = raw.mode == Some(RawCacheMode::Max);
            Some(CacheTo::Registry { reference, all_stages })
        }
    }
}

/// `id=socket`, or an id alone for the agent of the environment.
fn agents(
    raw: &[RawText],
    source: &Arc<Source>,
    found: &mut Diagnostics,
) -> IndexMap<String, Text> {
    let mut agents = IndexMap::new();
    for entry in raw {
        let (id, socket) =
            entry.as_str().split_once('=').unwrap_or((entry.as_str(), "${SSH_AUTH_SOCK}"));
        let span = entry.span(source);
        if id.is_empty() || socket.is_empty() || id.contains('$') {
            let message = format!("`{}` is no ssh agent", entry.as_str());
            let hint = "write `default`, or an id and the path of an agent's socket: `id=/path`";
            found.push(Diagnostic::at(span, message).with_hint(hint));
        } else if agents.contains_key(id) {
            found.push(Diagnostic::at(span, format!("the ssh agent `{id}` stands there twice")));
        } else if let Some(socket) = keep(Text::at_key(socket, span), found) {
            agents.insert(id.to_owned(), socket);
        }
    }
    agents
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn options(text: &str) -> Result<BuildOptionsConfig, String> {
        let text = format!("version: 1\nimages:\n  app:\n    repository: r.example/a\n{text}");
        let config = Config::parse(&Source::new("shipspec.yml", text));
        config.map(|config| config.images["app"].options.clone()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_option_has_its_forms() {
        let empty = options("").unwrap();
        assert_eq!(empty, BuildOptionsConfig::default());
        let all = options("    network: host\n    no_cache: [build]\n    pull: true\n    cache_to: { registry: \"r.example/a:${TAG}\", mode: max }\n    ssh: [default, \"git=/run/git.sock\"]\n").unwrap();
        assert_eq!(all.network, Network::Host);
        assert!(all.pull && matches!(&all.no_cache, NoCache::Stages(stages) if stages.len() == 1));
        assert!(matches!(all.cache_to, Some(CacheTo::Registry { all_stages: true, .. })));
        assert_eq!(all.ssh["default"].as_written(), "${SSH_AUTH_SOCK}");
        assert_eq!(all.ssh["git"].as_written(), "/run/git.sock");
        let names: Vec<_> = all.texts().flat_map(Text::references).collect();
        assert_eq!(names, ["TAG", "SSH_AUTH_SOCK"]);
        let other = options("    no_cache: true\n    cache_to: inline\n").unwrap();
        assert_eq!((other.no_cache, other.cache_to), (NoCache::Always, Some(CacheTo::Inline)));
    }

    #[test]
    fn other_forms_are_told_with_their_place() {
        let error = |text: &str| options(text).unwrap_err();
        assert_eq!(
            error("    network: bridge\n"),
            "shipspec.yml:5:14: `network` must be default or none or host"
        );
        assert_eq!(
            error("    cache_to: outline\n"),
            "shipspec.yml:5:15: `cache_to` must be inline"
        );
        assert_eq!(
            error("    cache_to: { mode: max }\n"),
            "shipspec.yml:5:15: `cache_to` needs the key `registry`"
        );
        assert_eq!(
            error("    no_cache: yes\n"),
            "shipspec.yml:5:15: `no_cache` must be true or false or a list"
        );
        assert_eq!(error("    ssh: [\"=x\"]\n"), "shipspec.yml:5:11: `=x` is no ssh agent");
        assert_eq!(
            error("    ssh: [a, a=/b]\n"),
            "shipspec.yml:5:14: the ssh agent `a` stands there twice"
        );
    }
}
