//! Whole numbers that a file format wants as such.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::config::text::{RawText, Text, keep};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expression::Names;
use crate::source::Source;
use crate::value::{UNKNOWN, Value};

/// A text, number or truth value, taken as the text that it is.
#[derive(Debug, Clone)]
pub(in crate::config) struct RawScalar(pub(in crate::config) RawText);

impl JsonSchema for RawScalar {
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// A text that has to come to a whole number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeNumber {
    text: Text,
    name: &'static str,
    range: RangeInclusive<u32>,
}

impl WholeNumber {
    /// Reads one. What holds no `${…}` is judged here, the rest when it has a value.
    pub(in crate::config) fn from_raw(
        raw: &RawScalar,
        name: &'static str,
        range: RangeInclusive<u32>,
        source: &Arc<Source>,
        found: &mut Diagnostics,
    ) -> Option<Self> {
        let text = keep(Text::from_raw(&raw.0, source), found)?;
        let number = Self { text, name, range };
        let written = number.text.as_written();
        if !written.contains("${") && number.parse(written).is_none() {
            found.push(number.mistake());
            return None;
        }
        Some(number)
    }

    /// What is written.
    #[must_use]
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// The number; a text that is not known yet stays what it is.
    ///
    /// # Errors
    ///
    /// A slot without a value, or a text that is no such number, at its place.
    pub fn evaluate(&self, names: &dyn Names) -> Result<Value, Diagnostics> {
        let (text, value) = self.text.evaluate_text(names)?;
        if text.contains(UNKNOWN) {
            return Ok(value);
        }
        match self.parse(&text) {
            Some(number) => Ok(Value::made_from(number.into(), [&value])),
            None => Err(self.mistake().into()),
        }
    }

    fn parse(&self, text: &str) -> Option<u32> {
        text.parse().ok().filter(|number| self.range.contains(number))
    }

    /// The text is not shown: it may be a value that must not be.
    fn mistake(&self) -> Diagnostic {
        let (least, most) = (self.range.start(), self.range.end());
        let wanted = match *most {
            u32::MAX => format!("from {least}"),
            most => format!("from {least} to {most}"),
        };
        let message = format!("`{}` must be a whole number {wanted}", self.name);
        Diagnostic::at(self.text.span().clone(), message)
    }
}
