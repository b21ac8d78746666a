//! Terraform's template language: `${name}`, `%{ if }`, `%{ for }`, and HCL's expressions.

mod advice;
mod collections;
mod cursor;
mod encode;
mod evaluate;
mod expression;
mod format;
mod functions;
mod nest;
mod number;
mod operators;
mod syntax;
mod template;
mod traced;
mod value;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::evaluate::resolve_part;
use super::{EvaluationError, NameError, Names, SyntaxError};
use crate::value::Value;
use evaluate::Evaluator;
use syntax::{Part, References};
use traced::Origin;
use value::Item;

/// A template in Terraform's language.
#[derive(Debug, Clone)]
pub struct TerraformTemplate {
    parts: Vec<Part>,
    references: References,
    /// `$NAME` in its text, which is no slot here.
    bare: Vec<(String, Range<usize>)>,
}

/// A part of a template that was filled; ranges are byte offsets into the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerraformPart {
    /// What it says.
    pub text: String,
    /// Where it is from.
    pub origin: TerraformOrigin,
    /// What it came from.
    pub range: Range<usize>,
}

/// Where a part of a filled template is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerraformOrigin {
    /// The author of the template wrote it, also inside of an expression.
    Template,
    /// It is a value, or was made from one.
    Value {
        /// It is text, whatever it looks like.
        is_text: bool,
    },
    /// `jsonencode` made it.
    Json {
        /// It is the whole of a JSON value.
        is_whole: bool,
    },
}

/// A template that was filled.
#[derive(Debug, Clone)]
pub struct TerraformText {
    /// The text in its parts.
    pub parts: Vec<TerraformPart>,
    /// Nothing, with the secrets that went into the text.
    pub used: Value,
}

/// Why a place in a template has no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerraformError {
    /// Where, in byte offsets.
    pub range: Range<usize>,
    /// What is wrong. No message of one holds a value.
    pub error: EvaluationError,
    /// What to do.
    pub hint: Option<String>,
}

impl TerraformTemplate {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// Every place that cannot be read.
    pub fn parse(text: &str) -> Result<Self, Vec<SyntaxError>> {
        let mut reader = template::Reader::new(text);
        let parts = reader.file();
        if !reader.errors.is_empty() {
            reader.errors.sort_by_key(|error| error.range.start);
            return Err(reader.errors);
        }
        Ok(Self { parts, references: reader.references, bare: reader.bare })
    }

    /// Every name that it could ask for, with its attributes: `images.app.uri`.
    #[must_use]
    pub fn references(&self) -> BTreeSet<String> {
        self.references.keys().cloned().collect()
    }

    /// Where it asks for a name.
    #[must_use]
    pub fn places(&self, reference: &str) -> &[Range<usize>] {
        self.references.get(reference).map_or(&[], Vec::as_slice)
    }

    /// The text in its parts, and the secrets that went into it.
    ///
    /// # Errors
    ///
    /// Every name without a value, at every place; where all have one, every part that fails.
    pub fn fill(&self, names: &dyn Names) -> Result<TerraformText, Vec<TerraformError>> {
        let (values, mut errors) = self.values(names);
        errors.extend(self.bare_names(names));
        if !errors.is_empty() {
            errors.sort_by_key(|error| error.range.start);
            return Err(errors);
        }
        let outside = values.iter().map(|(reference, value)| {
            let whole = Item::from_value(value);
            let is_arn = reference.starts_with("arn(");
            let part = whole.and_then(|whole| {
                if is_arn { Ok(whole) } else { evaluate::part_of(reference, whole) }
            });
            (reference.clone(), part)
        });
        let outside = outside.collect();
        let (mut evaluator, mut printed) = (Evaluator::new(&outside), Vec::new());
        evaluator.file(&self.parts, &mut printed);
        if !evaluator.faults.is_empty() {
            let error = |fault: evaluate::Fault| TerraformError {
                range: fault.range,
                error: EvaluationError::Expression(fault.message),
                hint: None,
            };
            return Err(evaluator.faults.into_iter().map(error).collect());
        }
        let used: Vec<_> = values
            .iter()
            .filter(|(reference, _)| evaluator.used.contains(*reference))
            .map(|(reference, value)| {
                let name = reference.split('.').next().unwrap_or(reference);
                value.seen_at(name, &BTreeSet::from([reference.clone()]))
            })
            .collect();
        let parts = printed.iter().flat_map(parts_of).collect();
        Ok(TerraformText { parts, used: Value::made_from(serde_json::Value::Null, &used) })
    }

    /// The value of each name, whole; and those that have none.
    fn values(&self, names: &dyn Names) -> (HashMap<String, Value>, Vec<TerraformError>) {
        let (mut values, mut errors) = (HashMap::new(), Vec::new());
        for (reference, places) in &self.references {
            let value = if reference.starts_with("arn(") {
                names.resolve(reference)
            } else {
                resolve_part(reference, names)
            };
            match value {
                Ok(value) => drop(values.insert(reference.clone(), value)),
                Err(error) => errors.extend(places.iter().map(|place| TerraformError {
                    range: place.clone(),
                    hint: advice_for(&error),
                    error: error.clone().into(),
                })),
            }
        }
        (values, errors)
    }

    fn bare_names(&self, names: &dyn Names) -> Vec<TerraformError> {
        let is_known = |name: &str| {
            !advice::is_of_every_shell(name)
                && matches!(names.resolve(name), Ok(_) | Err(NameError::Later { .. }))
        };
        let known = self.bare.iter().filter(|(name, _)| is_known(name));
        let error = |(name, range): &(String, Range<usize>)| {
            let (message, hint) = advice::of_bare_name(name);
            let error = EvaluationError::Expression(message);
            TerraformError { range: range.clone(), error, hint: Some(hint) }
        };
        known.map(error).collect()
    }
}

/// A `-` belongs to a name in this language, which is not so in a shell.
fn advice_for(error: &NameError) -> Option<String> {
    let NameError::Unset(name) = error else { return None };
    let (left, right) = name.split_once('-')?;
    Some(format!(
        "a `-` is part of a name in a Terraform template: write `{left} - {right}` to subtract; a shell's \
         default is `{left}: ${{{left}-{right}}}` under `variables:` in shipspec.yml"
    ))
}

/// The parts of what a place printed.
fn parts_of(printed: &evaluate::Printed) -> Vec<TerraformPart> {
    let text = &printed.text;
    let part = |text: &str, origin| TerraformPart {
        text: text.to_owned(),
        origin,
        range: printed.range.clone(),
    };
    let has = |wanted: fn(Origin) -> bool| text.parts().any(|(_, origin)| wanted(origin));
    let is_changed_json = has(|origin| origin == Origin::PartOfJson)
        && !has(|origin| matches!(origin, Origin::Value { .. }))
        && encode::is_json(text.as_str());
    if is_changed_json {
        return vec![part(text.as_str(), TerraformOrigin::Json { is_whole: true })];
    }
    let origin = |origin| match origin {
        Origin::Template => TerraformOrigin::Template,
        Origin::Value { is_text } => TerraformOrigin::Value { is_text },
        Origin::Json => TerraformOrigin::Json { is_whole: true },
        Origin::PartOfJson => TerraformOrigin::Json { is_whole: false },
    };
    text.parts().map(|(text, from)| part(text, origin(from))).collect()
}
