//! Statements and commands.

use std::ops::Range;

use crate::syntax::{Body, Command, Direction, Next, Redirect, Script, Statement, Target};

/// Statements inside of statements; a text with more is not read further.
const DEEPEST: usize = 40;

/// The signs of redirections; a longer one before its beginning.
const FORMS: [(&str, Direction); 10] = [
    ("<<<", Direction::In),
    ("<<-", Direction::In),
    ("<<", Direction::In),
    ("<&", Direction::Joined),
    ("<", Direction::In),
    ("&>>", Direction::Joined),
    ("&>", Direction::Joined),
    (">>", Direction::Append),
    (">&", Direction::Joined),
    (">", Direction::Out),
];

/// A here-document that was announced in this line.
struct Announced {
    delimiter: String,
    /// `<<-`: tabs in front are not part of it.
    is_dedented: bool,
}

pub(crate) struct Parser<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
    pub(crate) is_whole: bool,
    pub(crate) depth: usize,
    documents: Vec<String>,
    announced: Vec<Announced>,
}

impl<'a> Parser<'a> {
    /// Reads `text` from an offset on; ranges count from the beginning of `text`.
    pub(crate) fn new(text: &'a str, at: usize) -> Self {
        Self { text, at, is_whole: true, depth: 0, documents: Vec::new(), announced: Vec::new() }
    }

    pub(crate) fn script(mut self) -> Script {
        let mut statements = self.list(&[]);
        while self.at < self.text.len() {
            // Closes what was never opened.
            self.is_whole = false;
            self.at += 1;
            statements.extend(self.list(&[]));
        }
        Script { statements, documents: self.documents, is_whole: self.is_whole }
    }

    /// Statements up to one of the words, a `)`, a `;;` or the end.
    pub(crate) fn list(&mut self, ends: &[&str]) -> Vec<Statement> {
        let mut statements: Vec<Statement> = Vec::new();
        self.depth += 1;
        if self.depth > DEEPEST {
            self.is_whole = false;
            self.at = self.text.len();
        }
        loop {
            self.skip_separators(&mut statements);
            let is_end = self.peek(0).is_none_or(|byte| byte == b')')
                || self.rest().starts_with(";;")
                || self.keyword().is_some_and(|word| ends.contains(&word));
            if is_end {
                break;
            }
            let before = self.at;
            if let Some(statement) = self.statement() {
                statements.push(statement);
            }
            if self.at == before {
                self.is_whole = false;
                self.at += 1;
            }
        }
        self.depth -= 1;
        statements
    }

    fn skip_separators(&mut self, statements: &mut [Statement]) {
        loop {
            self.skip_blanks();
            match self.peek(0) {
                Some(b'\n') => {
                    self.at += 1;
                    if self.read_documents()
                        && let Some(last) = statements.last_mut()
                    {
                        last.range.end = self.at;
                    }
                }
                Some(b';') if self.peek(1) != Some(b';') => self.at += 1,
                Some(b'&') if self.peek(1) != Some(b'>') => self.at += 1,
                _ => break,
            }
        }
    }

    fn statement(&mut self) -> Option<Statement> {
        let start = self.at;
        let is_negated = self.keyword() == Some("!");
        if is_negated {
            self.at += 1;
            self.skip_blanks();
        }
        let mut pipeline = Vec::new();
        let mut end = self.at;
        loop {
            if let Some(body) = self.body() {
                pipeline.push(body);
                end = self.at;
            }
            self.skip_blanks();
            if self.peek(0) != Some(b'|') || self.peek(1) == Some(b'|') {
                break;
            }
            self.at += 1 + usize::from(self.peek(1) == Some(b'&'));
            self.skip_lines();
        }
        let (next, length) = match (self.peek(0), self.peek(1)) {
            (Some(b'&'), Some(b'&')) => (Next::And, 2),
            (Some(b'|'), Some(b'|')) => (Next::Or, 2),
            (Some(b'&'), _) => (Next::Background, 1),
            _ => (Next::Sequence, 0),
        };
        self.at += length;
        if matches!(next, Next::And | Next::Or) {
            self.skip_lines();
        }
        let statement = Statement { range: start..end, is_negated, pipeline, next };
        (!statement.pipeline.is_empty()).then_some(statement)
    }

    fn body(&mut self) -> Option<Body> {
        let mut inner = Vec::new();
        match self.keyword() {
            Some("if") => {
                self.at += 2;
                inner.extend(self.list(&["then"]));
                while let Some(word @ ("then" | "elif" | "else")) = self.keyword() {
                    self.at += word.len();
                    inner.extend(self.list(&["then", "elif", "else", "fi"]));
                }
                self.expect("fi");
            }
            Some(word @ ("while" | "until")) => {
                self.at += word.len();
                inner.extend(self.list(&["do"]));
                self.expect("do");
                inner.extend(self.list(&["done"]));
                self.expect("done");
            }
            Some(word @ ("for" | "select")) => {
                self.at += word.len();
                // The name and the words, up to the `;` or the end of the line.
                inner.extend(self.statement());
                self.skip_separators(&mut []);
                self.expect("do");
                inner.extend(self.list(&["done"]));
                self.expect("done");
            }
            Some("case") => {
                self.at += 4;
                self.cases(&mut inner);
            }
            Some("{") => {
                self.at += 1;
                inner.extend(self.list(&["}"]));
                self.expect("}");
            }
            Some("[[") => return Some(Body::Simple(self.condition())),
            _ if self.peek(0) == Some(b'(') => {
                self.at += 1;
                inner.extend(self.list(&[]));
                self.expect(")");
            }
            _ => return self.simple(),
        }
        let redirects = self.redirects();
        Some(Body::Compound { inner, redirects })
    }

    /// `case WORD in pattern) … ;; esac`.
    fn cases(&mut self, inner: &mut Vec<Statement>) {
        self.skip_blanks();
        self.word();
        self.skip_lines();
        self.expect("in");
        loop {
            self.skip_lines();
            if self.at >= self.text.len() || self.keyword() == Some("esac") {
                break;
            }
            let pattern = self.rest().find(')');
            self.at = pattern.map_or(self.text.len(), |length| self.at + length + 1);
            inner.extend(self.list(&["esac"]));
            while self.peek(0) == Some(b';') {
                self.at += 1;
            }
            if self.peek(0) == Some(b')') {
                self.is_whole = false;
                self.at += 1;
            }
        }
        self.expect("esac");
    }

    /// `[[ … ]]`: in it, signs such as `<` and `&&` are words.
    fn condition(&mut self) -> Command {
        let mut command = Command::default();
        loop {
            self.skip_lines();
            let Some(first) = self.peek(0) else {
                self.is_whole = false;
                break;
            };
            if b"&|<>();".contains(&first) {
                self.at += 1;
                continue;
            }
            let before = self.at;
            command.words.extend(self.word());
            if command.words.last().is_some_and(|word| word.text == "]]") || self.at == before {
                break;
            }
        }
        command.redirects = self.redirects();
        command
    }

    fn simple(&mut self) -> Option<Body> {
        let mut command = Command::default();
        loop {
            self.skip_blanks();
            if let Some(redirect) = self.redirect() {
                command.redirects.push(redirect);
                continue;
            }
            match self.peek(0) {
                // `name() { … }` defines a function.
                Some(b'(') if command.words.len() == 1 && self.peek(1) == Some(b')') => {
                    self.at += 2;
                    self.skip_lines();
                    return self.body();
                }
                None | Some(b'\n' | b';' | b'&' | b'|' | b'(' | b')') => break,
                Some(_) => match self.word() {
                    Some(word) => command.words.push(word),
                    None => break,
                },
            }
        }
        let is_empty = command.words.is_empty() && command.redirects.is_empty();
        (!is_empty).then_some(Body::Simple(command))
    }

    fn redirects(&mut self) -> Vec<Redirect> {
        let mut redirects = Vec::new();
        loop {
            self.skip_blanks();
            match self.redirect() {
                Some(redirect) => redirects.push(redirect),
                None => return redirects,
            }
        }
    }

    fn redirect(&mut self) -> Option<Redirect> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let signs = self.rest().get(digits..)?;
        let (form, direction) = FORMS.into_iter().find(|(form, _)| signs.starts_with(form))?;
        let descriptor = self.rest().get(..digits).and_then(|digits| digits.parse().ok());
        self.at += digits + form.len() + usize::from(form == ">" && signs.starts_with(">|"));
        self.skip_blanks();
        let word = self.word().unwrap_or_default();
        let target = match form {
            "<<<" => Target::Text(word),
            "<<" | "<<-" => {
                let index = self.documents.len() + self.announced.len();
                let is_literal = word.text.contains(['\'', '"', '\\']);
                let delimiter = word.literal().unwrap_or_default();
                self.announced.push(Announced { delimiter, is_dedented: form == "<<-" });
                Target::Document { index, is_literal }
            }
            _ => Target::Word(word),
        };
        Some(Redirect { descriptor, direction, target })
    }

    /// Reads the here-documents that the line before has announced; false if it has none.
    fn read_documents(&mut self) -> bool {
        let announced = std::mem::take(&mut self.announced);
        for Announced { delimiter, is_dedented } in &announced {
            let mut document = String::new();
            loop {
                let Some(line) = self.rest().split_inclusive('\n').next() else {
                    self.is_whole = false;
                    break;
                };
                self.at += line.len();
                let line = if *is_dedented { line.trim_start_matches('\t') } else { line };
                if line.trim_end_matches(['\n', '\r']) == delimiter {
                    break;
                }
                document.push_str(line);
            }
            self.documents.push(document);
        }
        !announced.is_empty()
    }

    /// The word that stands here, if it could be a keyword.
    fn keyword(&self) -> Option<&'a str> {
        let rest = self.rest();
        let is_end = |byte: u8| byte.is_ascii_whitespace() || b";&|()<>".contains(&byte);
        let length = rest.bytes().position(is_end).unwrap_or(rest.len());
        rest.get(..length).filter(|word| !word.is_empty())
    }

    fn expect(&mut self, word: &str) {
        self.skip_blanks();
        if self.rest().starts_with(word) {
            self.at += word.len();
        } else {
            self.is_whole = false;
        }
    }

    /// Spaces, comments, and ends of lines that a backslash hides.
    fn skip_blanks(&mut self) {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\\' if self.peek(1) == Some(b'\n') => self.at += 2,
                b'#' => {
                    self.at += self.rest().find('\n').unwrap_or(self.rest().len());
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                _ => break,
            }
        }
    }

    fn skip_lines(&mut self) {
        self.skip_blanks();
        while self.peek(0) == Some(b'\n') {
            self.at += 1;
            self.read_documents();
            self.skip_blanks();
        }
    }

    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn slice(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default()
    }

    pub(crate) fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }
}
