//! The parts that an artifact is put together from.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use shipspec_spec::config::{Text, Tree, WholeNumber};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::expression::Names;
use shipspec_spec::value::Value;

/// Fills texts one by one, and remembers which secrets went in and everything that is wrong.
pub(crate) struct Parts<'a> {
    names: &'a dyn Names,
    used: Vec<Value>,
    found: Diagnostics,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(names: &'a dyn Names) -> Self {
        Self { names, used: Vec::new(), found: Diagnostics::default() }
    }

    pub(crate) fn text(&mut self, text: &Text) -> String {
        let filled = text.evaluate_text(self.names).map(|(text, value)| (text, Some(value)));
        let (text, value) = filled.unwrap_or_else(|errors| {
            self.found.extend(errors);
            (String::new(), None)
        });
        self.used.extend(value);
        text
    }

    /// Texts in their order; one that comes to a list is as if its items stood there.
    pub(crate) fn texts(&mut self, texts: &[Text]) -> Vec<String> {
        let mut all = Vec::new();
        for text in texts {
            let value = match text.evaluate(self.names) {
                Ok(value) => value,
                Err(errors) => {
                    self.found.extend(errors);
                    continue;
                }
            };
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
            self.used.push(value);
        }
        all
    }

    pub(crate) fn number(&mut self, number: &WholeNumber) -> Json {
        self.value(number.evaluate(self.names))
    }

    pub(crate) fn tree(&mut self, tree: &Tree) -> Json {
        self.value(tree.evaluate(self.names))
    }

    fn value(&mut self, value: Result<Value, Diagnostics>) -> Json {
        match value {
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
