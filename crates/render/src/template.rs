//! A template file, and what it becomes.

mod jinja;
mod shell;
mod terraform;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde::de::IgnoredAny;
use shipspec_spec::config::{TemplateConfig, TemplateDialect};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::document::Node;
use shipspec_spec::expression::{JinjaTemplate, Names, Template, TerraformTemplate};
use shipspec_spec::source::{Position, Source};

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
            TemplateDialect::Shell => {
                let template = shell::parse(&source, config)?;
                notes.extend(shell::note_absent(&template, name, config));
                Body::Shell(template)
            }
            TemplateDialect::Jinja => Body::Jinja(jinja::parse(&source, config)?),
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
        let filled = match &self.body {
            Body::Shell(template) => self.fill_shell(template, names)?,
            Body::Jinja(template) => self.fill_jinja(template, names)?,
            Body::Terraform(template) => self.fill_terraform(template, names)?,
        };
        // YAML was proved while values were put in.
        let is_proved = matches!((&self.body, self.format), (Body::Shell(_), Format::Yaml));
        if !is_proved {
            self.check(&filled.text, artifact)?;
        }
        let notes = self.notes.iter().cloned().chain(filled.notes).collect();
        Ok(Filled { notes, ..filled })
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

/// What shipspec.yml says of a template and only one of the shell dialect can have; `whose` is its own.
fn shell_only(source: &Arc<Source>, config: &TemplateConfig, whose: &str) -> Diagnostics {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;
    use shipspec_spec::config::Text;
    use shipspec_spec::expression::NameError;
    use shipspec_spec::value::Value;

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
