//! JSON as a tree in which every key and value knows its place.

use serde::de::IgnoredAny;

use super::{Kind, Node};

/// Why a text is no JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub message: String,
    /// The byte at which it is.
    pub offset: usize,
}

/// Reads one JSON text. What it may look like is judged by `serde_json`, which also limits how deep it
/// nests; the tree is then made of what is known to be right.
///
/// # Errors
///
/// [`JsonError`].
pub fn parse(text: &str) -> Result<Node, JsonError> {
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| {
        let start = text.split_inclusive('\n').take(error.line().saturating_sub(1));
        let offset = start.map(str::len).sum::<usize>() + error.column().saturating_sub(1);
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        JsonError { message, offset: offset.min(text.len()) }
    })?;
    let mut reader = Reader { text, at: 0 };
    Ok(reader.value())
}

/// Goes through a text that is JSON.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Node {
        self.skip_space();
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => Kind::Map(self.map()),
            Some(b'[') => Kind::List(self.list()),
            Some(b'"') => Kind::Scalar { text: self.string(), plain: false },
            _ => Kind::Scalar { text: self.word(), plain: true },
        };
        Node { range: start..self.at, kind }
    }

    fn map(&mut self) -> Vec<(Node, Node)> {
        let mut entries = Vec::new();
        while self.goes_on(b'}') {
            let key = self.value();
            self.skip_space();
            self.at += 1;
            entries.push((key, self.value()));
        }
        entries
    }

    fn list(&mut self) -> Vec<Node> {
        let mut items = Vec::new();
        while self.goes_on(b']') {
            items.push(self.value());
        }
        items
    }

    /// Steps over the bracket or comma; false at the end, which is stepped over too.
    fn goes_on(&mut self, end: u8) -> bool {
        self.skip_space();
        if self.peek() == Some(end) {
            self.at += 1;
            return false;
        }
        self.at += 1;
        self.skip_space();
        let is_end = self.peek().is_none_or(|byte| byte == end);
        self.at += usize::from(is_end);
        !is_end
    }

    fn string(&mut self) -> String {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'"' => break,
                _ => {}
            }
        }
        let written = self.text.get(start..self.at).unwrap_or_default();
        if written.contains('\\') {
            return serde_json::from_str(written).unwrap_or_default();
        }
        written.trim_matches('"').to_owned()
    }

    fn word(&mut self) -> String {
        let start = self.at;
        let is_end = |byte: u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
        while self.peek().is_some_and(|byte| !is_end(byte)) {
            self.at += 1;
        }
        self.text.get(start..self.at).unwrap_or_default().to_owned()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_knows_its_bytes() {
        let text = r#" {"a" : [1, {}, [], "x\"yé", true ], "b": {"c": null}} "#;
        let root = parse(text).unwrap();
        let (key, value) = root.at(&["b", "c"]).unwrap();
        assert_eq!((&text[key.range.clone()], &text[value.range.clone()]), ("\"c\"", "null"));
        let (_, list) = root.at(&["a"]).unwrap();
        let Kind::List(items) = &list.kind else { panic!("a list") };
        let texts: Vec<_> = items.iter().map(|item| &text[item.range.clone()]).collect();
        assert_eq!(texts, ["1", "{}", "[]", r#""x\"yé""#, "true"]);
        assert_eq!(items[3].text(), Some("x\"yé"));
        assert_eq!(&text[root.range.clone()], text.trim());
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        let error = parse("{\"a\": 1,\n \"b\": x}").unwrap_err();
        assert_eq!((error.message.as_str(), error.offset), ("expected value", 15));
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
