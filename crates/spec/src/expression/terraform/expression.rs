//! Reads an expression of Terraform's language.

use std::ops::Range;

use super::functions::Function;
use super::number::Number;
use super::syntax::{Expr, IsSpread, Kind, Operator, Part, Step};
use super::template::{DEEPEST, Reader};
use crate::expression::SyntaxError;

/// Expressions that may stand inside one another, a chain of operators counted one by one.
const HIGHEST: usize = 200;

pub(super) type Read = Result<Expr, SyntaxError>;

impl Reader<'_> {
    /// An expression, up to a sign that cannot belong to it.
    pub(super) fn expression(&mut self) -> Read {
        if self.depth == DEEPEST {
            return Err(self.cursor.error_here("expressions stand too deep inside one another"));
        }
        self.depth += 1;
        let expression = self.conditional();
        self.depth -= 1;
        expression
    }

    fn conditional(&mut self) -> Read {
        let condition = self.binary(1)?;
        if !self.cursor.take("?") {
            return Ok(condition);
        }
        let then = self.expression()?;
        self.cursor.expect(":", "between the two results of `?`")?;
        let otherwise = self.expression()?;
        let range = condition.range.start..otherwise.range.end;
        let parts = Box::new([condition, then, otherwise]);
        let height = parts.iter().map(|part| part.height).max();
        node(Kind::Conditional(parts), range, height)
    }

    /// Operators that bind at least as tightly as this one.
    fn binary(&mut self, tightest: u8) -> Read {
        let mut left = self.operand()?;
        while let Some((sign, operator, strength)) = self.operator(tightest) {
            self.cursor.take(sign);
            let right = self.binary(strength + 1)?;
            let range = left.range.start..right.range.end;
            let height = left.height.max(right.height);
            let kind = Kind::Binary(operator, left.into(), right.into());
            left = node(kind, range, Some(height))?;
        }
        Ok(left)
    }

    fn operator(&mut self, tightest: u8) -> Option<(&'static str, Operator, u8)> {
        self.cursor.skip_space();
        let rest = self.cursor.rest();
        // `=>` belongs to a map, and `~}` behind a `%` to nobody.
        let found = Operator::ALL.into_iter().find(|(sign, ..)| rest.starts_with(sign));
        found.filter(|(_, _, strength)| *strength >= tightest)
    }

    /// What an operator stands between: a term, what is asked of it, and the signs before it.
    fn operand(&mut self) -> Read {
        self.cursor.skip_space();
        let start = self.cursor.at;
        let is_not = self.cursor.rest().starts_with('!');
        if !is_not && !self.cursor.rest().starts_with('-') {
            let term = self.term()?;
            return self.traversal(term);
        }
        if self.depth == DEEPEST {
            return Err(self.cursor.error_here("signs stand too deep inside one another"));
        }
        self.cursor.at += 1;
        self.depth += 1;
        let operand = self.operand();
        self.depth -= 1;
        let operand = operand?;
        let (range, height) = (start..operand.range.end, operand.height);
        let kind = if is_not { Kind::Not(operand.into()) } else { Kind::Negative(operand.into()) };
        node(kind, range, Some(height))
    }

    fn term(&mut self) -> Read {
        let start = self.cursor.at;
        match self.cursor.rest().chars().next() {
            Some('(') => self.parenthesized(),
            Some('[') => self.list(),
            Some('{') => self.map(),
            Some('"') => {
                self.cursor.at += 1;
                self.depth += 1;
                let parts = self.quoted(start);
                self.depth -= 1;
                node(Kind::Text(parts?), start..self.cursor.at, None)
            }
            Some(sign) if sign.is_ascii_digit() => self.number(),
            Some('<') if self.cursor.rest().starts_with("<<") => Err(self
                .cursor
                .error_here("`<<` begins a text of several lines, which is not read here")),
            _ => self.name(),
        }
    }

    fn number(&mut self) -> Read {
        let start = self.cursor.at;
        let written = self.cursor.take_number().unwrap_or_default();
        let range = start..self.cursor.at;
        match Number::parse(written) {
            Some(number) => node(Kind::Number(number), range, None),
            None => {
                let message = "the number is out of range".into();
                Err(SyntaxError { range, message, hint: None })
            }
        }
    }

    fn parenthesized(&mut self) -> Read {
        let start = self.cursor.at;
        self.cursor.at += 1;
        let lines_count = std::mem::replace(&mut self.cursor.lines_count, false);
        let inner = self.expression();
        let closed = inner.and_then(|inner| {
            self.cursor.expect(")", "to close `(`")?;
            Ok(inner)
        });
        self.cursor.lines_count = lines_count;
        Ok(Expr { range: start..self.cursor.at, ..closed? })
    }

    fn name(&mut self) -> Read {
        let Some((name, range)) = self.cursor.take_name() else {
            let message =
                format!("a value is wanted here, and here is {}", self.cursor.describe_next());
            return Err(self.cursor.error_here(message));
        };
        let name = name.to_owned();
        if self.cursor.rest().starts_with('(') {
            return self.call(&name, range);
        }
        let kind = match &*name {
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            "null" => Kind::Null,
            _ => Kind::Name { reference: name.clone(), name },
        };
        node(kind, range, None)
    }

    fn call(&mut self, name: &str, place: Range<usize>) -> Read {
        let arguments = self.arguments();
        let function = Function::named(name);
        let Some(function) = function else {
            let near = crate::nearest::nearest(name, Function::names());
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            let message = format!("there is no function `{name}` here");
            // What is wrong inside of the parentheses is told too.
            if let Err(error) = arguments {
                self.errors.push(error);
            }
            return Err(SyntaxError { range: place, message, hint });
        };
        let (arguments, is_spread) = arguments?;
        let range = place.start..self.cursor.at;
        if name == "arn"
            && let [Expr { kind: Kind::Text(parts), .. }] = arguments.as_slice()
            && let [Part::Text(parameter, _)] = parts.as_slice()
        {
            let reference = format!("arn({parameter})");
            let kind = Kind::Name { name: reference.clone(), reference };
            return node(kind, range, None);
        }
        if !is_spread && let Err(message) = function.takes(arguments.len()) {
            return Err(SyntaxError { range, message, hint: None });
        }
        let height = arguments.iter().map(|argument| argument.height).max();
        node(Kind::Call(function, arguments, is_spread), range, height)
    }

    fn arguments(&mut self) -> Result<(Vec<Expr>, IsSpread), SyntaxError> {
        self.cursor.at += 1;
        let lines_count = std::mem::replace(&mut self.cursor.lines_count, false);
        let arguments = self.arguments_inside();
        self.cursor.lines_count = lines_count;
        arguments
    }

    fn arguments_inside(&mut self) -> Result<(Vec<Expr>, IsSpread), SyntaxError> {
        let mut arguments = Vec::new();
        while !self.cursor.take(")") {
            arguments.push(self.expression()?);
            if self.cursor.take("...") {
                self.cursor.expect(")", "behind `...`")?;
                return Ok((arguments, true));
            }
            if !self.cursor.take(",") {
                self.cursor.expect(")", "or `,` behind an argument")?;
                break;
            }
        }
        Ok((arguments, false))
    }

    /// `.name`, `[index]` and `[*]` behind a term.
    fn traversal(&mut self, mut term: Expr) -> Read {
        let mut steps = 0;
        loop {
            // A line that begins with a dot belongs to nothing.
            if self.cursor.lines_count
                && self.cursor.rest().trim_start_matches([' ', '\t']).starts_with('\n')
            {
                break;
            }
            if self.cursor.is_next("...") {
                break;
            }
            if self.cursor.take(".") {
                if self.cursor.take("*") {
                    term = self.splat(term, false)?;
                } else {
                    term = self.attribute(term)?;
                }
            } else if self.cursor.is_next("[") {
                term = self.index(term)?;
            } else {
                break;
            }
            steps += 1;
            if steps > HIGHEST {
                return Err(self.cursor.error_here("the name has too many parts"));
            }
        }
        self.note(&term);
        Ok(term)
    }

    fn attribute(&mut self, term: Expr) -> Read {
        let (start, height) = (term.range.start, Some(term.height));
        if let Some((name, _)) = self.cursor.take_name() {
            let kind = Kind::Attribute(term.into(), name.to_owned());
            return node(kind, start..self.cursor.at, height);
        }
        let at = self.cursor.at;
        let digits = self.cursor.rest().bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            let message =
                format!("a name is wanted behind `.`, and here is {}", self.cursor.describe_next());
            return Err(self.cursor.error_here(message));
        }
        // `list.0`, as it was written once.
        let number = Number::parse(&self.cursor.rest()[..digits]);
        self.cursor.at += digits;
        let Some(number) = number else {
            return Err(self.cursor.error_here("the number is out of range"));
        };
        if self
            .cursor
            .rest()
            .strip_prefix('.')
            .is_some_and(|it| it.starts_with(|it: char| it.is_ascii_digit()))
        {
            return Err(self.cursor.error_here("write `[0][1]` for an item of an item"));
        }
        let index = node(Kind::Number(number), at..self.cursor.at, None)?;
        node(Kind::Index(term.into(), index.into()), start..self.cursor.at, height)
    }

    fn index(&mut self, term: Expr) -> Read {
        let start = term.range.start;
        self.cursor.take("[");
        let lines_count = std::mem::replace(&mut self.cursor.lines_count, false);
        let is_splat = self.cursor.take("*");
        let index = if is_splat { None } else { Some(self.expression()) };
        let closed = self.cursor.expect("]", "to close `[`");
        self.cursor.lines_count = lines_count;
        let Some(index) = index else {
            closed?;
            return self.splat(term, true);
        };
        let index = index?;
        closed?;
        let range = start..self.cursor.at;
        // `map["key"]` asks for the same as `map.key`.
        if let Kind::Text(parts) = &index.kind
            && let [Part::Text(key, _)] = parts.as_slice()
            && key.starts_with(|sign: char| sign.is_alphabetic() || sign == '_')
            && !key.contains('.')
        {
            let height = Some(term.height);
            return node(Kind::Attribute(term.into(), key.clone()), range, height);
        }
        let height = Some(term.height.max(index.height));
        node(Kind::Index(term.into(), index.into()), range, height)
    }

    /// What is asked of each item: of `[*]` all that comes behind, of `.*` attributes alone.
    fn splat(&mut self, term: Expr, takes_indexes: bool) -> Read {
        let (start, mut height, mut steps) = (term.range.start, term.height, Vec::new());
        self.note(&term);
        loop {
            if takes_indexes && self.cursor.is_next("[") {
                self.cursor.take("[");
                let index = self.expression()?;
                self.cursor.expect("]", "to close `[`")?;
                height = height.max(index.height);
                steps.push(Step::Index(index));
            } else if !self.cursor.is_next("...") && self.cursor.take(".") {
                let Some((name, range)) = self.cursor.take_name() else {
                    return Err(self.cursor.error_here("a name is wanted behind `.`"));
                };
                steps.push(Step::Attribute(name.to_owned(), range));
            } else {
                break;
            }
        }
        node(Kind::Splat(term.into(), steps), start..self.cursor.at, Some(height))
    }

    /// Notes what is asked of the outside.
    fn note(&mut self, expression: &Expr) {
        let mut expression = expression;
        let reference = loop {
            if let Some(reference) = expression.reference() {
                break reference;
            }
            match &expression.kind {
                Kind::Attribute(inner, _) | Kind::Index(inner, _) => expression = inner,
                _ => return,
            }
        };
        let name = reference.split('.').next().unwrap_or(&reference);
        if !self.locals.iter().any(|local| local == name) {
            self.references.entry(reference).or_default().push(expression.range.clone());
        }
    }
}

impl Expr {
    /// What is asked of the outside, if the expression is a name with attributes: `images.app.uri`.
    pub(super) fn reference(&self) -> Option<String> {
        match &self.kind {
            Kind::Name { reference, .. } => Some(reference.clone()),
            Kind::Attribute(inner, name) => Some(format!("{}.{name}", inner.reference()?)),
            _ => None,
        }
    }
}

/// An expression around others, of which the highest has this height.
pub(super) fn node(kind: Kind, range: Range<usize>, inner: Option<usize>) -> Read {
    let height = inner.map_or(0, |inner| inner + 1);
    if height > HIGHEST {
        let message = "expressions stand too deep inside one another".into();
        return Err(SyntaxError { range, message, hint: None });
    }
    Ok(Expr { kind, range, height })
}
