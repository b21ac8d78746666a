//! Terraform variables, as JSON or in its own language ([syntax]).
//!
//! [syntax]: https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md

use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

/// What a file of variables is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Json,
    Hcl,
}

impl Language {
    /// By the ending of a path.
    pub(super) fn of(path: &str) -> Option<Self> {
        if path.ends_with(".tfvars.json") {
            Some(Self::Json)
        } else {
            path.ends_with(".tfvars").then_some(Self::Hcl)
        }
    }
}

/// The file: JSON is compact and without a final newline, HCL has a line for each variable.
pub(super) fn write(variables: &Map<String, Json>, language: Option<Language>) -> String {
    if language == Some(Language::Json) {
        return Json::from(variables.clone()).to_string();
    }
    let mut text = String::new();
    for (name, value) in variables {
        text.extend([name, " = "]);
        expression(value, 0, &mut text);
        text.push('\n');
    }
    text
}

fn expression(value: &Json, depth: usize, text: &mut String) {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => text.push_str(&value.to_string()),
        Json::String(string) => quoted(string, text),
        Json::Array(items) => list(items, depth, text),
        Json::Object(entries) => map(entries, depth, text),
    }
}

/// On one line, unless there are lists or maps in it.
fn list(items: &[Json], depth: usize, text: &mut String) {
    let is_flat = !items.iter().any(|item| item.is_array() || item.is_object());
    text.push('[');
    for (index, item) in items.iter().enumerate() {
        if is_flat {
            text.push_str(if index > 0 { ", " } else { "" });
            expression(item, depth, text);
        } else {
            new_line(depth + 1, text);
            expression(item, depth + 1, text);
            text.push(',');
        }
    }
    if !is_flat {
        new_line(depth, text);
    }
    text.push(']');
}

fn map(entries: &Map<String, Json>, depth: usize, text: &mut String) {
    text.push('{');
    for (key, value) in entries {
        new_line(depth + 1, text);
        // In quotes, a key is text whatever it says, and never begins a `for`.
        quoted(key, text);
        text.push_str(" = ");
        expression(value, depth + 1, text);
    }
    if !entries.is_empty() {
        new_line(depth, text);
    }
    text.push('}');
}

fn new_line(depth: usize, text: &mut String) {
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
}

/// The text between quotes, with nothing in it that would be filled.
fn quoted(string: &str, text: &mut String) {
    text.push('"');
    let mut signs = string.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '$' | '%' if signs.peek() == Some(&'{') => text.extend([sign, sign]),
            // Before a doubled sign, a single one could be taken for one of the two.
            '$' | '%' if signs.peek() == Some(&sign) => escape(sign, text),
            sign if sign.is_control() => escape(sign, text),
            sign => text.push(sign),
        }
    }
    text.push('"');
}

fn escape(sign: char, text: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(text, "\\u{:04x}", u32::from(sign));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn hcl(variables: Json) -> String {
        let Json::Object(variables) = variables else { panic!("a map") };
        write(&variables, Language::of("x.tfvars"))
    }

    #[test]
    fn variables_are_written_as_assignments() {
        let variables = json!({
            "image_tag": "0123456", "ports": [80, 81], "none": null, "on": true, "share": 0.5,
            "tags": { "a.b": "x", "for": [] , "deep": { "list": [{ "k": "v" }] } }, "empty": {},
        });
        insta::assert_snapshot!(hcl(variables), @r#"
        image_tag = "0123456"
        ports = [80, 81]
        none = null
        on = true
        share = 0.5
        tags = {
          "a.b" = "x"
          "for" = []
          "deep" = {
            "list" = [
              {
                "k" = "v"
              },
            ]
          }
        }
        empty = {}
        "#);
    }

    #[test]
    fn nothing_in_a_text_is_filled() {
        let signs = json!({ "a": "${x} %{if} $${x} $$${ %%{ $ $$ % { \"q\" \\ \n\r\t\u{1}" });
        insta::assert_snapshot!(hcl(signs), @r#"a = "$${x} %%{if} \u0024$${x} \u0024\u0024$${ \u0025%%{ $ \u0024$ % { \"q\" \\ \n\r\t\u0001""#);
    }

    #[test]
    fn the_ending_says_the_language() {
        assert_eq!(Language::of("a/terraform.tfvars.json"), Some(Language::Json));
        assert_eq!(Language::of("a.auto.tfvars"), Some(Language::Hcl));
        assert_eq!(Language::of("a.json"), None);
        let variables = Map::from_iter([("a".to_owned(), json!("${x}"))]);
        assert_eq!(write(&variables, Some(Language::Json)), r#"{"a":"${x}"}"#);
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let text = prop_oneof!["\\PC{0,8}", "[$%{}~\"\\\\\n\t a]{0,10}"];
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i32>().prop_map(Json::from),
            text.prop_map(Json::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::vec(("[a-z$%{\" .]{1,6}", inner), 0..4)
                    .prop_map(|entries| Json::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in any_json()) {
            let text = hcl(json!({ "value": value }));
            let read: Json = hcl::from_str(&text).map_err(|error| {
                TestCaseError::fail(format!("{error}: {text}"))
            })?;
            prop_assert_eq!(&read["value"], &value, "{}", text);
        }
    }
}
