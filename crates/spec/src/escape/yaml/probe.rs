//! A template with a word in each slot, which tells what kind of place every slot is, and how it is written
//! with values.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle};
use memchr::memmem::Finder;

use super::scalar::{double_quoted, escaped, for_comment, has_other_type, is_inert, is_plain_safe};
use super::{Part, YamlError};

/// The template with a word in each slot.
pub(super) struct Probe<'a> {
    parts: &'a [Part<'a>],
    text: String,
    /// Where each part begins in the text.
    starts: Vec<usize>,
    /// What stands around the number of a slot; it occurs nowhere else.
    mark: Finder<'static>,
}

/// A node of the probe, or a comment in it.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) kind: PlaceKind<'a>,
    range: Range<usize>,
    /// The marks in it, two around each slot.
    marks: usize,
}

#[derive(Debug)]
pub(super) enum PlaceKind<'a> {
    Scalar {
        style: ScalarStyle,
        decoded: Cow<'a, str>,
        in_flow: bool,
        header: Option<usize>,
    },
    Comment,
    /// Begin and end of lists and maps, aliases: told apart by their names.
    Other(&'static str),
}

impl<'a> Probe<'a> {
    pub(super) fn new(parts: &'a [Part<'a>]) -> Self {
        let mark = unused_mark(parts);
        let (mut text, mut starts) = (String::new(), Vec::new());
        for (index, part) in parts.iter().enumerate() {
            starts.push(text.len());
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Value { .. } => text.extend([&*mark, &index.to_string(), &*mark]),
            }
        }
        Self { parts, text, starts, mark: Finder::new(&mark).into_owned() }
    }

    pub(super) fn places(&self) -> Result<Vec<Place<'_>>, YamlError> {
        let mut places = Vec::new();
        let (mut flow_depth, mut last_end) = (0_usize, 0);
        for event in Parser::new_from_str(&self.text) {
            let (event, span) = event.map_err(|error| {
                let offset = error.marker().byte_offset().unwrap_or(self.text.len());
                self.template_error(&error.info(), offset)
            })?;
            let range = span.byte_range().unwrap_or_default();
            let kind = match event {
                Event::Scalar(decoded, style, ..) => PlaceKind::Scalar {
                    style,
                    decoded,
                    in_flow: flow_depth > 0,
                    header: self.block_header(style, last_end..range.start),
                },
                Event::Comment(..) => PlaceKind::Comment,
                other => PlaceKind::Other(name(&other)),
            };
            match kind {
                // In a flow collection every collection is one.
                PlaceKind::Other("[" | "{") => {
                    flow_depth += usize::from(
                        flow_depth > 0 || self.text[range.clone()].starts_with(['[', '{']),
                    );
                }
                PlaceKind::Other("]" | "}") => flow_depth = flow_depth.saturating_sub(1),
                _ => {}
            }
            last_end = range.end.max(last_end);
            let marks = match &kind {
                PlaceKind::Scalar { decoded, .. } => self.marks(decoded),
                PlaceKind::Comment => self.marks(&self.text[range.clone()]),
                PlaceKind::Other(_) => 0,
            };
            places.push(Place { kind, range, marks });
        }
        Ok(places)
    }

    fn marks(&self, text: &str) -> usize {
        self.mark.find_iter(text.as_bytes()).count()
    }

    /// Where the `|` or `>` of a block scalar stands: between the node before and its first line.
    fn block_header(&self, style: ScalarStyle, between: Range<usize>) -> Option<usize> {
        if !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) || between.is_empty() {
            return None;
        }
        self.text[between.clone()].find(['|', '>']).map(|offset| between.start + offset)
    }

    fn template_error(&self, message: &str, offset: usize) -> YamlError {
        let part = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.starts.get(part).copied().unwrap_or(0);
        YamlError::Template { message: message.into(), part, offset: offset - start.min(offset) }
    }

    /// The parts that reach into a stretch of the probe, cut to it.
    fn parts_in(&self, range: &Range<usize>) -> impl Iterator<Item = (&'a Part<'a>, &'a str)> {
        let first = self.starts.partition_point(|start| *start <= range.start).saturating_sub(1);
        let range = range.clone();
        (first..self.parts.len())
            .take_while({
                let end = range.end;
                move |index| self.starts[*index] < end
            })
            .filter_map(move |index| match &self.parts[index] {
                Part::Text(text) => {
                    let start = range.start.saturating_sub(self.starts[index]).min(text.len());
                    let end = (range.end - self.starts[index]).min(text.len());
                    (start < end).then(|| (&self.parts[index], &text[start..end]))
                }
                Part::Value { text, .. } => Some((&self.parts[index], &**text)),
            })
    }

    /// Every value is like the word that stood for it, so that the parser cannot tell them apart: the
    /// structure is the same without a look.
    pub(super) fn is_inert(&self, places: &[Place<'_>]) -> bool {
        let mut values = 0;
        for part in self.parts {
            match part {
                Part::Value { text, .. } if is_inert(text) => values += 1,
                Part::Value { .. } => return false,
                Part::Text(_) => {}
            }
        }
        // A word that is not found here stands in an anchor or a tag, where other rules hold.
        let found: usize = places.iter().map(|place| place.marks).sum();
        found == 2 * values
    }

    fn has_value(&self, range: &Range<usize>) -> bool {
        self.parts_in(range).any(|(part, _)| matches!(part, Part::Value { .. }))
    }

    /// A value has a sign that some readers take for the end of a line, where none can be written as a code.
    fn breaks_lines(&self, range: &Range<usize>, style: ScalarStyle) -> bool {
        let is_break = |character| matches!(character, '\u{85}' | '\u{2028}' | '\u{2029}');
        !matches!(style, ScalarStyle::Plain | ScalarStyle::DoubleQuoted)
            && self.parts_in(range).any(|(part, _)| match part {
                Part::Value { text, .. } => text.contains(is_break),
                Part::Text(_) => false,
            })
    }

    /// The words of slots replaced by their values.
    fn with_values(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, behind)) = self.split(rest) {
            let (number, behind) = self.split(behind).unwrap_or((behind, ""));
            filled.push_str(before);
            if let Ok(Some(Part::Value { text, .. })) =
                number.parse().map(|index: usize| self.parts.get(index))
            {
                filled.push_str(text);
            }
            rest = behind;
        }
        filled.push_str(rest);
        filled
    }

    /// What stands before the next mark, and behind it.
    fn split<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str)> {
        let at = self.mark.find(text.as_bytes())?;
        Some((&text[..at], &text[at + self.mark.needle().len()..]))
    }

    pub(super) fn write(
        &self,
        places: &[Place<'_>],
        expected: &[Option<Cow<'_, str>>],
        quoted: &BTreeSet<usize>,
    ) -> String {
        let mut text = String::with_capacity(self.text.len());
        let mut at = 0;
        for (index, place) in places.iter().enumerate() {
            if place.range.start < at || !self.has_value(&place.range) {
                continue;
            }
            let written = match (&place.kind, &expected[index]) {
                (PlaceKind::Scalar { style, header, .. }, Some(value))
                    if quoted.contains(&index) || self.breaks_lines(&place.range, *style) =>
                {
                    let start = header.unwrap_or(place.range.start);
                    self.write_plainly(&mut text, at..start);
                    self.quoted(place, *header, value)
                }
                (PlaceKind::Scalar { style, in_flow, .. }, Some(value)) => {
                    self.write_plainly(&mut text, at..place.range.start);
                    self.scalar(place, *style, *in_flow, value)
                }
                (PlaceKind::Comment, _) => {
                    self.write_plainly(&mut text, at..place.range.start);
                    let parts = self.parts_in(&place.range).map(|(_, text)| for_comment(text));
                    parts.collect()
                }
                _ => continue,
            };
            text.push_str(&written);
            at = place.range.end;
        }
        self.write_plainly(&mut text, at..self.text.len());
        text
    }

    fn write_plainly(&self, text: &mut String, range: Range<usize>) {
        if range.start < range.end {
            text.extend(self.parts_in(&range).map(|(_, part)| part));
        }
    }

    /// The scalar as its place wants it.
    fn scalar(&self, place: &Place<'_>, style: ScalarStyle, in_flow: bool, value: &str) -> String {
        let parts = || self.parts_in(&place.range);
        match style {
            ScalarStyle::Plain => {
                let is_text =
                    parts().any(|(part, _)| matches!(part, Part::Value { is_text: true, .. }));
                if is_plain_safe(value, in_flow) && !(is_text && has_other_type(value)) {
                    parts().map(|(_, text)| text).collect()
                } else {
                    double_quoted(value)
                }
            }
            ScalarStyle::SingleQuoted => parts()
                .map(|(part, text)| match part {
                    Part::Text(_) => Cow::Borrowed(text),
                    Part::Value { .. } => text.replace('\'', "''").into(),
                })
                .collect(),
            ScalarStyle::DoubleQuoted => parts()
                .map(|(part, text)| match part {
                    Part::Text(_) => Cow::Borrowed(text),
                    Part::Value { .. } => escaped(text).into(),
                })
                .collect(),
            _ => {
                let indent = self.indentation(place.range.start);
                parts()
                    .map(|(part, text)| match part {
                        Part::Text(_) => Cow::Borrowed(text),
                        Part::Value { .. } => text.replace('\n', &format!("\n{indent}")).into(),
                    })
                    .collect()
            }
        }
    }

    /// The spaces at the start of the line that holds an offset.
    fn indentation(&self, offset: usize) -> String {
        let before = &self.text[..offset];
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        self.text[line..].chars().take_while(|character| *character == ' ').collect()
    }

    /// The scalar in double quotes, whatever it was before; a comment behind the sign of a block
    /// scalar stays, and so does its last line break.
    fn quoted(&self, place: &Place<'_>, header: Option<usize>, value: &str) -> String {
        let mut text = double_quoted(value);
        if let Some(header) = header {
            let line = self.text[header..place.range.start].lines().next().unwrap_or_default();
            if let Some((_, comment)) = line.split_once('#') {
                text.push_str(" #");
                text.push_str(&for_comment(&self.with_values(comment)));
            }
            if self.text[place.range.clone()].ends_with('\n') {
                text.push('\n');
            }
        }
        text
    }
}

impl Place<'_> {
    /// What the scalar has to hold in the end; nothing for other places.
    pub(super) fn expected(&self, probe: &Probe<'_>) -> Option<Cow<'_, str>> {
        match &self.kind {
            PlaceKind::Scalar { decoded, .. } if self.marks == 0 => Some((&**decoded).into()),
            PlaceKind::Scalar { decoded, .. } => Some(probe.with_values(decoded).into()),
            _ => None,
        }
    }
}

/// A word that the template does not have, nor what its scalars mean: with `"\x7aq"` one of them could mean
/// what it does not say, so the word depends on all of the text.
fn unused_mark(parts: &[Part<'_>]) -> String {
    let texts = || parts.iter().filter(|part| matches!(part, Part::Text(_))).map(Part::as_str);
    let mut hasher = DefaultHasher::new();
    texts().for_each(|text| text.hash(&mut hasher));
    let mut mark = format!("z{:06x}q", hasher.finish() & 0x00ff_ffff);
    loop {
        let finder = Finder::new(&mark);
        if texts().all(|text| finder.find(text.as_bytes()).is_none()) {
            return mark;
        }
        mark.push('q');
    }
}

/// Begin and end of what has parts, by one name each.
pub(super) fn name(event: &Event<'_>) -> &'static str {
    match event {
        Event::SequenceStart(..) => "[",
        Event::SequenceEnd => "]",
        Event::MappingStart(..) => "{",
        Event::MappingEnd => "}",
        Event::Alias(_) => "*",
        Event::DocumentStart(..) => "---",
        Event::DocumentEnd => "...",
        _ => "",
    }
}
