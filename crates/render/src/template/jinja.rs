//! Templates in minijinja's language.

use std::sync::Arc;

use shipspec_spec::config::{TemplateConfig, describe};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::escape::{JsonPlace, Part, YamlError, fill_yaml};
use shipspec_spec::expression::{
    EvaluationError, JinjaError, JinjaPart, JinjaTemplate, NameError, Names,
};
use shipspec_spec::source::{Source, Span};

use super::{Filled, Format, TemplateFile, shell_only};

/// Reads the text of a template.
pub(super) fn parse(
    source: &Arc<Source>,
    config: &TemplateConfig,
) -> Result<JinjaTemplate, Diagnostics> {
    let mut found = shell_only(source, config, "Jinja's");
    match JinjaTemplate::parse(&source.name, &source.text) {
        Ok(template) => found.or(template),
        Err(error) => {
            found.push(jinja_error(source, &error, None));
            Err(found)
        }
    }
}

impl TemplateFile {
    /// The text that the template comes to.
    pub(super) fn fill_jinja(
        &self,
        template: &JinjaTemplate,
        names: &dyn Names,
    ) -> Result<Filled, Diagnostics> {
        let told = |error| jinja_error(&self.source, &error, Some(names));
        let filled = template
            .fill(names)
            .map_err(|errors| errors.into_iter().map(told).collect::<Diagnostics>())?;
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
        Ok(Filled { text, secrets: filled.used.secrets().clone(), notes: Vec::new() })
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

/// The error at its place, with the name that may be meant where names are known.
fn jinja_error(source: &Arc<Source>, error: &JinjaError, names: Option<&dyn Names>) -> Diagnostic {
    let told = match (&error.range, names) {
        (Some(range), Some(names)) => {
            return describe(Span::new(source, range.clone()), &error.error, names);
        }
        (Some(range), None) => {
            return Diagnostic::at(Span::new(source, range.clone()), error.to_string());
        }
        (None, _) => Diagnostic::new(format!("{}: {error}", source.name)),
    };
    let is_premature = matches!(error.error, EvaluationError::Name(NameError::Later { .. }));
    Diagnostic { is_premature, ..told }
}
