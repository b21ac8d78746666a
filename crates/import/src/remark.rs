//! What is told of an import.

use std::fmt;

/// Why most commands stay.
pub(crate) const NOTHING: &str = "shipspec has nothing in its place";

/// What a remark is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A command that shipspec replaces.
    Replaced,
    /// A command that nothing needs any more.
    Dropped,
    /// A command that stays as it is.
    Kept,
    /// Something to look at: what is now different, or was wrong.
    Look,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::Dropped => "dropped",
            Self::Kept => "kept",
            Self::Look => "look",
        }
    }
}

/// One thing that is told of an import.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// The line of the buildspec, from 1.
    pub line: Option<usize>,
    /// What it is about.
    pub kind: Kind,
    /// The command, or a part of it, in one line.
    pub subject: String,
    /// What became of it, and why: a fragment.
    pub message: String,
}

impl fmt::Display for Remark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(formatter, "line {line}: ")?;
        }
        write!(formatter, "{}", self.kind.word())?;
        if !self.subject.is_empty() {
            write!(formatter, " `{}`", self.subject)?;
        }
        if !self.message.is_empty() {
            write!(formatter, ": {}", self.message)?;
        }
        Ok(())
    }
}

/// A command in one line that is not too long.
pub(crate) fn subject(text: &str) -> String {
    const MOST: usize = 100;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
