//! From the text of a file, with what its slots come to, to what it holds.
//!
//! A mark is put into each slot and the whole is read; then what the slots come to takes the place of
//! the marks. So a value cannot change what stands around it, as in an artifact, and every part of the
//! result knows its place in the text that the user wrote.

mod probe;

use std::ops::Range;
use std::sync::Arc;

use shipspec_spec::document::{Kind, Node, json};
use shipspec_spec::source::Source;

use crate::value::{Data, Entry, UNKNOWN, Value};
use probe::{Part, Probe};

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

impl Format {
    /// Its name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        }
    }

    /// By the ending of a path; YAML for anything but `.json`, whatever its case.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let ending = std::path::Path::new(path).extension();
        if ending.is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
            Self::Json
        } else {
            Self::Yaml
        }
    }
}

/// A place in a template, and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its bytes in the template.
    pub range: Range<usize>,
    /// Its value, if it is known.
    pub value: Option<Filling>,
}

/// The value of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filling {
    /// Its text.
    pub text: String,
    /// It is text, whatever it looks like.
    pub is_text: bool,
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// What is wrong.
    pub message: String,
    /// Where in the template.
    pub offset: usize,
    /// What it should be.
    pub format: Format,
    /// It may be that a value that is not known would make it right.
    pub is_doubtful: bool,
}

/// Reads a file.
///
/// # Errors
///
/// [`ReadError`] if it is not of its format.
pub fn read(text: &str, format: Format, slots: &[Slot]) -> Result<Value, ReadError> {
    let probe = Probe::new(text, format, slots);
    // In a string of JSON, no value can change what stands around it.
    let is_doubtful = probe.has_bare() || format == Format::Yaml && !slots.is_empty();
    let is_doubtful = is_doubtful || text.contains(UNKNOWN);
    let error = |message: String, offset: usize| ReadError {
        message,
        offset: probe.original(offset),
        format,
        is_doubtful,
    };
    let node = match format {
        Format::Json => json::parse(&probe.text).map_err(|e| error(e.message, e.offset))?,
        Format::Yaml => Node::parse(&Source::new("", &*probe.text)).map_err(|e| {
            let offset = e.span.map_or(0, |span| span.range.start);
            error(e.message, offset)
        })?,
    };
    Ok(Reader { probe: &probe, format }.value(&node))
}

/// As [`read`], for a text in which nothing is to be filled.
///
/// # Errors
///
/// [`ReadError`].
pub fn read_source(source: &Arc<Source>, format: Format) -> Result<Value, ReadError> {
    read(&source.text, format, &[])
}

struct Reader<'a> {
    probe: &'a Probe<'a>,
    format: Format,
}

impl Reader<'_> {
    fn value(&self, node: &Node) -> Value {
        let range = self.probe.original_range(&node.range);
        let data = match &node.kind {
            Kind::Alias => Data::Unknown,
            Kind::List(items) => Data::List(items.iter().map(|item| self.value(item)).collect()),
            Kind::Map(entries) => Data::Map(entries.iter().map(|pair| self.entry(pair)).collect()),
            Kind::Scalar { text, plain } => self.scalar(text, *plain, &range),
        };
        Value { range, data }
    }

    fn entry(&self, (key, value): &(Node, Node)) -> Entry {
        let text = key.text().unwrap_or_default();
        let text: String = self.probe.parts(text).iter().map(Part::text).collect();
        let key_range = self.probe.original_range(&key.range);
        Entry { key: text, key_range, value: self.value(value) }
    }

    fn scalar(&self, text: &str, plain: bool, range: &Range<usize>) -> Data {
        let parts = self.probe.parts(text);
        match parts.as_slice() {
            [Part::Slot(slot, is_bare)] if plain || *is_bare => {
                return match (&slot.value, self.format) {
                    (None, _) => Data::Unknown,
                    (Some(filling), Format::Json) => from_json(&filling.text, range),
                    (Some(filling), Format::Yaml) if filling.is_text => {
                        Data::Text(filling.text.clone())
                    }
                    (Some(filling), Format::Yaml) => plain_scalar(&filling.text),
                };
            }
            _ => {}
        }
        let whole: String = parts.iter().map(Part::text).collect();
        if plain && whole.contains(UNKNOWN) {
            return if whole.trim_matches(UNKNOWN).is_empty() {
                Data::Unknown
            } else {
                Data::Text(whole)
            };
        }
        if plain { plain_scalar(&whole) } else { Data::Text(whole) }
    }
}

/// A scalar without quotes, as the core schema of YAML 1.2 reads it; JSON's words are among them.
fn plain_scalar(text: &str) -> Data {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Data::Null,
        "true" | "True" | "TRUE" => Data::Bool(true),
        "false" | "False" | "FALSE" => Data::Bool(false),
        text if is_number(text) => Data::Number(text.to_owned()),
        text => Data::Text(text.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    let first = text.trim_start_matches(['-', '+']).bytes().next();
    first.is_some_and(|byte| byte.is_ascii_digit() || byte == b'.') && text.parse::<f64>().is_ok()
}

/// A value that takes the place of a slot outside of any string.
fn from_json(text: &str, range: &Range<usize>) -> Data {
    fn convert(json: serde_json::Value, range: &Range<usize>) -> Data {
        let value = |json| Value { range: range.clone(), data: convert(json, range) };
        match json {
            serde_json::Value::Null => Data::Null,
            serde_json::Value::Bool(value) => Data::Bool(value),
            serde_json::Value::Number(number) => Data::Number(number.to_string()),
            serde_json::Value::String(text) => Data::Text(text),
            serde_json::Value::Array(items) => Data::List(items.into_iter().map(value).collect()),
            serde_json::Value::Object(map) => {
                let entry =
                    |(key, json)| Entry { key, key_range: range.clone(), value: value(json) };
                Data::Map(map.into_iter().map(entry).collect())
            }
        }
    }
    serde_json::from_str(text).map_or(Data::Unknown, |json| convert(json, range))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(text: &str, name: &str, value: Option<&str>) -> Slot {
        let start = text.find(name).unwrap();
        let value = value.map(|text| Filling { text: text.into(), is_text: false });
        Slot { range: start..start + name.len(), value }
    }

    #[test]
    fn values_stay_in_their_places_and_places_are_those_of_the_template() {
        let text = r#"{"a": "x $A", "b": $B, "c": "$C", "d": 7}"#;
        let slots = [
            slot(text, "$A", Some("\"q\"")),
            slot(text, "$B", Some("[1]")),
            slot(text, "$C", None),
        ];
        let root = read(text, Format::Json, &slots).unwrap();
        assert_eq!(root.text_of("a"), Some("x \"q\""));
        assert_eq!(root.list("b").next().and_then(Value::integer), Some(1));
        assert_eq!(root.get("c").unwrap().data, Data::Text(UNKNOWN.to_string()));
        let place = |key: &str| &text[root.get(key).unwrap().range.clone()];
        assert_eq!((place("a"), place("b"), place("d")), ("\"x $A\"", "$B", "7"));
        assert_eq!(&text[root.entry("d").unwrap().key_range.clone()], "\"d\"");
    }

    #[test]
    fn plain_yaml_is_what_it_looks_like_unless_it_is_not_known() {
        let text = "port: $PORT\nname: web-$X\nversion: 0.0\nopen: $OPEN\n";
        let slots =
            [slot(text, "$PORT", Some("80")), slot(text, "$X", None), slot(text, "$OPEN", None)];
        let root = read(text, Format::Yaml, &slots).unwrap();
        assert_eq!(root.integer_of("port"), Some(80));
        assert_eq!(root.text_of("name"), None);
        assert_eq!(root.get("open").unwrap().data, Data::Unknown);
        assert_eq!(root.get("version").unwrap().data, Data::Number("0.0".into()));
    }

    #[test]
    fn errors_have_their_place_in_the_template() {
        let text = "{\"a\": \"${LONG_NAME}\", x}";
        let error = read(text, Format::Json, &[slot(text, "${LONG_NAME}", None)]).unwrap_err();
        assert_eq!((&text[error.offset..], error.is_doubtful), ("x}", false));
        let text = "{\"a\": $LIST x}";
        assert!(read(text, Format::Json, &[slot(text, "$LIST", None)]).unwrap_err().is_doubtful);
    }
}
