//! Texts with a name, and places in them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// A text that was read, under the name by which its reader knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// A path relative to the project, or a word such as `--set`.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Where each line begins, once somebody asks.
    lines: OnceLock<Vec<usize>>,
}

impl Source {
    /// A shared source, as [`Span`] wants it.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into(), lines: OnceLock::new() })
    }
}

impl Source {
    /// As [`Position::of`] in this text. Whoever asks for many places reads it once.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        let lines = self.lines.get_or_init(|| {
            let ends = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(ends.map(|(end, _)| end + 1)).collect()
        });
        let offset = self.text.floor_char_boundary(offset.min(self.text.len()));
        let line = lines.partition_point(|start| *start <= offset);
        let column = self.text[lines[line - 1]..offset].chars().count() + 1;
        Position { line, column }
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

impl Hash for Span {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Texts are long, and most spans that are compared are in one.
        self.source.name.hash(state);
        self.range.hash(state);
    }
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
        self.source.position(self.range.start)
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
        for text in ["", "\n", "one\nzwölf\n\n", "ä\r\nb"] {
            let source = Source::new("a", text);
            for offset in 0..=text.len() + 1 {
                assert_eq!(
                    source.position(offset),
                    Position::of(text, offset),
                    "{text:?} {offset}"
                );
            }
        }
    }
}
