//! What a slot comes to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use minijinja::ErrorKind;
use regex::Regex;
use serde_json::Value as Json;

use super::filters::{self, ENGINE};
use super::seen::Seen;
use super::{Conditional, Expression, Operator, Piece, Template, calls};
use crate::value::Value;

/// Knows what names stand for.
pub trait Names {
    /// The value of a name; for a part of one (`images.app.uri`), the value of the whole (`images`);
    /// for `arn(NAME)`, the ARN of a parameter.
    ///
    /// # Errors
    ///
    /// [`NameError`] if it has none, or none yet.
    fn resolve(&self, reference: &str) -> Result<Value, NameError>;

    /// Every name that has a value, to find the one that was meant.
    fn known(&self) -> Vec<String>;

    /// The folder whose files expressions may read; none if they may read no files.
    fn folder(&self) -> Option<&Path> {
        None
    }
}

/// Why a name has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nobody gives it one.
    #[error("`{0}` has no value")]
    Unset(String),
    /// It will have one, but later than it is asked for.
    #[error("`{name}` is not known before {stage}")]
    Later {
        /// What was asked for.
        name: String,
        /// When it is known.
        stage: &'static str,
    },
    /// It needs itself.
    #[error("`{}` needs itself: {}", .0[0], .0.join(" → "))]
    Cycle(Vec<String>),
    /// It cannot have one here, for the reason given.
    #[error("`{name}` has no value: {reason}")]
    Never {
        /// What was asked for.
        name: String,
        /// Why.
        reason: String,
    },
    /// What it is made from has none.
    #[error("{inner} (in `{name}`)")]
    Inside {
        /// The name whose text holds the one without a value.
        name: String,
        /// What that one lacks.
        inner: Box<EvaluationError>,
    },
}

/// Why a slot has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// A name in it has none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// `${NAME:?message}` asked for this message.
    #[error("{0}")]
    Required(String),
    /// The expression failed.
    #[error("{0}")]
    Expression(String),
    /// The value is a list or a dictionary, where text is wanted.
    #[error("`{0}` is a list or a dictionary; name one of its keys")]
    NotText(String),
}

impl EvaluationError {
    /// The name that nobody gives a value, however deep inside of others.
    #[must_use]
    pub fn unset(&self) -> Option<&str> {
        match self {
            Self::Name(NameError::Unset(name)) => Some(name),
            Self::Name(NameError::Inside { inner, .. }) => inner.unset(),
            _ => None,
        }
    }
}

impl Expression {
    /// The value of the slot.
    ///
    /// # Errors
    ///
    /// [`EvaluationError`]; no message of one holds a value.
    pub fn evaluate(&self, source: &str, names: &dyn Names) -> Result<Value, EvaluationError> {
        match self {
            Self::Name(name) => Ok(names.resolve(name)?),
            Self::Conditional(conditional) => conditional.evaluate(source, names),
            Self::Code(code) => run(code, names),
            Self::Nested(nested) => nested.template.evaluate(&nested.source, names),
        }
    }
}

impl Conditional {
    fn evaluate(&self, source: &str, names: &dyn Names) -> Result<Value, EvaluationError> {
        let value = match names.resolve(&self.name) {
            Ok(value) => Some(value),
            Err(NameError::Unset(_) | NameError::Never { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let value = value.filter(|value| {
            !(self.empty_is_unset && value.content() == &Json::String(String::new()))
        });
        match (self.operator, value) {
            (Operator::Default | Operator::Required, Some(value)) => Ok(value),
            (Operator::Alternative, None) => Ok(Value::plain("")),
            (Operator::Default, None) | (Operator::Alternative, Some(_)) => {
                self.word.evaluate(source, names)
            }
            (Operator::Required, None) => {
                let message = self.word.evaluate(source, names)?;
                let message = match message.text() {
                    Some(text) if !text.is_empty() && message.secrets().is_empty() => text,
                    _ => "is not set".into(),
                };
                Err(EvaluationError::Required(format!("`{}`: {message}", self.name)))
            }
        }
    }
}

impl Template {
    /// The text with every slot filled, as it stands: nothing is escaped.
    ///
    /// A template that is one slot and nothing else keeps the type of its value.
    ///
    /// # Errors
    ///
    /// The first slot that has no value; see [`Template::evaluate_all`] for all of them.
    pub fn evaluate(&self, source: &str, names: &dyn Names) -> Result<Value, EvaluationError> {
        self.evaluate_all(source, names).map_err(|mut errors| errors.swap_remove(0).1)
    }

    /// As [`Template::evaluate`], with every slot that has no value, by its byte offsets.
    ///
    /// # Errors
    ///
    /// One error a slot, never none.
    pub fn evaluate_all(
        &self,
        source: &str,
        names: &dyn Names,
    ) -> Result<Value, Vec<(std::ops::Range<usize>, EvaluationError)>> {
        if let [Piece::Slot(slot)] = self.pieces.as_slice() {
            let value = slot.expression.evaluate(source, names);
            return value.map_err(|error| vec![(slot.range.clone(), error)]);
        }
        let (mut text, mut parts, mut errors) = (String::new(), Vec::new(), Vec::new());
        for piece in &self.pieces {
            match piece {
                Piece::Text(range) => text.push_str(&source[range.clone()]),
                Piece::Slot(slot) => match slot.text(source, names) {
                    Ok((value, part)) => {
                        text.push_str(&part);
                        parts.push(value);
                    }
                    Err(error) => errors.push((slot.range.clone(), error)),
                },
            }
        }
        if errors.is_empty() {
            Ok(Value::made_from(Json::String(text), &parts))
        } else {
            Err(errors)
        }
    }
}

impl super::Slot {
    /// The value of the slot, and its text.
    ///
    /// # Errors
    ///
    /// [`EvaluationError`], also where the value has no text of its own.
    pub fn text(
        &self,
        source: &str,
        names: &dyn Names,
    ) -> Result<(Value, String), EvaluationError> {
        let value = self.expression.evaluate(source, names)?;
        match value.text() {
            Some(text) => Ok((value, text)),
            None => Err(EvaluationError::NotText(source[self.range.clone()].to_owned())),
        }
    }
}

/// A value as minijinja has it.
pub(super) fn value_of(value: &Value) -> minijinja::Value {
    minijinja::Value::from(minijinja::value::Serde(value.content()))
}

/// The longest expression that is read, in bytes: each operator takes its part of the stack.
const LONGEST: usize = 4096;

/// The expression can be read; else what is wrong with it.
pub(super) fn check(code: &str) -> Result<(), String> {
    if code.len() > LONGEST {
        return Err(format!("the expression is longer than {LONGEST} bytes"));
    }
    ENGINE.compile_expression(code).map(drop).map_err(|error| explain(&error))
}

pub(super) fn references(code: &str) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = ENGINE
        .compile_expression(code)
        .map(|expression| expression.undeclared_variables(true).into_iter().collect())
        .unwrap_or_default();
    names.extend(calls::names_beside_slices(code));
    with_arns(names, code)
}

/// Names without those of our functions; an ARN that is asked for stands among them as `arn(NAME)`.
pub(super) fn with_arns(mut names: BTreeSet<String>, code: &str) -> BTreeSet<String> {
    static ARN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"\barn\(\s*(?:'([^']*)'|"([^"]*)")\s*\)"#).expect("the pattern is right")
    });
    names.retain(|name| !(calls::is_function(name) && code.contains(&format!("{name}("))));
    if code.contains("arn(") {
        let found = ARN.captures_iter(code).filter_map(|found| found.get(1).or(found.get(2)));
        names.extend(found.map(|name| arn_reference(name.as_str())));
    }
    names
}

/// What [`Names::resolve`] is asked for the ARN of a parameter.
fn arn_reference(name: &str) -> String {
    format!("arn({name})")
}

/// The function `arn('NAME')`; `arns` are those that are asked for
/// in `code`, which calls it.
pub(super) fn arn_function(arns: BTreeMap<String, String>, code: &str) -> minijinja::Value {
    let code = code.to_owned();
    minijinja::Value::from_function(move |name: String| {
        arns.get(&arn_reference(&name)).cloned().ok_or_else(|| {
            let name = filters::written(&name, &code);
            filters::told(format!("arn({name}): the name of a parameter must stand there as it is"))
        })
    })
}

fn run(code: &str, names: &dyn Names) -> Result<Value, EvaluationError> {
    let (mut found, mut arns) = (BTreeMap::new(), BTreeMap::new());
    // Why a name has no value: `${NAME | default("x")}` is for those.
    let mut missing = None;
    for reference in references(code) {
        if reference.starts_with("arn(") {
            arns.insert(reference.clone(), names.resolve(&reference)?.text().unwrap_or_default());
            continue;
        }
        let name = reference.split('.').next().unwrap_or(&reference).to_owned();
        match resolve_part(&reference, names) {
            Ok(value) => drop(found.insert(name, value)),
            Err(error @ (NameError::Unset(_) | NameError::Never { .. })) => {
                missing.get_or_insert(error);
                // A part may be missing of what has a value.
                found.extend(names.resolve(&name).ok().map(|value| (name, value)));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let expression = ENGINE.compile_expression(code).map_err(|error| failed(&error))?;
    let seen = Seen::default();
    let values = found.iter().map(|(name, value)| (name.clone(), seen.watched(name, value)));
    let file = names.folder().map(|folder| ("file".to_owned(), filters::file_in(folder, code)));
    let arn = code.contains("arn(").then(|| ("arn".to_owned(), arn_function(arns, code)));
    let scope = minijinja::Value::from_pairs(values.chain(file).chain(arn));
    let result = expression.eval(scope).map_err(|error| match (error.kind(), &missing) {
        // Without its value, nothing else about the expression can be told.
        (_, Some(missing)) => missing.clone().into(),
        (ErrorKind::UndefinedError, None) => missing_part(code, &found),
        _ => failed(&error),
    })?;
    if result.is_undefined() || result.is_none() {
        return Err(missing.map_or_else(|| missing_part(code, &found), EvaluationError::Name));
    }
    let content = serde_json::to_value(&result)
        .map_err(|_| EvaluationError::Expression(format!("`{code}` gives no value")))?;
    let parts: Vec<_> = found.iter().map(|(name, value)| seen.of(name, value)).collect();
    Ok(Value::made_from(content, &parts))
}

/// The value of a name; where a part of it is asked for and it is text, the JSON that the text is.
pub(super) fn resolve_part(reference: &str, names: &dyn Names) -> Result<Value, NameError> {
    let value = names.resolve(reference)?;
    let Some((name, part)) = reference.split_once('.') else { return Ok(value) };
    if !value.content().is_string() {
        return Ok(value);
    }
    value.parsed().ok_or_else(|| NameError::Never {
        name: reference.to_owned(),
        reason: format!("`{name}` is no JSON, so there is no `{part}` in it"),
    })
}

/// Which part of a dotted name does not exist, with the nearest that does.
fn missing_part(code: &str, found: &BTreeMap<String, Value>) -> EvaluationError {
    for reference in references(code) {
        let mut parts = reference.split('.');
        let mut path = parts.next().unwrap_or_default().to_owned();
        let Some(mut content) = found.get(&path).map(Value::content) else { continue };
        for part in parts {
            let Some(inner) = content.get(part) else {
                let keys = content.as_object().into_iter().flat_map(|map| map.keys());
                let near = crate::nearest::nearest(part, keys.map(String::as_str));
                let near = near.map(|near| format!("; did you mean `{path}.{near}`?"));
                let near = near.unwrap_or_default();
                return EvaluationError::Expression(format!("`{path}` has no `{part}`{near}"));
            };
            content = inner;
            path = format!("{path}.{part}");
        }
    }
    EvaluationError::Expression(format!("`{code}` gives no value"))
}

fn failed(error: &minijinja::Error) -> EvaluationError {
    EvaluationError::Expression(explain(error))
}

/// The message without minijinja's own words for where: the place is told by the slot. A detail may
/// quote the expression, but not a value.
pub(super) fn explain(error: &minijinja::Error) -> String {
    let source = std::error::Error::source(error);
    if let Some(told) = source.and_then(|source| source.downcast_ref::<filters::Told>()) {
        return told.0.clone();
    }
    let kind = error.kind().to_string();
    let Some(detail) = error.detail() else { return kind };
    match error.kind() {
        ErrorKind::SyntaxError | ErrorKind::UnknownFilter | ErrorKind::UnknownFunction => {
            format!("{kind}: {detail}")
        }
        // Others may tell what an expression came to, such as the name of a template.
        _ => kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Dialect;

    struct Fixed;

    impl Names for Fixed {
        fn resolve(&self, reference: &str) -> Result<Value, NameError> {
            match reference.split('.').next().unwrap() {
                "A" => Ok(Value::plain("a")),
                "EMPTY" => Ok(Value::plain("")),
                "S" => Ok(Value::secret("S", "hunter2")),
                "JSON" => Ok(Value::plain(r#"{"user": "root", "n": 1}"#)),
                "arn(S)" => Ok(Value::plain("arn:S")),
                "mixed" => Ok(Value::dictionary(
                    serde_json::json!({"host": "h", "db": {"port": 1, "password": "x"}}),
                    BTreeSet::from(["mixed.db.password".to_owned()]),
                )),
                "app" => Ok(Value::plain(serde_json::json!({"db": {"host": "h", "port": 5432}}))),
                name => Err(NameError::Unset(name.into())),
            }
        }

        fn known(&self) -> Vec<String> {
            vec![]
        }
    }

    fn fill(text: &str) -> Result<String, String> {
        let template = Template::parse(text, Dialect::Shell).unwrap();
        let value = template.evaluate(text, &Fixed).map_err(|error| error.to_string())?;
        Ok(value.text().unwrap())
    }

    #[test]
    fn shell_forms_mean_what_a_shell_means() {
        for (text, expected) in [
            ("$A-${A}", "a-a"),
            ("${A:-x}${NONE:-x}${EMPTY:-x}${EMPTY-x}.", "axx."),
            ("${A:+x}${NONE:+x}${EMPTY:+x}${EMPTY+x}.", "xx."),
            ("${NONE:-${A}$A}", "aa"),
            ("${A:?no}${EMPTY?no}", "a"),
        ] {
            assert_eq!(fill(text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(fill("${NONE:?set it}").unwrap_err(), "`NONE`: set it");
        assert_eq!(fill("${EMPTY:?}").unwrap_err(), "`EMPTY`: is not set");
    }

    #[test]
    fn expressions_reach_into_dictionaries_and_filters() {
        assert_eq!(fill("${app.db.host}:${app.db.port}").as_deref(), Ok("h:5432"));
        assert_eq!(fill("${A | upper}${ 'abcdefghij' | short }").as_deref(), Ok("Aabcdefg"));
        assert_eq!(fill("${NONE | default('x')}${A.x | default('y')}").as_deref(), Ok("xy"));
        assert_eq!(fill("${app.db.host[0:1]}${(A ~ 'bc')[1:]}${A[-1:]}").as_deref(), Ok("hbca"));
        assert_eq!(fill("${JSON.user[1:]}").as_deref(), Ok("oot"));
        assert_eq!(fill("${NONE[1:]}").unwrap_err(), "`NONE` has no value");
    }

    #[test]
    fn what_is_missing_is_named_with_the_nearest() {
        assert_eq!(fill("${NONE | upper}").unwrap_err(), "`NONE` has no value");
        assert_eq!(
            fill("${app.db.hots}").unwrap_err(),
            "`app.db` has no `hots`; did you mean `app.db.host`?"
        );
        assert_eq!(
            fill("x ${app.db}").unwrap_err(),
            "`${app.db}` is a list or a dictionary; name one of its keys"
        );
    }

    #[test]
    fn text_that_is_json_has_keys() {
        assert_eq!(fill("${JSON.user}-${JSON.n}").as_deref(), Ok("root-1"));
        assert_eq!(
            fill("${A.user}").unwrap_err(),
            "`A.user` has no value: `A` is no JSON, so there is no `user` in it"
        );
    }

    #[test]
    fn of_a_dictionary_only_the_parts_that_are_used_count() {
        let secrets = |text: &str| {
            let template = Template::parse(text, Dialect::Shell).unwrap();
            template.evaluate(text, &Fixed).unwrap().secrets().len()
        };
        for public in ["${mixed.host}", "${mixed['host'] | upper}", "${mixed.db.port}"] {
            assert_eq!(secrets(public), 0, "{public}");
        }
        for secret in ["${mixed.db.password}", "${mixed.db | json}", "${mixed | json}"] {
            assert_eq!(secrets(secret), 1, "{secret}");
        }
    }

    #[test]
    fn arns_are_asked_for_by_the_name_of_the_parameter() {
        assert_eq!(fill("${arn('S')}").as_deref(), Ok("arn:S"));
        let template = Template::parse("${arn(\"S\") ~ A}", Dialect::Shell).unwrap();
        assert_eq!(template.references().into_iter().collect::<Vec<_>>(), ["A", "arn(S)"]);
        assert!(fill("${arn(A)}").unwrap_err().contains("must stand there as it is"));
    }

    #[test]
    fn what_is_made_from_a_secret_is_one() {
        let text = "user:${S | upper}";
        let value = Template::parse(text, Dialect::Shell).unwrap().evaluate(text, &Fixed).unwrap();
        assert_eq!(value.secrets().iter().collect::<Vec<_>>(), ["S"]);
        assert_eq!(format!("{value:?}"), "****");
    }
}
