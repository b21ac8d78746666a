//! Text that knows where each of its parts is from.

use std::ops::Range;

/// Where a part of a text is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The template's author wrote it.
    Template,
    /// It is, or was made from, a value; it may be text that shipspec made itself.
    Value {
        /// It is text, whatever it looks like.
        is_text: bool,
    },
    /// `jsonencode` made it, and it is the whole of what that made.
    Json,
    /// A part of what `jsonencode` made.
    PartOfJson,
}

/// Text that knows where each of its parts is from.
///
/// Functions keep this: after `replace(hosts, ",", "\",\"")` the hosts are values, and the quotes are
/// the author's. So a file can be put together as text, and still no value can change its structure.
#[derive(Debug, Clone, Default)]
pub(super) struct Traced {
    text: String,
    /// The end of each part, in bytes, and where it is from.
    parts: Vec<(usize, Origin)>,
}

impl Traced {
    pub(super) fn new(text: impl Into<String>, origin: Origin) -> Self {
        let text = text.into();
        let parts = if text.is_empty() { Vec::new() } else { vec![(text.len(), origin)] };
        Self { text, parts }
    }

    /// Text that the template's author wrote.
    pub(super) fn written(text: impl Into<String>) -> Self {
        Self::new(text, Origin::Template)
    }

    /// Text of a value.
    pub(super) fn value(text: impl Into<String>) -> Self {
        Self::new(text, Origin::Value { is_text: false })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The parts in their order.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&str, Origin)> {
        let mut start = 0;
        self.parts.iter().map(move |(end, origin)| {
            let part = &self.text[start..*end];
            start = *end;
            (part, *origin)
        })
    }

    pub(super) fn push(&mut self, other: &Self) {
        for (text, origin) in other.parts() {
            self.push_part(text, origin);
        }
    }

    fn push_part(&mut self, text: &str, origin: Origin) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(text);
        let end = self.text.len();
        match self.parts.last_mut() {
            // Two results of `jsonencode` side by side are not one.
            Some((last, before)) if *before == origin && origin != Origin::Json => *last = end,
            _ => self.parts.push((end, origin)),
        }
    }

    /// A stretch of the text, by bytes.
    pub(super) fn slice(&self, range: Range<usize>) -> Self {
        let mut slice = Self::default();
        let mut start = 0;
        for (end, origin) in &self.parts {
            let part = start.max(range.start)..(*end).min(range.end);
            let is_whole = part.start == start && part.end == *end;
            let origin = match origin {
                Origin::Json if !is_whole => Origin::PartOfJson,
                origin => *origin,
            };
            if part.start < part.end {
                slice.push_part(&self.text[part], origin);
            }
            start = *end;
        }
        slice
    }

    /// Each part by itself made into other text.
    pub(super) fn map(&self, change: impl Fn(&str) -> String) -> Self {
        let mut mapped = Self::default();
        for (text, origin) in self.parts() {
            let origin = if origin == Origin::Json { Origin::PartOfJson } else { origin };
            mapped.push_part(&change(text), origin);
        }
        mapped
    }

    /// Another text that was made from this one, of which nobody knows what is from where: it is a
    /// value, unless the author wrote all of this.
    pub(super) fn remade(&self, text: impl Into<String>) -> Self {
        let is_written = self.parts.iter().all(|(_, origin)| *origin == Origin::Template);
        let origin = if is_written { Origin::Template } else { Origin::Value { is_text: false } };
        Self::new(text, origin)
    }

    /// The text with each of these stretches replaced. They are in their order.
    pub(super) fn replaced(
        &self,
        stretches: impl IntoIterator<Item = (Range<usize>, Self)>,
    ) -> Self {
        let (mut replaced, mut at) = (Self::default(), 0);
        for (range, with) in stretches {
            replaced.push(&self.slice(at..range.start));
            replaced.push(&with);
            at = range.end;
        }
        replaced.push(&self.slice(at..self.text.len()));
        replaced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_their_origin_when_text_is_cut_and_put_together() {
        let mut text = Traced::value("a,b");
        text.push(&Traced::written("|"));
        text.push(&Traced::new("[1]", Origin::Json));
        let cut = text.replaced([(1..2, Traced::written("\",\""))]);
        let value = Origin::Value { is_text: false };
        let expected = [
            ("a", value),
            ("\",\"", Origin::Template),
            ("b", value),
            ("|", Origin::Template),
            ("[1]", Origin::Json),
        ];
        assert_eq!(cut.parts().collect::<Vec<_>>(), expected);
        assert_eq!(cut.slice(6..8).parts().collect::<Vec<_>>(), [("[1", Origin::PartOfJson)]);
    }
}
