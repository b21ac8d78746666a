//! Smaller kinds of artifacts in shipspec.yml: variables for Terraform, for a container and for a
//! stack.

use indexmap::IndexMap;
use schemars::JsonSchema;

use super::ArtifactReader;
use super::number::RawScalar;
use crate::config::raw::OneOrMany;
use crate::config::shapes::{Entries, Misshapen};
use crate::config::text::{RawText, Text};
use crate::config::tree::{RawTree, Tree};
use crate::diagnostic::Diagnostic;

/// How the values of a `.env` file are quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Quotes")]
pub(in crate::config) enum RawQuotes {
    /// Not at all, as Docker and ECS read them: everything behind the first `=` is the value.
    None,
    /// As a shell reads them, where it needs quotes.
    Shell,
}

/// A template configuration file for a stack of `CloudFormation`.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "CloudFormation")]
pub(in crate::config) struct RawCloudFormation {
    /// Parameters of the stack. A list becomes one text with commas.
    #[schemars(default)]
    parameters: IndexMap<String, OneOrMany>,
    /// Tags of the stack.
    #[schemars(default)]
    tags: IndexMap<String, RawScalar>,
    /// The policy of the stack.
    #[schemars(default)]
    stack_policy: Option<IndexMap<String, RawTree>>,
}

/// Variables of a container, `NAME=value` on each line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DotenvConfig {
    /// The variables.
    pub variables: IndexMap<String, Text>,
    /// How their values are quoted; nothing for values that need no quotes anywhere.
    pub quotes: Option<Quotes>,
}

/// How the values of a `.env` file are quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quotes {
    /// Not at all.
    None,
    /// As a shell reads them.
    Shell,
}

/// A template configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudFormationConfig {
    /// Parameters of the stack; several texts become one with commas.
    pub parameters: IndexMap<String, Vec<Text>>,
    /// Its tags.
    pub tags: IndexMap<String, Text>,
    /// Its policy.
    pub stack_policy: Option<Tree>,
}

impl CloudFormationConfig {
    /// Every text of it, to find the names that it asks for.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        let policy = self.stack_policy.iter().flat_map(Tree::texts);
        self.parameters.values().flatten().chain(self.tags.values()).chain(policy)
    }
}

impl ArtifactReader<'_> {
    pub(super) fn tfvars(&mut self, raw: &IndexMap<String, RawTree>) -> IndexMap<String, Tree> {
        let mut read = IndexMap::new();
        for (name, tree) in raw {
            let is_other = |sign: char| !(sign.is_alphanumeric() || matches!(sign, '_' | '-'));
            if !name.starts_with(|first: char| first.is_alphabetic() || first == '_')
                || name.contains(is_other)
            {
                let message = format!("`{name}` is no name of a Terraform variable");
                let hint = "it has letters, digits, `_` and `-`, and begins with a letter or `_`";
                let place = self.place(&["tfvars", name]);
                self.found.push(Diagnostic::at(place, message).with_hint(hint));
            }
            if let Some(tree) = Tree::from_raw(tree, self.source, self.found) {
                read.insert(name.clone(), tree);
            }
        }
        read
    }

    pub(super) fn dotenv(
        &mut self,
        raw: &IndexMap<String, RawScalar>,
        quotes: Option<RawQuotes>,
    ) -> DotenvConfig {
        let mut variables = IndexMap::new();
        for (name, text) in raw {
            if !is_variable(name) {
                let message = format!("`{name}` is no name of a variable");
                let hint = "it has letters, digits and `_`, and begins with no digit";
                let place = self.place(&["dotenv", name]);
                self.found.push(Diagnostic::at(place, message).with_hint(hint));
            }
            if let Some(text) = self.text(&text.0) {
                variables.insert(name.clone(), text);
            }
        }
        let quotes = quotes.map(|quotes| match quotes {
            RawQuotes::None => Quotes::None,
            RawQuotes::Shell => Quotes::Shell,
        });
        DotenvConfig { variables, quotes }
    }

    pub(super) fn cloudformation(&mut self, raw: &RawCloudFormation) -> CloudFormationConfig {
        if raw.parameters.is_empty() && raw.tags.is_empty() && raw.stack_policy.is_none() {
            let message = "`cloudformation` needs `parameters`, `tags` or a `stack_policy`";
            self.found.push(Diagnostic::at(self.place(&["cloudformation"]), message));
        }
        let mut parameters = IndexMap::new();
        for (name, texts) in &raw.parameters {
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                let message = format!("`{name}` is no name of a parameter of a stack");
                let place = self.place(&["cloudformation", "parameters", name]);
                let diagnostic = Diagnostic::at(place, message);
                self.found.push(diagnostic.with_hint("it has letters and digits only"));
            }
            let texts = texts.texts().iter().filter_map(|text| self.text(text)).collect();
            parameters.insert(name.clone(), texts);
        }
        let tags = raw.tags.iter();
        let tags = tags.filter_map(|(name, text)| Some((name.clone(), self.text(&text.0)?)));
        let tags = tags.collect();
        let policy = raw.stack_policy.clone().map(RawTree::Map);
        let stack_policy =
            policy.and_then(|policy| Tree::from_raw(&policy, self.source, self.found));
        CloudFormationConfig { parameters, tags, stack_policy }
    }
}

/// A name that every shell takes.
fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl TryFrom<RawTree> for RawQuotes {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        match RawText::try_from(tree)?.as_str() {
            "none" => Ok(Self::None),
            "shell" => Ok(Self::Shell),
            _ => Err("`quotes` must be none or shell"),
        }
    }
}

impl TryFrom<RawTree> for RawCloudFormation {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        let mut entries = Entries::of(tree)?;
        Ok(Self {
            parameters: entries.map("parameters")?.unwrap_or_default(),
            tags: entries.map("tags")?.unwrap_or_default(),
            stack_policy: entries.trees("stack_policy")?,
        })
    }
}
