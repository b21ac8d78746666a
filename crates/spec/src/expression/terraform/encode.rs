//! `jsonencode` and `jsondecode`, byte for byte as Terraform has them.

use serde::de::IgnoredAny;

use super::functions::LONGEST_TEXT;
use super::value::Item;
use crate::value::UNKNOWN;

/// The value as JSON: keys in their order, no space, and `<`, `>` and `&` as HTML wants them.
pub(super) fn to_json(item: &Item) -> Result<String, String> {
    let mut json = String::new();
    write(item, &mut json)?;
    Ok(json)
}

fn write(item: &Item, json: &mut String) -> Result<(), String> {
    match item {
        Item::Unknown => quote(&UNKNOWN.to_string(), json),
        Item::Null => json.push_str("null"),
        Item::Bool(value) => json.push_str(if *value { "true" } else { "false" }),
        Item::Number(number) => json.push_str(&number.to_string()),
        Item::Text(text) => quote(text.as_str(), json),
        Item::List(items) | Item::Set(items) => {
            json.push('[');
            for (index, item) in items.iter().enumerate() {
                json.push_str(if index == 0 { "" } else { "," });
                write(item, json)?;
            }
            json.push(']');
        }
        Item::Map(entries) => {
            json.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                json.push_str(if index == 0 { "" } else { "," });
                quote(key, json);
                json.push(':');
                write(item, json)?;
            }
            json.push('}');
        }
    }
    if json.len() > LONGEST_TEXT { Err("the text is too long".into()) } else { Ok(()) }
}

fn quote(text: &str, json: &mut String) {
    for sign in serde_json::Value::from(text).to_string().chars() {
        match sign {
            '<' => json.push_str("\\u003c"),
            '>' => json.push_str("\\u003e"),
            '&' => json.push_str("\\u0026"),
            '\u{2028}' => json.push_str("\\u2028"),
            '\u{2029}' => json.push_str("\\u2029"),
            sign => json.push(sign),
        }
    }
}

/// The value that the text is JSON of.
pub(super) fn from_json(text: &str) -> Result<Item, String> {
    // The error of the reader may quote the text.
    let json: serde_json::Value =
        serde_json::from_str(text).map_err(|_| "the text is no JSON".to_owned())?;
    Item::from_json(&json, false)
}

/// The text is one JSON value.
pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}
