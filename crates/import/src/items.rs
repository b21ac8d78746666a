//! A command of the old buildspec in the new one: what stays of it, with the lines of shipspec between.

use crate::buildspec::{Item, shipspec};
use crate::place::Line;
use crate::walk::{Step, Walk};
use shipspec_shell::Next;

/// A part of the command: steps that stay and follow each other, or a line of shipspec.
struct Piece {
    text: String,
    is_ours: bool,
    /// Its first and its last step.
    first: usize,
    last: usize,
}

/// What becomes of the command of this number. `export` gives shipspec what only the shell knows, and is
/// gone when it has been written.
pub(crate) fn items(
    walk: &Walk<'_>,
    index: usize,
    lines: &[Line],
    export: &mut Option<String>,
) -> Vec<Item> {
    let pieces = pieces(walk, index, lines, export);
    if stays_together(walk, index, &pieces) {
        return vec![Item::new(joined(walk, index, &pieces))];
    }
    pieces.into_iter().map(|piece| Item::new(piece.text)).collect()
}

/// Nothing of the command is replaced.
pub(crate) fn is_untouched(walk: &Walk<'_>, index: usize, lines: &[Line]) -> bool {
    let mut steps = steps_of(walk, index).peekable();
    let is_replaced = |number: usize| lines.iter().any(|line| line.step == number);
    steps.peek().is_some() && steps.all(|(number, step)| step.is_kept() && !is_replaced(number))
}

fn steps_of<'a>(walk: &'a Walk<'_>, index: usize) -> impl Iterator<Item = (usize, &'a Step)> {
    walk.steps.iter().enumerate().filter(move |(_, step)| step.command == index)
}

fn pieces(
    walk: &Walk<'_>,
    index: usize,
    lines: &[Line],
    export: &mut Option<String>,
) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut is_open = false;
    for (number, step) in steps_of(walk, index) {
        match pieces.last_mut() {
            Some(piece) if step.is_kept() && is_open => piece.last = number,
            _ if step.is_kept() => pieces.push(Piece {
                text: String::new(),
                is_ours: false,
                first: number,
                last: number,
            }),
            _ => {}
        }
        is_open = step.is_kept();
        for line in lines.iter().filter(|line| line.step == number) {
            is_open = false;
            let ours = |text| Piece { text, is_ours: true, first: number, last: number };
            if line.command != "daemon ensure" {
                pieces.extend(export.take().map(ours));
            }
            pieces.push(ours(shipspec(walk, line)));
        }
    }
    for piece in pieces.iter_mut().filter(|piece| !piece.is_ours) {
        let (first, last) = (&walk.steps[piece.first], &walk.steps[piece.last]);
        let text = walk.commands[index].text.get(first.range.start..last.range.end);
        let sign = if last.next == Next::Background { " &" } else { "" };
        piece.text = format!("{}{sign}", text.unwrap_or_default().trim_end());
    }
    pieces
}

/// As a command of its own, a piece would end the build if it fails. It did so before only at the end of
/// the command, or where nothing but `&&` is behind it.
fn stays_together(walk: &Walk<'_>, index: usize, pieces: &[Piece]) -> bool {
    let Some(end) = steps_of(walk, index).map(|(number, _)| number).last() else { return false };
    pieces.iter().filter(|piece| !piece.is_ours).any(|piece| !is_chain(walk, piece.last, end))
}

/// Nothing but `&&` stands between these steps.
fn is_chain(walk: &Walk<'_>, first: usize, last: usize) -> bool {
    walk.steps[first..last].iter().all(|step| step.next == Next::And)
}

/// The pieces as one command, with what led from one to the next.
fn joined(walk: &Walk<'_>, index: usize, pieces: &[Piece]) -> String {
    let stops = pieces.first().is_some_and(|piece| stops_at_failures(&piece.text));
    let mut text = String::new();
    let mut follows = false;
    for (number, piece) in pieces.iter().enumerate() {
        let next = pieces.get(number + 1);
        let is_export = piece.is_ours && piece.text.starts_with("export ");
        let leads = next.is_some_and(|next| {
            // Lines of shipspec in one place run if the first of them does.
            let is_one_place = piece.last == next.first;
            is_one_place && (is_export || follows)
                || !is_one_place && is_chain(walk, piece.last, next.first)
        });
        // What CodeBuild hears of is how the last program ends.
        match (piece.is_ours && !is_export && next.is_some() && !stops, follows || leads) {
            (false, _) => text.push_str(&piece.text),
            (true, false) => text.extend([&*piece.text, " || exit 1"]),
            (true, true) => text.extend(["{ ", &*piece.text, " || exit 1; }"]),
        }
        if next.is_some() {
            text.push_str(if leads { " && " } else { "\n" });
        }
        follows = leads;
    }
    let end = steps_of(walk, index).map(|(number, _)| number).last();
    let is_at_end =
        |piece: &Piece| piece.is_ours || end.is_some_and(|end| is_chain(walk, piece.last, end));
    if !stops && !pieces.last().is_some_and(is_at_end) {
        // What stood there could not fail.
        text.push_str("\ntrue");
    }
    text
}

/// It begins with `set -e`, alone or among other options.
fn stops_at_failures(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let is_set = words.next() == Some("set");
    is_set && words.next().is_some_and(|word| word.starts_with('-') && word.contains('e'))
}
