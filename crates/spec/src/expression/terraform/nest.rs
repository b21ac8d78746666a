//! Finds the end of each directive, and what stands inside.

use std::ops::Range;

use super::syntax::{Expr, For, If, Part};
use super::template::DEEPEST;
use crate::expression::SyntaxError;

/// A part of a template before its directives are matched.
pub(super) enum Token {
    Text(String, Range<usize>),
    Sequence(Sequence, Range<usize>),
}

/// What stands in a `${…}` or `%{…}`.
pub(super) enum Sequence {
    Slot(Expr),
    If(Expr),
    Else,
    EndIf,
    For { key: Option<String>, item: String, list: Expr },
    EndFor,
}

/// The parts of a template; what cannot be matched is told.
pub(super) fn parts(tokens: Vec<Token>, errors: &mut Vec<SyntaxError>) -> Vec<Part> {
    let (mut open, mut parts) = (Vec::<Open>::new(), Vec::new());
    for token in tokens {
        let (sequence, range) = match token {
            Token::Text(text, range) => {
                if !text.is_empty() {
                    parts.push(Part::Text(text, range));
                }
                continue;
            }
            Token::Sequence(Sequence::Slot(expression), range) => {
                parts.push(Part::Slot(expression, range));
                continue;
            }
            Token::Sequence(sequence, range) => (sequence, range),
        };
        let before = match (sequence, open.pop()) {
            (Sequence::EndIf, Some(Open { around, head: Head::If(condition, then), .. })) => {
                let body = std::mem::take(&mut parts);
                let (then, otherwise) = match then {
                    Some(then) => (then, body),
                    None => (body, Vec::new()),
                };
                parts = around;
                parts.push(Part::If(Box::new(If { condition, then, otherwise })));
                continue;
            }
            (Sequence::Else, Some(Open { around, head: Head::If(condition, None), range })) => {
                let then = Some(std::mem::take(&mut parts));
                open.push(Open { around, head: Head::If(condition, then), range });
                continue;
            }
            (Sequence::EndFor, Some(Open { around, head: Head::For(key, item, list), .. })) => {
                let body = std::mem::replace(&mut parts, around);
                parts.push(Part::For(Box::new(For { key, item, list, body })));
                continue;
            }
            (Sequence::If(condition), outer) => {
                open.extend(outer);
                Head::If(condition, None)
            }
            (Sequence::For { key, item, list }, outer) => {
                open.extend(outer);
                Head::For(key, item, list)
            }
            (closing, outer) => {
                errors.push(unmatched(&closing, outer.as_ref(), range));
                open.extend(outer);
                continue;
            }
        };
        if open.len() == DEEPEST {
            let message = "directives stand too deep inside one another".to_owned();
            errors.push(SyntaxError { range, message, hint: None });
            return Vec::new();
        }
        open.push(Open { around: std::mem::take(&mut parts), head: before, range });
    }
    for open in open {
        let (word, end) = open.head.words();
        let message = format!("`%{{ {word} }}` has no `%{{ {end} }}`");
        errors.push(SyntaxError { range: open.range, message, hint: None });
    }
    parts
}

/// A directive whose end has not come yet.
struct Open {
    /// The parts before it.
    around: Vec<Part>,
    head: Head,
    range: Range<usize>,
}

enum Head {
    /// With the parts up to `else`, if it has come.
    If(Expr, Option<Vec<Part>>),
    For(Option<String>, String, Expr),
}

impl Head {
    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::If(..) => ("if", "endif"),
            Self::For(..) => ("for", "endfor"),
        }
    }
}

/// An end without its beginning.
fn unmatched(closing: &Sequence, outer: Option<&Open>, range: Range<usize>) -> SyntaxError {
    let word = match closing {
        Sequence::Else => "else",
        Sequence::EndIf => "endif",
        _ => "endfor",
    };
    let message = match outer.map(|open| open.head.words()) {
        Some(("if", _)) if word == "else" => "`%{ else }` stands here a second time".to_owned(),
        Some((open, end)) => {
            format!(
                "`%{{ {word} }}` stands inside of `%{{ {open} }}`, which ends with `%{{ {end} }}`"
            )
        }
        None => format!("`%{{ {word} }}` ends nothing"),
    };
    SyntaxError { range, message, hint: None }
}
