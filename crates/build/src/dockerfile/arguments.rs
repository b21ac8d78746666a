//! `ARG`s and the values that they have.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use shipspec_spec::platform::Platform;

use super::{Dockerfile, words};

/// The values that are known at one place.
#[derive(Debug, Clone)]
pub(super) struct Arguments {
    escape: char,
    /// What the build gives.
    given: BTreeMap<String, String>,
    /// What is declared before the first stage, for `ARG NAME` in a stage.
    global: BTreeMap<String, String>,
    known: BTreeMap<String, String>,
}

impl Arguments {
    /// Before the first stage, where BuildKit knows the platforms too.
    pub(super) fn global(
        dockerfile: &Dockerfile,
        build_args: &IndexMap<String, String>,
        platform: &Platform,
    ) -> Self {
        let given = build_args.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let mut known = BTreeMap::new();
        for (prefix, platform) in [("BUILD", &Platform::host()), ("TARGET", platform)] {
            let variant = platform.variant.clone().unwrap_or_default();
            let values = [
                ("PLATFORM", platform.to_string()),
                ("OS", platform.os.clone()),
                ("ARCH", platform.architecture.clone()),
                ("VARIANT", variant),
            ];
            known.extend(values.map(|(name, value)| (format!("{prefix}{name}"), value)));
        }
        let escape = dockerfile.escape;
        let mut arguments = Self { escape, given, global: known.clone(), known };
        for text in &dockerfile.arguments {
            arguments.declare(text);
        }
        arguments.global = arguments.known.clone();
        arguments
    }

    /// At the beginning of a stage: nothing is known there that it does not declare.
    pub(super) fn of_stage(&self) -> Self {
        Self { known: BTreeMap::new(), ..self.clone() }
    }

    /// Takes the words of an `ARG`, each `NAME` or `NAME=default`.
    pub(super) fn declare(&mut self, text: &str) {
        for word in split(text, self.escape) {
            let (name, default) = match word.split_once('=') {
                Some((name, default)) => (name, self.expand(default)),
                None => (&*word, self.global.get(&*word).cloned()),
            };
            let value = self.given.get(name).cloned().or(default);
            if let Some(value) = value {
                self.known.insert(name.to_owned(), value);
            }
        }
    }

    /// Puts values into a word.
    pub(super) fn expand(&self, word: &str) -> Option<String> {
        words::expand(word, self.escape, &|name| self.known.get(name).cloned())
    }
}

/// The words of a line; a space in quotes is none.
fn split(text: &str, escape: char) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut is_escaped = false;
    for character in text.chars() {
        let is_literal = std::mem::replace(&mut is_escaped, false);
        match character {
            _ if is_literal => {}
            _ if character == escape && quote != Some('\'') => is_escaped = true,
            '\'' | '"' if quote == Some(character) => quote = None,
            '\'' | '"' if quote.is_none() => quote = Some(character),
            _ if character.is_whitespace() && quote.is_none() => {
                words.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(word) = words.last_mut() {
            word.push(character);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
