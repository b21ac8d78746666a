//! Finds the slots of a text.

use std::ops::Range;

use super::calls;
use super::{
    Conditional, Dialect, Expression, Operator, Piece, Slot, SyntaxError, Template, evaluate,
    foreign,
};

/// Reads a text; with `only`, slots that ask for anything but these names are text.
pub(super) fn parse(
    text: &str,
    dialect: Dialect,
    only: Option<&[String]>,
) -> Result<Template, Vec<SyntaxError>> {
    let mut lexer = Lexer { text, dialect, only, depth: 0, errors: Vec::new() };
    let template = lexer.template(0..text.len());
    if lexer.errors.is_empty() { Ok(template) } else { Err(lexer.errors) }
}

/// Defaults that may stand inside one another.
const DEEPEST: usize = 64;

struct Lexer<'a> {
    text: &'a str,
    dialect: Dialect,
    only: Option<&'a [String]>,
    depth: usize,
    errors: Vec<SyntaxError>,
}

/// What a `$` turned out to be; offsets are where the next piece begins.
enum Dollar {
    /// Text like any other, up to here.
    Text(usize),
    /// Text without its first `$`, up to here.
    Escaped(usize),
    /// A place to fill.
    Slot(Slot),
}

impl Lexer<'_> {
    fn template(&mut self, range: Range<usize>) -> Template {
        let mut pieces = Vec::with_capacity(if self.depth == 0 { self.room() } else { 0 });
        let mut text_start = range.start;
        let mut at = range.start;
        while let Some(found) = self.text[at..range.end].find('$') {
            let dollar = at + found;
            match self.dollar(dollar, range.end) {
                Dollar::Text(end) => at = end,
                Dollar::Escaped(end) => {
                    push_text(&mut pieces, text_start..dollar);
                    (text_start, at) = (dollar + 1, end);
                }
                Dollar::Slot(slot) => {
                    push_text(&mut pieces, text_start..dollar);
                    (text_start, at) = (slot.range.end, slot.range.end);
                    pieces.push(Piece::Slot(slot));
                }
            }
        }
        push_text(&mut pieces, text_start..range.end);
        Template { pieces }
    }

    /// For how many pieces there is room at first. Text stands between slots and at both ends; of very many
    /// dollars most may be text as well.
    fn room(&self) -> usize {
        const MOST: usize = 4096;
        let dollars = self.text.bytes().filter(|byte| *byte == b'$').count();
        (2 * dollars + 1).min(MOST)
    }

    fn dollar(&mut self, dollar: usize, end: usize) -> Dollar {
        let rest = &self.text[dollar + 1..end];
        let bare = self.dialect == Dialect::Shell;
        match rest.bytes().next() {
            Some(b'{') => self.braces(dollar, end),
            Some(b'$') => {
                let behind = &rest[1..];
                if !self.is_escape(behind) {
                    return Dollar::Text(dollar + 2);
                }
                match behind.strip_prefix('{').map(|_| self.closing_brace(dollar + 3, end)) {
                    Some(Some(close)) => Dollar::Escaped(close + 1),
                    Some(None) => Dollar::Escaped(dollar + 3),
                    None if bare && name_length(behind) > 0 => {
                        Dollar::Escaped(dollar + 2 + name_length(behind))
                    }
                    None => Dollar::Text(dollar + 2),
                }
            }
            Some(_) if bare => match name_length(rest) {
                0 => Dollar::Text(dollar + 1),
                length => {
                    let expression = Expression::Name(rest[..length].to_owned());
                    self.slot(Slot { range: dollar..dollar + 1 + length, expression })
                }
            },
            _ => Dollar::Text(dollar + 1),
        }
    }

    fn braces(&mut self, dollar: usize, end: usize) -> Dollar {
        let Some(close) = self.closing_brace(dollar + 2, end) else {
            if self.only.is_some() {
                return Dollar::Text(dollar + 2);
            }
            let message = "`${` is never closed".into();
            self.errors.push(SyntaxError { range: dollar..dollar + 2, message, hint: None });
            return Dollar::Text(end);
        };
        let range = dollar..close + 1;
        // Names that only a shell has, as `$1` and `$?` are without braces.
        if is_special(&self.text[dollar + 2..close]) {
            return Dollar::Text(range.end);
        }
        match self.expression(dollar + 2..close) {
            Ok(expression) => {
                let unknown = match &expression {
                    Expression::Code(code) => calls::check(code).err(),
                    _ => None,
                };
                match (self.slot(Slot { range: range.clone(), expression }), unknown) {
                    (Dollar::Slot(_), Some(message)) => {
                        self.errors.push(SyntaxError { range: range.clone(), message, hint: None });
                        Dollar::Text(range.end)
                    }
                    (read, _) => read,
                }
            }
            Err(_) if self.only.is_some() => Dollar::Text(range.end),
            Err(message) => {
                let hint = foreign::instead_of(&self.text[dollar + 2..close]);
                self.errors.push(SyntaxError { range: range.clone(), message, hint });
                Dollar::Text(range.end)
            }
        }
    }

    /// The slot, or text where only other names are to be filled.
    fn slot(&self, slot: Slot) -> Dollar {
        let is_wanted = self.only.is_none() || {
            let references = slot.expression.references();
            !references.is_empty() && references.iter().all(|name| self.is_listed(name))
        };
        if is_wanted { Dollar::Slot(slot) } else { Dollar::Text(slot.range.end) }
    }

    fn is_listed(&self, reference: &str) -> bool {
        let root = reference.split('.').next().unwrap_or(reference);
        self.only.is_none_or(|names| names.iter().any(|name| name == root))
    }

    /// Two dollars in front of this keep what it says; where only some names are filled, in front of
    /// those.
    fn is_escape(&self, behind: &str) -> bool {
        let name = behind.strip_prefix('{').unwrap_or(behind);
        self.only.is_none() || self.is_listed(&name[..name_length(name)])
    }

    /// Where the brace that was opened before `start` is closed. Braces nest; those in the quoted
    /// strings of an expression do not count, but quotes in a default are text.
    fn closing_brace(&self, start: usize, end: usize) -> Option<usize> {
        let is_code = operator(&self.text[start..end]).is_none();
        let mut depth = 0_usize;
        let mut quote = None;
        let mut bytes = self.text.as_bytes()[start..end].iter().copied().enumerate();
        while let Some((index, byte)) = bytes.next() {
            match (quote, byte) {
                (Some(_), b'\\') => drop(bytes.next()),
                (Some(open), _) if byte == open => quote = None,
                (None, b'\'' | b'"') if is_code => quote = Some(byte),
                (None, b'{') => depth += 1,
                (None, b'}') if depth == 0 => return Some(start + index),
                (None, b'}') => depth -= 1,
                _ => {}
            }
        }
        None
    }

    fn expression(&mut self, range: Range<usize>) -> Result<Expression, String> {
        let inner = &self.text[range.clone()];
        if inner.trim().is_empty() {
            return Err("`${}` names nothing".into());
        }
        if name_length(inner) == inner.len() {
            return Ok(Expression::Name(inner.into()));
        }
        if let Some((name, operator, empty_is_unset, word)) = operator(inner) {
            let name = name.to_owned();
            if self.depth == DEEPEST {
                return Err("defaults nest too deep".into());
            }
            self.depth += 1;
            let word = self.template(range.start + word..range.end);
            self.depth -= 1;
            let conditional = Conditional { name, operator, empty_is_unset, word };
            return Ok(Expression::Conditional(Box::new(conditional)));
        }
        let code = inner.trim().to_owned();
        evaluate::check(&code)?;
        Ok(Expression::Code(code))
    }
}

fn push_text(pieces: &mut Vec<Piece>, range: Range<usize>) {
    if !range.is_empty() {
        pieces.push(Piece::Text(range));
    }
}

/// `1` of `${1}`, `?` of `${?}` and their like.
fn is_special(inner: &str) -> bool {
    let is_number = !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_digit());
    is_number || matches!(inner, "?" | "#" | "@" | "*" | "!" | "-" | "$")
}

/// How many bytes at the start of `text` are a shell name.
pub(crate) fn name_length(text: &str) -> usize {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return 0;
    }
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

/// The shell's conditional forms: name, operator, whether a `:` stands there, where the word begins.
fn operator(inner: &str) -> Option<(&str, Operator, bool, usize)> {
    let (name, behind) = inner.split_at(name_length(inner));
    let (colon, sign) = match behind.strip_prefix(':') {
        Some(sign) => (true, sign),
        None => (false, behind),
    };
    let operator = match sign.bytes().next()? {
        b'-' => Operator::Default,
        b'+' => Operator::Alternative,
        b'?' => Operator::Required,
        _ => return None,
    };
    (!name.is_empty()).then(|| (name, operator, colon, name.len() + usize::from(colon) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(text: &str) -> Vec<String> {
        let show = |piece: &Piece| match piece {
            Piece::Text(range) => text[range.clone()].to_owned(),
            Piece::Slot(slot) => format!("<{}>", &text[slot.range.clone()]),
        };
        parse(text, Dialect::Shell, None).unwrap().pieces().iter().map(show).collect()
    }

    #[test]
    fn names_are_found_with_and_without_braces() {
        assert_eq!(shell("a $B-${C}d"), ["a ", "<$B>", "-", "<${C}>", "d"]);
        assert_eq!(shell("$A$B"), ["<$A>", "<$B>"]);
    }

    #[test]
    fn two_dollars_keep_a_name_and_other_dollars_are_text() {
        assert_eq!(shell("$$PORT $${HOST}"), ["$PORT ", "${HOST}"]);
        assert_eq!(shell("$1 $? $$ $$1 $"), ["$1 $? $$ $$1 $"]);
        assert_eq!(shell("$${A:-${B}}."), ["${A:-${B}}."]);
    }

    #[test]
    fn where_only_some_names_are_filled_all_else_is_text() {
        let text = "$A $B ${A:-x} ${#arr[@]} $$A $$B $${B} ${1} ${never";
        let template = parse(text, Dialect::Shell, Some(&["A".to_owned()])).unwrap();
        let slots: Vec<_> = template.slots().map(|slot| &text[slot.range.clone()]).collect();
        assert_eq!(slots, ["$A", "${A:-x}"]);
        let kept: String = template
            .pieces()
            .iter()
            .map(|piece| match piece {
                Piece::Text(range) => &text[range.clone()],
                Piece::Slot(_) => "_",
            })
            .collect();
        assert_eq!(kept, "_ $B _ ${#arr[@]} $A $$B $${B} ${1} ${never");
    }

    #[test]
    fn names_that_only_a_shell_has_stay() {
        assert_eq!(shell("${1} ${?} ${@}"), ["${1} ${?} ${@}"]);
    }

    #[test]
    fn defaults_that_nest_without_end_are_an_error() {
        let text = format!("{}x{}", "${A:-".repeat(4000), "}".repeat(4000));
        assert!(parse(&text, Dialect::Shell, None).is_err());
    }

    #[test]
    fn a_default_ends_at_the_balanced_brace() {
        assert_eq!(shell("${A:-{x}}y"), ["<${A:-{x}}>", "y"]);
        assert_eq!(shell("${A:-${B:-c}}d"), ["<${A:-${B:-c}}>", "d"]);
        assert_eq!(shell("${A:-it's}"), ["<${A:-it's}>"]);
    }

    #[test]
    fn expressions_may_hold_braces_in_strings() {
        assert_eq!(shell(r#"${ "}" ~ A }z"#), [r#"<${ "}" ~ A }>"#, "z"]);
    }

    #[test]
    fn strings_of_the_file_know_no_bare_names() {
        let template = parse("$A ${B}", Dialect::Braces, None).unwrap();
        assert_eq!(template.references().into_iter().collect::<Vec<_>>(), ["B"]);
    }

    #[test]
    fn references_name_parts_and_defaults() {
        let template =
            parse("${A:-${B}} ${images.app.uri} ${C | upper}", Dialect::Shell, None).unwrap();
        let names: Vec<_> = template.references().into_iter().collect();
        assert_eq!(names, ["A", "B", "C", "images.app.uri"]);
    }

    #[test]
    fn every_mistake_is_told_where_it_begins() {
        let errors = parse("${} ${a b} ${never", Dialect::Shell, None).unwrap_err();
        let starts: Vec<_> = errors.iter().map(|error| error.range.start).collect();
        assert_eq!(starts, [0, 4, 11]);
    }
}
