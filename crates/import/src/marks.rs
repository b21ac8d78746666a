//! A text as plain text, with a mark for each part that is not known: for readers of other languages.

use crate::text::{Piece, Text};
use std::fmt::Write as _;

/// Private use, so that no text of a person has it.
const OPEN: char = '\u{e010}';
const CLOSE: char = '\u{e011}';

/// The text with marks, and what they stand for.
pub(crate) fn marked(text: &Text) -> (String, Vec<Piece>) {
    let (mut plain, mut pieces) = (String::new(), Vec::new());
    for piece in &text.0 {
        match piece {
            Piece::Literal(known) => plain.push_str(known),
            piece => {
                let _ = write!(plain, "{OPEN}{}{CLOSE}", pieces.len());
                pieces.push(piece.clone());
            }
        }
    }
    (plain, pieces)
}

/// A part of the text with marks as what it stands for.
pub(crate) fn unmarked(plain: &str, pieces: &[Piece]) -> Text {
    let (mut text, mut rest) = (Text::default(), plain);
    while let Some((before, behind)) = rest.split_once(OPEN) {
        let Some((number, behind)) = behind.split_once(CLOSE) else { break };
        text.push(Piece::Literal(before.to_owned()));
        if let Some(piece) = number.parse::<usize>().ok().and_then(|number| pieces.get(number)) {
            text.push(piece.clone());
        }
        rest = behind;
    }
    text.push(Piece::Literal(rest.to_owned()));
    text
}

/// It has a mark.
pub(crate) fn has_mark(plain: &str) -> bool {
    plain.contains(OPEN)
}
