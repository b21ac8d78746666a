//! Values, and where they came from.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value as Json;
use zeroize::Zeroize as _;

/// Stands in a text for what is not known yet. It is of Unicode's private use, so no text has it.
pub const UNKNOWN: char = '\u{e000}';

/// A value of a name: text, number, list or dictionary, with the secrets that it was made from.
///
/// Copies share what they hold; where it is secret, its memory is wiped with the last of them.
#[derive(Clone)]
pub struct Value {
    content: Arc<Content>,
    secrets: BTreeSet<String>,
    tool_made: bool,
    /// It is a number or truth value of shipspec.yml, kept as the text that it is written as.
    is_literal: bool,
}

struct Content {
    json: Json,
    is_secret: bool,
}

impl Drop for Content {
    fn drop(&mut self) {
        if self.is_secret {
            wipe(&mut self.json);
        }
    }
}

fn wipe(json: &mut Json) {
    match json {
        Json::String(text) => text.zeroize(),
        Json::Array(items) => items.iter_mut().for_each(wipe),
        Json::Object(map) => map.values_mut().for_each(wipe),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

impl Value {
    fn new(json: Json, secrets: BTreeSet<String>, tool_made: bool) -> Self {
        let is_secret = !secrets.is_empty();
        Self {
            content: Arc::new(Content { json, is_secret }),
            secrets,
            tool_made,
            is_literal: false,
        }
    }

    /// A value that may be shown.
    #[must_use]
    pub fn plain(content: impl Into<Json>) -> Self {
        Self::new(content.into(), BTreeSet::new(), false)
    }

    /// A value that shipspec made itself, such as a commit: always text, whatever it looks like.
    #[must_use]
    pub fn tool_made(content: impl Into<Json>) -> Self {
        Self::new(content.into(), BTreeSet::new(), true)
    }

    /// A value that must not be shown; `name` is the parameter that it is known by.
    #[must_use]
    pub fn secret(name: impl Into<String>, content: impl Into<Json>) -> Self {
        Self::new(content.into(), BTreeSet::from([name.into()]), false)
    }

    /// A dictionary of which only some parts must not be shown: `secrets` are their whole names,
    /// such as `app.db.password`.
    #[must_use]
    pub fn dictionary(content: impl Into<Json>, secrets: BTreeSet<String>) -> Self {
        Self::new(content.into(), secrets, false)
    }

    /// This content, made from `parts`: secret if one of them is, tool-made if all of them are.
    #[must_use]
    pub fn made_from<'a>(content: Json, parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let (mut secrets, mut tool_made) = (BTreeSet::new(), false);
        for (index, part) in parts.into_iter().enumerate() {
            secrets.extend(part.secrets.iter().cloned());
            tool_made = part.tool_made && (index == 0 || tool_made);
        }
        Self::new(content, secrets, tool_made)
    }

    /// The same value as one that shipspec made itself.
    #[must_use]
    pub fn into_tool_made(self) -> Self {
        Self { tool_made: true, ..self }
    }

    /// The same text as one that is written in shipspec.yml as a plain number or truth value. It stays
    /// text, `1.10`; a language with types of its own may ask.
    #[must_use]
    pub fn into_literal(self) -> Self {
        Self { is_literal: true, ..self }
    }

    /// The same value, known as `name`, of which only the parts at these paths were looked at: secrets
    /// of its other parts did not go anywhere. Secrets that have another name than this, because the
    /// value was made from another one, count in any case.
    #[must_use]
    pub fn seen_at(&self, name: &str, paths: &BTreeSet<String>) -> Self {
        let is_in = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let is_seen = |secret: &&String| {
            secret.split('.').next() != Some(name)
                || paths.iter().any(|path| is_in(path, secret) || is_in(secret, path))
        };
        let secrets = self.secrets.iter().filter(is_seen).cloned().collect();
        Self { secrets, ..self.clone() }
    }

    /// The dictionary or list that the text of the value is JSON of; nothing if it is none.
    #[must_use]
    pub fn parsed(&self) -> Option<Self> {
        let json: Json = serde_json::from_str(self.content().as_str()?).ok()?;
        (json.is_object() || json.is_array())
            .then(|| Self::new(json, self.secrets.clone(), self.tool_made))
    }

    /// What it holds.
    #[must_use]
    pub fn content(&self) -> &Json {
        &self.content.json
    }

    /// The secrets that it was made from, by their names; not empty means that it must not be shown.
    #[must_use]
    pub fn secrets(&self) -> &BTreeSet<String> {
        &self.secrets
    }

    /// shipspec made it itself.
    #[must_use]
    pub fn is_tool_made(&self) -> bool {
        self.tool_made
    }

    /// It is text that is written in shipspec.yml as a plain number or truth value.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.is_literal
    }

    /// The text that a template gets: a string bare, a number or truth value as JSON writes it.
    /// Nothing for null, lists and dictionaries, which have no text of their own.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self.content() {
            Json::String(text) => Some(text.clone()),
            Json::Number(_) | Json::Bool(_) => Some(self.content().to_string()),
            Json::Null | Json::Array(_) | Json::Object(_) => None,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.content() == other.content()
            && self.secrets == other.secrets
            && self.tool_made == other.tool_made
            && self.is_literal == other.is_literal
    }
}

impl Eq for Value {}

impl std::fmt::Debug for Value {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.secrets.is_empty() {
            write!(formatter, "{}", self.content())
        } else {
            formatter.write_str("****")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_parts_that_were_seen_are_secret() {
        let secrets = BTreeSet::from(["app.db.password".to_owned()]);
        let value = Value::dictionary(json!({"db": {"password": "x", "host": "h"}}), secrets);
        let seen = |path: &str| {
            let name = path.split('.').next().unwrap();
            !value.seen_at(name, &BTreeSet::from([path.into()])).secrets.is_empty()
        };
        assert!(seen("app.db.password") && seen("app.db") && seen("app"));
        assert!(!seen("app.db.host") && !seen("app.db.pass"));
        let whole = Value::secret("DB", r#"{"password": "x"}"#).parsed().unwrap();
        assert_eq!(whole.seen_at("DB", &BTreeSet::from(["DB.user".into()])).secrets.len(), 1);
        // Under another name nobody knows which of its parts are secret.
        assert!(seen("alias.db.host"));
    }
}
