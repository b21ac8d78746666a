//! Templates that are minijinja's own language: `{{ name }}`, `{% if %}`, includes and inheritance.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Object;
use minijinja::{Environment, Error, ErrorKind};

use super::evaluate::{Names, value_of};
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
}

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

    /// The text with everything filled, and the secrets that went into it.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong; a name without a value is wrong.
    pub fn fill(&self, names: &dyn Names) -> Result<(String, Value), JinjaError> {
        let engine = self.engine(names.folder())?;
        let template = engine.get_template(&self.name).map_err(|error| self.error(&error))?;
        let mut values: BTreeMap<_, _> = names
            .known()
            .into_iter()
            .filter_map(|name| Some((name.clone(), names.resolve(&name).ok()?)))
            .collect();
        // What can be asked for in part only, such as an image without its digest.
        for reference in self.references() {
            let root = reference.split('.').next().unwrap_or(&reference).to_owned();
            if let Ok(value) = names.resolve(&reference) {
                values.insert(root, value);
            }
        }
        let used = Arc::new(Used { values, names: Mutex::default() });
        let scope = minijinja::Value::from_dyn_object(Arc::clone(&used));
        let text = template.render(scope).map_err(|error| self.explain(&error, names))?;
        let used_names = used.names.lock().map(|names| names.clone()).unwrap_or_default();
        let parts = used_names.iter().filter_map(|name| used.values.get(name));
        Ok((text, Value::made_from(serde_json::Value::Null, parts)))
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
        JinjaError { message, line }
    }
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
        JinjaTemplate::parse("t.j2", text)?.fill(&names)
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
    fn names_without_a_value_and_files_outside_are_errors() {
        assert_eq!(
            fill("{{ A }}\n{{ NONE }} {{ OTHER.x }}").unwrap_err(),
            JinjaError {
                message: "`NONE` has no value; `OTHER` has no value".into(),
                line: Some(2)
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
