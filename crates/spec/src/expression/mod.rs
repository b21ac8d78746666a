//! `${…}` in shipspec.yml and in templates: what was written, and what it comes to.
//!
//! Nothing outside this folder knows minijinja.

mod calls;
mod evaluate;
mod filters;
mod foreign;
mod jinja;
mod lexer;
mod marks;
mod placeholders;
mod seen;
mod tags;
mod terraform;

pub use evaluate::{EvaluationError, NameError, Names};
pub use jinja::{JinjaError, JinjaPart, JinjaTemplate, JinjaText};
pub use terraform::{
    TerraformError, TerraformOrigin, TerraformPart, TerraformTemplate, TerraformText,
};

use std::collections::BTreeSet;
use std::ops::Range;

pub(crate) use lexer::name_length;

use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// How names may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Strings of shipspec.yml: only `${…}`.
    Braces,
    /// Templates that envsubst could fill: `$NAME` too.
    Shell,
}

/// A text with slots to fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

/// A part of a template; ranges are byte offsets into the text that it was parsed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Stays as it is.
    Text(Range<usize>),
    /// Is filled.
    Slot(Slot),
}

/// A place to fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// From the `$` to the closing brace.
    pub range: Range<usize>,
    /// What fills it.
    pub expression: Expression,
}

/// What stands in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// `$NAME` or `${NAME}`.
    Name(String),
    /// `${NAME:-text}` and its kin, as a POSIX shell has them.
    Conditional(Box<Conditional>),
    /// Anything else: an expression of minijinja.
    Code(String),
    /// What stands for a placeholder of another tool: a text with slots of its own.
    Nested(Box<Nested>),
}

/// A text with slots, in place of a placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nested {
    /// The text.
    pub source: String,
    /// Its slots.
    pub template: Template,
}

/// A name with a text for when it has a value or has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditional {
    /// The name that is asked.
    pub name: String,
    /// What happens.
    pub operator: Operator,
    /// With a `:`, an empty value counts as none.
    pub empty_is_unset: bool,
    /// The text behind the operator; it may hold slots.
    pub word: Template,
}

/// The operators of a POSIX shell's parameter expansion ([2.6.2]).
///
/// [2.6.2]: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_06_02
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `-`: the text where the name has no value.
    Default,
    /// `+`: the text where the name has a value, else nothing.
    Alternative,
    /// `?`: an error with the text as its message where the name has no value.
    Required,
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where it began to be wrong, in byte offsets.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl SyntaxError {
    /// The error at its place in a file.
    #[must_use]
    pub fn into_diagnostic(self, span: impl FnOnce(Range<usize>) -> Span) -> Diagnostic {
        Diagnostic { hint: self.hint, ..Diagnostic::at(span(self.range), self.message) }
    }
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// Every place that cannot be read.
    pub fn parse(text: &str, dialect: Dialect) -> Result<Self, Vec<SyntaxError>> {
        lexer::parse(text, dialect, None)
    }

    /// As [`Template::parse`], but only slots that ask for nothing but `names` are filled; everything
    /// else is text, whatever it looks like. `envsubst` takes such a list too.
    ///
    /// # Errors
    ///
    /// Every place that cannot be read, of those that are to be filled.
    pub fn parse_only(
        text: &str,
        dialect: Dialect,
        names: &[String],
    ) -> Result<Self, Vec<SyntaxError>> {
        lexer::parse(text, dialect, Some(names))
    }

    /// The same template, in which placeholders of another tool are slots too; and those that occur
    /// nowhere. Where two begin at the same place, the longer one is meant.
    #[must_use]
    pub fn with_placeholders(
        self,
        text: &str,
        placeholders: &[(String, Nested)],
    ) -> (Self, Vec<String>) {
        if placeholders.is_empty() {
            return (self, Vec::new());
        }
        placeholders::find(self, text, placeholders)
    }

    /// A text without any slot.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self { pieces: vec![Piece::Text(0..text.len())] }
    }

    /// The template `${NAME}`.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        let expression = Expression::Name(name.to_owned());
        Self { pieces: vec![Piece::Slot(Slot { range: 0..name.len() + 3, expression })] }
    }

    /// The parts in their order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The places to fill, in their order.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Slot(slot) => Some(slot),
            Piece::Text(_) => None,
        })
    }

    /// The code of every expression of minijinja in it, those in defaults included.
    #[must_use]
    pub fn code(&self) -> Vec<&str> {
        self.slots().flat_map(|slot| slot.expression.code()).collect()
    }

    /// Every name that could be asked for: `NAME`, or `images.app.uri` for a part of one.
    #[must_use]
    pub fn references(&self) -> BTreeSet<String> {
        self.slots().flat_map(|slot| slot.expression.references()).collect()
    }
}

impl Expression {
    fn code(&self) -> Vec<&str> {
        match self {
            Self::Name(_) => Vec::new(),
            Self::Conditional(conditional) => conditional.word.code(),
            Self::Code(code) => vec![code],
            Self::Nested(nested) => nested.template.code(),
        }
    }

    /// Every name that could be asked for, those in defaults included.
    #[must_use]
    pub fn references(&self) -> BTreeSet<String> {
        match self {
            Self::Name(name) => BTreeSet::from([name.clone()]),
            Self::Conditional(conditional) => {
                let mut names = conditional.word.references();
                names.insert(conditional.name.clone());
                names
            }
            Self::Code(code) => evaluate::references(code),
            Self::Nested(nested) => nested.template.references(),
        }
    }
}
