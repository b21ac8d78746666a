//! A template file, and what it becomes.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde::de::IgnoredAny;
use shipspec_spec::config::describe;
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::document::{Kind, Node};
use shipspec_spec::escape::JsonPlace;
use shipspec_spec::expression::{Dialect, Names, Piece, Slot, Template};
use shipspec_spec::source::{Position, Source, Span};
use shipspec_spec::value::Value;

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
    source: Arc<Source>,
    template: Template,
    format: Format,
}

impl TemplateFile {
    /// Reads the text of a template. The format is that of the artifact's ending, else that of the
    /// template's own, else text.
    ///
    /// # Errors
    ///
    /// Every `${` that cannot be read.
    pub fn parse(name: &str, text: String, artifact: &str) -> Result<Self, Diagnostics> {
        let source = Source::new(name, text);
        let format = Format::of(artifact).or_else(|| Format::of(name)).unwrap_or(Format::Text);
        match Template::parse(&source.text, Dialect::Shell) {
            Ok(template) => Ok(Self { source, template, format }),
            Err(errors) => {
                let mut found = Diagnostics::default();
                for error in errors {
                    found.push(Diagnostic::at(Span::new(&source, error.range), error.message));
                }
                Err(found)
            }
        }
    }

    /// Every name that it could ask for.
    #[must_use]
    pub fn references(&self) -> BTreeSet<String> {
        self.template.references()
    }

    /// The text with every slot filled, and the secrets that went into it.
    ///
    /// Text around values stays as it is. In JSON a value is escaped for its place; the result of a
    /// JSON or YAML template is checked to be that, with the structure that the template has.
    ///
    /// # Errors
    ///
    /// Every slot without a value, or what is wrong with the result.
    pub fn fill(&self, artifact: &str, names: &dyn Names) -> Result<(String, Value), Diagnostics> {
        let (mut text, mut parts, mut found) = (String::new(), Vec::new(), Diagnostics::default());
        let mut place = JsonPlace::default();
        for piece in self.template.pieces() {
            match piece {
                Piece::Text(range) => {
                    let literal = &self.source.text[range.clone()];
                    place.pass(literal);
                    text.push_str(literal);
                }
                Piece::Slot(slot) => match self.slot(slot, place, names) {
                    Ok((value, filled)) => {
                        text.push_str(&filled);
                        parts.push(value);
                    }
                    Err(error) => found.push(error),
                },
            }
        }
        found.or(())?;
        self.check(&text, artifact)?;
        Ok((text, Value::made_from(serde_json::Value::Null, &parts)))
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
            Some(escaped) => Ok((value, escaped)),
            None => Err(Diagnostic::at(span(), "the value is no JSON value of its own")
                .with_hint("put the place in quotes to make it a string")),
        }
    }

    /// No message shows the text: a value in it may be one that must not be shown.
    fn check(&self, text: &str, artifact: &str) -> Result<(), Diagnostic> {
        match self.format {
            Format::Text => Ok(()),
            Format::Json => serde_json::from_str::<IgnoredAny>(text).map(drop).map_err(|error| {
                Diagnostic::new(format!("`{artifact}` would not be JSON: {error}"))
                    .with_hint(format!("check `{}`, from which it is made", self.source.name))
            }),
            Format::Yaml => self.check_yaml(text, artifact),
        }
    }

    fn check_yaml(&self, text: &str, artifact: &str) -> Result<(), Diagnostic> {
        let filled = Source::new(artifact, text);
        let node = Node::parse(&filled).map_err(|error| {
            let Position { line, column } =
                error.span.map_or(Position { line: 1, column: 1 }, |span| span.position());
            let message = error.message;
            Diagnostic::new(format!(
                "`{artifact}` would not be YAML: {message} at line {line} column {column}"
            ))
            .with_hint(format!("check `{}`, from which it is made", self.source.name))
        })?;
        // The template as it stands: `$` and `{` are text to YAML inside a word.
        let stand_ins = Source::new(artifact, self.with_stand_ins());
        match Node::parse(&stand_ins) {
            Ok(template) if !same_structure(&template, &node) => {
                Err(Diagnostic::new(format!("a value would change the structure of `{artifact}`"))
                    .with_hint(format!(
                        "put the places for values in `{}` in quotes",
                        self.source.name
                    )))
            }
            _ => Ok(()),
        }
    }

    fn with_stand_ins(&self) -> String {
        let part = |piece: &Piece| match piece {
            Piece::Text(range) => self.source.text[range.clone()].to_owned(),
            Piece::Slot(_) => "x".to_owned(),
        };
        self.template.pieces().iter().map(part).collect()
    }
}

/// Two trees have the same lists and maps, whatever their scalars hold.
fn same_structure(one: &Node, other: &Node) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::Scalar { .. }, Kind::Scalar { .. }) | (Kind::Alias, Kind::Alias) => true,
        (Kind::List(one), Kind::List(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| same_structure(one, other))
        }
        (Kind::Map(one), Kind::Map(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| {
                    same_structure(&one.0, &other.0) && same_structure(&one.1, &other.1)
                })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;
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
        let file = TemplateFile::parse("template", template.into(), artifact).unwrap();
        match file.fill(artifact, &names) {
            Ok((text, _)) => text,
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
        assert_snapshot!(fill("a: [${A}", "x.yaml", &[("A", "1")]), @"`x.yaml` would not be YAML: unclosed bracket '[' at line 1 column 4");
        assert_snapshot!(fill("a: ${A}\n", "x.yaml", &[("A", "1\nb: 2")]), @"a value would change the structure of `x.yaml`");
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
