//! What goes into a key, by name.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::ContentKey;
use super::encode::Encoder;
use super::listing::Node;

/// What a key was made from: all of it goes into a record of the image, so no secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyParts {
    pub(super) format: u32,
    pub(super) platform: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<String>,
    pub(super) dockerfile: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) syntax: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) bases: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) build_args: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) secret_args: BTreeMap<String, SecretArg>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) secrets: BTreeMap<String, Option<String>>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) ssh: BTreeSet<String>,
    pub(super) network: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) extra_hosts: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) test: Option<TestParts>,
    pub(super) context: Folder,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) contexts: BTreeMap<String, ContextParts>,
}

/// A build argument that holds secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SecretArg {
    /// The hash of its text with names in place of secrets.
    pub(super) text: String,
    /// The versions of the secrets.
    pub(super) secrets: BTreeMap<String, Option<String>>,
}

/// What has to succeed in the image; where its reports go makes no difference to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TestParts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) command: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) env: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) secrets: BTreeMap<String, Option<String>>,
    /// Seconds.
    pub(super) timeout: u64,
}

/// A folder: the hash of all of it, and what is in it as far as there is room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Folder {
    pub(super) hash: String,
    pub(super) files: Node,
}

/// A context that the Dockerfile names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ContextParts {
    Folder(Folder),
    /// A reference, whose digest is among those of the base images.
    Image(String),
}

impl KeyParts {
    /// The key.
    #[must_use]
    pub fn key(&self) -> ContentKey {
        let mut encoder = Encoder::new("shipspec content key");
        encoder.number(self.format.into());
        encoder.text(&self.platform);
        encoder.optional(self.target.as_deref());
        encoder.text(&self.dockerfile);
        encoder.optional(self.syntax.as_deref());
        let text = |encoder: &mut Encoder, text: &String| encoder.text(text);
        encoder.map(&self.bases, text);
        encoder.map(&self.build_args, text);
        encoder.map(&self.secret_args, |encoder, argument| {
            encoder.text(&argument.text);
            encoder.map(&argument.secrets, version);
        });
        encoder.map(&self.labels, text);
        encoder.map(&self.secrets, version);
        encoder.texts(self.ssh.iter());
        encoder.text(&self.network);
        encoder.map(&self.extra_hosts, text);
        encoder.count(self.test.iter().len());
        if let Some(test) = &self.test {
            test.encode(&mut encoder);
        }
        encoder.text(&self.context.hash);
        encoder.map(&self.contexts, |encoder, context| {
            let (kind, value) = match context {
                ContextParts::Folder(folder) => ("folder", &folder.hash),
                ContextParts::Image(reference) => ("image", reference),
            };
            encoder.text(kind);
            encoder.text(value);
        });
        ContentKey(encoder.hash())
    }

    /// The same as it may be kept where everybody reads it who can pull the image. What a test is told
    /// is in no image, and may hold a password that nobody has called a secret: only a hash of all of it
    /// stays. The key of this is another one.
    #[must_use]
    pub fn for_record(&self) -> Self {
        Self { test: self.test.as_ref().map(TestParts::for_record), ..self.clone() }
    }

    /// The secrets that have no version: another value of one of them does not change the key. By the
    /// ids that the Dockerfile asks for, or the names of arguments and of the test's variables.
    #[must_use]
    pub fn unversioned(&self) -> BTreeSet<&str> {
        let test = self.test.iter().flat_map(|test| &test.secrets);
        let secrets = self.secrets.iter().chain(test);
        let secrets = secrets.filter(|(_, version)| version.is_none()).map(|(id, _)| &**id);
        let is_open = |argument: &SecretArg| argument.secrets.values().any(Option::is_none);
        let arguments = self.secret_args.iter().filter(|(_, argument)| is_open(argument));
        secrets.chain(arguments.map(|(name, _)| &**name)).collect()
    }
}

impl TestParts {
    fn for_record(&self) -> Self {
        let mut encoder = Encoder::new("shipspec test definition");
        encoder.texts(self.command.iter());
        encoder.map(&self.env, |encoder, value| encoder.text(value));
        Self {
            command: vec![encoder.hash().to_hex().to_string()],
            env: self.env.keys().map(|name| (name.clone(), String::new())).collect(),
            ..self.clone()
        }
    }

    fn encode(&self, encoder: &mut Encoder) {
        encoder.optional(self.target.as_deref());
        encoder.texts(self.command.iter());
        encoder.map(&self.env, |encoder, value| encoder.text(value));
        encoder.map(&self.secrets, version);
        encoder.number(self.timeout);
    }
}

#[expect(clippy::ref_option, reason = "the value of a map")]
fn version(encoder: &mut Encoder, version: &Option<String>) {
    encoder.optional(version.as_deref());
}
