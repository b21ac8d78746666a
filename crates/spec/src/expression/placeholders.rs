//! Placeholders of other tools: `<CONTAINER>`, `%TAG%`, `__REPO__`.

use std::ops::Range;

use super::{Expression, Nested, Piece, Slot, Template};

pub(super) fn find(
    template: Template,
    text: &str,
    placeholders: &[(String, Nested)],
) -> (Template, Vec<String>) {
    // An empty one stands everywhere, and has been refused by then.
    let mut longest_first: Vec<_> =
        placeholders.iter().filter(|(name, _)| !name.is_empty()).collect();
    longest_first.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    let mut missing: Vec<_> = placeholders.iter().map(|(name, _)| name.clone()).collect();
    let mut pieces = Vec::new();
    for piece in template.pieces {
        let Piece::Text(range) = piece else {
            pieces.push(piece);
            continue;
        };
        let mut start = range.start;
        while let Some((found, name, nested)) = next(text, start..range.end, &longest_first) {
            if start < found.start {
                pieces.push(Piece::Text(start..found.start));
            }
            start = found.end;
            missing.retain(|other| other != name);
            let expression = Expression::Nested(Box::new(nested.clone()));
            pieces.push(Piece::Slot(Slot { range: found, expression }));
        }
        if start < range.end {
            pieces.push(Piece::Text(start..range.end));
        }
    }
    (Template { pieces }, missing)
}

/// The first placeholder in a stretch of text.
fn next<'a>(
    text: &str,
    range: Range<usize>,
    longest_first: &[&'a (String, Nested)],
) -> Option<(Range<usize>, &'a str, &'a Nested)> {
    let stretch = &text[range.clone()];
    let found = longest_first.iter().filter_map(|(name, nested)| {
        let start = range.start + stretch.find(&**name)?;
        Some((start..start + name.len(), &**name, nested))
    });
    // Of those that begin at the same place, the first in this order is the longest.
    found.min_by_key(|(found, ..)| found.start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Dialect;

    #[test]
    fn placeholders_become_slots_and_missing_ones_are_told() {
        let text = "a <X> $N <XY> %T%";
        let nested = |source: &str| Nested {
            source: source.into(),
            template: Template::parse(source, Dialect::Braces).unwrap(),
        };
        let placeholders =
            ["<X>", "<XY>", "%T%", "__R__"].map(|name| (name.to_owned(), nested("v")));
        let template = Template::parse(text, Dialect::Shell).unwrap();
        let (template, missing) = template.with_placeholders(text, &placeholders);
        let slots: Vec<_> = template.slots().map(|slot| &text[slot.range.clone()]).collect();
        assert_eq!(slots, ["<X>", "$N", "<XY>", "%T%"]);
        assert_eq!(missing, ["__R__"]);
    }
}
