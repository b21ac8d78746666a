//! As much of a shell's language as is needed to see which programs run, and with which words.

use std::ops::Range;

/// A program and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Simple {
    /// Assignments in front, the program, its words: as they are written, quotes and all.
    pub(super) words: Vec<Word>,
    /// What it prints goes into a file or another program.
    pub(super) is_redirected: bool,
}

/// A word, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) range: Range<usize>,
}

impl Word {
    /// The word without quotes around it.
    pub(super) fn bare(&self) -> &str {
        let text = self.text.as_str();
        let inner =
            |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        inner('"').or_else(|| inner('\'')).unwrap_or(text)
    }

    /// The name that it gives a value, and that value.
    pub(super) fn assignment(&self) -> Option<(&str, &str)> {
        let (name, value) = self.text.split_once('=')?;
        let name = name.strip_suffix('+').unwrap_or(name);
        is_name(name).then_some((name, value))
    }
}

/// A name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit()) && text.bytes().all(is_part)
}

impl Simple {
    /// The words from the program on, without what comes before it: assignments, `sudo`, `if`, `!`.
    pub(super) fn program(&self) -> &[Word] {
        const BEFORE: [&str; 12] = [
            "sudo", "time", "exec", "command", "nohup", "if", "then", "else", "elif", "while",
            "do", "!",
        ];
        let is_before = |word: &&Word| word.assignment().is_some() || BEFORE.contains(&&*word.text);
        let skip = self.words.iter().take_while(is_before).count();
        &self.words[skip..]
    }

    /// The program is this, with these words first.
    pub(super) fn is(&self, words: &[&str]) -> bool {
        let program = self.program();
        program.len() >= words.len()
            && program.iter().zip(words).all(|(word, wanted)| word.bare() == *wanted)
    }

    /// From its first byte to its last.
    pub(super) fn range(&self) -> Range<usize> {
        let program = self.program();
        let first = program.first().map_or(0, |word| word.range.start);
        first..program.last().map_or(first, |word| word.range.end)
    }
}

/// Every simple command of a text, those inside `$(…)` and backticks included.
pub(super) fn parse(text: &str) -> Vec<Simple> {
    let mut reader =
        Reader { text, at: 0, found: Vec::new(), words: Vec::new(), is_redirected: false };
    reader.run();
    reader.found
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    found: Vec<Simple>,
    words: Vec<Word>,
    is_redirected: bool,
}

impl Reader<'_> {
    fn run(&mut self) {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'&' if self.peek(1) == Some(b'>') => self.redirect(),
                b'\n' | b';' | b'&' | b'(' | b')' => self.separate(false),
                b'|' => self.separate(self.peek(1) != Some(b'|')),
                b'>' | b'<' => self.redirect(),
                b'#' => self.skip_line(),
                b'\\' if self.peek(1) == Some(b'\n') => self.at += 2,
                byte if byte.is_ascii_whitespace() => self.at += 1,
                _ => self.word(),
            }
        }
        self.separate(false);
    }

    fn separate(&mut self, is_pipe: bool) {
        self.at += 1;
        let is_redirected = std::mem::take(&mut self.is_redirected) || is_pipe;
        let words = std::mem::take(&mut self.words);
        if !words.is_empty() {
            self.found.push(Simple { words, is_redirected });
        }
    }

    /// What a program reads from or writes to is none of its words.
    fn redirect(&mut self) {
        self.is_redirected |= self.peek(0) != Some(b'<');
        while self.peek(0).is_some_and(|byte| b"<>&|".contains(&byte)) {
            self.at += 1;
        }
        while self.peek(0).is_some_and(|byte| byte == b' ') {
            self.at += 1;
        }
        let before = self.words.len();
        if self.peek(0).is_some_and(|byte| !byte.is_ascii_whitespace() && !b"|;()".contains(&byte))
        {
            self.word();
        }
        self.words.truncate(before);
    }

    fn skip_line(&mut self) {
        while self.peek(0).is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
    }

    fn word(&mut self) {
        let start = self.at;
        let mut quote = None;
        while let Some(byte) = self.peek(0) {
            match (quote, byte) {
                (Some(b'\''), b'\'') => quote = None,
                (Some(b'\''), _) => {}
                (_, b'\\') => self.at += 1,
                (_, b'$') if self.peek(1) == Some(b'(') => self.nested(2, b')'),
                (_, b'$') if self.peek(1) == Some(b'{') => self.braces(),
                (_, b'`') => self.nested(1, b'`'),
                (Some(open), byte) if byte == open => quote = None,
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, byte) if byte.is_ascii_whitespace() || b";&|()<>".contains(&byte) => break,
                _ => {}
            }
            self.at += 1;
        }
        self.at = self.at.min(self.text.len());
        let text = self.text.get(start..self.at).unwrap_or_default();
        // `2>` is a part of the redirection.
        let is_number =
            self.peek(0) == Some(b'>') && text.bytes().all(|byte| byte.is_ascii_digit());
        if !text.is_empty() && !is_number {
            self.words.push(Word { text: text.to_owned(), range: start..self.at });
        }
    }

    /// Stops at the brace that closes `${…}`.
    fn braces(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.find('}').unwrap_or(0);
    }

    /// A command inside of a word; stops at the sign that closes it.
    fn nested(&mut self, skip: usize, close: u8) {
        let start = self.at + skip;
        let mut depth = 1_usize;
        let mut end = start;
        for byte in self.text.bytes().skip(start) {
            depth -= usize::from(byte == close);
            if depth == 0 {
                break;
            }
            depth += usize::from(close == b')' && byte == b'(');
            end += 1;
        }
        let inner = self.text.get(start..end).unwrap_or_default();
        for mut simple in parse(inner) {
            for word in &mut simple.words {
                word.range = word.range.start + start..word.range.end + start;
            }
            // Its output becomes a part of the word.
            simple.is_redirected = true;
            self.found.push(simple);
        }
        self.at = end.min(self.text.len());
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let join = |simple: Simple| {
            let words: Vec<_> = simple.words.iter().map(|word| word.text.as_str()).collect();
            format!("{}{}", words.join(" "), if simple.is_redirected { " >" } else { "" })
        };
        parse(text).into_iter().map(join).collect()
    }

    #[test]
    fn programs_are_found_with_their_words() {
        assert_eq!(words("a 1 && b '2 ; 3' || c"), ["a 1", "b '2 ; 3'", "c"]);
        assert_eq!(
            words("X=$(aws ecr get-login | sh) go 2> /dev/null # no"),
            ["aws ecr get-login >", "sh >", "X=$(aws ecr get-login | sh) go >"]
        );
        assert_eq!(
            words("echo \"$(date)\" `id` > f"),
            ["date >", "id >", "echo \"$(date)\" `id` >"]
        );
        assert_eq!(
            words("printf '%s' \"${A:-b c}\" | tee f\nd"),
            ["printf '%s' \"${A:-b c}\" >", "tee f", "d"]
        );
    }

    #[test]
    fn broken_text_is_no_crash() {
        for text in ["$(", "\"", "'", "`", "${", "a \\", "<", ">&", "é$(é", "$(\\"] {
            let _ = parse(text);
        }
    }
}
