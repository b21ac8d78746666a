//! From a plan and what was read and asked for to the parts of a key.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use shipspec_spec::config::Network;
use shipspec_spec::image::Digest;

use super::FORMAT;
use super::bases::Bases;
use super::listing::Listing;
use super::parts::{ContextParts, Folder, KeyParts, SecretArg, TestParts};
use super::snapshot::Snapshot;
use crate::options::NamedContext;
use crate::plan::{ImagePlan, PlannedSecret, TestPlan};

/// Build arguments that BuildKit gives to steps without making them part of what they are known by
/// ([predefined arguments]). One that the Dockerfile declares is an argument as any other.
///
/// [predefined arguments]: https://docs.docker.com/reference/dockerfile/#predefined-args
const PROXIES: [&str; 5] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

/// The argument that `cache_to: inline` sets.
const INLINE_CACHE: &str = "BUILDKIT_INLINE_CACHE";

/// What a key is made from.
#[derive(Debug, Clone, Copy)]
pub struct KeyInputs<'a> {
    /// What is to be built, no digest in it a stand-in.
    pub plan: &'a ImagePlan,
    /// The Dockerfile, as the build reads it.
    pub dockerfile: &'a [u8],
    /// What it is made from.
    pub bases: &'a Bases,
    /// The digests of [`Bases::to_resolve`].
    pub digests: &'a BTreeMap<String, Digest>,
    /// The build context.
    pub context: &'a Snapshot,
    /// The folders of [`Bases::contexts`], by their names.
    pub contexts: &'a BTreeMap<String, Snapshot>,
    /// What names one value of a secret for good, by the name that the secret has in the plan: what was
    /// asked for, its ARN and its version. A secret without does not count.
    pub versions: &'a BTreeMap<String, String>,
    /// Bytes that the files of a folder may take in the record, as JSON. Beyond it folders are named
    /// instead of the files in them.
    pub limit: usize,
}

/// Why an image has no key. It can be built, but not found again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The name of a base image is not known before the build.
    #[error("the base image `{0}` is not known before the build")]
    UnknownBase(String),
    /// Nobody knows which image a reference is.
    #[error("the digest of `{0}` is not known")]
    Unresolved(String),
    /// The folder of a named context was not read.
    #[error("the files of the context `{0}` are not known")]
    NoFolder(String),
    /// An argument is made from a secret in a way that does not show what else is in it.
    #[error("the build argument `{0}` is made from what a secret holds")]
    SecretArgument(String),
}

impl KeyParts {
    /// Brings together what a key is made from.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if something is missing without which two different images could have one key.
    pub fn new(inputs: &KeyInputs<'_>) -> Result<Self, KeyError> {
        let (plan, options) = (inputs.plan, &inputs.plan.options);
        let versions = |secrets: &BTreeSet<String>| -> BTreeMap<_, _> {
            secrets.iter().map(|name| (name.clone(), inputs.versions.get(name).cloned())).collect()
        };
        let mut secret_args = BTreeMap::new();
        for (name, argument) in &plan.secret_args {
            let text = argument.without_secrets.as_deref();
            let text = text.ok_or_else(|| KeyError::SecretArgument(name.clone()))?;
            let text = hex(text.as_bytes());
            let secrets = versions(&argument.secrets);
            secret_args.insert(name.clone(), SecretArg { text, secrets });
        }
        Ok(Self {
            format: FORMAT,
            platform: plan.platform.to_string(),
            target: plan.target.clone(),
            dockerfile: hex(inputs.dockerfile),
            syntax: inputs.bases.syntax.clone(),
            bases: inputs.bases()?,
            build_args: inputs.build_args(),
            secret_args,
            labels: sorted(&plan.labels),
            secrets: inputs.secrets(&plan.secrets),
            ssh: options.ssh.keys().cloned().collect(),
            network: network(options.network).into(),
            extra_hosts: sorted(&options.extra_hosts),
            test: plan.test.as_ref().map(|test| inputs.test(test)),
            context: inputs.folder(inputs.context),
            contexts: inputs.contexts()?,
        })
    }
}

impl KeyInputs<'_> {
    fn bases(&self) -> Result<BTreeMap<String, String>, KeyError> {
        if let Some(base) = self.bases.unknown.first() {
            return Err(KeyError::UnknownBase(base.clone()));
        }
        let pinned = self.bases.pinned.iter();
        let mut bases: BTreeMap<_, _> =
            pinned.map(|(base, digest)| (base.clone(), digest.to_string())).collect();
        for base in &self.bases.to_resolve {
            let digest = self.digests.get(base);
            let digest = digest.ok_or_else(|| KeyError::Unresolved(base.clone()))?;
            bases.insert(base.clone(), digest.to_string());
        }
        Ok(bases)
    }

    fn build_args(&self) -> BTreeMap<String, String> {
        let dockerfile = String::from_utf8_lossy(self.dockerfile);
        let is_proxy = |name: &str| PROXIES.iter().any(|proxy| proxy.eq_ignore_ascii_case(name));
        let counts = |name: &str| {
            let is_told = !self.plan.secret_args.contains_key(name);
            let is_silent = is_proxy(name) && !declares(&dockerfile, name);
            is_told && !is_silent && name != INLINE_CACHE
        };
        let arguments = self.plan.build_args.iter().filter(|(name, _)| counts(name));
        arguments.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn secrets(
        &self,
        secrets: &IndexMap<String, PlannedSecret>,
    ) -> BTreeMap<String, Option<String>> {
        let version = |secret: &PlannedSecret| self.versions.get(&secret.name).cloned();
        secrets.iter().map(|(id, secret)| (id.clone(), version(secret))).collect()
    }

    fn test(&self, test: &TestPlan) -> TestParts {
        TestParts {
            target: test.target.clone(),
            command: test.command.clone(),
            env: sorted(&test.env),
            secrets: self.secrets(&test.secrets),
            timeout: test.timeout.as_secs(),
        }
    }

    fn folder(&self, snapshot: &Snapshot) -> Folder {
        let files = Listing::of(snapshot.entries(), self.limit);
        Folder { hash: snapshot.hash().to_hex().to_string(), files }
    }

    fn contexts(&self) -> Result<BTreeMap<String, ContextParts>, KeyError> {
        let mut contexts = BTreeMap::new();
        for (name, context) in &self.bases.contexts {
            let parts = match context {
                NamedContext::Image(reference) => ContextParts::Image(reference.clone()),
                NamedContext::Folder(_) => {
                    let folder = self.contexts.get(name);
                    let folder = folder.ok_or_else(|| KeyError::NoFolder(name.clone()))?;
                    ContextParts::Folder(self.folder(folder))
                }
            };
            contexts.insert(name.clone(), parts);
        }
        Ok(contexts)
    }
}

fn network(network: Network) -> &'static str {
    match network {
        Network::Default => "default",
        Network::None => "none",
        Network::Host => "host",
    }
}

/// Some line declares the argument, whichever stage it is in.
fn declares(dockerfile: &str, name: &str) -> bool {
    let declares = |line: &str| {
        let (word, rest) = line.trim_start().split_once(char::is_whitespace)?;
        let mut names = rest.split_whitespace().map(|word| word.split('=').next().unwrap_or(word));
        (word.eq_ignore_ascii_case("arg") && names.any(|other| other == name)).then_some(())
    };
    let whole = dockerfile.replace("\\\r\n", " ").replace("\\\n", " ");
    whole.lines().any(|line| declares(line).is_some())
}

fn hex(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

fn sorted<V: ToString>(pairs: &IndexMap<String, V>) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| (name.clone(), value.to_string())).collect()
}
