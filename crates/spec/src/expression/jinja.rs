//! Templates that are minijinja's own language: `{{ name }}`, `{% if %}`, includes and inheritance.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Object;
use minijinja::{AutoEscape, Environment, Error, ErrorKind};

use super::evaluate::{NameError, Names, arn_function, resolve_part, with_arns};
use super::seen::Seen;
use super::tags::{LONGEST_TAG, overlong_tag, tags, unknown_filter};
use super::{filters, marks};
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
        let wrong = |(line, message)| JinjaError { message, line: Some(line), is_premature: false };
        if let Some(line) = overlong_tag(text) {
            let message = format!("an expression is longer than {LONGEST_TAG} bytes");
            return Err(wrong((line, message)));
        }
        let template = Self { name: name.into(), text: text.into() };
        template.engine(None)?;
        unknown_filter(text).map_or(Ok(template), |found| Err(wrong(found)))
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
    /// The first thing that is wrong; a name without a value is wrong, unless the template asks
    /// whether it has one.
    pub fn fill(&self, names: &dyn Names) -> Result<JinjaText, JinjaError> {
        let mut engine = self.engine(names.folder())?;
        let (values, arns) = self.values(names)?;
        engine.add_global("arn", arn_function(arns, &self.text));
        let used = Arc::new(Used { values, names: Mutex::default(), seen: Seen::default() });
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
    ) -> Result<String, JinjaError> {
        let template = engine.get_template(&self.name).map_err(|error| self.error(&error))?;
        let scope = minijinja::Value::from_dyn_object(Arc::clone(used));
        template.render(scope).map_err(|error| self.explain(&error, names))
    }

    /// The values of all names that have one. What the template asks for must not be wrong.
    fn values(&self, names: &dyn Names) -> Result<(Values, Arns), JinjaError> {
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
                Err(error) => {
                    let is_premature = matches!(error, NameError::Later { .. });
                    let message = error.to_string();
                    return Err(JinjaError { message, line: None, is_premature });
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
            let folder = folder.to_path_buf();
            engine.set_loader(move |name| match filters::inside(&folder, name) {
                Some(path) => match std::fs::read_to_string(path) {
                    Ok(text) if overlong_tag(&text).is_some() => Err(filters::told(format!(
                        "an expression in `{name}` is longer than {LONGEST_TAG} bytes"
                    ))),
                    Ok(text) => Ok(Some(text)),
                    Err(error) => Err(filters::told(format!("`{name}` cannot be read: {error}"))),
                },
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
        let mut message = super::evaluate::explain(error);
        let is_here = |error: &Error| error.name().is_none_or(|name| name == self.name);
        let line = error.line().filter(|_| is_here(error));
        // What is wrong in a file that it is put together from stands in the innermost error.
        let mut innermost = error;
        while let Some(inner) =
            std::error::Error::source(innermost).and_then(|inner| inner.downcast_ref::<Error>())
        {
            innermost = inner;
        }
        if let (false, Some(name)) = (is_here(innermost), innermost.name()) {
            let place = innermost.line().map_or(String::new(), |line| format!(":{line}"));
            message = format!("{name}{place}: {}", super::evaluate::explain(innermost));
        }
        JinjaError { message, line, is_premature: false }
    }
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
#[derive(Debug)]
struct Used {
    values: Values,
    names: Mutex<BTreeSet<String>>,
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

impl Object for Used {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        let name = key.as_str()?;
        let value = self.values.get(name)?;
        if let Ok(mut names) = self.names.lock() {
            names.insert(name.to_owned());
        }
        Some(self.seen.watched(name, value))
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
                "Q" => Ok(Value::plain("say \"q\"")),
                "COMMIT" => Ok(Value::tool_made("1234567890".repeat(4))),
                "S" => Ok(Value::secret("S", "hunter2")),
                "list" => Ok(Value::plain(vec!["x", "y"])),
                "BROKEN" => Err(NameError::Cycle(vec!["BROKEN".into()])),
                name => Err(NameError::Unset(name.into())),
            }
        }

        fn known(&self) -> Vec<String> {
            ["A", "Q", "S", "COMMIT", "list"].map(str::to_owned).to_vec()
        }

        fn folder(&self) -> Option<&Path> {
            Some(self.0.path())
        }
    }

    fn fill(text: &str) -> Result<(String, Value), JinjaError> {
        let names = Fixed(tempfile::tempdir().unwrap());
        std::fs::write(names.0.path().join("part.j2"), "<{{ A }}>").unwrap();
        std::fs::write(names.0.path().join("base.j2"), "[{% block b %}{% endblock %}]").unwrap();
        let filled = JinjaTemplate::parse("t.j2", text)?.fill(&names)?;
        Ok((filled.text, filled.used))
    }

    fn parts(text: &str) -> Vec<String> {
        let names = Fixed(tempfile::tempdir().unwrap());
        let filled = JinjaTemplate::parse("t.j2", text).unwrap().fill(&names).unwrap();
        let show = |part: &JinjaPart| match part {
            JinjaPart::Text(text) => text.clone(),
            JinjaPart::Value { text, is_text, is_mixed } => {
                let kind = if *is_text { "text " } else { "" };
                format!("<{kind}{}{text}>", if *is_mixed { "mixed " } else { "" })
            }
        };
        filled.parts.unwrap().iter().map(show).collect()
    }

    #[test]
    fn values_are_told_from_the_text_around_them() {
        assert_eq!(parts("x{{ A }}y"), ["x", "<a>", "y"]);
        assert_eq!(parts("{{ COMMIT | short(8) }}"), ["<text 12345678>"]);
        assert_eq!(
            parts("{{ true }} {{ 1 }} {{ list }}"),
            ["<true>", " ", "<1>", " ", "<[\"x\",\"y\"]>"]
        );
        assert_eq!(
            parts("{% macro m(x) %}[{{ x }}]{% endmacro %}{{ m(Q) }}"),
            ["[", "<say \"q\">", "]"]
        );
        assert_eq!(parts("{% filter upper %}{{ A }}b{% endfilter %}"), ["<A>", "B"]);
        assert_eq!(parts("{{ A | e }}{{ Q ~ A }}"), ["<a>", "<say \"q\"a>"]);
    }

    #[test]
    fn text_that_was_captured_means_what_it_says() {
        let set = "{% set x %}{{ A }}b{% endset %}";
        assert_eq!(
            fill(&format!("{set}{{{{ x | length }}}}{{{{ x == 'ab' }}}}")).unwrap().0,
            "2true"
        );
        assert_eq!(
            fill(&format!("{set}{{{{ x ~ A }}}}{{{{ x | sha256 | short }}}}")).unwrap().0,
            "abafb8e20f"
        );
        // A sign of structure that was captured and put together again may not stand everywhere.
        let mixed = "{% set x %}{{ Q }}{% endset %}{{ x ~ A }}";
        assert_eq!(parts(mixed), ["<mixed say \"q\"a>"]);
    }

    #[test]
    fn nothing_is_printed_for_a_value_that_is_none() {
        assert!(fill("{{ none }}").unwrap_err().message.contains("none"));
        assert_eq!(fill("{{ A if false }}.").unwrap().0, ".");
    }

    #[test]
    fn what_would_take_all_memory_is_refused() {
        assert!(fill("{{ A | indent(4000000000) }}").unwrap_err().message.contains("indent"));
        let long = format!("ok\n{{{{ A{} }}}}", "~A".repeat(50_000));
        let error = fill(&long).unwrap_err();
        assert_eq!((error.line, error.message.contains("longer than")), (Some(2), true));
        assert!(fill(&format!("{{{{ raw }}}}{long}")).unwrap_err().message.contains("longer than"));
        let open = format!("{{% if A == it's %}}{}{{% endif %}}", "x".repeat(9000));
        assert!(fill(&open).unwrap_err().message.contains("syntax error"));
    }

    #[test]
    fn an_error_in_a_part_names_the_part_and_its_line() {
        let names = Fixed(tempfile::tempdir().unwrap());
        let write =
            |name: &str, text: &str| std::fs::write(names.0.path().join(name), text).unwrap();
        let told = |text: &str| {
            let error = JinjaTemplate::parse("t.j2", text).unwrap().fill(&names).unwrap_err();
            (error.line, error.message)
        };
        write("p.j2", "a\n{{ A | nosuch }}");
        let message = "p.j2:2: unknown filter: filter nosuch is unknown";
        assert_eq!(told("b\n\n{% include 'p.j2' %}"), (Some(3), message.into()));
        assert_eq!(told("{% extends 'p.j2' %}").1, message);
        write("q.j2", "{% include 'p.j2' %}");
        assert_eq!(told("{% include 'q.j2' %}").1, message);
    }

    #[test]
    fn filters_that_there_are_not_are_told_before_any_value_is_known() {
        let told = |text| JinjaTemplate::parse("t.j2", text).unwrap_err();
        let error = told("{{ A }}\n{% if B | uper == 'x' %}{% endif %}");
        assert_eq!(
            (error.line, &*error.message),
            (Some(2), "there is no filter `uper`; did you mean `upper`?")
        );
        assert_eq!(told("{{\n A\n |\n uper }}").line, Some(4));
        assert!(told("{% filter uper %}x{% endfilter %}").message.contains("no filter `uper`"));
        assert!(told("{{ A }}\nfoo | grep bar }} {{ A | ").message.contains("syntax error"));
        assert!(told("{% if A is nosuch %}{% endif %}").message.contains("no test `nosuch`"));
        for text in [
            "{# {{ A | nosuch }} #}{{ A }}",
            "{% raw %}{{ A | nosuch }}{% endraw %}{{ A }}",
            "{{ '| nosuch' }} A | nosuch {% set b = A is defined %}",
            r#"{{ "{{ .Name | upercase }}" }}{{ '\'{{ x is odd_thing }}' }}"#,
            "{%-\n\traw +%} endraw {{ A | nosuch }} {%endraw -%}",
            "{#} {{ A | nosuch }} #}{{ A }}",
        ] {
            assert!(JinjaTemplate::parse("t.j2", text).is_ok(), "{text}");
        }
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
