//! What a file holds, each part with its place, as far as it is known.

use std::ops::Range;

pub use shipspec_spec::value::UNKNOWN;

/// A part of a file and the bytes that it takes in the text that the user wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Byte offsets.
    pub range: Range<usize>,
    /// What it is.
    pub data: Data,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// Nothing is known of it, not even what it is.
    Unknown,
    /// `null`.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    /// A text; [`UNKNOWN`] stands in it for parts that are not known.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A map, in the order of its keys.
    Map(Vec<Entry>),
}

/// A key and what it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key is written.
    pub key_range: Range<usize>,
    /// Its value.
    pub value: Value,
}

impl Value {
    /// The entries of a map; none for anything else.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// The value of a key; a null counts as none.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value).filter(|value| value.data != Data::Null)
    }

    /// The entry of a key, whatever its value.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().rev().find(|entry| entry.key == key)
    }

    /// The items of the list under a key.
    pub fn list(&self, key: &str) -> impl Iterator<Item = &Self> {
        self.get(key).into_iter().flat_map(Self::items)
    }

    /// The text under a key, if all of it is known.
    #[must_use]
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// The whole number under a key.
    #[must_use]
    pub fn integer_of(&self, key: &str) -> Option<i64> {
        self.get(key)?.integer()
    }

    /// The text, if it is one and all of it is known.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.written().filter(|text| !text.contains(UNKNOWN))
    }

    /// The text, with [`UNKNOWN`] in place of what is not known.
    #[must_use]
    pub fn written(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number.
    #[must_use]
    pub fn integer(&self) -> Option<i64> {
        match &self.data {
            Data::Number(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// It is `true`.
    #[must_use]
    pub fn is_true(&self) -> bool {
        self.data == Data::Bool(true)
    }

    /// It, or a part of it, is not known.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        match &self.data {
            Data::Unknown => true,
            Data::Text(text) => text.contains(UNKNOWN),
            Data::List(items) => items.iter().any(Self::has_unknown),
            Data::Map(entries) => entries.iter().any(|entry| entry.value.has_unknown()),
            Data::Null | Data::Bool(_) | Data::Number(_) => false,
        }
    }

    /// There is something: no null, no empty list, map or text, no `false`.
    #[must_use]
    pub fn says_something(&self) -> bool {
        match &self.data {
            Data::Null | Data::Bool(false) => false,
            Data::Text(text) => !text.is_empty(),
            Data::List(items) => !items.is_empty(),
            Data::Map(entries) => !entries.is_empty(),
            Data::Unknown | Data::Bool(true) | Data::Number(_) => true,
        }
    }

    /// The bytes that it takes as JSON without any space: what is not known counts as nothing.
    #[must_use]
    pub fn compact_size(&self) -> usize {
        let quoted = |text: &str| {
            let more = |byte| usize::from(matches!(byte, b'"' | b'\\' | b'\n' | b'\t' | b'\r'));
            2 + text.replace(UNKNOWN, "").bytes().map(|byte| 1 + more(byte)).sum::<usize>()
        };
        let commas = |count: usize| count.saturating_sub(1);
        match &self.data {
            Data::Unknown => 0,
            Data::Null | Data::Bool(true) => 4,
            Data::Bool(false) => 5,
            Data::Number(text) => text.len(),
            Data::Text(text) => quoted(text),
            Data::List(items) => {
                2 + commas(items.len()) + items.iter().map(Self::compact_size).sum::<usize>()
            }
            Data::Map(entries) => {
                let sizes = entries.iter().map(|e| quoted(&e.key) + 1 + e.value.compact_size());
                2 + commas(entries.len()) + sizes.sum::<usize>()
            }
        }
    }

    /// Every value in it, itself first.
    pub fn all(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        let inner: Box<dyn Iterator<Item = &Self>> = match &self.data {
            Data::List(items) => Box::new(items.iter().flat_map(Self::all)),
            Data::Map(entries) => Box::new(entries.iter().flat_map(|entry| entry.value.all())),
            _ => Box::new(std::iter::empty()),
        };
        Box::new(std::iter::once(self).chain(inner))
    }
}
