//! What a text of a shell is made of.

use std::ops::Range;

/// A text of a shell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// Its statements, in their order.
    pub statements: Vec<Statement>,
    /// The texts of here-documents, by the number that [`Target::Document`] has.
    pub documents: Vec<String>,
    /// Every quote, bracket and keyword has its end.
    pub is_whole: bool,
}

/// Programs in a pipe, or `if`, `for` and the like, up to what separates it from the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its bytes, here-documents included.
    pub range: Range<usize>,
    /// It begins with `!`.
    pub is_negated: bool,
    /// What stands between its pipes; one, if it has none.
    pub pipeline: Vec<Body>,
    /// What leads to the next one.
    pub next: Next,
}

/// What stands between a statement and the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// `;`, the end of a line, or the end.
    Sequence,
    /// `&&`.
    And,
    /// `||`.
    Or,
    /// `&`.
    Background,
}

/// One part of a pipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A program and its words.
    Simple(Command),
    /// `if`, `for`, `while`, `case`, a group, a subshell or a function.
    Compound {
        /// The statements in it, conditions included.
        inner: Vec<Statement>,
        /// What is redirected of all of them.
        redirects: Vec<Redirect>,
    },
}

/// Assignments, a program, its words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Command {
    /// All of them, in their order.
    pub words: Vec<Word>,
    /// Where it reads from and writes to.
    pub redirects: Vec<Redirect>,
}

/// A word, as it is written and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Word {
    /// As it is written, quotes and all.
    pub text: String,
    /// Its bytes.
    pub range: Range<usize>,
    /// What it is made of.
    pub parts: Vec<Part>,
}

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text, without its quotes and escapes.
    Text {
        /// The text.
        text: String,
        /// It stands in quotes, or behind a backslash.
        is_quoted: bool,
    },
    /// `$NAME` or `${NAME…}`.
    Variable {
        /// The name.
        name: String,
        /// What stands behind the name in braces: `:-text`, `%%/*`, `:0:7`.
        form: String,
    },
    /// `$(…)` or backticks.
    Output(Script),
    /// Something else, such as `$((1 + 1))`.
    Other,
}

/// `<`, `>` and their like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The number in front.
    pub descriptor: Option<u32>,
    /// Which way.
    pub direction: Direction,
    /// Where.
    pub target: Target,
}

/// Which way something is redirected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// `<`, `<<`, `<<<`.
    In,
    /// `>`.
    Out,
    /// `>>`.
    Append,
    /// `&>`, `>&` and others that join streams.
    Joined,
}

/// What a redirection names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file, or the number of a stream.
    Word(Word),
    /// The text of the word itself: `<<<`.
    Text(Word),
    /// A here-document: its number in [`Script::documents`].
    Document {
        /// The number.
        index: usize,
        /// Its delimiter is quoted, so that nothing in it is filled.
        is_literal: bool,
    },
}

/// A name of a variable.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit()) && text.bytes().all(is_part)
}

impl Word {
    /// The word without quotes around it.
    #[must_use]
    pub fn bare(&self) -> &str {
        let text = self.text.as_str();
        let inner =
            |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        inner('"').or_else(|| inner('\'')).unwrap_or(text)
    }

    /// The name that it gives a value, and that value.
    #[must_use]
    pub fn assignment(&self) -> Option<(&str, &str)> {
        let (name, value) = self.text.split_once('=')?;
        let name = name.strip_suffix('+').unwrap_or(name);
        is_name(name).then_some((name, value))
    }

    /// Its text, if no variable or output is in it.
    #[must_use]
    pub fn literal(&self) -> Option<String> {
        self.parts
            .iter()
            .map(|part| if let Part::Text { text, .. } = part { Some(&**text) } else { None })
            .collect()
    }
}

impl Command {
    /// The words in front that give names a value, and the program with its words.
    #[must_use]
    pub fn split(&self) -> (&[Word], &[Word]) {
        let count = self.words.iter().take_while(|word| word.assignment().is_some()).count();
        self.words.split_at(count)
    }
}

impl Statement {
    /// The program, if the statement is nothing but one.
    #[must_use]
    pub fn command(&self) -> Option<&Command> {
        match (self.pipeline.as_slice(), self.is_negated) {
            ([Body::Simple(command)], false) => Some(command),
            _ => None,
        }
    }
}
