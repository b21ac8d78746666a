//! The template with a mark in each slot, and the way back.

use std::ops::Range;

use shipspec_spec::escape::JsonPlace;

use super::{Format, Slot};
use crate::value::UNKNOWN;

/// What stands around the number of a slot: private use, as [`UNKNOWN`] is.
const OPEN: char = '\u{e001}';
const CLOSE: char = '\u{e002}';

/// The template with a mark in each slot.
pub(super) struct Probe<'a> {
    pub(super) text: String,
    slots: &'a [Slot],
    /// The slots of JSON that stand outside of any string: there the mark is in quotes.
    bare: Vec<bool>,
    /// Pieces by their beginning: in the probe, in the template, and how long they are there.
    pieces: Vec<(usize, Range<usize>)>,
}

/// A piece of a scalar.
pub(super) enum Part<'a> {
    /// Stands in the template.
    Text(&'a str),
    /// A slot, and whether it is a value of its own in JSON.
    Slot(&'a Slot, bool),
}

impl Part<'_> {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => (*text).to_owned(),
            Self::Slot(slot, _) => match &slot.value {
                Some(filling) => filling.text.clone(),
                None => UNKNOWN.to_string(),
            },
        }
    }
}

impl<'a> Probe<'a> {
    /// `slots` are in their order and do not overlap.
    pub(super) fn new(template: &str, format: Format, slots: &'a [Slot]) -> Self {
        let mut probe = Self {
            text: String::with_capacity(template.len()),
            slots,
            bare: Vec::new(),
            pieces: Vec::new(),
        };
        let (mut place, mut at) = (JsonPlace::default(), 0);
        for (index, slot) in slots.iter().enumerate() {
            let before = template.get(at..slot.range.start).unwrap_or_default();
            probe.piece(at..slot.range.start, before);
            place.pass(before);
            let is_bare = format == Format::Json && !place.is_in_string();
            let quote = if is_bare { "\"" } else { "" };
            probe.bare.push(is_bare);
            probe.piece(slot.range.clone(), &format!("{quote}{OPEN}{index}{CLOSE}{quote}"));
            at = slot.range.end;
        }
        probe.piece(at..template.len(), template.get(at..).unwrap_or_default());
        probe
    }

    /// A slot of JSON stands outside of any string.
    pub(super) fn has_bare(&self) -> bool {
        self.bare.contains(&true)
    }

    fn piece(&mut self, original: Range<usize>, text: &str) {
        self.pieces.push((self.text.len(), original));
        self.text.push_str(text);
    }

    /// The pieces of a scalar's text.
    pub(super) fn parts<'t>(&'t self, text: &'t str) -> Vec<Part<'t>> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, behind)) = rest.split_once(OPEN) {
            let Some((number, behind)) = behind.split_once(CLOSE) else { break };
            let index = number.parse::<usize>().ok().filter(|index| *index < self.slots.len());
            let Some(index) = index else {
                break;
            };
            if !before.is_empty() {
                parts.push(Part::Text(before));
            }
            parts.push(Part::Slot(&self.slots[index], self.bare[index]));
            rest = behind;
        }
        if !rest.is_empty() || parts.is_empty() {
            parts.push(Part::Text(rest));
        }
        parts
    }

    /// Where an offset of the probe is in the template; anywhere in a slot is its beginning.
    pub(super) fn original(&self, offset: usize) -> usize {
        self.locate(offset, false)
    }

    pub(super) fn original_range(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.locate(range.start, false);
        start..self.locate(range.end, true).max(start)
    }

    fn locate(&self, offset: usize, is_end: bool) -> usize {
        // The end of a stretch belongs to the piece before it.
        let is_before = |start: usize| start < offset || start == offset && !is_end;
        let index = self.pieces.partition_point(|(start, _)| is_before(*start));
        let index = index.saturating_sub(1);
        let (start, original) = &self.pieces[index];
        // Pieces of text and slots take turns, text first.
        if index % 2 == 1 {
            return if is_end { original.end } else { original.start };
        }
        (original.start + (offset - start)).min(original.end)
    }
}
