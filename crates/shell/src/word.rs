//! Words, and what they are made of.

use crate::parse::Parser;
use crate::syntax::{Part, Word, is_name};

/// Collects the parts of a word; text that belongs together becomes one part.
#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn text(&mut self, text: &str, is_quoted: bool) {
        match self.0.last_mut() {
            Some(Part::Text { text: before, is_quoted: same }) if *same == is_quoted => {
                before.push_str(text);
            }
            _ => self.0.push(Part::Text { text: text.to_owned(), is_quoted }),
        }
    }
}

impl Parser<'_> {
    /// The word that stands here, if one does.
    pub(crate) fn word(&mut self) -> Option<Word> {
        let start = self.at;
        let mut parts = Parts::default();
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\'' => self.single_quoted(&mut parts),
                b'"' => self.double_quoted(&mut parts),
                b'\\' => {
                    self.at += 1;
                    if self.peek(0) == Some(b'\n') {
                        self.at += 1;
                    } else {
                        self.letter(&mut parts, true);
                    }
                }
                b'$' | b'`' => self.expansion(&mut parts),
                b'(' if self.slice(start..self.at).ends_with('=') => self.array(&mut parts),
                byte if byte.is_ascii_whitespace() || b";&|()<>".contains(&byte) => break,
                _ => self.letter(&mut parts, false),
            }
        }
        let range = start..self.at.min(self.text.len());
        let text = self.slice(range.clone()).to_owned();
        (!text.is_empty()).then_some(Word { text, range, parts: parts.0 })
    }

    fn letter(&mut self, parts: &mut Parts, is_quoted: bool) {
        let Some(letter) = self.rest().chars().next() else {
            self.is_whole = false;
            return;
        };
        self.at += letter.len_utf8();
        parts.text(letter.encode_utf8(&mut [0; 4]), is_quoted);
    }

    fn single_quoted(&mut self, parts: &mut Parts) {
        self.at += 1;
        let length = self.rest().find('\'');
        self.is_whole &= length.is_some();
        let length = length.unwrap_or(self.rest().len());
        parts.text(self.slice(self.at..self.at + length), true);
        self.at = (self.at + length + 1).min(self.text.len());
    }

    fn double_quoted(&mut self, parts: &mut Parts) {
        self.at += 1;
        parts.text("", true);
        loop {
            match self.peek(0) {
                None => {
                    self.is_whole = false;
                    break;
                }
                Some(b'"') => {
                    self.at += 1;
                    break;
                }
                Some(b'\\') if self.peek(1) == Some(b'\n') => self.at += 2,
                Some(b'\\') if self.peek(1).is_some_and(|byte| b"$`\"\\".contains(&byte)) => {
                    self.at += 1;
                    self.letter(parts, true);
                }
                Some(b'$' | b'`') => self.expansion(parts),
                Some(_) => self.letter(parts, true),
            }
        }
    }

    /// What `$` or a backtick begins.
    fn expansion(&mut self, parts: &mut Parts) {
        if self.peek(0) == Some(b'`') {
            return self.backticks(parts);
        }
        let rest = self.rest();
        if rest.starts_with("$((") {
            self.skip_closed(1, b'(', b')');
            parts.0.push(Part::Other);
        } else if rest.starts_with("$(") {
            self.at += 2;
            let before = std::mem::replace(&mut self.is_whole, true);
            let statements = self.list(&[]);
            let is_closed = self.peek(0) == Some(b')');
            let is_whole = self.is_whole && is_closed;
            self.at = (self.at + 1).min(self.text.len());
            self.is_whole = before && is_whole;
            let script = crate::Script { statements, documents: Vec::new(), is_whole };
            parts.0.push(Part::Output(script));
        } else if rest.starts_with("${") {
            self.braces(parts);
        } else {
            let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let length = rest.bytes().skip(1).take_while(is_part).count();
            let name = rest.get(1..=length).unwrap_or_default();
            if is_name(name) {
                parts.0.push(Part::Variable { name: name.to_owned(), form: String::new() });
                self.at += 1 + length;
            } else if self.peek(1).is_some_and(|byte| b"@*#?$!-'\"0123456789".contains(&byte)) {
                parts.0.push(Part::Other);
                self.at += if matches!(self.peek(1), Some(b'\'' | b'"')) { 1 } else { 2 };
            } else {
                self.letter(parts, false);
            }
        }
    }

    /// `${…}`.
    fn braces(&mut self, parts: &mut Parts) {
        let start = self.at + 2;
        self.skip_closed(1, b'{', b'}');
        let inner = self.slice(start..self.at.saturating_sub(1).max(start));
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = inner.bytes().take_while(is_part).count();
        let (name, form) = inner.split_at(length);
        parts.0.push(if is_name(name) {
            Part::Variable { name: name.to_owned(), form: form.to_owned() }
        } else {
            Part::Other
        });
    }

    fn backticks(&mut self, parts: &mut Parts) {
        self.at += 1;
        let mut end = self.at;
        while self.text.as_bytes().get(end).is_some_and(|byte| *byte != b'`') {
            end += 1 + usize::from(self.text.as_bytes()[end] == b'\\');
        }
        let is_closed = end < self.text.len();
        let end = self.text.floor_char_boundary(end.min(self.text.len()));
        let inner = self.slice(self.at..end);
        let script = if inner.contains('\\') || self.depth > 20 {
            // Escapes make places wrong, so that such a text is only kept.
            crate::Script { is_whole: false, ..crate::Script::default() }
        } else {
            let mut nested = Parser::new(self.slice(0..end), self.at);
            nested.depth = self.depth + 1;
            nested.script()
        };
        self.is_whole &= is_closed;
        parts.0.push(Part::Output(script));
        self.at = (end + 1).min(self.text.len());
    }

    /// `NAME=(…)`.
    fn array(&mut self, parts: &mut Parts) {
        self.skip_closed(0, b'(', b')');
        parts.0.push(Part::Other);
    }

    /// Goes behind the sign that closes the one that stands `ahead`; quotes hide signs.
    fn skip_closed(&mut self, ahead: usize, open: u8, close: u8) {
        self.at += ahead;
        let (mut depth, mut quote) = (0_usize, None);
        while let Some(byte) = self.peek(0) {
            self.at += 1;
            match (quote, byte) {
                (_, b'\\') if quote != Some(b'\'') => self.at += 1,
                (Some(open), byte) if open == byte => quote = None,
                (None, b'\'' | b'"') => quote = Some(byte),
                (None, byte) if byte == open => depth += 1,
                (None, byte) if byte == close => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.at = self.text.ceil_char_boundary(self.at.min(self.text.len()));
                return;
            }
        }
        self.at = self.text.len();
        self.is_whole = false;
    }
}
