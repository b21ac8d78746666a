//! Templates that are minijinja's own language: `{{ name }}`, `{% if %}`, includes and inheritance.

mod error;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Object;
use minijinja::{AutoEscape, Environment, Error};

use super::evaluate::{EvaluationError, NameError, Names, arn_function, resolve_part, with_arns};
use super::seen::Seen;
use super::tags::{LONGEST_TAG, overlong_tag, tags, unknown_filter};
use super::{calls, filters, marks};
use crate::value::Value;
pub use error::JinjaError;
use error::{find_name, find_word, innermost, is_optional, is_undefined, place, tag_at};

/// A template in minijinja's language. It may include and extend files of the project's folder only.
#[derive(Debug, Clone)]
pub struct JinjaTemplate {
    name: String,
    text: String,
}

/// A template that was filled.
#[derive(Debug, Clone)]
pub struct JinjaText {
    /// The text with every value as it is.
    pub text: String,
    /// The same text in its parts, so that each value can be written for its place; nothing where
    /// the template leaves it open what is a value.
    pub parts: Option<Vec<JinjaPart>>,
    /// No value in it has a sign that could change the structure of a file.
    pub is_harmless: bool,
    /// Nothing, with the secrets that went into the text.
    pub used: Value,
}

/// A part of a template that was filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JinjaPart {
    /// Stands in the template.
    Text(String),
    /// Came from a `{{ … }}`.
    Value {
        /// Its text.
        text: String,
        /// It is text, whatever it looks like.
        is_text: bool,
        /// It was put together from text of the template and from values that could change the
        /// structure of a file: it may stand in a string, and nowhere else.
        is_mixed: bool,
    },
}

/// Values by the names that they have.
type Values = BTreeMap<String, Value>;

/// ARNs by what asks for them: `arn(NAME)`.
type Arns = BTreeMap<String, String>;

impl JinjaTemplate {
    /// Reads a template; `name` is its path in the project.
    ///
    /// # Errors
    ///
    /// The first place that cannot be read.
    pub fn parse(name: &str, text: &str) -> Result<Self, JinjaError> {
        if let Some(start) = overlong_tag(text) {
            let message = format!("an expression is longer than {LONGEST_TAG} bytes");
            return Err(JinjaError::new(message, Some(start - 2..start)));
        }
        let template = Self { name: name.into(), text: text.into() };
        template.engine(None)?;
        match unknown_filter(text) {
            Some((range, message)) => Err(JinjaError::new(message, Some(range))),
            None => Ok(template),
        }
    }

    /// The code between its braces, without comments and what is raw.
    pub fn code(&self) -> impl Iterator<Item = &str> {
        tags(&self.text).into_iter().map(|(_, code)| code)
    }

    /// Every name that it could ask for itself; those of files that it includes are not among them.
    #[must_use]
    pub fn references(&self) -> BTreeSet<String> {
        let engine = self.engine(None).ok();
        let names = engine.as_ref().and_then(|engine| {
            Some(engine.get_template(&self.name).ok()?.undeclared_variables(true))
        });
        with_arns(names.unwrap_or_default().into_iter().collect(), &self.text)
    }

    /// The text in its parts, and the secrets that went into it.
    ///
    /// It is rendered twice: once with a mark around each value, which tells the parts, and once
    /// without, which is what the template means. They differ only where the template works on text
    /// that it has captured (`{% set %}…{% endset %}`), such as to compare it. Then nobody can tell
    /// what is a value.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, never nothing. If that is a name without a value, it is all names of
    /// this template that have none, unless the template asks whether they have one.
    pub fn fill(&self, names: &dyn Names) -> Result<JinjaText, Vec<JinjaError>> {
        let mut engine = self.engine(names.folder()).map_err(|error| vec![error])?;
        let (values, arns) = self.values(names)?;
        engine.add_global("arn", arn_function(arns, &self.text));
        let used = Arc::new(Used { values, ..Used::default() });
        engine.set_formatter(marks::print_marked(used.made_texts()));
        let parts = marks::split(&self.render(&engine, &used, names)?);
        let harmless = marks::Harmless::default();
        engine.set_formatter(marks::print_plainly(harmless.clone()));
        let text = self.render(&engine, &used, names)?;
        let is_same = parts.iter().map(JinjaPart::as_str).collect::<String>() == text;
        let parts = is_same.then_some(parts);
        Ok(JinjaText { text, parts, is_harmless: harmless.is_true(), used: used.all() })
    }

    fn render(
        &self,
        engine: &Environment<'_>,
        used: &Arc<Used>,
        names: &dyn Names,
    ) -> Result<String, Vec<JinjaError>> {
        let template = engine.get_template(&self.name).map_err(|error| vec![self.error(&error)])?;
        let scope = minijinja::Value::from_dyn_object(Arc::clone(used));
        template.render(scope).map_err(|error| {
            let first = innermost(&error);
            if !is_undefined(first) {
                return vec![self.error(&error)];
            }
            let source = first.name().and_then(|name| engine.get_template(name).ok());
            let text = source.as_ref().map_or("", |template| template.source());
            self.without_values(&error, text, used, names)
        })
    }

    /// The values of all names that have one. What the template asks for must not be wrong.
    fn values(&self, names: &dyn Names) -> Result<(Values, Arns), Vec<JinjaError>> {
        let (mut values, mut arns) = (Values::new(), Arns::new());
        for name in names.known() {
            if let Ok(value) = names.resolve(&name) {
                values.insert(name, value);
            }
        }
        for reference in self.references() {
            let root = reference.split('.').next().unwrap_or(&reference).to_owned();
            match resolve_part(&reference, names) {
                Ok(value) if reference.starts_with("arn(") => {
                    arns.insert(reference, value.text().unwrap_or_default());
                }
                Ok(value) => drop(values.insert(root, value)),
                // The template may ask whether there is one.
                Err(NameError::Unset(_)) => {}
                Err(NameError::Never { .. }) if !reference.starts_with("arn(") => {}
                Err(error) => {
                    let word = if reference.starts_with("arn(") { "arn" } else { &*root };
                    let range = find_name(&self.text, word);
                    return Err(vec![JinjaError { error: error.into(), range }]);
                }
            }
        }
        Ok((values, arns))
    }

    fn engine(&self, folder: Option<&Path>) -> Result<Environment<'static>, JinjaError> {
        let mut engine = filters::engine();
        // What is captured is then told apart from what is a value.
        engine.set_auto_escape_callback(|_| AutoEscape::Custom("place".into()));
        let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
        engine.set_syntax(syntax.map_err(|error| self.error(&error))?);
        if let Some(folder) = folder {
            engine.add_global("file", filters::file_in(folder, &self.text));
            let (folder, code) = (folder.to_path_buf(), self.text.clone());
            engine.set_loader(move |name| match filters::inside(&folder, name) {
                Some(path) => match std::fs::read_to_string(path) {
                    Ok(text) if overlong_tag(&text).is_some() => Err(filters::told(format!(
                        "an expression in {} is longer than {LONGEST_TAG} bytes",
                        filters::written(name, &code)
                    ))),
                    Ok(text) => Ok(Some(text)),
                    Err(error) => Err(filters::told(format!(
                        "{} cannot be read: {error}",
                        filters::written(name, &code)
                    ))),
                },
                None => Ok(None),
            });
        }
        let added = engine.add_template_owned(self.name.clone(), self.text.clone());
        added.map_err(|error| self.error(&error))?;
        Ok(engine)
    }

    /// The name without a value that `error` is about, and all others of this template. `text` is that of
    /// the file in which it was found.
    fn without_values(
        &self,
        error: &Error,
        text: &str,
        used: &Used,
        names: &dyn Names,
    ) -> Vec<JinjaError> {
        let first = innermost(error);
        let mut told = self.error(error);
        let range = error::range(first, text).unwrap_or_default();
        let missing_in = |range| used.missing_in(text, range);
        let culprit = missing_in(range.clone()).or_else(|| missing_in(tag_at(text, range.start)));
        let code = text.get(range).unwrap_or_default().trim();
        let missing = match &culprit {
            Some((name, _)) => no_value(names, name),
            None => EvaluationError::Expression(format!("`{code}` has no value")),
        };
        match (place(first, &self.name), &culprit) {
            (Some(name), _) => {
                told.error = NameError::Inside { name, inner: Box::new(missing) }.into();
            }
            (None, Some((_, range))) => {
                told = JinjaError { error: missing, range: Some(range.clone()) };
            }
            (None, None) => told.error = missing,
        }
        let culprit = culprit.map(|(name, _)| name);
        let is_other = |name: &String| Some(name) != culprit.as_ref();
        let mut all: Vec<_> = self
            .references()
            .iter()
            .map(|reference| reference.split('.').next().unwrap_or(reference).to_owned())
            .filter(|name| is_other(name) && !is_optional(&self.text, name))
            .filter(|name| matches!(names.resolve(name), Err(NameError::Unset(_))))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .map(|name| JinjaError {
                error: no_value(names, &name),
                range: find_name(&self.text, &name),
            })
            .collect();
        all.push(told);
        all.sort_by_key(|error| error.range.as_ref().map(|range| range.start));
        all
    }

    fn error(&self, error: &Error) -> JinjaError {
        JinjaError::of(error, &self.name, &self.text)
    }
}

/// Why a name has no value.
fn no_value(names: &dyn Names, name: &str) -> EvaluationError {
    names.resolve(name).err().unwrap_or_else(|| NameError::Unset(name.to_owned())).into()
}

impl JinjaPart {
    /// What it says, as it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::Value { text, .. } => text,
        }
    }
}

/// The values of all names; notes which are asked for.
#[derive(Debug, Default)]
struct Used {
    values: Values,
    names: Mutex<BTreeSet<String>>,
    /// Names that were asked for and have no value.
    missing: Mutex<BTreeSet<String>>,
    seen: Seen,
}

impl Used {
    /// The texts that shipspec made itself, those inside of dictionaries too.
    fn made_texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        let made = self.values.values().filter(|value| value.is_tool_made());
        let mut open: Vec<_> = made.map(Value::content).collect();
        while let Some(content) = open.pop() {
            texts.extend(content.as_str().map(str::to_owned));
            open.extend(content.as_object().into_iter().flat_map(serde_json::Map::values));
        }
        texts
    }

    /// Nothing, with the secrets of all names that were asked for.
    fn all(&self) -> Value {
        let names = self.names.lock().map(|names| names.clone()).unwrap_or_default();
        let parts = names.iter().filter_map(|name| self.values.get_key_value(name));
        let parts: Vec<_> = parts.map(|(name, value)| self.seen.of(name, value)).collect();
        Value::made_from(serde_json::Value::Null, &parts)
    }
}

impl Used {
    /// The first name in a part of a template that was asked for and has no value, and where it stands.
    /// One that may be missing is the reason only if there is no other.
    fn missing_in(&self, text: &str, part: Range<usize>) -> Option<(String, Range<usize>)> {
        let missing = self.missing.lock().map(|names| names.clone()).unwrap_or_default();
        let places = missing.into_iter().filter(|name| !calls::is_function(name));
        let places = places.filter_map(|name| {
            let found = find_word(text.get(part.clone())?, &name)?;
            Some((name, part.start + found.start..part.start + found.end))
        });
        places.min_by_key(|(name, place)| (is_optional(text, name), place.start))
    }
}

impl Object for Used {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        let name = key.as_str()?;
        let Some(value) = self.values.get(name) else {
            if let Ok(mut names) = self.missing.lock() {
                names.insert(name.to_owned());
            }
            return None;
        };
        if let Ok(mut names) = self.names.lock() {
            names.insert(name.to_owned());
        }
        Some(self.seen.watched(name, value))
    }
}

#[cfg(test)]
mod tests;
