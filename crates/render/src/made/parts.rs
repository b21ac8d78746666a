//! The parts that an artifact is put together from.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use shipspec_spec::config::{Text, Tree, WholeNumber};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::expression::Names;
use shipspec_spec::value::{UNKNOWN, Value};

/// Fills texts one by one, and remembers which secrets went in and everything that is wrong.
pub(crate) struct Parts<'a> {
    names: &'a dyn Names,
    is_open: Option<&'a dyn Fn(&Text) -> bool>,
    used: Vec<Value>,
    found: Diagnostics,
}

impl<'a> Parts<'a> {
    /// `is_open` says of a text that cannot be filled whether that is so only because a name in it is
    /// not known yet.
    pub(crate) fn new(names: &'a dyn Names, is_open: Option<&'a dyn Fn(&Text) -> bool>) -> Self {
        Self { names, is_open, used: Vec::new(), found: Diagnostics::default() }
    }

    pub(crate) fn text(&mut self, text: &Text) -> String {
        let filled = text.evaluate_text(self.names).map(|(_, value)| value);
        self.value_of(text, filled).and_then(|value| value.text()).unwrap_or_default()
    }

    /// A text that says nothing if it is empty; `place` is what it is.
    pub(crate) fn filled_text(&mut self, text: &Text, place: &str) -> String {
        let filled = text.evaluate_text(self.names).map(|(_, value)| value);
        let Some(value) = self.value_of(text, filled) else { return String::new() };
        let filled = value.text().unwrap_or_default();
        if filled.is_empty() {
            self.fail(text, format!("{place} comes to nothing"));
        }
        filled
    }

    /// A text that messages show, such as a name: no secret may be in it.
    pub(crate) fn public_text(&mut self, text: &Text, place: &str) -> String {
        let filled = text.evaluate_public(self.names, place).map(Value::plain);
        self.value_of(text, filled).and_then(|value| value.text()).unwrap_or_default()
    }

    /// As [`Parts::public_text`], of what says nothing if it is empty.
    pub(crate) fn filled_public_text(&mut self, text: &Text, place: &str) -> String {
        let filled = text.evaluate_filled(self.names, place).map(Value::plain);
        self.value_of(text, filled).and_then(|value| value.text()).unwrap_or_default()
    }

    /// Texts in their order; one that comes to a list is as if its items stood there.
    pub(crate) fn texts(&mut self, texts: &[Text]) -> Vec<String> {
        let mut all = Vec::new();
        for text in texts {
            let Some(value) = self.value_of(text, text.evaluate(self.names)) else { continue };
            let items = match value.content() {
                Json::Array(items) => items.clone(),
                one => vec![one.clone()],
            };
            for item in items {
                match Value::plain(item).text() {
                    Some(text) => all.push(text),
                    None => self.fail(text, "a list of texts is wanted here"),
                }
            }
        }
        all
    }

    pub(crate) fn number(&mut self, number: &WholeNumber) -> Json {
        let value = self.value_of(number.text(), number.evaluate(self.names));
        value.map_or(Json::Null, |value| value.content().clone())
    }

    /// What a text came to, noted; nothing after its mistakes were noted.
    fn value_of(&mut self, text: &Text, value: Result<Value, Diagnostics>) -> Option<Value> {
        let value = value.or_else(|errors| match self.is_open {
            Some(is_open) if is_open(text) => Ok(Value::plain(UNKNOWN.to_string())),
            _ => Err(errors),
        });
        match value {
            Ok(value) => {
                self.used.push(value.clone());
                Some(value)
            }
            Err(errors) => {
                self.found.extend(errors);
                None
            }
        }
    }

    pub(crate) fn tree(&mut self, tree: &Tree) -> Json {
        match tree.evaluate(self.names) {
            Ok(value) => {
                let content = value.content().clone();
                self.used.push(value);
                content
            }
            Err(errors) => {
                self.found.extend(errors);
                Json::Null
            }
        }
    }

    /// What a text comes to is not what is wanted. The message must not show it.
    pub(crate) fn fail(&mut self, text: &Text, message: impl Into<String>) {
        self.found.push(Diagnostic::at(text.span().clone(), message));
    }

    /// As [`Parts::fail`], with advice.
    pub(crate) fn advise(&mut self, text: &Text, message: impl Into<String>, hint: &str) {
        self.found.push(Diagnostic::at(text.span().clone(), message).with_hint(hint));
    }

    /// The secrets that went in.
    ///
    /// # Errors
    ///
    /// Everything that was wrong.
    pub(crate) fn finish(self) -> Result<BTreeSet<String>, Diagnostics> {
        let secrets = self.used.iter().flat_map(|value| value.secrets().iter().cloned());
        self.found.or(secrets.collect())
    }
}
