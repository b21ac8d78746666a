//! The texts of all secrets that are known.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value as Json;

use super::Scope;
use crate::secret::Secret;
use crate::value::{UNKNOWN, Value};

/// A text that must not be shown.
#[derive(Debug, Clone)]
pub struct KnownSecret {
    /// The name that it is known by.
    pub name: String,
    /// The text.
    pub value: Secret,
    /// It is the secret itself, and not a text beside it, such as the name of a host.
    pub is_certain: bool,
}

impl Scope {
    /// Every text that must not be shown. Of a secret that is JSON, the texts inside are there too,
    /// but for short and plain words.
    #[must_use]
    pub fn secrets(&self) -> Vec<KnownSecret> {
        let mut found = Vec::new();
        self.bases.values().for_each(|task| plain_secrets(task, &mut found));
        for (name, value) in &*self.parameters {
            let Some(value) = value else { continue };
            for secret in value.secrets() {
                let path = secret.strip_prefix(&**name).unwrap_or_default();
                if let Some(content) = at(value.content(), path.trim_start_matches('.')) {
                    collect(secret, content, &mut found);
                }
            }
        }
        found
    }

    /// The same scope, in which the name of each secret stands in its place: `${DB_PASSWORD}`. A secret
    /// that is JSON keeps its keys.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let sign = |path: &str| format!("${{{path}}}");
        self.with_secrets_as(|name, value| {
            Value::plain(shown(name, value.content(), value.secrets(), false, &sign))
        })
    }

    /// The same scope, in which a sign for what is not known stands in place of each secret, and where it
    /// lands is still known to be secret. A secret that is JSON keeps its keys.
    #[must_use]
    pub fn with_unknown_secrets(&self) -> Self {
        let sign = |_: &str| UNKNOWN.to_string();
        self.with_secrets_as(|name, value| {
            let content = shown(name, value.content(), value.secrets(), false, &sign);
            Value::dictionary(content, value.secrets().clone())
        })
    }

    fn with_secrets_as(&self, replaced: impl Fn(&str, &Value) -> Value) -> Self {
        let parameters = self.parameters.iter().map(|(name, value)| {
            let value = value.as_ref().map(|value| {
                if value.secrets().is_empty() { value.clone() } else { replaced(name, value) }
            });
            (name.clone(), value)
        });
        Self { parameters: Arc::new(parameters.collect()), ..self.clone() }
    }
}

/// A value with signs for its secrets, made of their paths.
fn shown(
    path: &str,
    content: &Json,
    secrets: &BTreeSet<String>,
    is_inside: bool,
    sign: &dyn Fn(&str) -> String,
) -> Json {
    let is_secret = is_inside || secrets.contains(path);
    let inner = |content: &Json, key: &str| {
        shown(&format!("{path}.{key}"), content, secrets, is_secret, sign)
    };
    match content {
        Json::Object(map) => {
            let pairs = map.iter().map(|(key, content)| (key.clone(), inner(content, key)));
            Json::Object(pairs.collect())
        }
        Json::Array(items) => {
            let items = items.iter().enumerate();
            Json::Array(items.map(|(index, item)| inner(item, &index.to_string())).collect())
        }
        other if !is_secret => other.clone(),
        Json::String(text) => match serde_json::from_str(text) {
            Ok(json @ (Json::Object(_) | Json::Array(_))) => {
                shown(path, &json, secrets, true, sign).to_string().into()
            }
            _ => sign(path).into(),
        },
        _ => sign(path).into(),
    }
}

/// What stands at a path of keys; a key may hold the dot that stands between keys.
fn at<'a>(content: &'a Json, path: &str) -> Option<&'a Json> {
    if path.is_empty() {
        return Some(content);
    }
    content.as_object()?.iter().find_map(|(key, inner)| {
        let rest = path.strip_prefix(&**key)?;
        if rest.is_empty() { Some(inner) } else { at(inner, rest.strip_prefix('.')?) }
    })
}

fn collect(name: &str, content: &Json, found: &mut Vec<KnownSecret>) {
    match content {
        Json::String(text) => {
            let value = Secret::new(&**text);
            found.push(KnownSecret { name: name.to_owned(), value, is_certain: true });
            if let Ok(inner @ (Json::Object(_) | Json::Array(_))) = serde_json::from_str(text) {
                collect_inner(name, "", &inner, found);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| collect(name, item, found)),
        Json::Object(map) => map.values().for_each(|value| collect(name, value, found)),
        Json::Bool(_) | Json::Null | Json::Number(_) => {}
    }
}

/// The texts inside of a secret that is JSON. Beside the password there are words such as `postgres`,
/// which stand in other places too.
fn collect_inner(name: &str, key: &str, content: &Json, found: &mut Vec<KnownSecret>) {
    match content {
        Json::String(text) => {
            let is_certain = sounds_secret(key);
            if is_certain || is_no_word(text) {
                let value = Secret::new(&**text);
                found.push(KnownSecret { name: name.to_owned(), value, is_certain });
            }
        }
        Json::Array(items) => items.iter().for_each(|item| collect_inner(name, key, item, found)),
        Json::Object(map) => {
            for (key, value) in map {
                collect_inner(name, key, value, found);
            }
        }
        Json::Bool(_) | Json::Null | Json::Number(_) => {}
    }
}

/// Longer than words are, with more than letters in it.
fn is_no_word(text: &str) -> bool {
    text.len() >= 8 && !text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// The variables of a task definition whose names sound like a secret's. They stand there in plain text, and
/// are still not for a log.
fn plain_secrets(task: &Json, found: &mut Vec<KnownSecret>) {
    let containers = task["containerDefinitions"].as_array().into_iter().flatten();
    let variables = containers.filter_map(|it| it["environment"].as_array()).flatten();
    for variable in variables {
        if let (Some(name), Some(text)) = (variable["name"].as_str(), variable["value"].as_str())
            && sounds_secret(name)
        {
            let value = Secret::new(text);
            found.push(KnownSecret { name: name.to_owned(), value, is_certain: false });
        }
    }
}

/// The name is that of something secret.
#[must_use]
pub fn sounds_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    ["pass", "pwd", "secret", "token", "credential", "private", "api_key", "apikey", "auth"]
        .iter()
        .any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_may_hold_a_dot() {
        let content = json!({"db.password": "x", "a": {"b.c": {"d": "y"}}});
        assert_eq!(at(&content, "db.password"), Some(&json!("x")));
        assert_eq!(at(&content, "a.b.c.d"), Some(&json!("y")));
        assert_eq!(at(&content, "a.b"), None);
    }

    #[test]
    fn the_name_of_a_secret_stands_in_its_place() {
        let content = json!({"host": "db", "password": "hunter2", "key": "{\"a\": [1, \"b\"]}"});
        let secrets = ["app.password", "app.key"].map(str::to_owned).into();
        let expected = json!({
            "host": "db",
            "password": "${app.password}",
            "key": "{\"a\":[\"${app.key.a.0}\",\"${app.key.a.1}\"]}",
        });
        let sign = |path: &str| format!("${{{path}}}");
        assert_eq!(shown("app", &content, &secrets, false, &sign), expected);
    }

    #[test]
    fn plain_words_beside_a_password_are_no_secrets() {
        let mut found = Vec::new();
        let text = r#"{"engine": "postgres", "port": 5432, "password": "short", "host": "db.example.com"}"#;
        collect("DB", &text.into(), &mut found);
        let found: Vec<_> =
            found[1..].iter().map(|one| (one.value.expose(), one.is_certain)).collect();
        assert_eq!(found, [("short", true), ("db.example.com", false)]);
    }
}
