//! Holds a tree against a JSON schema and tells everything that does not fit, with its place.
//!
//! It knows the words of JSON Schema that schemars writes for shipspec.yml, not all there are.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use regex::Regex;
use serde_json::Value as Json;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::{Kind, Node};
use crate::nearest::nearest;
use crate::source::{Source, Span};

/// Everything in `node` that `schema` does not allow.
#[must_use]
pub fn validate(node: &Node, schema: &Json, source: &Arc<Source>) -> Diagnostics {
    let mut validator = Validator { root: schema, source, found: Diagnostics::default() };
    validator.check(node, schema, "the file");
    validator.found
}

/// Maps of texts whose keys are taken as they are written.
const PLAIN_KEYS: [&str; 3] = ["labels", "build_args", "insecure_build_args"];

struct Validator<'a> {
    root: &'a Json,
    source: &'a Arc<Source>,
    found: Diagnostics,
}

impl<'a> Validator<'a> {
    fn check(&mut self, node: &Node, schema: &'a Json, name: &str) {
        // What an alias stands for is checked where it is written.
        if node.kind == Kind::Alias {
            return;
        }
        let branches = self.branches(schema);
        let fitting: Vec<_> = branches.iter().filter(|branch| accepts_kind(node, branch)).collect();
        let Some(branch) = best_branch(node, &fitting) else {
            let wanted =
                branches.iter().map(|branch| describe(branch)).collect::<Vec<_>>().join(" or ");
            let message = match &node.kind {
                Kind::Scalar { text, plain: true } if matches!(&**text, "" | "~" | "null") => {
                    format!("`{name}` has no value; it wants {wanted}")
                }
                _ => format!("`{name}` must be {wanted}"),
            };
            return self.tell(node.range.clone(), message, None);
        };
        match &node.kind {
            Kind::Map(entries) => self.check_map(node, entries, branch, name),
            Kind::List(items) => {
                for item in items {
                    self.check(item, &branch["items"], name);
                }
            }
            Kind::Scalar { text, .. } => self.check_scalar(node, text, &fitting, name),
            Kind::Alias => {}
        }
    }

    fn check_map(&mut self, node: &Node, entries: &[(Node, Node)], schema: &'a Json, name: &str) {
        let properties = schema["properties"].as_object();
        let mut seen = HashSet::new();
        for (key, value) in entries {
            let Some(word) = key.text() else {
                self.tell(key.range.clone(), format!("a key of `{name}` must be text"), None);
                continue;
            };
            if !seen.insert(word) {
                self.tell(key.range.clone(), format!("`{word}` stands twice in `{name}`"), None);
            }
            if PLAIN_KEYS.contains(&name) {
                self.check_key(key, word);
            }
            match properties.and_then(|properties| properties.get(word)) {
                Some(property) => self.check(value, property, word),
                None => match &schema["additionalProperties"] {
                    Json::Bool(false) => {
                        let known = properties.into_iter().flat_map(|map| map.keys());
                        let known: Vec<_> = known.map(String::as_str).collect();
                        let hint = match nearest(word, known.iter().copied()) {
                            _ if word == "<<" => {
                                "merge keys are not read; write the keys out".into()
                            }
                            Some(near) => format!("did you mean `{near}`?"),
                            None => format!("known keys here: {}", known.join(", ")),
                        };
                        self.tell(key.range.clone(), format!("unknown key `{word}`"), Some(hint));
                    }
                    Json::Null | Json::Bool(true) => {
                        self.check_key(key, word);
                        self.check_free(value);
                    }
                    other => self.check(value, other, word),
                },
            }
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            let required = required.as_str().unwrap_or_default();
            if !seen.contains(required) {
                let range = node.range.start..node.range.start;
                self.tell(range, format!("`{name}` needs the key `{required}`"), None);
            }
        }
        self.check_alternatives(node, schema, name, &seen);
    }

    /// What is written into a file as it stands here, but for names in its strings.
    fn check_free(&mut self, node: &Node) {
        match &node.kind {
            Kind::Map(entries) => {
                for (key, value) in entries {
                    self.check_key(key, key.text().unwrap_or_default());
                    self.check_free(value);
                }
            }
            Kind::List(items) => items.iter().for_each(|item| self.check_free(item)),
            Kind::Scalar { .. } | Kind::Alias => {}
        }
    }

    /// A key that is taken as it is written must not look as if it were filled.
    fn check_key(&mut self, key: &Node, word: &str) {
        static NAME: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?:^|[^$])\$\{[A-Za-z_][\w.]*\}").expect("the pattern is right")
        });
        // Others have a `${…}` of their own, such as IAM's `${aws:PrincipalTag/team}`.
        if NAME.is_match(word) {
            let message = format!("`{word}` is a key, and names are filled in values only");
            let hint = "a template fills keys too; here, write the key itself";
            self.tell(key.range.clone(), message, Some(hint.into()));
        }
    }

    /// One of several keys has to be there.
    fn check_alternatives(&mut self, node: &Node, schema: &Json, name: &str, seen: &HashSet<&str>) {
        let keys: Vec<_> = alternative_keys(schema).collect();
        if !keys.is_empty() && !keys.iter().any(|key| seen.contains(key)) {
            let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
            let range = node.range.start..node.range.start;
            self.tell(range, format!("`{name}` needs the key {}", keys.join(" or ")), None);
        }
    }

    /// A text must be one of the words that are allowed, unless an alternative takes any text.
    fn check_scalar(&mut self, node: &Node, text: &str, fitting: &[&&'a Json], name: &str) {
        let words: Option<Vec<_>> = fitting.iter().map(|branch| words(branch)).collect();
        let Some(allowed) = words.map(|words| words.concat()) else { return };
        if !allowed.iter().any(|value| value == text) {
            let hint = nearest(text, allowed.iter().map(String::as_str))
                .map(|near| format!("did you mean `{near}`?"));
            let message = format!("`{name}` must be {}", allowed.join(" or "));
            self.tell(node.range.clone(), message, hint);
        }
    }

    /// The alternatives of a schema, references followed.
    fn branches(&self, schema: &'a Json) -> Vec<&'a Json> {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
            return self.branches(&self.root["$defs"][name]);
        }
        let alternatives = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
        match alternatives {
            Some(_) if alternative_keys(schema).next().is_some() => vec![schema],
            Some(list) => list.iter().flat_map(|branch| self.branches(branch)).collect(),
            None => vec![schema],
        }
    }

    fn tell(&mut self, range: Range<usize>, message: String, hint: Option<String>) {
        let diagnostic = Diagnostic::at(Span::new(self.source, range), message);
        self.found.push(Diagnostic { hint, ..diagnostic });
    }
}

/// The keys of which a map must have one: alternatives that are nothing but a key that is needed.
fn alternative_keys(schema: &Json) -> impl Iterator<Item = &str> {
    let alternatives = schema["oneOf"].as_array().into_iter().flatten();
    let keys = alternatives.filter_map(|branch| branch["required"].as_array()).flatten();
    keys.filter_map(Json::as_str)
}

/// The one alternative to judge by: among several maps, the one that knows most of the keys there.
fn best_branch<'a>(node: &Node, fitting: &[&&'a Json]) -> Option<&'a Json> {
    let known = |branch: &Json| {
        let is_known =
            |key: &Node| key.text().is_some_and(|key| branch["properties"].get(key).is_some());
        node.entries().iter().filter(|(key, _)| is_known(key)).count()
    };
    let mut best: Option<&&&Json> = None;
    for branch in fitting {
        if best.is_none_or(|best| known(branch) > known(best)) {
            best = Some(branch);
        }
    }
    best.map(|branch| **branch)
}

fn accepts_kind(node: &Node, schema: &Json) -> bool {
    let is = |wanted: &str| match &schema["type"] {
        Json::String(kind) => kind == wanted,
        Json::Array(kinds) => kinds.iter().any(|kind| kind == wanted),
        _ => schema.get("enum").is_none() && schema.get("const").is_none() || wanted == "string",
    };
    match &node.kind {
        Kind::Map(_) => is("object"),
        Kind::List(_) => is("array"),
        Kind::Alias => true,
        Kind::Scalar { text, plain: true } if matches!(&**text, "" | "~" | "null") => is("null"),
        Kind::Scalar { text, plain: true } if matches!(&**text, "true" | "false") => {
            is("boolean") || is("string")
        }
        Kind::Scalar { text, plain: true } if text.parse::<i64>().is_ok() => {
            is("integer") || is("number") || is("string")
        }
        Kind::Scalar { .. } => is("string"),
    }
}

fn describe(schema: &Json) -> String {
    let kind = match schema["type"].as_str() {
        _ if schema["const"].is_number() => return schema["const"].to_string(),
        Some("object") => "a map",
        Some("array") => "a list",
        Some("boolean") => "true or false",
        Some("integer" | "number") => "a number",
        _ => "text",
    };
    kind.into()
}

/// The words that an alternative allows; nothing if it allows any.
fn words(schema: &Json) -> Option<Vec<String>> {
    let word = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match (&schema["enum"], &schema["const"]) {
        (Json::Array(values), _) => Some(values.iter().map(word).collect()),
        (_, Json::Null) => None,
        (_, value) => Some(vec![word(value)]),
    }
}
