//! How an image is built: what shipspec.yml says, filled, and what the engine is told.

use std::collections::HashMap;
use std::net::IpAddr;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use bollard_buildkit_proto::moby::buildkit::v1::{CacheOptions, CacheOptionsEntry};
use indexmap::IndexMap;
use shipspec_spec::config::{BuildOptionsConfig, CacheTo, Network, NoCache, Text};
use shipspec_spec::diagnostic::Diagnostic;
use shipspec_spec::expression::Names as _;

use crate::context::ContextError;
use crate::docker::{BuildError, EngineError};
use crate::plan::Filler;

/// The variable and the build argument for the time that goes into an image.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// The beginning of a context that is an image.
const IMAGE: &str = "docker-image://";

/// How an image is built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildOptions {
    /// The network of its steps.
    pub network: Network,
    /// Addresses of hosts that the steps know by name.
    pub extra_hosts: IndexMap<String, IpAddr>,
    /// What is built anew.
    pub no_cache: NoCache<String>,
    /// Base images are asked for again.
    pub pull: bool,
    /// Images with steps that need not be made again.
    pub cache_from: Vec<String>,
    /// Where the steps of this build are kept.
    pub cache_to: Option<CacheTo<String>>,
    /// Folders and images that the Dockerfile names as if they were stages.
    pub contexts: IndexMap<String, NamedContext>,
    /// Sockets of ssh agents, by id.
    pub ssh: IndexMap<String, PathBuf>,
}

/// What a name in the Dockerfile stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedContext {
    /// A folder, sent as the build context is.
    Folder(PathBuf),
    /// The reference of an image.
    Image(String),
}

/// What an engine can do beyond an ordinary build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Abilities {
    pub(crate) has_buildkit: bool,
    /// Images are kept by containerd, not by the engine itself.
    pub(crate) has_containerd_store: bool,
}

impl BuildOptions {
    /// Not every engine can do it.
    pub(crate) fn asks_much(&self) -> bool {
        !self.only_buildkit().is_empty()
    }

    /// The keys that the classic builder knows nothing of.
    fn only_buildkit(&self) -> Vec<&'static str> {
        let keys = [
            ("no_cache", matches!(self.no_cache, NoCache::Stages(_))),
            // The client of the engine's API takes one.
            ("extra_hosts", self.extra_hosts.len() > 1),
            ("cache_to", self.cache_to.is_some()),
            ("contexts", !self.contexts.is_empty()),
            ("ssh", !self.ssh.is_empty()),
        ];
        keys.into_iter().filter(|(_, is_there)| *is_there).map(|(key, _)| key).collect()
    }

    /// Refuses what an engine cannot do: it would leave it out, and say nothing.
    pub(crate) fn check(&self, abilities: Abilities) -> Result<(), EngineError> {
        let keys = self.only_buildkit();
        if !keys.is_empty() && !abilities.has_buildkit {
            let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
            let message =
                format!("this engine has no BuildKit, which is needed for {}", keys.join(", "));
            return Err(EngineError::Unfit(message));
        }
        let is_registry = matches!(self.cache_to, Some(CacheTo::Registry { .. }));
        if is_registry && !abilities.has_containerd_store {
            let message = "this engine cannot put its cache into a registry (`cache_to`): that takes Docker with the containerd image store; `cache_to: inline` works with this one";
            return Err(EngineError::Unfit(message.into()));
        }
        Ok(())
    }

    /// Looks at what is asked of this machine.
    pub(crate) fn check_files(&self) -> Result<(), BuildError> {
        for folder in self.folders().into_values() {
            if !folder.is_dir() {
                return Err(ContextError::NoFolder(folder).into());
            }
        }
        for (id, path) in &self.ssh {
            if !path.metadata().is_ok_and(|metadata| metadata.file_type().is_socket()) {
                let path = path.display();
                let message = format!("`{path}` is no socket of an ssh agent (`ssh`, `{id}`)");
                return Err(EngineError::Unfit(message).into());
            }
        }
        Ok(())
    }

    /// The folders among the contexts, by the names of their sources.
    pub(crate) fn folders(&self) -> HashMap<String, PathBuf> {
        let folder = |(name, context): (&String, &NamedContext)| match context {
            NamedContext::Folder(folder) => Some((source(name), folder.clone())),
            NamedContext::Image(_) => None,
        };
        self.contexts.iter().filter_map(folder).collect()
    }

    /// What the Dockerfile's frontend is told.
    pub(crate) fn attributes(&self) -> HashMap<String, String> {
        let mut attributes = HashMap::new();
        let mut tell = |name: &str, value: String| drop(attributes.insert(name.to_owned(), value));
        match self.network {
            Network::Default => {}
            Network::None => tell("force-network-mode", "none".into()),
            Network::Host => tell("force-network-mode", "host".into()),
        }
        if !self.extra_hosts.is_empty() {
            let hosts: Vec<_> =
                self.extra_hosts.iter().map(|(name, ip)| format!("{name}={ip}")).collect();
            tell("add-hosts", hosts.join(","));
        }
        match &self.no_cache {
            NoCache::Never => {}
            NoCache::Always => tell("no-cache", String::new()),
            NoCache::Stages(stages) => tell("no-cache", stages.join(",")),
        }
        if self.pull {
            tell("image-resolve-mode", "pull".into());
        }
        if !self.cache_from.is_empty() {
            tell("cache-from", self.cache_from.join(","));
        }
        if self.cache_to == Some(CacheTo::Inline) {
            tell("build-arg:BUILDKIT_INLINE_CACHE", "1".into());
        }
        for (name, context) in &self.contexts {
            let value = match context {
                NamedContext::Folder(_) => format!("local:{}", source(name)),
                NamedContext::Image(reference) => format!("{IMAGE}{reference}"),
            };
            tell(&format!("context:{name}"), value);
        }
        if !self.contexts.is_empty() {
            // A frontend that does not know them says so, and does not build without them.
            tell("frontend.caps", "moby.buildkit.frontend.contexts+forward".into());
        }
        attributes
    }

    /// Where the engine keeps the steps.
    pub(crate) fn cache(&self) -> Option<CacheOptions> {
        let pairs = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
        };
        let export = match self.cache_to.as_ref()? {
            CacheTo::Inline => CacheOptionsEntry { r#type: "inline".into(), attrs: HashMap::new() },
            CacheTo::Registry { reference, all_stages } => CacheOptionsEntry {
                r#type: "registry".into(),
                attrs: pairs(&[
                    ("ref", reference),
                    ("mode", if *all_stages { "max" } else { "min" }),
                    // ECR takes a cache only in the form of an image.
                    ("image-manifest", "true"),
                    ("oci-mediatypes", "true"),
                ]),
            },
        };
        Some(CacheOptions { exports: vec![export], ..CacheOptions::default() })
    }

    /// What the engine has to allow.
    pub(crate) fn entitlements(&self) -> Vec<String> {
        match self.network {
            Network::Host => vec!["network.host".into()],
            Network::Default | Network::None => Vec::new(),
        }
    }
}

/// A context never has the name of a source that every build has.
fn source(name: &str) -> String {
    format!("named-{name}")
}

impl Filler<'_> {
    pub(crate) fn options(&mut self, config: &BuildOptionsConfig, folder: &Path) -> BuildOptions {
        BuildOptions {
            network: config.network,
            extra_hosts: config
                .extra_hosts
                .iter()
                .filter_map(|(name, text)| self.host(name, text))
                .collect(),
            no_cache: match &config.no_cache {
                NoCache::Never => NoCache::Never,
                NoCache::Always => NoCache::Always,
                NoCache::Stages(stages) => NoCache::Stages(self.words(stages)),
            },
            pull: config.pull,
            cache_from: self.words(&config.cache_from),
            cache_to: match &config.cache_to {
                None => None,
                Some(CacheTo::Inline) => Some(CacheTo::Inline),
                Some(CacheTo::Registry { reference, all_stages }) => self
                    .text(reference)
                    .map(|reference| CacheTo::Registry { reference, all_stages: *all_stages }),
            },
            contexts: config
                .contexts
                .iter()
                .filter_map(|(name, text)| Some((name.clone(), self.context(text, folder)?)))
                .collect(),
            ssh: config
                .ssh
                .iter()
                .filter_map(|(id, text)| Some((id.clone(), folder.join(self.text(text)?))))
                .collect(),
        }
    }

    fn host(&mut self, name: &str, text: &Text) -> Option<(String, IpAddr)> {
        if name.is_empty() || name.contains([',', '=', ' ', '"']) {
            let message = format!("`{name}` is no name of a host");
            self.refuse(text, message);
            return None;
        }
        let filled = self.text(text)?;
        match filled.parse() {
            Ok(address) => Some((name.to_owned(), address)),
            Err(_) => {
                self.refuse(text, format!("`{filled}` is no IP address"));
                None
            }
        }
    }

    fn context(&mut self, text: &Text, folder: &Path) -> Option<NamedContext> {
        let filled = self.text(text)?;
        if let Some(reference) = filled.strip_prefix(IMAGE) {
            return Some(NamedContext::Image(reference.to_owned()));
        }
        if filled.contains("://") {
            let message = format!("`{filled}` is no folder, and does not begin with `{IMAGE}`");
            self.refuse(text, message);
            return None;
        }
        Some(NamedContext::Folder(folder.join(filled)))
    }

    /// Texts that go into a list with commas between them.
    fn words(&mut self, texts: &[Text]) -> Vec<String> {
        let mut words = Vec::new();
        for text in texts {
            let Some(word) = self.text(text) else { continue };
            if word.is_empty() || word.contains([',', '"', '\n']) {
                self.refuse(text, format!("`{word}` is neither a stage nor a reference"));
            } else {
                words.push(word);
            }
        }
        words
    }

    /// The time of the environment is that of the image, unless shipspec.yml says another.
    pub(crate) fn date(&mut self, build_args: &mut IndexMap<String, String>) {
        if build_args.contains_key(EPOCH) {
            return;
        }
        let value = self.scope.resolve(EPOCH).ok().and_then(|value| value.text());
        let Some(value) = value.filter(|value| !value.is_empty()) else { return };
        if value.parse::<i64>().is_ok() {
            build_args.insert(EPOCH.into(), value);
        } else {
            let message = format!("`{EPOCH}` must be a number of seconds, not `{value}`");
            self.found.push(Diagnostic::new(message));
        }
    }
}

#[cfg(test)]
mod tests;
