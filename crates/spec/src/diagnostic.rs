//! Everything wrong that one look can find, each with its place.

use std::fmt;

use indexmap::IndexSet;
use indexmap::set::Slice;

use crate::hint::Hint;
use crate::source::Span;

/// One thing that is wrong in a text that the user wrote.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// Where, if it has a place.
    pub span: Option<Span>,
    /// What to do, if that is not plain from the message.
    pub hint: Option<String>,
    /// A name is asked for that is not known yet: not a mistake where the run has not come so far.
    pub is_premature: bool,
}

impl Diagnostic {
    /// A finding without a place.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), span: None, hint: None, is_premature: false }
    }

    /// A finding at a place.
    #[must_use]
    pub fn at(span: Span, message: impl Into<String>) -> Self {
        Self { span: Some(span), ..Self::new(message) }
    }

    /// The same finding with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.span {
            Some(span) => write!(formatter, "{span}: {}", self.message),
            None => formatter.write_str(&self.message),
        }
    }
}

/// All findings of one look, never empty when it is an error.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics(IndexSet<Diagnostic>);

impl Diagnostics {
    /// Adds one more, unless the very same is already there.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.insert(diagnostic);
    }

    /// Adds those of another look.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The findings, in the order in which they were made.
    #[must_use]
    pub fn as_slice(&self) -> &Slice<Diagnostic> {
        self.0.as_slice()
    }

    /// The findings that are mistakes however far the run has come.
    #[must_use]
    pub fn without_premature(self) -> Self {
        Self(self.0.into_iter().filter(|diagnostic| !diagnostic.is_premature).collect())
    }

    /// Nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `value` if nothing was found, else the findings.
    ///
    /// # Errors
    ///
    /// The findings, if there are any.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(IndexSet::from([diagnostic]))
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Self {
        Self(diagnostics.into_iter().collect())
    }
}

impl PartialEq for Diagnostics {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Diagnostics {}

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

impl Hint for Diagnostics {
    fn hint(&self) -> Option<String> {
        self.0.iter().find_map(|diagnostic| diagnostic.hint.clone())
    }
}
