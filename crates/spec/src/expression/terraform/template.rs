//! Reads a template: its text, its `${…}` and its `%{…}`.

use std::ops::Range;

use super::cursor::Cursor;
use super::nest::{self, Sequence, Token};
use super::syntax::Part;
use crate::expression::SyntaxError;

/// Expressions, strings and directives that may stand inside one another.
pub(super) const DEEPEST: usize = 100;

/// The longest `${…}` or `%{…}`, in bytes; nobody writes a longer one.
const LONGEST: usize = 16_384;

/// Reads texts and expressions, and collects what is wrong.
pub(super) struct Reader<'a> {
    pub(super) cursor: Cursor<'a>,
    pub(super) errors: Vec<SyntaxError>,
    /// How many things are open around the cursor.
    pub(super) depth: usize,
    /// Names that loops give around the cursor.
    pub(super) locals: Vec<String>,
    pub(super) references: super::syntax::References,
    /// `$NAME` in the text of the file.
    pub(super) bare: Vec<(String, Range<usize>)>,
}

/// Where a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    /// Between quotes: backslashes escape, and it ends at the quote.
    Quoted,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            cursor: Cursor::new(text),
            errors: Vec::new(),
            depth: 0,
            locals: Vec::new(),
            references: super::syntax::References::new(),
            bare: Vec::new(),
        }
    }

    /// The whole text of a file.
    pub(super) fn file(&mut self) -> Vec<Part> {
        let tokens = self.tokens(Kind::File);
        nest::parts(tokens, &mut self.errors)
    }

    /// The text behind an opening quote, up to the closing one.
    pub(super) fn quoted(&mut self, open: usize) -> Result<Vec<Part>, SyntaxError> {
        let errors = self.errors.len();
        let tokens = self.tokens(Kind::Quoted);
        if !self.cursor.rest().starts_with('"') {
            if self.errors.len() > errors {
                return Err(self.errors.remove(errors));
            }
            let message = "the text is never closed".to_owned();
            return Err(SyntaxError { range: open..open + 1, message, hint: None });
        }
        self.cursor.at += 1;
        Ok(nest::parts(tokens, &mut self.errors))
    }

    fn tokens(&mut self, kind: Kind) -> Vec<Token> {
        let (mut tokens, mut trims_next) = (Vec::new(), false);
        // How many names there are around each loop that is open.
        let mut loops = vec![self.locals.len()];
        loop {
            let (text, range) = self.literal(kind);
            let is_text = !range.is_empty();
            if is_text {
                let text = if trims_next { text.trim_start() } else { &text };
                tokens.push(Token::Text(text.to_owned(), range));
                trims_next = false;
            }
            let is_sequence = ["${", "%{"].iter().any(|open| self.cursor.rest().starts_with(open));
            if !is_sequence {
                if is_text && !self.cursor.is_at_end() && !self.is_quoted_end(kind) {
                    continue;
                }
                break;
            }
            if self.cursor.rest()[2..].starts_with('~')
                && is_text
                && let Some(Token::Text(text, _)) = tokens.last_mut()
            {
                text.truncate(text.trim_end().len());
            }
            match self.sequence() {
                Ok((sequence, range, trims)) => {
                    match &sequence {
                        Sequence::For { key, item, .. } => {
                            loops.push(self.locals.len());
                            self.locals.extend(key.iter().chain([item]).cloned());
                        }
                        Sequence::EndFor if loops.len() > 1 => {
                            self.locals.truncate(loops.pop().unwrap_or_default());
                        }
                        _ => {}
                    }
                    tokens.push(Token::Sequence(sequence, range));
                    trims_next = trims;
                }
                Err(error) => self.errors.push(error),
            }
        }
        self.locals.truncate(loops[0]);
        tokens
    }

    /// The text up to the next sequence; in a file a line of it at most, for `~` trims no further.
    fn literal(&mut self, kind: Kind) -> (String, Range<usize>) {
        let (start, mut text) = (self.cursor.at, String::new());
        while let Some(sign) = self.cursor.rest().chars().next() {
            let rest = self.cursor.rest();
            match sign {
                '$' | '%' => {
                    let run = rest.len() - rest.trim_start_matches(sign).len();
                    let is_open = rest[run..].starts_with('{');
                    if is_open && run == 1 {
                        break;
                    }
                    // Two signs before a brace keep the text of a sequence.
                    text.push_str(&rest[..if is_open { run - 1 } else { run }]);
                    self.cursor.at += run;
                    if is_open {
                        text.push('{');
                        self.cursor.at += 1;
                    } else if run == 1 && sign == '$' && kind == Kind::File {
                        self.note_bare();
                    }
                    continue;
                }
                '"' | '\n' if kind == Kind::Quoted => break,
                '\\' if kind == Kind::Quoted => {
                    self.escape(&mut text);
                    continue;
                }
                _ => {}
            }
            text.push(sign);
            self.cursor.at += sign.len_utf8();
            if sign == '\n' {
                break;
            }
        }
        (text, start..self.cursor.at)
    }

    fn is_quoted_end(&self, kind: Kind) -> bool {
        kind == Kind::Quoted && self.cursor.rest().starts_with(['"', '\n'])
    }

    /// The name behind a `$` that the cursor has just passed.
    fn note_bare(&mut self) {
        let rest = self.cursor.rest();
        let length = crate::expression::lexer::name_length(rest);
        if length > 0 {
            let range = self.cursor.at - 1..self.cursor.at + length;
            self.bare.push((rest[..length].to_owned(), range));
        }
    }

    /// A backslash and what comes behind it.
    fn escape(&mut self, text: &mut String) {
        let start = self.cursor.at;
        let rest = &self.cursor.rest()[1..];
        let (sign, length) = match rest.chars().next() {
            Some('n') => (Some('\n'), 1),
            Some('r') => (Some('\r'), 1),
            Some('t') => (Some('\t'), 1),
            Some(sign @ ('"' | '\\')) => (Some(sign), 1),
            Some(long @ ('u' | 'U')) => {
                let digits = if long == 'u' { 4 } else { 8 };
                let code =
                    rest.get(1..=digits).filter(|it| it.bytes().all(|it| it.is_ascii_hexdigit()));
                let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
                (code.and_then(char::from_u32), digits + 1)
            }
            Some(other) => (None, other.len_utf8()),
            None => (None, 0),
        };
        if let Some(sign) = sign {
            text.push(sign);
            self.cursor.at += 1 + length;
        } else {
            let other = rest.chars().next().map_or(0, char::len_utf8);
            self.cursor.at += 1 + other;
            let written = &self.cursor.text[start..self.cursor.at];
            let message = format!("`{written}` is no escape");
            let hint = Some(
                "known are `\\n`, `\\r`, `\\t`, `\\\"`, `\\\\`, `\\uNNNN` and `\\UNNNNNNNN`".into(),
            );
            self.errors.push(SyntaxError { range: start..self.cursor.at, message, hint });
        }
    }

    /// A `${…}` or `%{…}`, and whether it trims the space behind it.
    fn sequence(&mut self) -> Result<(Sequence, Range<usize>, bool), SyntaxError> {
        let start = self.cursor.at;
        let is_slot = self.cursor.rest().starts_with('$');
        self.cursor.at += 2;
        if self.cursor.rest().starts_with('~') {
            self.cursor.at += 1;
        }
        let lines_count = std::mem::replace(&mut self.cursor.lines_count, false);
        let inner = if is_slot { self.slot(start) } else { self.directive() };
        let closed = inner.and_then(|sequence| Ok((sequence, self.close(start)?)));
        self.cursor.lines_count = lines_count;
        match closed {
            Ok((sequence, trims)) => Ok((sequence, start..self.cursor.at, trims)),
            Err(error) => {
                self.recover(start);
                Err(self.told(error, start))
            }
        }
    }

    fn slot(&mut self, start: usize) -> Result<Sequence, SyntaxError> {
        if self.cursor.is_next("}") || self.cursor.is_next("~}") {
            let message = "`${}` names nothing".to_owned();
            return Err(SyntaxError { range: start..self.cursor.at + 1, message, hint: None });
        }
        self.expression().map(Sequence::Slot)
    }

    fn directive(&mut self) -> Result<Sequence, SyntaxError> {
        let Some((word, range)) = self.cursor.take_name() else {
            let message = "`if`, `else`, `endif`, `for` or `endfor` is wanted behind `%{`";
            return Err(self.cursor.error_here(message));
        };
        Ok(match word {
            "if" => Sequence::If(self.expression()?),
            "else" => Sequence::Else,
            "endif" => Sequence::EndIf,
            "endfor" => Sequence::EndFor,
            "for" => {
                let (key, item) = self.loop_names()?;
                Sequence::For { key, item, list: self.expression()? }
            }
            other => {
                let words = ["if", "else", "endif", "for", "endfor"];
                let near = crate::nearest::nearest(other, words);
                let hint = near.map(|near| format!("did you mean `{near}`?"));
                let message = format!("there is no directive `{other}`");
                return Err(SyntaxError { range, message, hint });
            }
        })
    }

    /// The names of a loop, up to `in`.
    pub(super) fn loop_names(&mut self) -> Result<(Option<String>, String), SyntaxError> {
        let name = |reader: &mut Self| match reader.cursor.take_name() {
            Some((name, _)) => Ok(name.to_owned()),
            None => Err(reader.cursor.error_here("a name is wanted behind `for`")),
        };
        let first = name(self)?;
        let (key, item) =
            if self.cursor.take(",") { (Some(first), name(self)?) } else { (None, first) };
        if self.cursor.take_word("in") {
            return Ok((key, item));
        }
        let message = format!("`in` is wanted here, and here is {}", self.cursor.describe_next());
        Err(self.cursor.error_here(message))
    }

    /// The end of a sequence.
    fn close(&mut self, start: usize) -> Result<bool, SyntaxError> {
        if self.cursor.at - start > LONGEST {
            let message = format!("this is longer than {LONGEST} bytes");
            return Err(SyntaxError { range: start..start + 2, message, hint: None });
        }
        for (sign, trims) in [("}", false), ("~}", true)] {
            if self.cursor.take(sign) {
                return Ok(trims);
            }
        }
        let open = &self.cursor.text[start..start + 2];
        if self.cursor.is_at_end() {
            let message = format!("`{open}` is never closed");
            return Err(SyntaxError { range: start..start + 2, message, hint: None });
        }
        let message = format!(
            "`}}` is wanted to close `{open}`, and here is {}",
            self.cursor.describe_next()
        );
        Err(self.cursor.error_here(message))
    }

    /// The error with the advice that the whole sequence calls for.
    fn told(&self, mut error: SyntaxError, start: usize) -> SyntaxError {
        let written = &self.cursor.text[start..self.cursor.at];
        if let Some(hint) = super::advice::of_shell_form(written) {
            error.hint = Some(hint);
        }
        error
    }

    /// Passes what is left of a sequence that could not be read.
    fn recover(&mut self, start: usize) {
        let bytes = self.cursor.text.as_bytes();
        let (mut depth, mut at, mut is_quoted) = (0_usize, start + 2, false);
        while at < bytes.len() {
            match bytes[at] {
                b'\\' if is_quoted => at += 1,
                b'"' => is_quoted = !is_quoted,
                b'{' if !is_quoted => depth += 1,
                b'}' if !is_quoted && depth == 0 => break,
                b'}' if !is_quoted => depth -= 1,
                _ => {}
            }
            at += 1;
        }
        // What has been read is not read again.
        self.cursor.at = (at + 1).min(bytes.len()).max(self.cursor.at);
    }
}
