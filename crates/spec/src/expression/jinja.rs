//! Templates that are minijinja's own language: `{{ name }}`, `{% if %}`, includes and inheritance.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Object;
use minijinja::{Environment, Error, ErrorKind, Output, State};

use super::evaluate::{NameError, Names, value_of};
use super::filters;
use crate::value::Value;

/// A template in minijinja's language. It may include and extend files of the project's folder only.
#[derive(Debug, Clone)]
pub struct JinjaTemplate {
    name: String,
    text: String,
}

/// Why a template was not filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct JinjaError {
    /// What is wrong. No message holds a value.
    pub message: String,
    /// The line in the template, from 1, if it is one of this file.
    pub line: Option<usize>,
    /// A name is asked for that is not known yet.
    pub is_premature: bool,
}

/// A part of a template that was filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JinjaPart {
    /// Stands in the template.
    Text(String),
    /// Came from a `{{ … }}`.
    Value(String),
}

/// Stands around the number of a value in the output; Unicode gives these characters to nobody.
const MARKS: [char; 2] = ['\u{f5a00}', '\u{f5a01}'];

impl JinjaTemplate {
    /// Reads a template; `name` is its path in the project.
    ///
    /// # Errors
    ///
    /// The first place that cannot be read.
    pub fn parse(name: &str, text: &str) -> Result<Self, JinjaError> {
        let template = Self { name: name.into(), text: text.into() };
        template.engine(None).map(|_| template.clone())
    }

    /// Every name that it could ask for itself; those of files that it includes are not among them.
    #[must_use]
    pub fn references(&self) -> BTreeSet<String> {
        let engine = self.engine(None).ok();
        let names = engine.as_ref().and_then(|engine| {
            Some(engine.get_template(&self.name).ok()?.undeclared_variables(true))
        });
        names.unwrap_or_default().into_iter().collect()
    }

    /// The text in its parts, and the secrets that went into it: a value is not yet written for its
    /// place.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong; a name without a value is wrong, unless the template asks
    /// whether it has one.
    pub fn fill(&self, names: &dyn Names) -> Result<(Vec<JinjaPart>, Value), JinjaError> {
        let mut engine = self.engine(names.folder())?;
        let printed = Arc::new(Mutex::new(Vec::new()));
        engine.set_formatter(marking(Arc::clone(&printed)));
        let used = Arc::new(Used { values: self.values(names)?, names: Mutex::default() });
        let template = engine.get_template(&self.name).map_err(|error| self.error(&error))?;
        let scope = minijinja::Value::from_dyn_object(Arc::clone(&used));
        let text = template.render(scope).map_err(|error| self.explain(&error, names))?;
        let used_names = used.names.lock().map(|names| names.clone()).unwrap_or_default();
        let parts = used_names.iter().filter_map(|name| used.values.get(name));
        let value = Value::made_from(serde_json::Value::Null, parts);
        let printed = printed.lock().map(|printed| printed.clone()).unwrap_or_default();
        Ok((split(&text, &printed), value))
    }

    /// The values of all names that have one. What the template asks for must not be wrong.
    fn values(&self, names: &dyn Names) -> Result<BTreeMap<String, Value>, JinjaError> {
        let mut values = BTreeMap::new();
        for name in names.known() {
            if let Ok(value) = names.resolve(&name) {
                values.insert(name, value);
            }
        }
        for reference in self.references() {
            let root = reference.split('.').next().unwrap_or(&reference).to_owned();
            match names.resolve(&reference) {
                Ok(value) => drop(values.insert(root, value)),
                // The template may ask whether there is one.
                Err(NameError::Unset(_)) => {}
                Err(error) => {
                    let is_premature = matches!(error, NameError::Later { .. });
                    let message = error.to_string();
                    return Err(JinjaError { message, line: None, is_premature });
                }
            }
        }
        Ok(values)
    }

    fn engine(&self, folder: Option<&Path>) -> Result<Environment<'static>, JinjaError> {
        let mut engine = filters::engine();
        let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
        engine.set_syntax(syntax.map_err(|error| self.error(&error))?);
        if let Some(folder) = folder {
            engine.add_global("file", filters::file_in(folder));
            let folder = folder.to_path_buf();
            engine.set_loader(move |name| match filters::inside(&folder, name) {
                Some(path) => std::fs::read_to_string(path).map(Some).map_err(|error| {
                    Error::new(
                        ErrorKind::TemplateNotFound,
                        format!("`{name}` cannot be read: {error}"),
                    )
                }),
                None => Ok(None),
            });
        }
        let added = engine.add_template_owned(self.name.clone(), self.text.clone());
        added.map_err(|error| self.error(&error))?;
        Ok(engine)
    }

    /// The error, with the names that have no value where that is what is wrong.
    fn explain(&self, error: &Error, names: &dyn Names) -> JinjaError {
        let told = self.error(error);
        if error.kind() != ErrorKind::UndefinedError {
            return told;
        }
        let unset = self
            .references()
            .into_iter()
            .filter_map(|reference| names.resolve(&reference).err().map(|error| error.to_string()));
        let unset: Vec<_> = unset.collect();
        if unset.is_empty() { told } else { JinjaError { message: unset.join("; "), ..told } }
    }

    fn error(&self, error: &Error) -> JinjaError {
        let message = super::evaluate::explain(error);
        let line = error.line().filter(|_| error.name().is_none_or(|name| name == self.name));
        JinjaError { message, line, is_premature: false }
    }
}

/// Prints a value as a mark with its number, so that it can be written for its place afterwards.
fn marking(
    printed: Arc<Mutex<Vec<String>>>,
) -> impl Fn(&mut Output, &mut State, &minijinja::Value) -> Result<(), Error> + Send + Sync + 'static
{
    move |output, _, value| {
        // Only what may be undefined comes here: an `if` without `else`.
        if value.is_undefined() {
            return Ok(());
        }
        let text = value.to_string();
        // What a macro printed comes by a second time, marks and all.
        if text.contains(MARKS[0]) {
            return output.write_str(&text).map_err(Error::from);
        }
        let Ok(mut printed) = printed.lock() else { return Ok(()) };
        printed.push(text);
        let number = printed.len() - 1;
        write!(output, "{}{number}{}", MARKS[0], MARKS[1]).map_err(Error::from)
    }
}

/// The output without its marks.
fn split(text: &str, printed: &[String]) -> Vec<JinjaPart> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(MARKS[0]) {
        let (number, behind) = behind.split_once(MARKS[1]).unwrap_or((behind, ""));
        parts.push(JinjaPart::Text(before.to_owned()));
        let value = number.parse().ok().and_then(|number: usize| printed.get(number));
        parts.extend(value.cloned().map(JinjaPart::Value));
        rest = behind;
    }
    parts.push(JinjaPart::Text(rest.to_owned()));
    parts
}

/// The values of all names; notes which are asked for.
#[derive(Debug)]
struct Used {
    values: BTreeMap<String, Value>,
    names: Mutex<BTreeSet<String>>,
}

impl Object for Used {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        let name = key.as_str()?;
        let value = self.values.get(name)?;
        if let Ok(mut names) = self.names.lock() {
            names.insert(name.to_owned());
        }
        Some(value_of(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::NameError;

    struct Fixed(tempfile::TempDir);

    impl Names for Fixed {
        fn resolve(&self, reference: &str) -> Result<Value, NameError> {
            match reference.split('.').next().unwrap() {
                "A" => Ok(Value::plain("a")),
                "S" => Ok(Value::secret("S", "hunter2")),
                "list" => Ok(Value::plain(vec!["x", "y"])),
                "BROKEN" => Err(NameError::Cycle(vec!["BROKEN".into()])),
                name => Err(NameError::Unset(name.into())),
            }
        }

        fn known(&self) -> Vec<String> {
            ["A", "S", "list"].map(str::to_owned).to_vec()
        }

        fn folder(&self) -> Option<&Path> {
            Some(self.0.path())
        }
    }

    fn fill(text: &str) -> Result<(String, Value), JinjaError> {
        let names = Fixed(tempfile::tempdir().unwrap());
        std::fs::write(names.0.path().join("part.j2"), "<{{ A }}>").unwrap();
        std::fs::write(names.0.path().join("base.j2"), "[{% block b %}{% endblock %}]").unwrap();
        let (parts, value) = JinjaTemplate::parse("t.j2", text)?.fill(&names)?;
        let text = parts.into_iter().map(|part| match part {
            JinjaPart::Text(text) | JinjaPart::Value(text) => text,
        });
        Ok((text.collect(), value))
    }

    #[test]
    fn the_whole_language_is_there() {
        let text = "{% for x in list %}{{ x | upper }}{% if not loop.last %},{% endif %}{% endfor %}\n{% include 'part.j2' %} ${A}\n";
        assert_eq!(fill(text).unwrap().0, "X,Y\n<a> ${A}\n");
        assert_eq!(
            fill("{% extends 'base.j2' %}{% block b %}{{ A }}{% endblock %}").unwrap().0,
            "[a]"
        );
    }

    #[test]
    fn secrets_that_are_used_are_known() {
        assert!(fill("{{ A }}").unwrap().1.secrets().is_empty());
        assert_eq!(fill("{{ S | b64encode }}").unwrap().1.secrets().len(), 1);
    }

    #[test]
    fn a_template_may_ask_for_a_name_without_a_value_but_not_for_a_wrong_one() {
        let text = "{{ NONE | default('x') }}{% if A is defined %}y{% endif %}";
        assert_eq!(fill(text).unwrap().0, "xy");
        assert!(fill("{{ BROKEN | default('x') }}").unwrap_err().message.contains("needs itself"));
        assert_eq!(fill("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(A) }}").unwrap().0, "<a>");
    }

    #[test]
    fn names_without_a_value_and_files_outside_are_errors() {
        assert_eq!(
            fill("{{ A }}\n{{ NONE }} {{ OTHER.x }}").unwrap_err(),
            JinjaError {
                message: "`NONE` has no value; `OTHER` has no value".into(),
                line: Some(2),
                is_premature: false
            }
        );
        assert!(
            fill("{% include '/etc/passwd' %}").unwrap_err().message.contains("template not found")
        );
        assert!(fill("{% if %}").unwrap_err().message.starts_with("syntax error"));
        let endless =
            "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}";
        assert!(fill(endless).unwrap_err().message.contains("fuel"));
    }
}
