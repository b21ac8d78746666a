//! Dictionaries that note which of their parts an expression looks at: of a dictionary with a
//! password in it, only the password is a secret.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use minijinja::value::{Enumerator, Object};
use serde_json::Value as Json;

use super::evaluate::value_of;
use crate::value::Value;

/// The parts that were looked at, by their whole names: `app.db.host`.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(Arc<Mutex<BTreeSet<String>>>);

impl Seen {
    /// A value as minijinja has it; a dictionary notes what is asked of it.
    pub(super) fn watched(&self, name: &str, value: &Value) -> minijinja::Value {
        if value.content().is_object() {
            let part =
                Part { value: value.clone(), keys: vec![name.to_owned()], seen: self.clone() };
            minijinja::Value::from_object(part)
        } else {
            value_of(value)
        }
    }

    /// The value with the secrets of those parts only that were looked at.
    pub(super) fn of(&self, name: &str, value: &Value) -> Value {
        if !value.content().is_object() {
            return value.clone();
        }
        self.0.lock().map_or_else(|_| value.clone(), |seen| value.seen_at(name, &seen))
    }

    fn note(&self, keys: &[String]) {
        if let Ok(mut seen) = self.0.lock() {
            seen.insert(keys.join("."));
        }
    }
}

/// A dictionary inside of a value.
#[derive(Debug)]
struct Part {
    value: Value,
    /// The name of the value, and the keys from there.
    keys: Vec<String>,
    seen: Seen,
}

impl Part {
    fn content(&self) -> &Json {
        let mut content = self.value.content();
        for key in &self.keys[1..] {
            content = &content[&**key];
        }
        content
    }
}

impl Object for Part {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        let key = key.as_str()?;
        let content = self.content().get(key)?;
        let keys: Vec<_> = self.keys.iter().cloned().chain([key.to_owned()]).collect();
        if content.is_object() {
            let part = Self { value: self.value.clone(), keys, seen: self.seen.clone() };
            return Some(minijinja::Value::from_object(part));
        }
        self.seen.note(&keys);
        Some(minijinja::Value::from(minijinja::value::Serde(content)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let keys = self.content().as_object().into_iter().flat_map(serde_json::Map::keys);
        Enumerator::Values(keys.map(|key| minijinja::Value::from(&**key)).collect())
    }
}
