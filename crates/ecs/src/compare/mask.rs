//! A whole task definition for people: what a comparison does not show is not shown of it either.

use serde_json::{Map, Value as Json};

use super::hide;
use super::tree::{HIDDEN, NAMED, PAIRS, is_secret};

/// The task definition with `****` in place of what must not be shown. All else stays as it is and where
/// it is.
#[must_use]
pub fn masked(task_definition: &Json) -> Json {
    part("", task_definition)
}

/// Where in a task definition something is that must not be shown: the first such place.
#[must_use]
pub fn first_hidden(task_definition: &Json) -> Option<String> {
    let masked = masked(task_definition);
    if masked == *task_definition {
        return None;
    }
    let changed = super::compare(task_definition, &masked).changed;
    // Of variables with one name, a comparison knows the last alone.
    let path = changed.into_iter().next().map(|entry| entry.path);
    Some(path.unwrap_or_else(|| "containerDefinitions".into()))
}

/// `key` is what the value stands under.
fn part(key: &str, value: &Json) -> Json {
    match value {
        Json::Object(members) => Json::Object(
            members.iter().map(|(name, value)| (name.clone(), member(key, name, value))).collect(),
        ),
        Json::Array(items) => {
            if let Some((_, name, value)) = PAIRS.iter().find(|(list, ..)| *list == key) {
                items.iter().map(|item| pair(key, item, name, value)).collect()
            } else if NAMED.iter().any(|(list, _)| *list == key) {
                items.iter().map(|item| part(key, item)).collect()
            } else {
                // The words of a command are read together.
                hide::shown(value)
            }
        }
        other => hide::shown(other),
    }
}

fn member(parent: &str, key: &str, value: &Json) -> Json {
    if value.is_string() && is_secret(parent, key) { HIDDEN.into() } else { part(key, value) }
}

/// An entry of a list of names and values.
fn pair(list: &str, item: &Json, name: &str, value: &str) -> Json {
    let Json::Object(members) = item else { return hide::shown(item) };
    let is_secret = members.get(name).and_then(Json::as_str).is_some_and(|it| is_secret(list, it));
    let shown = |(key, content): (&String, &Json)| {
        let content = match content {
            _ if key != value => content.clone(),
            _ if is_secret => HIDDEN.into(),
            content => hide::shown(content),
        };
        (key.clone(), content)
    };
    Json::Object(members.iter().map(shown).collect::<Map<_, _>>())
}
