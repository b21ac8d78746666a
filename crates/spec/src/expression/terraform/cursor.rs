//! The signs of an expression, one after the other.

use std::ops::Range;

use crate::expression::SyntaxError;

/// A place in the text of a template.
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    /// The end of a line ends an item: between the braces of a map.
    pub(super) lines_count: bool,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, lines_count: false }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Passes space and comments.
    pub(super) fn skip_space(&mut self) {
        loop {
            let lines_count = self.lines_count;
            let is_space = |sign: char| {
                matches!(sign, ' ' | '\t') || !lines_count && matches!(sign, '\n' | '\r')
            };
            let rest = self.rest().trim_start_matches(is_space);
            self.at = self.text.len() - rest.len();
            let length = if rest.starts_with('#') || rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else {
                return;
            };
            self.at += length;
        }
    }

    /// What comes next, after space, begins with this.
    pub(super) fn is_next(&mut self, sign: &str) -> bool {
        self.skip_space();
        self.rest().starts_with(sign)
    }

    /// Passes this sign if it comes next.
    pub(super) fn take(&mut self, sign: &str) -> bool {
        let is_next = self.is_next(sign);
        if is_next {
            self.at += sign.len();
        }
        is_next
    }

    /// Passes this sign.
    pub(super) fn expect(&mut self, sign: &str, for_what: &str) -> Result<(), SyntaxError> {
        if self.take(sign) {
            return Ok(());
        }
        let message =
            format!("`{sign}` is wanted {for_what}, and here is {}", self.describe_next());
        Err(self.error_here(message))
    }

    /// Passes a name: letters, digits, `_` and `-`.
    pub(super) fn take_name(&mut self) -> Option<(&'a str, Range<usize>)> {
        self.skip_space();
        let rest = self.rest();
        let is_start = |sign: char| sign.is_alphabetic() || sign == '_';
        if !rest.starts_with(is_start) {
            return None;
        }
        let is_in = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '-');
        let length = rest.find(|sign| !is_in(sign)).unwrap_or(rest.len());
        let range = self.at..self.at + length;
        self.at = range.end;
        Some((&rest[..length], range))
    }

    /// Passes this word if it is the next name.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let start = self.at;
        let is_next = self.take_name().is_some_and(|(name, _)| name == word);
        if !is_next {
            self.at = start;
        }
        is_next
    }

    /// Passes a number: digits, a fraction, an exponent.
    pub(super) fn take_number(&mut self) -> Option<&'a str> {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let rest = self.rest();
        let mut length = digits(rest);
        if length == 0 {
            return None;
        }
        if let Some(fraction) = rest[length..].strip_prefix('.').map(digits).filter(|it| *it > 0) {
            length += 1 + fraction;
        }
        if let Some(exponent) = rest[length..].strip_prefix(['e', 'E']) {
            let unsigned = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            let count = digits(unsigned);
            if count > 0 {
                length += 1 + (exponent.len() - unsigned.len()) + count;
            }
        }
        self.at += length;
        Some(&rest[..length])
    }

    /// The sign that comes next, in words.
    pub(super) fn describe_next(&mut self) -> String {
        self.skip_space();
        match self.rest().chars().next() {
            None => "the end of the file".into(),
            Some('\n' | '\r') => "the end of the line".into(),
            Some('\'') => "`'`".into(),
            Some(sign) => format!("`{sign}`"),
        }
    }

    /// An error at the sign that comes next.
    pub(super) fn error_here(&mut self, message: impl Into<String>) -> SyntaxError {
        self.skip_space();
        let length = self.rest().chars().next().map_or(0, char::len_utf8);
        let hint = match self.rest().chars().next() {
            Some('\'') => Some("text stands in double quotes here".to_owned()),
            Some('|') => Some("there are no filters here; write `upper(name)`".to_owned()),
            _ => None,
        };
        SyntaxError { range: self.at..self.at + length, message: message.into(), hint }
    }
}
