//! JSON that a shell puts together.

use crate::marks::{has_mark, marked, unmarked};
use crate::text::{Piece, Text};

/// JSON with texts that are known later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    /// A number, a truth value or a null, as it is written.
    Bare(String),
    Text(Text),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

impl Json {
    /// Reads a text; nothing if something unknown stands outside of its strings.
    pub(crate) fn parse(text: &Text) -> Option<Self> {
        let (plain, pieces) = marked(text);
        let json = serde_json::from_str(&plain).ok()?;
        Self::from_value(json, &pieces)
    }

    fn from_value(json: serde_json::Value, pieces: &[Piece]) -> Option<Self> {
        use serde_json::Value;
        Some(match json {
            Value::String(text) => Self::Text(unmarked(&text, pieces)),
            Value::Array(items) => {
                let items = items.into_iter().map(|item| Self::from_value(item, pieces));
                Self::List(items.collect::<Option<_>>()?)
            }
            Value::Object(map) => {
                let entry = |(key, value): (String, Value)| {
                    let value = Self::from_value(value, pieces)?;
                    (!has_mark(&key)).then_some((key, value))
                };
                Self::Map(map.into_iter().map(entry).collect::<Option<_>>()?)
            }
            bare => Self::Bare(bare.to_string()),
        })
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => {
                entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&Text> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// It fits into one line of YAML.
    pub(crate) fn is_scalar(&self) -> bool {
        match self {
            Self::List(items) => items.is_empty(),
            Self::Map(entries) => entries.is_empty(),
            Self::Bare(_) | Self::Text(_) => true,
        }
    }

    /// It is one of CodePipeline's files about images.
    pub(crate) fn names_images(&self) -> bool {
        match self {
            Self::List(items) => items.first().is_some_and(|item| item.get("imageUri").is_some()),
            map => map.get("ImageURI").is_some(),
        }
    }
}

/// What `printf` makes of a format and values; nothing if it would use the format again.
pub(crate) fn printf(format: &Text, values: &[Text]) -> Option<Text> {
    let mut text = Text::default();
    let mut values = values.iter();
    for piece in &format.0 {
        let Piece::Literal(known) = piece else {
            text.push(piece.clone());
            continue;
        };
        let mut letters = known.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '%' => match letters.next()? {
                    '%' => text.append(Text::literal("%")),
                    's' | 'd' => text.append(values.next().cloned().unwrap_or_default()),
                    _ => return None,
                },
                '\\' => match letters.next()? {
                    'n' => text.append(Text::literal("\n")),
                    't' => text.append(Text::literal("\t")),
                    sign @ ('"' | '\\' | '\'' | '/') => text.append(Text::literal(sign)),
                    _ => return None,
                },
                letter => text.append(Text::literal(letter)),
            }
        }
    }
    values.next().is_none().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_in_their_strings() {
        let value = Text::of(Piece::Environment("URI".into()));
        let format = Text::literal(r#"[{"name":"web","imageUri":"%s"}]\n"#);
        let text = printf(&format, std::slice::from_ref(&value)).unwrap();
        let json = Json::parse(&text).unwrap();
        assert!(json.names_images());
        let Json::List(items) = &json else { panic!("a list") };
        assert_eq!(items[0].get("imageUri").and_then(Json::text), Some(&value));
        let bare = printf(&Text::literal(r#"{"port":%s}"#), std::slice::from_ref(&value));
        assert_eq!(Json::parse(&bare.unwrap()), None);
        assert_eq!(printf(&Text::literal("x"), &[value]), None);
    }
}
