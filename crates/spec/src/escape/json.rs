//! A value into its place in JSON, so that it cannot change the structure around it.

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// Reads the text of a JSON template as it goes by, to know what kind of place comes next.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonPlace {
    in_string: bool,
    escape: Escape,
}

/// How far an escape has come: `\n`, or `\u` and four digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Escape {
    /// There is none.
    #[default]
    None,
    /// The sign that says which one comes next.
    Sign,
    /// So many digits are still to come.
    Digits(u8),
}

/// Why a value cannot be written into its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It stands outside of a string and is none that could.
    #[error("the value is no JSON value of its own")]
    NoValue,
    /// The sign before it would take its first character.
    #[error("a backslash stands before the value")]
    Backslash,
    /// Its first characters would be digits of the escape before it.
    #[error("an escape that is not whole stands before the value")]
    Digits,
}

impl JsonError {
    /// What to do.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::NoValue => "put the place in quotes to make it a string",
            Self::Backslash => {
                "JSON knows no `\\$`: take the backslash away, or write `$$` to keep the text itself"
            }
            Self::Digits => {
                "write all four digits of `\\u`, or only a name that stands for all of it"
            }
        }
    }
}

impl JsonPlace {
    /// Takes the text up to the next slot.
    pub fn pass(&mut self, text: &str) {
        for byte in text.bytes() {
            self.escape = match (self.escape, byte) {
                (Escape::None, b'"') => {
                    self.in_string = !self.in_string;
                    Escape::None
                }
                (Escape::None, b'\\') if self.in_string => Escape::Sign,
                (Escape::None, _) => continue,
                (Escape::Sign, b'u') => Escape::Digits(4),
                (Escape::Digits(left @ 2..), _) => Escape::Digits(left - 1),
                (Escape::Sign | Escape::Digits(_), _) => Escape::None,
            };
        }
    }

    /// A value that comes now stands inside of a string.
    #[must_use]
    pub fn is_in_string(&self) -> bool {
        self.in_string
    }

    /// The text as it may stand here: inside a string with escapes, and anywhere else only if it is
    /// a JSON value of its own.
    ///
    /// # Errors
    ///
    /// [`JsonError`] if it may not stand here.
    pub fn escape<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, JsonError> {
        match self.escape {
            Escape::None => {}
            Escape::Sign => return Err(JsonError::Backslash),
            Escape::Digits(_) => return Err(JsonError::Digits),
        }
        if !self.in_string {
            let is_value = serde_json::from_str::<IgnoredAny>(text).is_ok();
            return if is_value { Ok(text.into()) } else { Err(JsonError::NoValue) };
        }
        if !text.bytes().any(|byte| matches!(byte, b'"' | b'\\' | ..0x20)) {
            return Ok(text.into());
        }
        let quoted = serde_json::Value::from(text).to_string();
        Ok(quoted[1..quoted.len() - 1].to_owned().into())
    }

    /// As [`JsonPlace::escape`], for a language that prints the signs of JSON itself, such as the
    /// comma between the items of a loop.
    ///
    /// # Errors
    ///
    /// [`JsonError`] if it may not stand here.
    pub fn escape_or_sign<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, JsonError> {
        let is_sign = |character: char| ",:[]{}".contains(character) || character.is_whitespace();
        if !self.in_string && text.chars().all(is_sign) {
            return Ok(text.into());
        }
        self.escape(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_known_by_what_stands_before_it() {
        let mut place = JsonPlace::default();
        place.pass(r#"{"a\"b": "x "#);
        assert_eq!(place.escape("say \"hi\"\n\\").unwrap(), r#"say \"hi\"\n\\"#);
        place.pass(r#"", "port": "#);
        assert_eq!(place.escape("80").unwrap(), "80");
        assert_eq!(place.escape("[1, 2]").unwrap(), "[1, 2]");
        assert_eq!(place.escape("80, \"x\": 1"), Err(JsonError::NoValue));
        assert_eq!(place.escape("eighty"), Err(JsonError::NoValue));
    }

    #[test]
    fn a_value_behind_a_backslash_is_refused() {
        let mut place = JsonPlace::default();
        place.pass(r#"{"a": "\\"#);
        assert_eq!(place.escape("n").unwrap(), "n");
        place.pass("\\");
        assert_eq!(place.escape("n"), Err(JsonError::Backslash));
        place.pass("u00");
        assert_eq!(place.escape("41"), Err(JsonError::Digits));
        place.pass("41");
        assert_eq!(place.escape("n").unwrap(), "n");
    }

    proptest::proptest! {
        #[test]
        fn a_place_does_not_depend_on_where_the_text_is_cut(text in r#"["\\a]{0,12}"#, cut in 0..13_usize) {
            let (mut whole, mut cut_in_two) = (JsonPlace::default(), JsonPlace::default());
            whole.pass(&text);
            let (first, second) = text.split_at(cut.min(text.len()));
            cut_in_two.pass(first);
            cut_in_two.pass(second);
            // What stands in a string, said in another way.
            let (mut in_string, mut escaped) = (false, false);
            for byte in text.bytes() {
                let is_end = byte == b'"' && !escaped;
                escaped = in_string && byte == b'\\' && !escaped;
                in_string ^= is_end;
            }
            let state = |place: &JsonPlace| (place.in_string, place.escape == Escape::Sign);
            proptest::prop_assert_eq!(state(&whole), (in_string, escaped));
            proptest::prop_assert_eq!(state(&cut_in_two), (in_string, escaped));
        }

        #[test]
        fn any_text_stays_one_string(text in ".*") {
            let mut place = JsonPlace::default();
            place.pass("{\"key\": \"a");
            let filled = format!("{{\"key\": \"a{}b\"}}", place.escape(&text).unwrap());
            let value: serde_json::Value = serde_json::from_str(&filled).unwrap();
            proptest::prop_assert_eq!(&value["key"], &serde_json::json!(format!("a{text}b")));
        }
    }
}
