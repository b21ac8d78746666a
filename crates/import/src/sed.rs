//! Substitutions of sed.

use shipspec_shell::Word;

use crate::files::{Source, Template};
use crate::marks::{has_mark, marked, unmarked};
use crate::text::Text;
use crate::walk::Walk;

/// Why a substitution without `g` stays.
pub(crate) const ONLY_ONCE: &str =
    "without `g`, `sed` replaces once in a line, and a placeholder is replaced everywhere";

/// What scripts for sed replace.
pub(crate) struct Substitutions(Vec<(Substitution, Text)>);

impl Substitutions {
    pub(crate) fn add_to(self, template: &mut Template) {
        for (Substitution { pattern, is_global, .. }, text) in self.0 {
            if !is_global {
                template.once.push(pattern.clone());
            }
            template.placeholders.push((pattern, text));
        }
    }
}

impl Walk<'_> {
    /// The substitutions of scripts for sed.
    pub(crate) fn substitutions(&mut self, scripts: &[Word]) -> Option<Substitutions> {
        let mut all = Vec::new();
        for script in scripts {
            let text = self.evaluate(script)?;
            let (plain, pieces) = marked(&text);
            for one in Substitution::all_of(&plain)? {
                if has_mark(&one.pattern) {
                    return None;
                }
                let replacement = unmarked(&one.replacement, &pieces);
                all.push((one, replacement));
            }
        }
        Some(Substitutions(all))
    }

    /// A placeholder may be replaced where `sed` without `g` would leave it.
    pub(crate) fn replaces_more(&self, template: &Template) -> bool {
        let text = match &template.source {
            Source::Path(path) => (self.read)(path),
            Source::Text(_) => None,
        };
        let is_once = |pattern: &String| {
            let lines = text.as_ref().map(|text| text.lines());
            lines.is_some_and(|mut lines| lines.all(|line| line.matches(&**pattern).count() < 2))
        };
        !template.once.iter().all(is_once)
    }
}

/// `s/pattern/replacement/g` in which nothing has a meaning of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Substitution {
    pub(crate) pattern: String,
    pub(crate) replacement: String,
    pub(crate) is_global: bool,
}

impl Substitution {
    /// The substitutions of a script; nothing if it has something else, or a pattern.
    pub(crate) fn all_of(script: &str) -> Option<Vec<Self>> {
        let mut found = Vec::new();
        let mut rest = script.trim();
        while !rest.is_empty() {
            let (one, behind) = Self::first_of(rest)?;
            found.push(one);
            rest = behind.trim_start().trim_start_matches([';', '\n']).trim_start();
        }
        (!found.is_empty()).then_some(found)
    }

    fn first_of(script: &str) -> Option<(Self, &str)> {
        let rest = script.strip_prefix('s')?;
        let sign = rest.chars().next().filter(|sign| !sign.is_alphanumeric() && *sign != '\\')?;
        let (pattern, rest) = until(&rest[sign.len_utf8()..], sign)?;
        let (replacement, rest) = until(rest, sign)?;
        let flags = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let (flags, rest) = rest.split_at(flags);
        if !matches!(flags, "" | "g") {
            return None;
        }
        let pattern = literal(pattern, sign)?;
        let replacement = replaced(replacement, sign)?;
        let is_global = flags == "g";
        (!pattern.is_empty()).then_some((Self { pattern, replacement, is_global }, rest))
    }
}

/// The text up to a sign that no backslash hides, and what is behind it.
fn until(text: &str, sign: char) -> Option<(&str, &str)> {
    let mut is_hidden = false;
    for (at, letter) in text.char_indices() {
        if letter == sign && !is_hidden {
            return Some((&text[..at], &text[at + sign.len_utf8()..]));
        }
        is_hidden = letter == '\\' && !is_hidden;
    }
    None
}

/// A pattern that means itself. A `.` is taken as one: nobody means any letter by it.
fn literal(pattern: &str, sign: char) -> Option<String> {
    let mut text = String::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next()? {
                letter
                    if letter == sign || b".*[]^$\\/\"&-".contains(&u8::try_from(letter).ok()?) =>
                {
                    text.push(letter);
                }
                _ => return None,
            },
            '*' | '[' | ']' | '^' => return None,
            // At the end only it is the end of a line.
            '$' if letters.as_str().is_empty() => return None,
            letter => text.push(letter),
        }
    }
    Some(text)
}

/// A replacement that means itself.
fn replaced(replacement: &str, sign: char) -> Option<String> {
    let mut text = String::new();
    let mut letters = replacement.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next()? {
                letter if letter == sign || matches!(letter, '/' | '&' | '\\' | '"') => {
                    text.push(letter);
                }
                _ => return None,
            },
            '&' => return None,
            letter => text.push(letter),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(script: &str) -> Option<Vec<(String, String)>> {
        let all = Substitution::all_of(script)?;
        Some(all.into_iter().map(|it| (it.pattern, it.replacement)).collect())
    }

    #[test]
    fn patterns_that_mean_themselves_are_read() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(all("s/A/b\\/c/g"), Some(vec![pair("A", "b/c")]));
        assert_eq!(all("s|<IMG>|x:1|; s#$V#y#"), Some(vec![pair("<IMG>", "x:1"), pair("$V", "y")]));
        assert_eq!(all("s@\\\"__P__\\\"@80@"), Some(vec![pair("\"__P__\"", "80")]));
        for script in
            ["s/a.*/b/", "s/a/&b/", "s/a$/b/", "s/a/b/2", "/a/d", "s/a/\\1/", "s/a", "y/a/b/"]
        {
            assert_eq!(all(script), None, "{script}");
        }
    }
}
