//! The texts of all secrets that are known.

use serde_json::Value as Json;

use super::Scope;
use crate::secret::Secret;

impl Scope {
    /// Every text that must not be shown, with the name that it is known by. Of a secret that is
    /// JSON, the texts inside are there too.
    #[must_use]
    pub fn secrets(&self) -> Vec<(String, Secret)> {
        let mut found = Vec::new();
        for (name, value) in &*self.parameters {
            let Some(value) = value else { continue };
            for secret in value.secrets() {
                let path = secret.strip_prefix(&**name).unwrap_or_default();
                let mut content = value.content();
                for key in path.split('.').filter(|key| !key.is_empty()) {
                    content = &content[key];
                }
                collect(secret, content, &mut found);
            }
        }
        found
    }
}

fn collect(name: &str, content: &Json, found: &mut Vec<(String, Secret)>) {
    match content {
        Json::String(text) => {
            found.push((name.to_owned(), Secret::new(&**text)));
            if let Ok(inner @ (Json::Object(_) | Json::Array(_))) = serde_json::from_str(text) {
                collect(name, &inner, found);
            }
        }
        Json::Number(number) => found.push((name.to_owned(), Secret::new(number.to_string()))),
        Json::Array(items) => items.iter().for_each(|item| collect(name, item, found)),
        Json::Object(map) => map.values().for_each(|value| collect(name, value, found)),
        Json::Bool(_) | Json::Null => {}
    }
}
