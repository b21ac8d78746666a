//! What is wrong with a template of Jinja, and where in it.

use std::ops::Range;
use std::sync::LazyLock;

use minijinja::{Error, ErrorKind};
use regex::Regex;

use super::super::evaluate::{EvaluationError, explain};
use super::super::tags::tags;

/// Why a template was not filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct JinjaError {
    /// What is wrong. No message holds a value.
    pub error: EvaluationError,
    /// The bytes of the template that it is about, as far as that is known.
    pub range: Option<Range<usize>>,
}

impl JinjaError {
    pub(super) fn new(message: impl Into<String>, range: Option<Range<usize>>) -> Self {
        Self { error: EvaluationError::Expression(message.into()), range }
    }

    /// The same for an error of minijinja's, in the template `name`.
    pub(super) fn of(error: &Error, name: &str, text: &str) -> Self {
        let range = is_in(error, name).then(|| range(error, text)).flatten();
        // What is wrong in a file that it is put together from stands in the innermost error.
        let inner = innermost(error);
        match place(inner, name) {
            Some(place) => Self::new(format!("{place}: {}", explain(inner)), range),
            None => {
                let name = range.as_ref().and_then(|range| missing_file(error, text, range.start));
                let name = name.map_or(String::new(), |name| format!(": `{name}`"));
                Self::new(format!("{}{name}", explain(error)), range)
            }
        }
    }
}

/// The name of the template that there is not, if it stands in the code as it is: one that was put together
/// may be made from a secret.
fn missing_file<'t>(error: &Error, text: &'t str, offset: usize) -> Option<&'t str> {
    static QUOTED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"'([^']*)'|"([^"]*)""#).expect("the pattern is right"));
    let is_missing = matches!(error.kind(), ErrorKind::TemplateNotFound | ErrorKind::BadInclude);
    let detail = error.detail().filter(|_| is_missing)?;
    let code = text.get(tag_at(text, offset))?;
    let names = QUOTED.captures_iter(code).filter_map(|found| found.get(1).or(found.get(2)));
    names.map(|name| name.as_str()).find(|name| detail.contains(*name))
}

/// The error that is the reason for all others.
pub(super) fn innermost(error: &Error) -> &Error {
    let mut innermost = error;
    while let Some(inner) =
        std::error::Error::source(innermost).and_then(|inner| inner.downcast_ref::<Error>())
    {
        innermost = inner;
    }
    innermost
}

/// The file and the line of an error that is not in the template `name`.
pub(super) fn place(error: &Error, name: &str) -> Option<String> {
    let other = error.name().filter(|_| !is_in(error, name))?;
    Some(error.line().map_or(other.to_owned(), |line| format!("{other}:{line}")))
}

fn is_in(error: &Error, name: &str) -> bool {
    error.name().is_none_or(|other| other == name)
}

/// Where in the text it is, within one line.
pub(super) fn range(error: &Error, text: &str) -> Option<Range<usize>> {
    let line_end = |start: usize| text[start..].find('\n').map_or(text.len(), |end| start + end);
    let known =
        error.range().filter(|range| text.get(range.clone()).is_some_and(|it| !it.is_empty()));
    if let Some(range) = known {
        let end = range.end.min(line_end(range.start)).max(range.start);
        return Some(start_of_name(text, range.start)..end);
    }
    let before = text.split_inclusive('\n').take(error.line()?.saturating_sub(1));
    let start = before.map(str::len).sum();
    let length = text[start..line_end(start)].trim_end().len();
    Some(start..start + length)
}

/// Where the name begins of which a part begins at `offset`, with its point.
fn start_of_name(text: &str, offset: usize) -> usize {
    let is_part = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '.');
    if text[offset..].starts_with('.') {
        text[..offset].trim_end_matches(is_part).len()
    } else {
        offset
    }
}

/// A name that has no value is what is wrong.
pub(super) fn is_undefined(error: &Error) -> bool {
    error.kind() == ErrorKind::UndefinedError
}

/// Where the code of a template first says a name.
pub(super) fn find_name(text: &str, name: &str) -> Option<Range<usize>> {
    tags(text).into_iter().find_map(|(start, code)| {
        let found = find_word(code, name)?;
        Some(start + found.start..start + found.end)
    })
}

/// The code of the tag in which an offset lies.
pub(super) fn tag_at(text: &str, offset: usize) -> Range<usize> {
    let tags = tags(text).into_iter().map(|(start, code)| start..start + code.len());
    tags.into_iter().find(|tag| tag.contains(&offset)).unwrap_or_default()
}

/// Where a piece of code says a name, and not a part of another one, a filter or a string's beginning.
pub(super) fn find_word(code: &str, name: &str) -> Option<Range<usize>> {
    let word = Regex::new(&format!(r"\b{}\b", regex::escape(name))).ok()?;
    let is_name = |found: &regex::Match<'_>| {
        !code[..found.start()].trim_end().ends_with(['.', '|', '\'', '"'])
    };
    word.find_iter(code).find(is_name).map(|found| found.range())
}

/// The code asks whether the name has a value, or says what it is without one.
pub(super) fn is_optional(text: &str, name: &str) -> bool {
    let form = format!(
        r"\b{}(\.\w+)*\s*(\bis\s+(not\s+)?(un)?defined\b|\|\s*(d|default)\b)",
        regex::escape(name)
    );
    let is_asked = Regex::new(&form);
    is_asked.is_ok_and(|form| tags(text).iter().any(|(_, code)| form.is_match(code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_code_alone() {
        let text = "A {# A #}{{ x.A ~ 'A' ~ BA }}\n{% if A %}";
        let found = find_name(text, "A").unwrap();
        assert_eq!((&text[found.clone()], &text[found.start - 3..]), ("A", "if A %}"));
        assert_eq!(find_name(text, "C"), None);
    }

    #[test]
    fn names_that_are_asked_for_may_be_missing() {
        let text = "{% if A is defined %}{{ B.c | default('x') }}{{ C|d }}{% if D is not  defined %}{{ E | upper }}";
        assert!(["A", "B", "C", "D"].iter().all(|name| is_optional(text, name)));
        assert!(!is_optional(text, "E") && !is_optional("B is defined", "B"));
    }
}
