//! One pattern of a `.dockerignore`.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) brings_back: bool,
    regex: Regex,
    /// The pattern up to its first wildcard.
    plain_start: String,
    has_wildcard: bool,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        (self.brings_back, self.regex.as_str()) == (other.brings_back, other.regex.as_str())
    }
}

impl Pattern {
    /// Reads one pattern; the error says what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let (brings_back, pattern) = match text.strip_prefix('!') {
            Some(pattern) => (true, pattern.trim()),
            None => (false, text),
        };
        if pattern.is_empty() {
            return Err("nothing stands behind the `!`".into());
        }
        let cleaned = clean(pattern);
        let wrong = || "brackets are wrong, or nothing stands behind a `\\`".to_owned();
        let regex = if is_whole(&cleaned) { Regex::new(&to_regex(&cleaned)).ok() } else { None };
        let regex = regex.ok_or_else(wrong)?;
        let wildcard = cleaned.find(['*', '?', '[', '\\']);
        let plain_start = cleaned[..wildcard.unwrap_or(cleaned.len())].to_owned();
        Ok(Self { brings_back, regex, plain_start, has_wildcard: wildcard.is_some() })
    }

    pub(super) fn fits(&self, path: &str) -> bool {
        self.regex.is_match(path)
    }

    /// It could fit something below a folder, whose path ends in `/`.
    pub(super) fn reaches_below(&self, folder: &str) -> bool {
        self.plain_start.starts_with(folder)
            || (self.has_wildcard && folder.starts_with(&self.plain_start))
    }
}

/// The pattern without what makes no difference: `./a//b/../c/` is `a/c`.
fn clean(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if pattern.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    if parts.is_empty() { ".".into() } else { parts.join("/") }
}

/// The pattern as a regular expression, by the rules of Docker's [matcher]: one with no other wildcard
/// than `**` at its beginning or end is compared as text.
///
/// [matcher]: https://github.com/moby/patternmatcher/blob/main/patternmatcher.go
fn to_regex(pattern: &str) -> String {
    let is_plain = |text: &str| !text.contains(['*', '?', '[', ']', '\\']);
    if is_plain(pattern) {
        return format!("^{}$", regex::escape(pattern));
    }
    if let Some(start) = pattern.strip_suffix("**").filter(|start| is_plain(start)) {
        return format!("^{}(?s:.*)$", regex::escape(start));
    }
    if let Some(end) = pattern.strip_prefix("**").filter(|end| is_plain(end)) {
        let any = if end.starts_with('/') { "((?s:.*)/)?" } else { "(?s:.*)" };
        return format!("^{any}{}$", regex::escape(end.trim_start_matches('/')));
    }
    let mut regex = String::from("^(?s:");
    let mut characters = pattern.chars().peekable();
    let mut is_class = false;
    while let Some(character) = characters.next() {
        match character {
            '*' if characters.next_if_eq(&'*').is_some() => {
                characters.next_if_eq(&'/');
                regex.push_str(if characters.peek().is_none() { ".*" } else { "(.*/)?" });
            }
            // A wildcard in brackets ends them: an old habit of Docker's.
            '*' | '?' if is_class => {
                regex.push_str("\\[^/]");
                regex.extend((character == '*').then_some('*'));
                is_class = false;
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' if is_class => class_in_class(&mut characters, &mut regex),
            '[' | ']' => {
                is_class = character == '[';
                regex.push(character);
            }
            // It stands for the start of the path, or turns brackets round.
            '^' => regex.push('^'),
            '\\' => regex.extend(characters.next().map(escaped).into_iter().flatten()),
            // Operators of sets, which the patterns do not have.
            '&' | '~' if is_class => regex.extend(['\\', character]),
            '-' if is_class => regex.push('-'),
            other => regex.extend(escaped(other)),
        }
    }
    regex.push_str(")$");
    regex
}

/// A `[` in brackets is one, unless it begins a name such as `[:digit:]`.
fn class_in_class(characters: &mut Peekable<Chars<'_>>, regex: &mut String) {
    let rest: String = characters.clone().collect();
    match rest.starts_with(':').then(|| rest.find(":]")).flatten() {
        Some(end) => {
            regex.push('[');
            regex.push_str(&rest[..end + 2]);
            let count = rest[..end + 2].chars().count();
            characters.nth(count - 1);
        }
        None => regex.push_str("\\["),
    }
}

fn escaped(character: char) -> Vec<char> {
    regex::escape(&character.to_string()).chars().collect()
}

/// What Go's [`Match`] accepts, by which Docker judges patterns: in brackets neither `-` nor `]` stands
/// where a character belongs, and every `\` has one behind it.
///
/// [`Match`]: https://pkg.go.dev/path/filepath#Match
fn is_whole(pattern: &str) -> bool {
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        let is_whole = match character {
            '\\' => characters.next().is_some(),
            '[' => is_class(&mut characters),
            _ => true,
        };
        if !is_whole {
            return false;
        }
    }
    true
}

/// Reads brackets to their end.
fn is_class(characters: &mut Peekable<Chars<'_>>) -> bool {
    characters.next_if_eq(&'^');
    let mut is_empty = true;
    while is_empty || characters.next_if_eq(&']').is_none() {
        is_empty = false;
        let is_range = |characters: &mut Peekable<Chars<'_>>| characters.next_if_eq(&'-').is_some();
        if !is_member(characters) || is_range(characters) && !is_member(characters) {
            return false;
        }
    }
    true
}

fn is_member(characters: &mut Peekable<Chars<'_>>) -> bool {
    match characters.next() {
        None | Some('-' | ']') => false,
        Some('\\') => characters.next().is_some(),
        Some(_) => true,
    }
}
