//! A template file, and what it becomes.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde::de::IgnoredAny;
use shipspec_spec::config::{TemplateConfig, TemplateDialect, describe};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::document::Node;
use shipspec_spec::escape::{JsonPlace, Part, YamlError, fill_yaml};
use shipspec_spec::expression::{
    Dialect, Expression, JinjaError, JinjaPart, JinjaTemplate, Names, Operator, Piece, Slot,
    Template, TerraformTemplate,
};
use shipspec_spec::source::{Position, Source, Span};
use shipspec_spec::value::Value;

use crate::terraform;

/// What some editors put in front of a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// What a file has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// Anything.
    Text,
}

impl Format {
    /// By the ending of a path.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        match Path::new(path).extension()?.to_str()? {
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }
}

/// A template that was read.
#[derive(Debug, Clone)]
pub struct TemplateFile {
    pub(crate) source: Arc<Source>,
    pub(crate) body: Body,
    pub(crate) format: Format,
    notes: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    Shell(Template),
    Jinja(JinjaTemplate),
    Terraform(TerraformTemplate),
}

/// A template that was filled.
#[derive(Clone)]
pub struct Filled {
    /// The whole text.
    pub text: String,
    /// The secrets that went into it.
    pub secrets: BTreeSet<String>,
    /// What the author may want to know, though nothing is wrong.
    pub notes: Vec<String>,
}

impl TemplateFile {
    /// Reads the text of a template. The format is that of the artifact's ending, else that of the
    /// template's own, else text.
    ///
    /// # Errors
    ///
    /// Every `${` that cannot be read, and placeholders that do not occur.
    pub fn parse(
        name: &str,
        text: impl Into<String>,
        artifact: &str,
        config: &TemplateConfig,
    ) -> Result<Self, Diagnostics> {
        let (plain_name, by_ending) = by_ending(name);
        let format =
            Format::of(artifact).or_else(|| Format::of(plain_name)).unwrap_or(Format::Text);
        let mut notes = Vec::new();
        let mut text = text.into();
        if format == Format::Json && text.starts_with(BYTE_ORDER_MARK) {
            notes.push(format!(
                "`{name}` begins with a byte-order mark, which JSON must not have; it is dropped"
            ));
            text.drain(..BYTE_ORDER_MARK.len_utf8());
        }
        let source = Source::new(name, text);
        let body = match config.dialect.unwrap_or(by_ending) {
            TemplateDialect::Shell => parse_shell(&source, config)?,
            TemplateDialect::Jinja => parse_jinja(&source, config)?,
            TemplateDialect::Terraform => Body::Terraform(terraform::parse(&source, config)?),
        };
        Ok(Self { source, body, format, notes })
    }

    /// Every name that it could ask for.
    #[must_use]
    pub fn references(&self) -> BTreeSet<String> {
        match &self.body {
            Body::Shell(template) => template.references(),
            Body::Jinja(template) => template.references(),
            Body::Terraform(template) => template.references(),
        }
    }

    /// The text with every slot filled.
    ///
    /// Text around values stays as it is. In JSON and YAML a value is written for its place; the
    /// result is checked to be what the artifact has to be.
    ///
    /// # Errors
    ///
    /// Every slot without a value, or what is wrong with the result.
    pub fn fill(&self, artifact: &str, names: &dyn Names) -> Result<Filled, Diagnostics> {
        let (text, secrets, defaults) = match &self.body {
            Body::Shell(template) => self.fill_shell(template, names)?,
            Body::Jinja(template) => {
                let (text, used) = self.fill_jinja(template, names)?;
                (text, used.secrets().clone(), Vec::new())
            }
            Body::Terraform(template) => {
                let (text, used) = terraform::fill(&self.source, self.format, template, names)?;
                (text, used.secrets().clone(), Vec::new())
            }
        };
        // YAML was proved while values were put in.
        let is_proved = matches!((&self.body, self.format), (Body::Shell(_), Format::Yaml));
        if !is_proved {
            self.check(&text, artifact)?;
        }
        let notes = self.notes.iter().cloned().chain(defaults).collect();
        Ok(Filled { text, secrets, notes })
    }

    fn fill_shell(
        &self,
        template: &Template,
        names: &dyn Names,
    ) -> Result<(String, BTreeSet<String>, Vec<String>), Diagnostics> {
        let mut parts = Vec::with_capacity(template.pieces().len());
        let (mut secrets, mut notes) = (BTreeSet::new(), Vec::new());
        let (mut place, mut found) = (JsonPlace::default(), Diagnostics::default());
        for piece in template.pieces() {
            match piece {
                Piece::Text(range) => {
                    let literal = &self.source.text[range.clone()];
                    if self.format == Format::Json {
                        place.pass(literal);
                    }
                    parts.push(Part::Text(literal));
                }
                Piece::Slot(slot) => match self.slot(slot, place, names) {
                    Ok((value, text)) => {
                        notes.extend(self.slot_note(slot, &text, names));
                        parts.push(Part::Value { text, is_text: value.is_tool_made() });
                        secrets.extend(value.secrets().iter().cloned());
                    }
                    Err(error) => found.push(error),
                },
            }
        }
        found.or(())?;
        let text = match self.format {
            Format::Yaml => fill_yaml(&parts).map_err(|error| self.yaml_error(template, &error))?,
            Format::Json | Format::Text => joined(&parts),
        };
        Ok((text, secrets, notes))
    }

    fn fill_jinja(
        &self,
        template: &JinjaTemplate,
        names: &dyn Names,
    ) -> Result<(String, Value), Diagnostics> {
        let filled = template.fill(names).map_err(|error| jinja_error(&self.source, &error))?;
        let text = match (self.format, &filled.parts) {
            (Format::Text, _) => filled.text,
            // It is checked afterwards; no value can have changed its structure.
            (_, None) if filled.is_harmless => filled.text,
            (Format::Json, Some(parts)) => self.jinja_json(parts)?,
            (Format::Yaml, Some(parts)) => {
                let parts: Vec<_> = parts.iter().map(yaml_part).collect();
                match fill_yaml(&parts) {
                    // A template that prints the structure itself is no YAML without its values.
                    Err(YamlError::Template { .. }) if filled.is_harmless => filled.text,
                    Err(YamlError::Template { .. }) => return Err(self.unclear().into()),
                    filled => filled.map_err(|error| {
                        Diagnostic::new(format!("{error} (in `{}`)", self.source.name))
                    })?,
                }
            }
            (_, None) => return Err(self.unclear().into()),
        };
        Ok((text, filled.used))
    }

    fn jinja_json(&self, parts: &[JinjaPart]) -> Result<String, Diagnostic> {
        let (mut filled, mut place) = (String::new(), JsonPlace::default());
        for part in parts {
            match part {
                JinjaPart::Text(text) => {
                    place.pass(text);
                    filled.push_str(text);
                }
                JinjaPart::Value { is_mixed: true, .. } if !place.is_in_string() => {
                    return Err(self.unclear());
                }
                JinjaPart::Value { text, .. } => {
                    let escaped = place.escape_or_sign(text).map_err(|error| {
                        Diagnostic::new(format!("{}: {error}", self.source.name)).with_hint(
                            "put the place in quotes to make it a string, or use the filter `json`",
                        )
                    })?;
                    filled.push_str(&escaped);
                }
            }
        }
        Ok(filled)
    }

    /// Values that might change the structure of the file, where it cannot be told what is a value.
    fn unclear(&self) -> Diagnostic {
        let message = format!(
            "{}: text with values in it is put together or compared, so that values cannot be \
             escaped for their places, and one of them has signs of {}",
            self.source.name,
            if self.format == Format::Json { "JSON" } else { "YAML" },
        );
        Diagnostic::new(message)
            .with_hint("print such values directly, or build the structure with the filter `json`")
    }

    fn slot(
        &self,
        slot: &Slot,
        place: JsonPlace,
        names: &dyn Names,
    ) -> Result<(Value, String), Diagnostic> {
        let span = || Span::new(&self.source, slot.range.clone());
        let (value, text) =
            slot.text(&self.source.text, names).map_err(|error| describe(span(), &error, names))?;
        if self.format != Format::Json {
            return Ok((value, text));
        }
        match place.escape(&text) {
            Ok(Cow::Borrowed(_)) => Ok((value, text)),
            Ok(Cow::Owned(escaped)) => Ok((value, escaped)),
            Err(error) => Err(Diagnostic::at(span(), error.to_string()).with_hint(error.hint())),
        }
    }

    /// What may be meant otherwise: a default that was used may be one for the shell in a container,
    /// and a value that is empty one that was forgotten.
    fn slot_note(&self, slot: &Slot, text: &str, names: &dyn Names) -> Option<String> {
        let note = match &slot.expression {
            Expression::Name(_) if text.is_empty() => "is set, but empty",
            Expression::Conditional(conditional) if conditional.operator == Operator::Default => {
                let value = names.resolve(&conditional.name).ok().and_then(|value| value.text());
                let is_set =
                    value.is_some_and(|text| !(conditional.empty_is_unset && text.is_empty()));
                if is_set {
                    return None;
                }
                "came to its default"
            }
            _ => return None,
        };
        let span = Span::new(&self.source, slot.range.clone());
        Some(format!("{span}: `{}` {note}", &self.source.text[slot.range.clone()]))
    }

    fn yaml_error(&self, template: &Template, error: &YamlError) -> Diagnostic {
        let YamlError::Template { part, offset, .. } = error else {
            let message = format!("{error} (in `{}`)", self.source.name);
            return Diagnostic::new(message).with_hint("put the places for values in quotes");
        };
        let at = match template.pieces().get(*part) {
            Some(Piece::Text(range)) => (range.start + offset).min(range.end),
            Some(Piece::Slot(slot)) => slot.range.start,
            None => self.source.text.len(),
        };
        Diagnostic::at(Span::new(&self.source, at..at), format!("this is no YAML: {error}"))
    }

    /// No message shows the text: a value in it may be one that must not be shown.
    fn check(&self, text: &str, artifact: &str) -> Result<(), Diagnostic> {
        let wrong = |what: &str, message: String| {
            Diagnostic::new(format!("`{artifact}` would not be {what}: {message}"))
                .with_hint(format!("check `{}`, from which it is made", self.source.name))
        };
        match self.format {
            Format::Text => Ok(()),
            Format::Json => serde_json::from_str::<IgnoredAny>(text)
                .map(drop)
                .map_err(|error| wrong("JSON", error.to_string())),
            Format::Yaml => Node::parse(&Source::new(artifact, text)).map(drop).map_err(|error| {
                let position = error.span.map(|span| span.position());
                let Position { line, column } = position.unwrap_or(Position { line: 1, column: 1 });
                wrong("YAML", format!("{} at line {line} column {column}", error.message))
            }),
        }
    }
}

fn joined(parts: &[Part<'_>]) -> String {
    let mut text = String::with_capacity(parts.iter().map(|part| part.as_str().len()).sum());
    text.extend(parts.iter().map(Part::as_str));
    text
}

/// The name of a template without the ending that tells its language, and that language.
fn by_ending(name: &str) -> (&str, TemplateDialect) {
    let endings = [
        (".j2", TemplateDialect::Jinja),
        (".tpl", TemplateDialect::Terraform),
        (".tftpl", TemplateDialect::Terraform),
    ];
    let found =
        endings.iter().find_map(|(ending, dialect)| Some((name.strip_suffix(ending)?, *dialect)));
    found.unwrap_or((name, TemplateDialect::Shell))
}

/// What a Jinja template printed, as a part of a YAML template.
fn yaml_part(part: &JinjaPart) -> Part<'_> {
    match part {
        JinjaPart::Text(text) => Part::Text(text),
        JinjaPart::Value { text, is_text, .. } => {
            Part::Value { text: text.clone(), is_text: *is_text }
        }
    }
}

fn parse_shell(source: &Arc<Source>, config: &TemplateConfig) -> Result<Body, Diagnostics> {
    let mut found = Diagnostics::default();
    let parsed = match &config.only {
        Some(names) => Template::parse_only(&source.text, Dialect::Shell, names),
        None => Template::parse(&source.text, Dialect::Shell),
    };
    let template = parsed.map_err(|errors| {
        for error in errors {
            found.push(error.into_diagnostic(|range| Span::new(source, range)));
        }
        std::mem::take(&mut found)
    })?;
    let nested: Vec<_> =
        config.placeholders.iter().map(|(name, text)| (name.clone(), text.nested())).collect();
    let (template, missing) = template.with_placeholders(&source.text, &nested);
    for name in missing {
        let span = config.placeholders[&name].span().clone();
        let message = format!("the placeholder `{name}` does not occur in `{}`", source.name);
        found.push(Diagnostic::at(span, message));
    }
    found.or(Body::Shell(template))
}

fn parse_jinja(source: &Arc<Source>, config: &TemplateConfig) -> Result<Body, Diagnostics> {
    let mut found = shell_only(source, config, "Jinja's");
    match JinjaTemplate::parse(&source.name, &source.text) {
        Ok(template) => found.or(Body::Jinja(template)),
        Err(error) => {
            found.push(jinja_error(source, &error));
            Err(found)
        }
    }
}

/// What shipspec.yml says of a template and only one of the shell dialect can have; `whose` is its own.
pub(crate) fn shell_only(
    source: &Arc<Source>,
    config: &TemplateConfig,
    whose: &str,
) -> Diagnostics {
    let mut found = Diagnostics::default();
    let keys = [("only", config.only.is_some()), ("placeholders", !config.placeholders.is_empty())];
    for (key, _) in keys.into_iter().filter(|(_, is_said)| *is_said) {
        let message = format!(
            "`{key}` is for templates of the shell dialect, and `{}` is one of {whose}",
            source.name
        );
        let hint = "say `dialect: shell` if its names are to be filled as a shell would";
        found.push(Diagnostic::at(config.path.span().clone(), message).with_hint(hint));
    }
    found
}

fn jinja_error(source: &Arc<Source>, error: &JinjaError) -> Diagnostic {
    let is_premature = error.is_premature;
    let Some(line) = error.line else {
        let message = format!("{}: {error}", source.name);
        return Diagnostic { is_premature, ..Diagnostic::new(message) };
    };
    let before: usize = source.text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let length = source.text[before..].lines().next().map_or(0, |text| text.trim_end().len());
    let span = Span::new(source, before..before + length);
    Diagnostic { is_premature, ..Diagnostic::at(span, error.message.clone()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;
    use shipspec_spec::config::Text;
    use shipspec_spec::expression::NameError;

    use super::*;

    struct Fixed(BTreeMap<&'static str, &'static str>);

    impl Names for Fixed {
        fn resolve(&self, reference: &str) -> Result<Value, NameError> {
            let value = self.0.get(reference).map(|text| Value::plain(*text));
            value.ok_or_else(|| NameError::Unset(reference.into()))
        }

        fn known(&self) -> Vec<String> {
            self.0.keys().map(|name| (*name).to_owned()).collect()
        }
    }

    fn fill(template: &str, artifact: &str, names: &[(&'static str, &'static str)]) -> String {
        let names = Fixed(names.iter().copied().collect());
        let config = TemplateConfig::new(Text::literal("test", "template"));
        let file = TemplateFile::parse("template", template, artifact, &config).unwrap();
        match file.fill(artifact, &names) {
            Ok(filled) => filled.text,
            Err(errors) => errors.to_string(),
        }
    }

    #[test]
    fn text_around_values_stays_byte_for_byte() {
        let template = "{\r\n  \"a\" : \"${A}\",\t\"b\":[ $N ]}";
        assert_eq!(
            fill(template, "x.json", &[("A", "1"), ("N", "2")]),
            "{\r\n  \"a\" : \"1\",\t\"b\":[ 2 ]}"
        );
    }

    #[test]
    fn a_value_stays_in_its_string() {
        assert_eq!(
            fill(r#"{"a": "${A}"}"#, "x.json", &[("A", "x\", \"b\": \"\\")]),
            r#"{"a": "x\", \"b\": \"\\"}"#
        );
    }

    #[test]
    fn every_name_without_a_value_is_told_with_its_place() {
        assert_snapshot!(fill("{\n \"a\": \"${FAMLY}\",\n \"b\": \"$B\" }", "x.json", &[("FAMILY", "f")]), @r"
        template:2:8: `FAMLY` has no value
        template:3:8: `B` has no value
        ");
    }

    #[test]
    fn what_would_be_broken_is_told_without_its_text() {
        assert_snapshot!(fill("{\"a\": ${A}}", "x.json", &[("A", "eighty")]), @"template:1:7: the value is no JSON value of its own");
        assert_snapshot!(fill("{\"a\": 1,}", "x.json", &[]), @"`x.json` would not be JSON: key must be a string at line 1 column 9");
        assert_snapshot!(fill("a: [${A}", "x.yaml", &[("A", "1")]), @"template:1:4: this is no YAML: unclosed bracket '['");
        assert_snapshot!(fill("a: ${A}\n", "x.yaml", &[("A", "1\nb: 2")]), @r#"a: "1\nb: 2""#);
    }

    #[test]
    fn placeholders_of_codepipeline_pass_through() {
        let template = "TaskDefinition: <TASK_DEFINITION>\nContainerName: $NAME\n";
        assert_eq!(
            fill(template, "appspec.yaml", &[("NAME", "web")]),
            "TaskDefinition: <TASK_DEFINITION>\nContainerName: web\n"
        );
    }
}
