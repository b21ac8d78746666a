//! Values of Terraform's language, and how one kind becomes another.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value as Json;

use super::number::Number;
use super::traced::{Origin, Traced};
use crate::value::{UNKNOWN, Value};

/// A value of Terraform's language.
#[derive(Debug, Clone)]
pub(super) enum Item {
    /// Not known yet.
    Unknown,
    Null,
    Bool(bool),
    Number(Number),
    Text(Rc<Traced>),
    List(Rc<Vec<Item>>),
    /// Each item once, in order; a loop has them for keys, too.
    Set(Rc<Vec<Item>>),
    Map(Rc<BTreeMap<String, Item>>),
}

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    Any,
    Bool,
    Number,
    Text,
    /// A list whose items have a type each.
    Tuple(Vec<Type>),
    List(Box<Type>),
    Set(Box<Type>),
    Object(BTreeMap<String, Type>),
    Map(Box<Type>),
}

impl Item {
    /// A value of a name.
    pub(super) fn from_value(value: &Value) -> Result<Self, String> {
        let literal = value.content().as_str().filter(|_| value.is_literal());
        match literal.and_then(Self::from_literal) {
            Some(item) => Ok(item),
            None => Self::from_json(value.content(), value.is_tool_made()),
        }
    }

    /// A number or truth value of shipspec.yml; nothing where it is written in another way than it would
    /// be printed: `1.10` is a version, and must not become `1.1`.
    fn from_literal(text: &str) -> Option<Self> {
        match text {
            "true" => Some(Self::Bool(true)),
            "false" => Some(Self::Bool(false)),
            _ => Number::parse(text).filter(|number| number.to_string() == text).map(Self::Number),
        }
    }

    /// A value from outside of the template.
    pub(super) fn from_json(json: &Json, is_text: bool) -> Result<Self, String> {
        Ok(match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => Self::Number(
                Number::parse(&number.to_string()).ok_or("a number in it is out of range")?,
            ),
            Json::String(text) if text.chars().eq([UNKNOWN]) => Self::Unknown,
            Json::String(text) => Self::text(Traced::new(&**text, Origin::Value { is_text })),
            Json::Array(items) => {
                let items: Result<_, _> =
                    items.iter().map(|item| Self::from_json(item, is_text)).collect();
                Self::List(Rc::new(items?))
            }
            Json::Object(entries) => {
                let entries = entries.iter().map(|(key, inner)| {
                    Ok::<_, String>((key.clone(), Self::from_json(inner, is_text)?))
                });
                Self::Map(Rc::new(entries.collect::<Result<_, _>>()?))
            }
        })
    }

    pub(super) fn text(text: Traced) -> Self {
        Self::Text(Rc::new(text))
    }

    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::List(Rc::new(items))
    }

    pub(super) fn map(entries: BTreeMap<String, Self>) -> Self {
        Self::Map(Rc::new(entries))
    }

    /// What it is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Unknown => "not known",
            Self::Null => "null",
            Self::Bool(_) => "a truth value",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Set(_) => "a set",
            Self::Map(_) => "a map",
        }
    }

    /// The value as text, as it is printed.
    pub(super) fn to_text(&self) -> Result<Rc<Traced>, String> {
        Ok(match self {
            Self::Text(text) => Rc::clone(text),
            Self::Unknown => Rc::new(Traced::value(UNKNOWN)),
            Self::Bool(value) => Rc::new(Traced::value(value.to_string())),
            Self::Number(number) => Rc::new(Traced::value(number.to_string())),
            Self::Null | Self::List(_) | Self::Set(_) | Self::Map(_) => {
                return Err(format!("text is wanted, and this is {}", self.kind()));
            }
        })
    }

    /// The value as a number; text that is one counts.
    pub(super) fn to_number(&self) -> Result<Number, String> {
        let wrong = || format!("a number is wanted, and this is {}", self.kind());
        match self {
            Self::Number(number) => Ok(number.clone()),
            Self::Text(text) => Number::parse(text.as_str())
                .ok_or_else(|| "a number is wanted, and this text is none".into()),
            _ => Err(wrong()),
        }
    }

    /// The value as a truth value; the texts `true`, `false`, `1` and `0` count.
    pub(super) fn to_bool(&self) -> Result<bool, String> {
        match self {
            Self::Bool(value) => Ok(*value),
            Self::Text(text) if matches!(text.as_str(), "true" | "1") => Ok(true),
            Self::Text(text) if matches!(text.as_str(), "false" | "0") => Ok(false),
            Self::Text(_) => Err("`true` or `false` is wanted, and this text is neither".into()),
            _ => Err(format!("`true` or `false` is wanted, and this is {}", self.kind())),
        }
    }

    /// Both are the same; values of two types never are. Nothing if one is not known.
    pub(super) fn equals(&self, other: &Self) -> Option<bool> {
        Some(match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => return None,
            (Self::Null, Self::Null) => true,
            (Self::Bool(one), Self::Bool(two)) => one == two,
            (Self::Number(one), Self::Number(two)) => one == two,
            (Self::Text(one), Self::Text(two)) => one.as_str() == two.as_str(),
            (Self::List(one), Self::List(two)) | (Self::Set(one), Self::Set(two)) => {
                one.len() == two.len() && all(one.iter().zip(two.iter()))?
            }
            (Self::Map(one), Self::Map(two)) => {
                one.keys().eq(two.keys()) && all(one.values().zip(two.values()))?
            }
            _ => false,
        })
    }

    pub(super) fn type_of(&self) -> Type {
        match self {
            Self::Unknown | Self::Null => Type::Any,
            Self::Bool(_) => Type::Bool,
            Self::Number(_) => Type::Number,
            Self::Text(_) => Type::Text,
            Self::List(items) => Type::Tuple(items.iter().map(Self::type_of).collect()),
            // Its items have one type; it was made so.
            Self::Set(items) => Type::Set(items.first().map_or(Type::Any, Self::type_of).into()),
            Self::Map(entries) => {
                let types = entries.iter().map(|(key, item)| (key.clone(), item.type_of()));
                Type::Object(types.collect())
            }
        }
    }

    /// The value as one of this type, where both were found to go together.
    pub(super) fn converted(&self, wanted: &Type) -> Result<Self, String> {
        let item = match (wanted, self) {
            (Type::Any, _) | (_, Self::Null | Self::Unknown) => self.clone(),
            (Type::Bool, _) => Self::Bool(self.to_bool()?),
            (Type::Number, _) => Self::Number(self.to_number()?),
            (Type::Text, _) => Self::Text(self.to_text()?),
            (Type::Tuple(types), Self::List(items)) => {
                let items = items.iter().zip(types).map(|(item, wanted)| item.converted(wanted));
                Self::list(items.collect::<Result<_, _>>()?)
            }
            (Type::List(wanted), Self::List(items) | Self::Set(items)) => {
                let items = items.iter().map(|item| item.converted(wanted));
                Self::list(items.collect::<Result<_, _>>()?)
            }
            (Type::Set(wanted), Self::Set(items)) => {
                let items = items.iter().map(|item| item.converted(wanted));
                Self::Set(Rc::new(items.collect::<Result<_, _>>()?))
            }
            (Type::Object(types), Self::Map(entries)) => {
                let entries = entries.iter().map(|(key, item)| {
                    let wanted = types.get(key).unwrap_or(&Type::Any);
                    Ok::<_, String>((key.clone(), item.converted(wanted)?))
                });
                Self::map(entries.collect::<Result<_, _>>()?)
            }
            (Type::Map(wanted), Self::Map(entries)) => {
                let entries = entries
                    .iter()
                    .map(|(key, item)| Ok::<_, String>((key.clone(), item.converted(wanted)?)));
                Self::map(entries.collect::<Result<_, _>>()?)
            }
            _ => return Err(format!("another kind of value is wanted than {}", self.kind())),
        };
        Ok(item)
    }
}

/// All pairs are the same.
fn all<'a>(pairs: impl Iterator<Item = (&'a Item, &'a Item)>) -> Option<bool> {
    for (one, two) in pairs {
        if !one.equals(two)? {
            return Some(false);
        }
    }
    Some(true)
}

/// The type that values of both types can become.
pub(super) fn unify(one: &Type, two: &Type) -> Option<Type> {
    Some(match (one, two) {
        (Type::Any, other) | (other, Type::Any) => other.clone(),
        (one, two) if one == two => one.clone(),
        (Type::Text, Type::Bool | Type::Number) | (Type::Bool | Type::Number, Type::Text) => {
            Type::Text
        }
        (Type::Tuple(one), Type::Tuple(two)) if one.len() == two.len() => {
            let types = one.iter().zip(two).map(|(one, two)| unify(one, two));
            Type::Tuple(types.collect::<Option<_>>()?)
        }
        (Type::Tuple(one), Type::Tuple(two)) => {
            Type::List(unify_all(one.iter().chain(two))?.into())
        }
        (Type::List(of) | Type::Set(of), Type::Tuple(items))
        | (Type::Tuple(items), Type::List(of) | Type::Set(of)) => {
            Type::List(unify_all(items.iter().chain([&**of]))?.into())
        }
        (Type::Set(one), Type::Set(two)) => Type::Set(unify(one, two)?.into()),
        (Type::List(one) | Type::Set(one), Type::List(two) | Type::Set(two)) => {
            Type::List(unify(one, two)?.into())
        }
        (Type::Object(one), Type::Object(two)) if one.keys().eq(two.keys()) => {
            let types = one.iter().map(|(key, one)| Some((key.clone(), unify(one, &two[key])?)));
            Type::Object(types.collect::<Option<_>>()?)
        }
        (Type::Object(one), Type::Object(two)) => {
            Type::Map(unify_all(one.values().chain(two.values()))?.into())
        }
        (Type::Map(of), Type::Object(map)) | (Type::Object(map), Type::Map(of)) => {
            Type::Map(unify_all(map.values().chain([&**of]))?.into())
        }
        (Type::Map(one), Type::Map(two)) => Type::Map(unify(one, two)?.into()),
        _ => return None,
    })
}

/// The type that values of all these types can become.
pub(super) fn unify_all<'a>(types: impl IntoIterator<Item = &'a Type>) -> Option<Type> {
    types.into_iter().try_fold(Type::Any, |all, one| unify(&all, one))
}
