//! Tests of images in shipspec.yml.

use std::sync::Arc;

use indexmap::IndexMap;

use super::raw::{OneOrMany, RawTest};
use super::text::{RawText, Text, keep, named_names, named_texts, texts};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Source;

/// What has to succeed in an image before it is pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestConfig {
    /// The stage to run it in.
    pub target: Option<Text>,
    /// The words of the command; none for the image's own.
    pub command: Vec<Text>,
    /// Variables for it.
    pub env: IndexMap<String, Text>,
    /// Variables that are secret.
    pub secrets: IndexMap<String, Text>,
    /// How long it may take.
    pub timeout: Option<Text>,
    /// Folders for what is taken out of the container, by the paths in it.
    pub reports: IndexMap<String, Text>,
}

impl TestConfig {
    pub(super) fn from_raw(raw: &RawTest, source: &Arc<Source>, found: &mut Diagnostics) -> Self {
        let command = match &raw.command {
            None => Vec::new(),
            Some(OneOrMany::Many(words)) => {
                words.iter().take(1).for_each(|word| refuse_blank(word, source, found));
                texts(words, source, found)
            }
            Some(OneOrMany::One(line)) => {
                refuse_blank(line, source, found);
                let shell = ["/bin/sh", "-c"].map(|word| Text::literal("test", word));
                let line = keep(Text::from_raw(line, source), found);
                shell.into_iter().chain(line).collect()
            }
        };
        let mut optional = |text: &Option<_>| {
            text.as_ref().and_then(|text| keep(Text::from_raw(text, source), found))
        };
        let (target, timeout) = (optional(&raw.target), optional(&raw.timeout));
        Self {
            target,
            command,
            env: named_texts(&raw.env, source, found),
            secrets: named_names(&raw.secrets, source, found),
            timeout,
            reports: named_texts(&raw.reports, source, found),
        }
    }

    /// Every text of it, to find the names that it asks for.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        let maps = [&self.env, &self.secrets, &self.reports];
        [&self.target, &self.timeout]
            .into_iter()
            .flatten()
            .chain(&self.command)
            .chain(maps.into_iter().flat_map(IndexMap::values))
    }
}

/// A shell does nothing where it is told nothing, and says that it went well.
fn refuse_blank(command: &RawText, source: &Arc<Source>, found: &mut Diagnostics) {
    if command.as_str().trim().is_empty() {
        let message = "the command of a test is empty, and would prove nothing";
        let hint = "leave `command` out to run the image's own";
        found.push(Diagnostic::at(command.span(source), message).with_hint(hint));
    }
}
