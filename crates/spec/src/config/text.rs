//! Strings of shipspec.yml: what they say, and where.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;
use serde_saphyr::{Location, Spanned};

use super::tree::RawTree;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expression::{Dialect, EvaluationError, NameError, Names, Nested, Template};
use crate::source::{Source, Span};
use crate::value::Value;

/// A string as the file has it, with its bytes.
#[derive(Debug, Clone)]
pub(super) struct RawText {
    text: Spanned<String>,
    /// It was read as a number or truth value before, so that only the file has what was written.
    is_literal: bool,
}

impl<'de> Deserialize<'de> for RawText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Self::new)
    }
}

impl RawText {
    pub(super) fn new(text: Spanned<String>) -> Self {
        Self { text, is_literal: false }
    }

    /// The text of a number or truth value.
    pub(super) fn literal(text: Spanned<String>) -> Self {
        Self { text, is_literal: true }
    }

    /// Takes one out of a map.
    pub(super) fn take(
        entries: &mut IndexMap<String, RawTree>,
        key: &str,
    ) -> Result<Option<Self>, &'static str> {
        entries.shift_remove(key).map(Self::try_from).transpose()
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text.value
    }

    /// The text as it is written: `1.10`, and not `1.1`.
    pub(super) fn written<'a>(&'a self, source: &'a Source) -> &'a str {
        let of_file = || source.text.get(range(&self.text.defined));
        let text = if self.is_literal { of_file() } else { None };
        text.filter(|text| !text.is_empty()).unwrap_or(self.as_str())
    }

    pub(super) fn span(&self, source: &Arc<Source>) -> Span {
        Span::new(source, range(&self.text.referenced))
    }

    /// It is a number or truth value, and no quotes make text of it.
    fn is_plain_literal(&self, source: &Source) -> bool {
        let place = range(&self.text.defined);
        let is_quoted = source.text[..place.start.min(source.text.len())].ends_with(['"', '\'']);
        let written = source.text.get(place).unwrap_or_default();
        let is_literal = || match serde_json::from_str(written) {
            Ok(Json::Number(_) | Json::Bool(_)) => true,
            Ok(_) | Err(_) => false,
        };
        !is_quoted && written == self.written(source) && is_literal()
    }
}

/// The bytes of a place.
fn range(location: &Location) -> Range<usize> {
    let span = location.span();
    let offset = |offset: Option<u64>| offset.and_then(|offset| usize::try_from(offset).ok());
    let start = offset(span.byte_offset()).unwrap_or_default();
    start..start + offset(span.byte_len()).unwrap_or_default()
}

impl JsonSchema for RawText {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

/// A string that may hold `${…}`, and the place where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    written: String,
    template: Template,
    span: Span,
    /// It is a plain number or truth value in shipspec.yml.
    is_literal: bool,
}

impl Text {
    /// Reads a text that stands in no file, such as a flag's: `name` says where it is from.
    ///
    /// # Errors
    ///
    /// Every `${` that cannot be read.
    pub fn parse(name: &str, text: &str) -> Result<Self, Diagnostics> {
        let source = Source::new(name, text);
        Self::at(text.to_owned(), Span::new(&source, 0..text.len()))
    }

    /// A text in which nothing is to be filled, whatever it holds.
    #[must_use]
    pub fn literal(name: &str, text: &str) -> Self {
        let span = Span::new(&Source::new(name, text), 0..text.len());
        Self {
            written: text.to_owned(),
            template: Template::of_text(text),
            span,
            is_literal: false,
        }
    }

    /// The text that is a name and nothing else: `${NAME}`. Where it stands for a key that was left
    /// out, it has no place.
    pub(super) fn of_name(name: &str) -> Self {
        let written = format!("${{{name}}}");
        let span = Span::new(&Source::new("the default", &*written), 0..written.len());
        Self { template: Template::of_name(name), written, span, is_literal: false }
    }

    /// The ARN of a parameter, which is written as its name; nothing if that is no name.
    pub(super) fn arn_of(name: &str, span: Span) -> Option<Self> {
        let written = format!("${{arn('{name}')}}");
        let template = is_name(name).then(|| Template::parse(&written, Dialect::Braces).ok())??;
        Some(Self { written, template, span, is_literal: false })
    }

    pub(super) fn from_raw(raw: &RawText, source: &Arc<Source>) -> Result<Self, Diagnostics> {
        let text = Self::at(raw.written(source).to_owned(), raw.span(source))?;
        Ok(Self { is_literal: raw.is_plain_literal(source), ..text })
    }

    /// Reads the text of a key.
    pub(super) fn at_key(text: &str, span: Span) -> Result<Self, Diagnostics> {
        Self::at(text.to_owned(), span)
    }

    fn at(text: String, span: Span) -> Result<Self, Diagnostics> {
        match Template::parse(&text, Dialect::Braces) {
            Ok(template) => Ok(Self { written: text, template, span, is_literal: false }),
            Err(errors) => {
                let at = |range| inside(&span, &text, range);
                Err(errors.into_iter().map(|error| error.into_diagnostic(at)).collect())
            }
        }
    }

    /// What is written there.
    #[must_use]
    pub fn as_written(&self) -> &str {
        &self.written
    }

    /// Where it is written.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Every name that it could ask for.
    #[must_use]
    pub fn references(&self) -> BTreeSet<String> {
        self.template.references()
    }

    /// The code of every expression of minijinja in it.
    #[must_use]
    pub fn code(&self) -> Vec<&str> {
        self.template.code()
    }

    /// The text as what stands for a placeholder of another tool.
    #[must_use]
    pub fn nested(&self) -> Nested {
        Nested { source: self.written.clone(), template: self.template.clone() }
    }

    /// What it comes to, for a caller that knows better where the error belongs.
    ///
    /// # Errors
    ///
    /// The first slot without a value.
    pub fn value(&self, names: &dyn Names) -> Result<Value, EvaluationError> {
        self.template.evaluate(&self.written, names).map(|value| self.typed(value))
    }

    /// What it comes to; a text that is one `${…}` keeps the type of its value.
    ///
    /// # Errors
    ///
    /// Every slot without a value, at its place.
    pub fn evaluate(&self, names: &dyn Names) -> Result<Value, Diagnostics> {
        let value = self.template.evaluate_all(&self.written, names);
        value.map(|value| self.typed(value)).map_err(|errors| {
            let at = |range| inside(&self.span, &self.written, range);
            errors.into_iter().map(|(range, error)| describe(at(range), &error, names)).collect()
        })
    }

    /// The value, which knows how the file has it.
    fn typed(&self, value: Value) -> Value {
        if self.is_literal { value.into_literal() } else { value }
    }

    /// As [`Text::evaluate`], where only text will do.
    ///
    /// # Errors
    ///
    /// Every slot without a value, at its place.
    pub fn evaluate_text(&self, names: &dyn Names) -> Result<(String, Value), Diagnostics> {
        let value = self.evaluate(names)?;
        if let Some(text) = value.text() {
            return Ok((text, value));
        }
        let error = EvaluationError::NotText(self.written.clone());
        Err(describe(self.span.clone(), &error, names).into())
    }

    /// As [`Text::evaluate_text`], for what stands in logs and messages: no secret may be in it, nor
    /// anything that was made from one. `place` says what the text is.
    ///
    /// # Errors
    ///
    /// Every slot without a value, and the secrets in it.
    pub fn evaluate_public(&self, names: &dyn Names, place: &str) -> Result<String, Diagnostics> {
        let (filled, value) = self.evaluate_text(names)?;
        if value.secrets().is_empty() {
            return Ok(filled);
        }
        let secrets: Vec<_> = value.secrets().iter().map(|name| format!("`{name}`")).collect();
        let message = format!("{} is secret and would stand in {place}", secrets.join(", "));
        Err(Diagnostic::at(self.span.clone(), message).into())
    }

    /// As [`Text::evaluate_public`], of what says nothing if it is empty: that is a variable that was not
    /// set.
    ///
    /// # Errors
    ///
    /// Every slot without a value, the secrets in it, and if it comes to nothing.
    pub fn evaluate_filled(&self, names: &dyn Names, place: &str) -> Result<String, Diagnostics> {
        let text = self.evaluate_public(names, place)?;
        if text.trim().is_empty() {
            let message = format!("{place} comes to nothing");
            return Err(Diagnostic::at(self.span.clone(), message).into());
        }
        Ok(text)
    }
}

pub(super) fn texts(raw: &[RawText], source: &Arc<Source>, found: &mut Diagnostics) -> Vec<Text> {
    raw.iter().filter_map(|text| keep(Text::from_raw(text, source), found)).collect()
}

/// Names that stand for themselves: `DB_PASSWORD`, or `app.db.password` for a part of one.
pub(super) fn named_names(
    raw: &IndexMap<String, RawText>,
    source: &Arc<Source>,
    found: &mut Diagnostics,
) -> IndexMap<String, Text> {
    let text = |(key, raw): (&String, &RawText)| {
        let name = raw.as_str();
        let span = raw.span(source);
        refuse_nameless(key, &span, found);
        if !is_name(name) {
            let message = format!("`{name}` is no name");
            let hint = "write the name of a parameter or a variable, without `$`";
            found.push(Diagnostic::at(span, message).with_hint(hint));
            return None;
        }
        let template = Template::parse(&format!("${{{name}}}"), Dialect::Braces).ok()?;
        let written = format!("${{{name}}}");
        Some((key.clone(), Text { written, template, span, is_literal: false }))
    };
    raw.iter().filter_map(text).collect()
}

/// What has no name can be asked for by nobody. `value` is where its value stands.
fn refuse_nameless(name: &str, value: &Span, found: &mut Diagnostics) {
    if name.trim().is_empty() {
        found.push(Diagnostic::at(value.clone(), "the name in front of this value is empty"));
    }
}

/// A name, or a part of a dictionary by its path: `app.db.password`.
fn is_name(name: &str) -> bool {
    name.split('.').all(|part| {
        !part.is_empty()
            && !part.starts_with(|first: char| first.is_ascii_digit())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

pub(super) fn named_texts(
    raw: &IndexMap<String, RawText>,
    source: &Arc<Source>,
    found: &mut Diagnostics,
) -> IndexMap<String, Text> {
    let text = |(name, text): (&String, &RawText)| {
        refuse_nameless(name, &text.span(source), found);
        Some((name.clone(), keep(Text::from_raw(text, source), found)?))
    };
    raw.iter().filter_map(text).collect()
}

/// The value, or nothing after its findings were noted.
pub(super) fn keep<T>(result: Result<T, Diagnostics>, found: &mut Diagnostics) -> Option<T> {
    result.map_err(|errors| found.extend(errors)).ok()
}

/// What went wrong in a slot, with the advice that helps.
#[must_use]
pub fn describe(span: Span, error: &EvaluationError, names: &dyn Names) -> Diagnostic {
    let written = span.source.text.get(span.range.clone()).unwrap_or_default().to_owned();
    let diagnostic = Diagnostic::at(span, error.to_string());
    let name = match error {
        EvaluationError::Name(NameError::Later { .. }) => {
            return Diagnostic { is_premature: true, ..diagnostic };
        }
        EvaluationError::Name(NameError::Never { name, .. }) if is_of_commit(name) => {
            return diagnostic
                .with_hint("give the run a tag of its own: `tag:` in shipspec.yml, or `--tag`");
        }
        error => match error.unset() {
            Some(name) => name,
            None => return diagnostic,
        },
    };
    let known = names.known();
    match crate::nearest::nearest(name, known.iter().map(String::as_str)) {
        Some(near) => diagnostic.with_hint(format!("did you mean `{near}`?")),
        None => {
            let advice = format!("set `{name}` in the environment or under `variables:`");
            let is_written = matches!(error, EvaluationError::Name(NameError::Unset(_)));
            diagnostic.with_hint(if is_written && written.starts_with('$') {
                format!("{advice}; to keep the text itself, write `${written}`")
            } else {
                advice
            })
        }
    }
}

fn is_of_commit(name: &str) -> bool {
    matches!(name, "COMMIT" | "COMMIT_HASH" | "IMAGE_TAG")
}

/// The bytes of the file that a part of the string takes: exact where the string is written on one
/// line without escapes, else the whole string.
fn inside(span: &Span, text: &str, part: Range<usize>) -> Span {
    let written = span.source.text.get(span.range.clone()).unwrap_or_default();
    match written.find(text) {
        Some(start) if !text.is_empty() => {
            let start = span.range.start + start;
            Span::new(&span.source, start + part.start..start + part.end)
        }
        _ => span.clone(),
    }
}
