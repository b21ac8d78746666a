//! A value into its place in JSON, so that it cannot change the structure around it.

use serde::de::IgnoredAny;

/// Reads the text of a JSON template as it goes by, to know what kind of place comes next.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonPlace {
    in_string: bool,
    escaped: bool,
}

impl JsonPlace {
    /// Takes the text up to the next slot.
    pub fn pass(&mut self, text: &str) {
        for byte in text.bytes() {
            match (self.in_string, self.escaped, byte) {
                (true, true, _) => self.escaped = false,
                (true, false, b'\\') => self.escaped = true,
                (_, _, b'"') => self.in_string = !self.in_string,
                _ => {}
            }
        }
    }

    /// The text as it may stand here: inside a string with escapes, and anywhere else only if it is
    /// a JSON value of its own; nothing if it is none.
    #[must_use]
    pub fn escape(&self, text: &str) -> Option<String> {
        if !self.in_string {
            return serde_json::from_str::<IgnoredAny>(text).ok().map(|_| text.to_owned());
        }
        let quoted = serde_json::Value::from(text).to_string();
        Some(quoted[1..quoted.len() - 1].to_owned())
    }
}

impl JsonPlace {
    /// As [`JsonPlace::escape`], for a language that prints the signs of JSON itself, such as the
    /// comma between the items of a loop.
    #[must_use]
    pub fn escape_or_sign(&self, text: &str) -> Option<String> {
        let is_sign = |character: char| ",:[]{}".contains(character) || character.is_whitespace();
        if !self.in_string && text.chars().all(is_sign) {
            return Some(text.to_owned());
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
        assert_eq!(place.escape("say \"hi\"\n\\").as_deref(), Some(r#"say \"hi\"\n\\"#));
        place.pass(r#"", "port": "#);
        assert_eq!(place.escape("80").as_deref(), Some("80"));
        assert_eq!(place.escape("[1, 2]").as_deref(), Some("[1, 2]"));
        assert_eq!(place.escape("80, \"x\": 1"), None);
        assert_eq!(place.escape("eighty"), None);
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
