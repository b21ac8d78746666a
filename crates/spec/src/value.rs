//! Values, and where they came from.

use std::collections::BTreeSet;

use serde_json::Value as Json;

/// A value of a name: text, number, list or dictionary, with the secrets that it was made from.
#[derive(Clone, PartialEq, Eq)]
pub struct Value {
    content: Json,
    secrets: BTreeSet<String>,
    tool_made: bool,
}

impl Value {
    /// A value that may be shown.
    #[must_use]
    pub fn plain(content: impl Into<Json>) -> Self {
        Self { content: content.into(), secrets: BTreeSet::new(), tool_made: false }
    }

    /// A value that shipspec made itself, such as a commit: always text, whatever it looks like.
    #[must_use]
    pub fn tool_made(content: impl Into<Json>) -> Self {
        Self { tool_made: true, ..Self::plain(content) }
    }

    /// A value that must not be shown; `name` is the parameter that it is known by.
    #[must_use]
    pub fn secret(name: impl Into<String>, content: impl Into<Json>) -> Self {
        Self { secrets: BTreeSet::from([name.into()]), ..Self::plain(content) }
    }

    /// This content, made from `parts`: secret if one of them is, tool-made if all of them are.
    #[must_use]
    pub fn made_from<'a>(content: Json, parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut made = Self { content, secrets: BTreeSet::new(), tool_made: false };
        for (index, part) in parts.into_iter().enumerate() {
            made.secrets.extend(part.secrets.iter().cloned());
            made.tool_made = part.tool_made && (index == 0 || made.tool_made);
        }
        made
    }

    /// The same value as one that shipspec made itself.
    #[must_use]
    pub fn into_tool_made(self) -> Self {
        Self { tool_made: true, ..self }
    }

    /// What it holds.
    #[must_use]
    pub fn content(&self) -> &Json {
        &self.content
    }

    /// The secret parameters that it was made from; not empty means that it must not be shown.
    #[must_use]
    pub fn secrets(&self) -> &BTreeSet<String> {
        &self.secrets
    }

    /// shipspec made it itself.
    #[must_use]
    pub fn is_tool_made(&self) -> bool {
        self.tool_made
    }

    /// The text that a template gets: a string bare, a number or truth value as JSON writes it.
    /// Nothing for null, lists and dictionaries, which have no text of their own.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match &self.content {
            Json::String(text) => Some(text.clone()),
            Json::Number(_) | Json::Bool(_) => Some(self.content.to_string()),
            Json::Null | Json::Array(_) | Json::Object(_) => None,
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.secrets.is_empty() {
            write!(formatter, "{}", self.content)
        } else {
            formatter.write_str("****")
        }
    }
}
