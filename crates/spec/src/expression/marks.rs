//! How a Jinja template prints values, so that they can be told from the text around them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use minijinja::{Error, Output, State, Value};

use super::filters::told;
use super::jinja::JinjaPart;

/// Begins a value; Unicode gives these characters to nobody.
const VALUE: char = '\u{f5a00}';
/// Begins a value that is text, whatever it looks like.
const TEXT: char = '\u{f5a01}';
/// Begins a value that was put together from values and text.
const MIXED: char = '\u{f5a02}';
/// Ends a value.
const END: char = '\u{f5a03}';

/// A text of this length that is part of one that shipspec made is taken to be made from it: a
/// commit's first digits, but not the port `80`.
const SHORTEST_MADE: usize = 6;

type Formatted = Result<(), Error>;

/// No value was printed that could change the structure of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Harmless(Arc<AtomicBool>);

impl Harmless {
    pub(super) fn is_true(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
    }
}

/// Prints each value between two marks; `made` are the texts that shipspec made itself.
pub(super) fn print_marked(
    made: Vec<String>,
) -> impl Fn(&mut Output, &mut State, &Value) -> Formatted + Send + Sync + 'static {
    move |output, _, value| {
        let Some(text) = text_of(value)? else { return Ok(()) };
        // What a macro or a block has printed has its marks.
        if value.is_safe() {
            return output.write_str(&text).map_err(Error::from);
        }
        let is_made = value.as_str().is_some()
            && text.len() >= SHORTEST_MADE
            && made.iter().any(|made| made.contains(&text));
        // Marks in a text that is not as it was captured do not tell what is a value any more.
        let (begin, text) = match without_marks(&text) {
            Some(text) if !is_harmless(&text) => (MIXED, text),
            Some(text) => (VALUE, text),
            None if is_made => (TEXT, text),
            None => (VALUE, text),
        };
        write!(output, "{begin}{text}{END}").map_err(Error::from)
    }
}

/// Prints each value as it is, and notes whether one was not harmless.
pub(super) fn print_plainly(
    harmless: Harmless,
) -> impl Fn(&mut Output, &mut State, &Value) -> Formatted + Send + Sync + 'static {
    move |output, _, value| {
        let Some(text) = text_of(value)? else { return Ok(()) };
        if !value.is_safe() && !is_harmless(&text) {
            harmless.0.store(true, Ordering::Relaxed);
        }
        output.write_str(&text).map_err(Error::from)
    }
}

/// The output without its marks.
pub(super) fn split(text: &str) -> Vec<JinjaPart> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find([VALUE, TEXT, MIXED]) {
        let (before, behind) = rest.split_at(open);
        let mark = behind.chars().next().unwrap_or(VALUE);
        let behind = &behind[mark.len_utf8()..];
        let (value, behind) = behind.split_once(END).unwrap_or((behind, ""));
        if !before.is_empty() {
            parts.push(JinjaPart::Text(before.to_owned()));
        }
        let (is_text, is_mixed) = (mark == TEXT, mark == MIXED);
        parts.push(JinjaPart::Value { text: value.to_owned(), is_text, is_mixed });
        rest = behind;
    }
    if !rest.is_empty() {
        parts.push(JinjaPart::Text(rest.to_owned()));
    }
    parts
}

/// The text without its marks; nothing if it has none.
pub(super) fn without_marks(text: &str) -> Option<String> {
    let marks = [VALUE, TEXT, MIXED, END];
    text.contains(marks).then(|| text.replace(marks, ""))
}

/// A value as text: strings bare, anything else as JSON writes it; nothing for what is undefined,
/// such as an `if` without `else`.
fn text_of(value: &Value) -> Result<Option<String>, Error> {
    if value.is_undefined() {
        return Ok(None);
    }
    if value.is_none() {
        return Err(told("a value is none, and there is no text for that"));
    }
    match value.as_str() {
        Some(text) => Ok(Some(text.to_owned())),
        None => match serde_json::to_string(value) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(told("a value has no text, such as a macro")),
        },
    }
}

/// No sign in the text means anything to JSON or YAML, wherever it stands.
fn is_harmless(text: &str) -> bool {
    let is_sign = |character: char| "\"'\\{}[],:#&*!|>%@`?-~=<".contains(character);
    !text.chars().any(|character| is_sign(character) || character.is_control())
}
