//! Secrets out of text that others wrote.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use aho_corasick::AhoCorasick;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use serde_json::Value as Json;

use crate::secret::Secret;

/// What stands in place of a secret.
const MASK: &str = "****";

/// Shorter texts are not looked for: `on` is in every other line.
const SHORTEST: usize = 4;

/// Shorter parts of a code are not looked for, because they are in other words too.
const SHORTEST_CODE: usize = 5;

/// Shorter lines of a code that was broken are not looked for; there are many of them.
const SHORTEST_LINE: usize = 8;

/// Longer secrets are not looked for in every way that a code of them can be broken.
const LONGEST_ANYWHERE: usize = 1024;

/// Bytes that make a line of `base64`, which breaks lines at 76 characters.
const BASE64_LINE: usize = 57;

/// Finds secrets in text, also in the forms that programs write them in: as JSON, in a URL, in base64
/// at any offset, in single quotes of a shell, and each line of those that have several.
#[derive(Debug, Clone)]
pub struct Mask {
    finder: AhoCorasick,
}

impl Mask {
    /// Looks for these secrets; nothing if none is long enough to be told from other text.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Option<Self> {
        let mut forms = BTreeSet::new();
        for secret in secrets {
            add_forms(secret.expose(), &mut forms);
        }
        if forms.is_empty() {
            return None;
        }
        AhoCorasick::new(forms).ok().map(|finder| Self { finder })
    }

    /// Looks for one secret as a whole, and not for parts of it.
    #[must_use]
    pub fn whole(secret: &Secret) -> Option<Self> {
        let mut forms = BTreeSet::new();
        add_written(secret.expose(), &mut forms);
        add_codes(secret.expose(), &mut forms);
        AhoCorasick::new(forms).ok().map(|finder| Self { finder })
    }

    /// A secret stands in the text.
    #[must_use]
    pub fn finds(&self, text: &str) -> bool {
        self.finder.is_match(text)
    }

    /// The text with every secret in it hidden.
    #[must_use]
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let found = self.finder.find_overlapping_iter(text);
        let mut stretches: Vec<_> = found.map(|found| found.range()).collect();
        if stretches.is_empty() {
            return text.into();
        }
        stretches.sort_by_key(|stretch| stretch.start);
        let (mut masked, mut end) = (String::new(), 0);
        for stretch in stretches {
            // Where two overlap, neither may show its rest.
            if stretch.start >= end {
                masked.push_str(&text[end..stretch.start]);
                masked.push_str(MASK);
            }
            end = end.max(stretch.end);
        }
        masked.push_str(&text[end..]);
        masked.into()
    }

    /// Hides secrets in all texts of a JSON value.
    pub fn apply_to_json(&self, json: &mut Json) {
        match json {
            Json::String(text) => {
                if let Cow::Owned(masked) = self.apply(text) {
                    *text = masked;
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.apply_to_json(item)),
            Json::Object(map) => map.values_mut().for_each(|value| self.apply_to_json(value)),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
}

fn add_forms(text: &str, forms: &mut BTreeSet<String>) {
    if text.len() < SHORTEST {
        return;
    }
    for line in text.lines().map(str::trim).filter(|line| line.len() >= SHORTEST) {
        add_written(line, forms);
    }
    add_written(text, forms);
    add_codes(text, forms);
    add_broken_codes(text.as_bytes(), forms);
}

/// The lines of the text in base64, wherever the program that broke them began. What is long is
/// looked for from its beginning only.
fn add_broken_codes(bytes: &[u8], forms: &mut BTreeSet<String>) {
    let offsets = if bytes.len() <= LONGEST_ANYWHERE { BASE64_LINE } else { 1 };
    // Where it is on one line, the code is found as a whole.
    for offset in (0..offsets).filter(|offset| offset + bytes.len() > BASE64_LINE) {
        let padded = [&[0; BASE64_LINE][..offset], bytes].concat();
        for (index, line) in padded.chunks(BASE64_LINE).enumerate() {
            let skip = if index == 0 { offset.min(line.len()) } else { 0 };
            let code = encoded_at(&BASE64_STANDARD_NO_PAD, &line[skip..], skip % 3);
            add(&code, SHORTEST_LINE, forms);
        }
    }
}

/// The text in base64, wherever it begins in what was encoded.
fn add_codes(text: &str, forms: &mut BTreeSet<String>) {
    for offset in 0..3 {
        for engine in [BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD] {
            add(&encoded_at(&engine, text.as_bytes(), offset), SHORTEST_CODE, forms);
        }
    }
}

/// The text itself, and as JSON, URLs and shells write it.
fn add_written(text: &str, forms: &mut BTreeSet<String>) {
    let json = Json::from(text).to_string();
    add(text, SHORTEST, forms);
    add(&json[1..json.len() - 1], SHORTEST, forms);
    for quote in ["'\\''", "'\"'\"'"] {
        add(&text.replace('\'', quote), SHORTEST, forms);
    }
    for space in ["%20", "+"] {
        let upper = url_encoded(text, space);
        add(&with_lowercase_codes(&upper), SHORTEST, forms);
        add(&upper, SHORTEST, forms);
    }
}

fn add(form: &str, shortest: usize, forms: &mut BTreeSet<String>) {
    if form.len() >= shortest {
        forms.insert(form.to_owned());
    }
}

/// What base64 makes of the bytes if `offset` others stand before them, without the characters that
/// depend on what is before and behind.
fn encoded_at(engine: &impl base64::Engine, bytes: &[u8], offset: usize) -> String {
    let padded = [&[0; 2][..offset], bytes].concat();
    let code = engine.encode(&padded);
    // The first characters hold bits of what stands before; the last one of what comes behind.
    let start = [0, 2, 3][offset];
    let end = code.len() - usize::from(padded.len() % 3 != 0);
    code.get(start..end.max(start)).unwrap_or_default().to_owned()
}

/// The text in a URL: everything but letters, digits and `-_.~` as a code.
fn url_encoded(text: &str, space: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push_str(space),
            byte if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => {
                encoded.push(char::from(byte));
            }
            byte => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

/// The same with the digits of its codes in lower case.
fn with_lowercase_codes(url: &str) -> String {
    let mut parts = url.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at(2);
        text.extend(["%", &code.to_ascii_lowercase(), rest]);
    }
    text
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};

    use super::*;

    const PASSWORD: &str = "p@ss \"wörd\" 'x'/+?";

    fn mask(secrets: &[&str], text: &str) -> String {
        let secrets: Vec<_> = secrets.iter().map(|text| Secret::new(*text)).collect();
        Mask::new(&secrets).map_or(text.into(), |mask| mask.apply(text).into_owned())
    }

    #[test]
    fn a_secret_is_hidden_wherever_it_stands() {
        assert_eq!(mask(&["hunter2"], "a hunter2, hunter2!"), "a ****, ****!");
        assert_eq!(mask(&["hunter2"], "nothing"), "nothing");
        assert_eq!(mask(&["on"], "on and on"), "on and on");
        assert_eq!(mask(&["abcdef", "defghi"], "xabcdefghiy"), "x****y");
        assert_eq!(mask(&["abcd", "abcdefgh"], "abcdefgh abcd"), "**** ****");
    }

    #[test]
    fn other_forms_of_it_are_hidden_too() {
        let json = Json::from(PASSWORD).to_string();
        assert_eq!(mask(&[PASSWORD], &json), "\"****\"");
        assert_eq!(mask(&[PASSWORD], "u=p%40ss%20%22w%C3%B6rd%22%20%27x%27%2F%2B%3F."), "u=****.");
        assert_eq!(mask(&[PASSWORD], "u=p%40ss+%22w%c3%b6rd%22+%27x%27%2f%2b%3f."), "u=****.");
        assert_eq!(mask(&["it's me"], "+ echo 'it'\\''s me'"), "+ echo '****'");
        assert_eq!(mask(&["it's me"], "+ echo 'it'\"'\"'s me'"), "+ echo '****'");
        for before in ["", "u", "us", "user:"] {
            for engine in [BASE64_STANDARD, BASE64_URL_SAFE] {
                let code = engine.encode(format!("{before}{PASSWORD}"));
                let masked = mask(&[PASSWORD], &code);
                assert!(masked.contains(MASK) && masked.len() < 16, "{before:?} {code} {masked}");
            }
        }
    }

    #[test]
    fn each_line_of_several_is_hidden() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADAN\nBgkqhkiG9w0B\n-----END KEY-----\n";
        assert_eq!(mask(&[key], "line: MIIEvQIBADAN"), "line: ****");
        for before in ["", "x", "user:", "something longer than a line of base64 is, or nearly so:"]
        {
            let code = BASE64_STANDARD.encode(format!("{before}{}", key.repeat(3)));
            let lines = code.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap());
            for line in lines.skip(1) {
                assert!(mask(&[&key.repeat(3)], line).len() <= 8, "{before:?} {line}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_secret_is_left_and_nothing_else_is_lost(
            secret in "[a-z0-9'\"$%é ]{4,12}",
            before in "[A-Z]{0,8}",
            behind in "[A-Z]{0,8}",
        ) {
            let masked = mask(&[&secret], &format!("{before}{secret}{behind}"));
            proptest::prop_assert!(!masked.contains(&*secret));
            proptest::prop_assert_eq!(masked, format!("{}****{}", before, behind));
        }
    }
}
