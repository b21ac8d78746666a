//! Texts with a name, and places in them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A text that was read, under the name by which its reader knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// A path relative to the project, or a word such as `--set`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// A shared source, as [`Span`] wants it.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into() })
    }
}

/// A line and a column in a text, both from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// The position of a byte offset; one past the end is the end.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let before = &text[..text.floor_char_boundary(offset.min(text.len()))];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// A stretch of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The text that it is in.
    pub source: Arc<Source>,
    /// Byte offsets.
    pub range: Range<usize>,
}

impl Span {
    /// A stretch of `source`, by byte offsets.
    #[must_use]
    pub fn new(source: &Arc<Source>, range: Range<usize>) -> Self {
        Self { source: Arc::clone(source), range }
    }

    /// Where it begins.
    #[must_use]
    pub fn position(&self) -> Position {
        Position::of(&self.source.text, self.range.start)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position();
        write!(formatter, "{}:{line}:{column}", self.source.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let source = Source::new("a.json", "one\nzwölf ${X}\n");
        let start = source.text.find('$').unwrap();
        assert_eq!(Span::new(&source, start..start + 4).to_string(), "a.json:2:7");
        assert_eq!(Position::of("", 10), Position { line: 1, column: 1 });
    }
}
