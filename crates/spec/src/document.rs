//! A YAML text as a tree in which every key and value knows its place.
//!
//! JSON is read as the YAML that it is, or by [`json::parse`], which takes nothing else.

pub mod json;

use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle};

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// A value and the bytes that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Byte offsets.
    pub range: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A text, number, truth value or null.
    Scalar {
        /// What stands there, unquoted.
        text: String,
        /// It is written without quotes, so that it may be other than text.
        plain: bool,
    },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of its keys.
    Map(Vec<(Node, Node)>),
    /// A reference to an anchor.
    Alias,
}

impl Node {
    /// Reads the first document of a text; an empty text is a null.
    ///
    /// # Errors
    ///
    /// The place where the text stops being YAML.
    pub fn parse(source: &Arc<Source>) -> Result<Self, Diagnostic> {
        let mut builder = Builder::default();
        for event in Parser::new_from_str(&source.text) {
            let (event, span) = event.map_err(|error| {
                let offset = error.marker().byte_offset().unwrap_or(source.text.len());
                Diagnostic::at(Span::new(source, offset..offset), error.info())
            })?;
            match event {
                Event::DocumentEnd => break,
                event => builder.take(event, span.byte_range().unwrap_or_default()),
            }
        }
        let kind = Kind::Scalar { text: String::new(), plain: true };
        Ok(builder.root.unwrap_or(Self { range: 0..0, kind }))
    }

    /// The text of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The entries of a mapping; none for anything else.
    #[must_use]
    pub fn entries(&self) -> &[(Self, Self)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Key and value at a path of keys.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<(&Self, &Self)> {
        let (first, rest) = path.split_first()?;
        let (key, value) = self
            .entries()
            .iter()
            .find(|(key, _)| key.text() == Some(first))
            .map(|(k, v)| (k, v))?;
        if rest.is_empty() { Some((key, value)) } else { value.at(rest) }
    }
}

/// Puts events together; nesting is on its own stack, so that a deep text cannot exhaust the thread's.
#[derive(Default)]
struct Builder {
    open: Vec<(usize, Open)>,
    root: Option<Node>,
}

enum Open {
    List(Vec<Node>),
    Map(Vec<(Node, Node)>, Option<Node>),
}

impl Builder {
    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Scalar(text, style, ..) => {
                let plain = style == ScalarStyle::Plain;
                self.add(Node { range, kind: Kind::Scalar { text: text.into_owned(), plain } });
            }
            Event::Alias(_) => self.add(Node { range, kind: Kind::Alias }),
            Event::SequenceStart(..) => self.open.push((range.start, Open::List(Vec::new()))),
            Event::MappingStart(..) => self.open.push((range.start, Open::Map(Vec::new(), None))),
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((start, open)) = self.open.pop() {
                    let kind = match open {
                        Open::List(items) => Kind::List(items),
                        Open::Map(entries, _) => Kind::Map(entries),
                    };
                    self.add(Node { range: start..range.end, kind });
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, node: Node) {
        match self.open.last_mut() {
            Some((_, Open::List(items))) => items.push(node),
            Some((_, Open::Map(entries, key))) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => *key = Some(node),
            },
            None => self.root = Some(node),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_value_knows_its_bytes() {
        let source = Source::new("s", "images:\n  app: { context: './web' }\n");
        let root = Node::parse(&source).unwrap();
        let (key, value) = root.at(&["images", "app", "context"]).unwrap();
        assert_eq!(&source.text[key.range.clone()], "context");
        assert_eq!(&source.text[value.range.clone()], "'./web'");
        assert_eq!(value.text(), Some("./web"));
    }

    #[test]
    fn what_is_no_yaml_is_told_with_its_place() {
        let error = Node::parse(&Source::new("s.yml", "a: [1, 2\nb: 3\n")).unwrap_err();
        assert!(error.to_string().starts_with("s.yml:2:"), "{error}");
    }

    #[test]
    fn deep_nesting_is_an_error_or_a_tree_but_no_crash() {
        let _ = Node::parse(&Source::new("s", "[".repeat(100_000)));
    }
}
