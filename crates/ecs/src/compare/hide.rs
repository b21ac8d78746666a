//! What must not be shown inside of texts whose own name says nothing: connection strings, JSON,
//! commands and URLs. Rather too much is hidden than too little; what is hidden is compared all the same.

use std::ops::Range;

use serde_json::Value as Json;
use shipspec_check::is_of_secret;
use shipspec_spec::scope::sounds_secret;

use super::tree::HIDDEN;

/// A value as people may see it.
pub(super) fn shown(value: &Json) -> Json {
    match value {
        Json::String(text) => hide(text).into(),
        Json::Array(items) => shown_items(items),
        Json::Object(map) => {
            let shown = |(key, value): (&String, &Json)| {
                let value =
                    if is_secret(key) && value.is_string() { HIDDEN.into() } else { shown(value) };
                (key.clone(), value)
            };
            Json::Object(map.iter().map(shown).collect())
        }
        other => other.clone(),
    }
}

/// The words of a command may be a flag and its value: `["--token", "…"]`.
fn shown_items(items: &[Json]) -> Json {
    let mut before = "";
    let shown = items.iter().map(|item| {
        let flag = std::mem::replace(&mut before, item.as_str().unwrap_or_default());
        match item {
            Json::String(word) if is_secret_flag(flag) && !word.starts_with("--") => HIDDEN.into(),
            Json::String(word) if is_user_flag(flag) => match word.split_once(':') {
                Some((user, _)) => format!("{user}:{HIDDEN}").into(),
                None => hide(word).into(),
            },
            item => self::shown(item),
        }
    });
    shown.collect()
}

/// A flag whose value is the next word.
fn is_secret_flag(word: &str) -> bool {
    word.starts_with('-') && word.bytes().all(is_of_key) && is_secret(word)
}

/// A flag that takes `user:password`, as curl has it.
fn is_user_flag(word: &str) -> bool {
    matches!(word, "-u" | "--user" | "--proxy-user")
}

fn is_secret(key: &str) -> bool {
    let key = key.replace('-', "_");
    sounds_secret(&key) || is_of_secret(&key)
}

/// The text without what must not be shown.
fn hide(text: &str) -> String {
    let mut hidden = of_urls(text);
    hidden.extend(keys(text).filter_map(|key| of_key(text, &key)));
    hidden.sort_by_key(|range| range.start);
    let (mut shown, mut end) = (String::new(), 0);
    for range in hidden {
        if range.start >= end {
            shown.push_str(&text[end..range.start]);
            shown.push_str(HIDDEN);
        }
        end = end.max(range.end);
    }
    shown + &text[end..]
}

/// The users of URLs, mostly with a password: `postgres://app:…@db/shop`.
fn of_urls(text: &str) -> Vec<Range<usize>> {
    let starts = text.match_indices("://").map(|(at, scheme)| at + scheme.len());
    let user = |start: usize| {
        let url = text[start..].split(is_end_of_word).next().unwrap_or_default();
        let user = &url[..url.rfind('@')?];
        (user.contains(':') || !user.contains('/')).then_some(start..start + user.len())
    };
    starts.filter_map(user).collect()
}

fn is_end_of_word(character: char) -> bool {
    character.is_whitespace() || matches!(character, '"' | '\'')
}

/// Everything that may be the name of a value.
fn keys(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + bytes.get(at..)?.iter().position(|byte| is_of_key(*byte))?;
        let length = bytes[start..].iter().take_while(|byte| is_of_key(**byte)).count();
        at = start + length;
        Some(start..at)
    })
}

fn is_of_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The value that follows a key, if it must not be shown.
fn of_key(text: &str, key: &Range<usize>) -> Option<Range<usize>> {
    let name = &text[key.clone()];
    let rest = &text[key.end..];
    let bare = rest.trim_start_matches('\\');
    let is_quoted = bare.starts_with(['"', '\'']);
    let after = if is_quoted { &bare[1..] } else { rest }.trim_start();
    let is_spaced = rest.starts_with(char::is_whitespace);
    let (value, kind) = if let Some(value) = after.strip_prefix('=') {
        (value, Kind::Word)
    } else if let Some(value) = after.strip_prefix(':') {
        // In an ARN, an image or an address it stands between parts.
        let is_key = is_quoted || value.starts_with(char::is_whitespace);
        (is_key.then_some(value)?, if is_quoted { Kind::Json } else { Kind::Line })
    } else if name.starts_with('-') && is_spaced && !after.starts_with("--") {
        (after, Kind::Word)
    } else {
        return None;
    };
    let value = value.trim_start();
    let start = text.len() - value.len();
    if is_user_flag(name) {
        let word = &value[..value.find(char::is_whitespace).unwrap_or(value.len())];
        let colon = word.find(':')?;
        return Some(start + colon + 1..start + word.len());
    }
    let is_there = is_secret(name) && !value.is_empty();
    is_there.then(|| start..start + kind.length(value))
}

/// Where a value ends.
#[derive(Clone, Copy)]
enum Kind {
    /// `KEY=value`, or the value of a flag.
    Word,
    /// `"key": value`.
    Json,
    /// `Header: value`.
    Line,
}

impl Kind {
    fn length(self, value: &str) -> usize {
        let bare = value.trim_start_matches('\\');
        let escapes = value.len() - bare.len();
        if let Some(quote) = bare.chars().next().filter(|first| matches!(first, '"' | '\'')) {
            return quoted_length(value, escapes, quote);
        }
        let end = match self {
            // A value may have blanks where `;` stands between values.
            Self::Word if value.contains(';') => value.find(';'),
            Self::Word => value.find(is_end_of_word),
            Self::Json if value.starts_with(['{', '[']) => None,
            Self::Json => value.find([',', '}', '\n']),
            Self::Line => value.find(['\n', '"', '\'']),
        };
        end.unwrap_or(value.len())
    }
}

/// The length with both quotes: the last one is escaped as the first one is.
fn quoted_length(value: &str, escapes: usize, quote: char) -> usize {
    let start = escapes + 1;
    let is_end = |at: &usize| {
        let before = &value[start..*at];
        before.len() - before.trim_end_matches('\\').len() == escapes
    };
    let ends = value[start..].match_indices(quote).map(|(at, _)| start + at);
    ends.into_iter().find(is_end).map_or(value.len(), |at| at + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_secret_parts_of_a_text_are_hidden() {
        for (text, expected) in [
            ("Server=h;Password=a b,c&d;Port=1", "Server=h;Password=****;Port=1"),
            ("host=h password=x\"y user=u", "host=h password=****\"y user=u"),
            ("Password = 'a;b' ; Port=1", "Password = **** ; Port=1"),
            (r#"{"user":"u","password":"a\"b","n":1}"#, r#"{"user":"u","password":****,"n":1}"#),
            (r#"{\"password\": \"a b\", \"n\": 1}"#, r#"{\"password\": ****, \"n\": 1}"#),
            (r#"{"token": 12, "secrets": ["a", "b"]}"#, r#"{"token": ****, "secrets": ****"#),
            ("run --token=abc --port=1", "run --token=**** --port=1"),
            ("run --api-key abc --port 1", "run --api-key **** --port 1"),
            ("run --auth --port 1", "run --auth --port 1"),
            ("curl -u admin:pw -f http://h", "curl -u admin:**** -f http://h"),
            ("curl --user=admin:pw -f", "curl --user=admin:**** -f"),
            ("curl -H 'Authorization: Bearer abc' h", "curl -H 'Authorization: ****' h"),
            ("a postgres://u:p/w@h/d redis://:x@r", "a postgres://****@h/d redis://****@r"),
            ("https://h/x?token=abc", "https://h/x?token=****"),
            ("ключ=а;Password=пароль;ж=1", "ключ=а;Password=****;ж=1"),
        ] {
            assert_eq!(hide(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        for text in [
            "arn:aws:secretsmanager:eu-west-1:111111111111:secret:shop/db-AbCdEf:password::",
            "registry.example/auth:5000",
            "https://auth.example.com:8080/path",
            "java -Xmx512m -jar app.jar --server.port=8080",
            "{\"stage\": \"prod\"}",
            "",
        ] {
            assert_eq!(hide(text), text);
        }
    }

    #[test]
    fn a_flag_hides_the_next_word() {
        let words = json!(["run", "--token", "abc", "-u", "admin:pw", "--auth", "--port", "1"]);
        let expected =
            json!(["run", "--token", "****", "-u", "admin:****", "--auth", "--port", "1"]);
        assert_eq!(shown(&words), expected);
    }
}
