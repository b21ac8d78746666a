//! Every finding that there is: its code, how bad it is, and the page that explains it.

mod agree;
mod appspec;
mod buildspec;
mod container;
mod files;
mod page;
mod task;

use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably not what was meant.
    Warning,
    /// AWS refuses it, or it is certain to fail.
    Error,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Files of an example: a path and a text each.
pub type Files = &'static [(&'static str, &'static str)];

/// What is known of a code.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// The code, which does not change.
    pub code: &'static str,
    /// How bad its findings are.
    pub severity: Severity,
    /// What it is about, in one line.
    pub title: &'static str,
    /// Why it matters and what to do; where the rule comes from.
    pub text: &'static str,
    /// Files that have it.
    pub bad: Files,
    /// The same files, mended.
    pub good: Files,
}

/// A kind of finding.
#[derive(Clone, Copy)]
pub struct Code(&'static Page);

impl Code {
    /// What is known of it.
    #[must_use]
    pub fn page(self) -> &'static Page {
        self.0
    }

    /// The code itself.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0.code
    }

    /// The code of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        all().find(|code| code.as_str() == name)
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Code {}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Every code, area by area.
pub fn all() -> impl Iterator<Item = Code> {
    let areas = [files::ALL, task::ALL, container::ALL, appspec::ALL, agree::ALL, buildspec::ALL];
    areas.into_iter().flatten().map(|page| Code(page))
}

/// The files of an example: their texts are in the folder `examples`, so that they can be opened as
/// what they are.
macro_rules! example {
    ($code:literal, $kind:literal, [$($path:literal),*]) => {
        &[$(($path, include_str!(concat!("examples/", $code, "/", $kind, "/", $path)))),*]
    };
}
use example;

/// Declares pages and a constant for each.
macro_rules! pages {
    ($($name:ident: $severity:ident $code:literal, $title:literal, $text:literal, examples $bad:tt $good:tt;)*) => {
        $(
            #[doc = $title]
            pub(crate) const $name: $crate::codes::Code = $crate::codes::Code(&$crate::codes::Page {
                code: $code,
                severity: $crate::codes::Severity::$severity,
                title: $title,
                text: $text,
                bad: $crate::codes::example!($code, "bad", $bad),
                good: $crate::codes::example!($code, "good", $good),
            });
        )*
        pub(super) const ALL: &[&$crate::codes::Page] = &[$($name.0),*];
    };
}
use pages;

/// The codes by their names.
pub(crate) mod name {
    pub(crate) use super::agree::*;
    pub(crate) use super::appspec::*;
    pub(crate) use super::buildspec::*;
    pub(crate) use super::container::*;
    pub(crate) use super::files::*;
    pub(crate) use super::task::*;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_words_and_there_is_one_of_each() {
        let mut seen = BTreeSet::new();
        for code in all() {
            let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
            assert!(code.as_str().bytes().all(is_word), "{code}");
            assert!(seen.insert(code.as_str()), "{code} stands twice");
        }
    }
}
