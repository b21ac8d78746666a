//! Reads lists and maps, and the loops that make them.

use super::expression::{Read, node};
use super::syntax::{Each, Expr, Kind, Part};
use super::template::Reader;
use crate::expression::SyntaxError;

impl Reader<'_> {
    pub(super) fn list(&mut self) -> Read {
        let start = self.cursor.at;
        self.cursor.at += 1;
        let lines_count = std::mem::replace(&mut self.cursor.lines_count, false);
        let kind = if self.is_loop() { self.each("]") } else { self.items() };
        self.cursor.lines_count = lines_count;
        let (kind, height) = kind?;
        node(kind, start..self.cursor.at, height)
    }

    fn items(&mut self) -> Result<(Kind, Option<usize>), SyntaxError> {
        let mut items = Vec::new();
        while !self.cursor.take("]") {
            items.push(self.expression()?);
            if !self.cursor.take(",") {
                self.cursor.expect("]", "or `,` behind an item")?;
                break;
            }
        }
        let height = items.iter().map(|item| item.height).max();
        Ok((Kind::List(items), height))
    }

    pub(super) fn map(&mut self) -> Read {
        let start = self.cursor.at;
        self.cursor.at += 1;
        let is_loop = self.is_loop();
        let lines_count = std::mem::replace(&mut self.cursor.lines_count, !is_loop);
        let kind = if is_loop { self.each("}") } else { self.entries() };
        self.cursor.lines_count = lines_count;
        let (kind, height) = kind?;
        node(kind, start..self.cursor.at, height)
    }

    fn entries(&mut self) -> Result<(Kind, Option<usize>), SyntaxError> {
        let mut entries = Vec::new();
        loop {
            while self.cursor.take("\n") || self.cursor.take("\r\n") {}
            if self.cursor.take("}") {
                break;
            }
            let key = self.key()?;
            if !self.cursor.take("=") {
                self.cursor.expect(":", "or `=` behind a key")?;
            }
            let value = self.expression()?;
            entries.push((key, value));
            let is_separated =
                self.cursor.take(",") || self.cursor.is_next("\n") || self.cursor.is_next("\r\n");
            if !is_separated {
                self.cursor.expect("}", "or `,` behind an entry")?;
                break;
            }
        }
        let heights = entries.iter().map(|(key, value)| key.height.max(value.height));
        let height = heights.max();
        Ok((Kind::Map(entries), height))
    }

    /// A key: a word is one, anything else stands in quotes or parentheses.
    fn key(&mut self) -> Read {
        self.cursor.skip_space();
        let start = self.cursor.at;
        if let Some((name, range)) = self.cursor.take_name() {
            if self.cursor.is_next("=") && !self.cursor.is_next("==") || self.cursor.is_next(":") {
                let part = Part::Text(name.to_owned(), range.clone());
                return node(Kind::Text(vec![part]), range, None);
            }
            self.cursor.at = start;
        }
        self.expression()
    }

    fn is_loop(&mut self) -> bool {
        let start = self.cursor.at;
        let is_loop = self.cursor.take_word("for") && self.cursor.take_name().is_some();
        self.cursor.at = start;
        is_loop
    }

    /// `for x in list : …`, behind the bracket.
    fn each(&mut self, close: &str) -> Result<(Kind, Option<usize>), SyntaxError> {
        self.cursor.take_word("for");
        let (key, item) = self.loop_names()?;
        let list = self.expression()?;
        self.cursor.expect(":", "behind the list of `for`")?;
        let locals = self.locals.len();
        self.locals.extend(key.iter().chain([&item]).cloned());
        let rest = self.each_body(close);
        self.locals.truncate(locals);
        let (new_key, new_item, filter) = rest?;
        let parts = new_key.iter().chain([&list, &new_item]).chain(&filter);
        let height = parts.map(|part| part.height).max();
        let each = Each { key, item, list, new_key, new_item, filter };
        Ok((Kind::Each(Box::new(each)), height))
    }

    fn each_body(
        &mut self,
        close: &str,
    ) -> Result<(Option<Expr>, Expr, Option<Expr>), SyntaxError> {
        let first = self.expression()?;
        let (new_key, new_item) = if close == "}" {
            self.cursor.expect("=>", "between key and value")?;
            (Some(first), self.expression()?)
        } else {
            (None, first)
        };
        if self.cursor.is_next("...") {
            return Err(self.cursor.error_here("`...` behind a value is not read here"));
        }
        let filter = if self.cursor.take_word("if") { Some(self.expression()?) } else { None };
        self.cursor.expect(close, "at the end of `for`")?;
        Ok((new_key, new_item, filter))
    }
}
