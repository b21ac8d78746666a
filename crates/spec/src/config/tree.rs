//! A piece of free JSON in shipspec.yml, with `${…}` in its strings.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;
use serde_saphyr::Spanned;

use super::text::{RawText, Text};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expression::Names;
use crate::source::Source;
use crate::value::Value;

/// Free JSON as the file has it.
#[derive(Debug, Clone)]
pub(super) enum RawTree {
    Text(RawText),
    /// A number, truth value or null, and the text that it is where text is wanted.
    Literal(Json, RawText),
    List(Vec<Self>),
    Map(IndexMap<String, Self>),
}

impl JsonSchema for RawTree {
    fn schema_name() -> Cow<'static, str> {
        "Tree".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": ["object", "array", "string", "number", "boolean", "null"] })
    }
}

impl<'de> Deserialize<'de> for RawTree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The outer `Spanned` learns the place; what is inside tells whether it matters.
        let node = Spanned::<Unplaced>::deserialize(deserializer)?;
        Ok(match node.value {
            Unplaced::Text(text) => {
                Self::Text(RawText::new(Spanned::new(text, node.referenced, node.defined)))
            }
            Unplaced::Literal(literal) => {
                let text = Spanned::new(literal.to_string(), node.referenced, node.defined);
                Self::Literal(literal, RawText::literal(text))
            }
            Unplaced::List(items) => Self::List(items),
            Unplaced::Map(entries) => Self::Map(entries),
        })
    }
}

enum Unplaced {
    Text(String),
    Literal(Json),
    List(Vec<RawTree>),
    Map(IndexMap<String, RawTree>),
}

impl<'de> Deserialize<'de> for Unplaced {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UnplacedVisitor)
    }
}

struct UnplacedVisitor;

impl<'de> Visitor<'de> for UnplacedVisitor {
    type Value = Unplaced;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text, a number, a truth value, a list or a map")
    }

    fn visit_str<E>(self, text: &str) -> Result<Unplaced, E> {
        Ok(Unplaced::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Unplaced, E> {
        Ok(Unplaced::Literal(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Unplaced, E> {
        Ok(Unplaced::Literal(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Unplaced, E> {
        Ok(Unplaced::Literal(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Unplaced, E> {
        Ok(Unplaced::Literal(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Unplaced, E> {
        Ok(Unplaced::Literal(Json::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unplaced, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Unplaced::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Unplaced, A::Error> {
        let mut map = IndexMap::new();
        while let Some((key, value)) = entries.next_entry()? {
            map.insert(key, value);
        }
        Ok(Unplaced::Map(map))
    }
}

/// Free JSON whose strings may hold `${…}`; keys are text as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// A string.
    Text(Text),
    /// A number, truth value or null.
    Literal(Json),
    /// A list.
    List(Vec<Self>),
    /// A map, in the order of the file.
    Map(IndexMap<String, Self>),
}

impl Tree {
    pub(super) fn from_raw(
        raw: &RawTree,
        source: &Arc<Source>,
        found: &mut Diagnostics,
    ) -> Option<Self> {
        Some(match raw {
            RawTree::Text(text) => Self::Text(super::keep(Text::from_raw(text, source), found)?),
            RawTree::Literal(literal, text) => {
                let written = text.written(source);
                if is_other_number(written) {
                    let message = format!("`{written}` would be written as the number {literal}");
                    let hint =
                        format!("write it in quotes, so that it stays as it is: `\"{written}\"`");
                    found.push(Diagnostic::at(text.span(source), message).with_hint(hint));
                    return None;
                }
                Self::Literal(literal.clone())
            }
            RawTree::List(items) => Self::List(
                items.iter().filter_map(|item| Self::from_raw(item, source, found)).collect(),
            ),
            RawTree::Map(entries) => Self::Map(
                entries
                    .iter()
                    .filter_map(|(key, value)| {
                        Some((key.clone(), Self::from_raw(value, source, found)?))
                    })
                    .collect(),
            ),
        })
    }

    /// The strings in it.
    pub fn texts(&self) -> Box<dyn Iterator<Item = &Text> + '_> {
        match self {
            Self::Text(text) => Box::new(std::iter::once(text)),
            Self::Literal(_) => Box::new(std::iter::empty()),
            Self::List(items) => Box::new(items.iter().flat_map(Self::texts)),
            Self::Map(entries) => Box::new(entries.values().flat_map(Self::texts)),
        }
    }

    /// The JSON with every string filled: strings stay strings, whatever they come to.
    ///
    /// # Errors
    ///
    /// Every slot without a value, at its place.
    pub fn evaluate(&self, names: &dyn Names) -> Result<Value, Diagnostics> {
        let (mut parts, mut found) = (Vec::new(), Diagnostics::default());
        let content = self.fill(names, &mut parts, &mut found);
        found.or(Value::made_from(content, &parts))
    }

    fn fill(&self, names: &dyn Names, parts: &mut Vec<Value>, found: &mut Diagnostics) -> Json {
        match self {
            Self::Literal(literal) => literal.clone(),
            Self::List(items) => items.iter().map(|item| item.fill(names, parts, found)).collect(),
            Self::Map(entries) => entries
                .iter()
                .map(|(key, value)| (key.clone(), value.fill(names, parts, found)))
                .collect(),
            Self::Text(text) => match text.evaluate(names) {
                Ok(value) => {
                    // A list or a dictionary has its place here; anything else stays the text that
                    // was written.
                    let content = value.text().map_or_else(|| value.content().clone(), Json::from);
                    parts.push(value);
                    content
                }
                Err(errors) => {
                    found.extend(errors);
                    Json::Null
                }
            },
        }
    }
}

/// A number whose digits would not be kept: an account or a commit that begins with a zero, and more
/// digits than a number of JSON's usual readers holds.
fn is_other_number(written: &str) -> bool {
    let digits = written.strip_prefix('-').unwrap_or(written);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_too_long = written.parse::<i64>().is_err() && written.parse::<u64>().is_err();
    is_whole && ((digits.len() > 1 && digits.starts_with('0')) || is_too_long)
}
