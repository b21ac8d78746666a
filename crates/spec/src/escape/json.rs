//! A value into its place in JSON, so that it cannot change the structure around it.

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// Reads the text of a JSON template as it goes by, to know what kind of place comes next.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonPlace {
    in_string: bool,
    escaped: bool,
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
        }
    }
}

impl JsonPlace {
    /// Takes the text up to the next slot.
    pub fn pass(&mut self, text: &str) {
        let mut bytes = text.bytes();
        if self.escaped && bytes.next().is_some() {
            self.escaped = false;
        }
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' => self.in_string = !self.in_string,
                // The sign behind it is no end of the string, whatever it is.
                b'\\' if self.in_string => self.escaped = bytes.next().is_none(),
                _ => {}
            }
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
        if self.escaped {
            return Err(JsonError::Backslash);
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
    }

    proptest::proptest! {
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
