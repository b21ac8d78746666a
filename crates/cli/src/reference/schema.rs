//! A page from a JSON schema: a section for each map, a row for each key.

use std::fmt::Write as _;

use serde_json::Value;

/// The root, and then every definition that it uses.
pub(super) fn page(schema: &Value) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}\n", one_line(&schema["description"]));
    table(&mut text, schema);
    for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
        let _ = write!(text, "\n## {name}\n\n{}\n\n", one_line(&definition["description"]));
        table(&mut text, definition);
    }
    text
}

fn table(text: &mut String, schema: &Value) {
    let Some(properties) = schema["properties"].as_object() else {
        for branch in branches(schema) {
            let description = one_line(&branch["description"]);
            let separator = if description.is_empty() { "" } else { ": " };
            let _ = writeln!(text, "- {}{separator}{description}", kind(branch));
        }
        return;
    };
    let required: Vec<_> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    text.push_str("| key | form | meaning |\n| --- | --- | --- |\n");
    for (name, property) in properties {
        let needed = if required.contains(&&**name) { ", needed" } else { "" };
        let meaning = one_line(&property["description"]);
        let _ = writeln!(text, "| `{name}` | {}{needed} | {meaning} |", kind(property));
    }
}

fn branches(schema: &Value) -> impl Iterator<Item = &Value> {
    let alternatives = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
    alternatives.into_iter().flatten()
}

/// What a value may be, in a few words.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.trim_start_matches("#/$defs/");
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(value) = schema.get("const") {
        return format!("`{}`", value.to_string().trim_matches('"'));
    }
    let alternatives: Vec<_> = branches(schema).map(kind).collect();
    if !alternatives.is_empty() {
        return alternatives.join(" or ");
    }
    match &schema["type"] {
        Value::String(one) => one_kind(one, schema),
        Value::Array(several) => {
            let kinds = several.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
            let kinds: Vec<_> = kinds.map(|kind| one_kind(kind, schema)).collect();
            match kinds.len() {
                0..=2 => kinds.join(" or "),
                // A number or truth value is taken as the text that it is.
                _ if !kinds.iter().any(|kind| kind == "map") => "text".into(),
                _ => "any JSON".into(),
            }
        }
        _ => "anything".into(),
    }
}

fn one_kind(name: &str, schema: &Value) -> String {
    match name {
        "object" if schema["additionalProperties"].is_object() => {
            format!("map of {}", kind(&schema["additionalProperties"]))
        }
        "object" => "map".into(),
        "array" => format!("list of {}", kind(&schema["items"])),
        "string" => "text".into(),
        "boolean" => "true or false".into(),
        other => other.into(),
    }
}

fn one_line(text: &Value) -> String {
    text.as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|")
}
