//! Templates that envsubst could fill, and more.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use shipspec_spec::config::{TemplateConfig, describe};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::escape::{JsonPlace, Part, YamlError, fill_yaml};
use shipspec_spec::expression::{Dialect, Expression, Names, Operator, Piece, Slot, Template};
use shipspec_spec::source::{Source, Span};
use shipspec_spec::value::Value;

use super::{Filled, Format, TemplateFile};

/// Reads the text of a template.
pub(super) fn parse(
    source: &Arc<Source>,
    config: &TemplateConfig,
) -> Result<Template, Diagnostics> {
    let parsed = match &config.only {
        Some(names) => Template::parse_only(&source.text, Dialect::Shell, names),
        None => Template::parse(&source.text, Dialect::Shell),
    };
    let at = |range| Span::new(source, range);
    let template = parsed.map_err(|errors| {
        errors.into_iter().map(|error| error.into_diagnostic(at)).collect::<Diagnostics>()
    })?;
    let nested: Vec<_> =
        config.placeholders.iter().map(|(name, text)| (name.clone(), text.nested())).collect();
    let (template, missing) = template.with_placeholders(&source.text, &nested);
    let absent = |name| {
        let message = format!("the placeholder `{name}` does not occur in `{}`", source.name);
        Diagnostic::at(config.placeholders[&name].span().clone(), message)
    };
    missing.into_iter().map(absent).collect::<Diagnostics>().or(template)
}

/// Names of `only:` that the template does not have: one of them may be a slip, and then nothing is filled.
pub(super) fn note_absent(
    template: &Template,
    name: &str,
    config: &TemplateConfig,
) -> Option<String> {
    let names = template.references();
    let roots: BTreeSet<_> =
        names.iter().map(|name| name.split('.').next().unwrap_or(name)).collect();
    let listed = config.only.iter().flatten();
    let absent: Vec<_> = listed.filter(|name| !roots.contains(&***name)).collect();
    let names = absent.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    (!absent.is_empty()).then(|| format!("`only` names {names}, and `{name}` does not"))
}

impl TemplateFile {
    /// The text with every slot filled.
    pub(super) fn fill_shell(
        &self,
        template: &Template,
        names: &dyn Names,
    ) -> Result<Filled, Diagnostics> {
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
        Ok(Filled { text, secrets, notes })
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
}

fn joined(parts: &[Part<'_>]) -> String {
    let mut text = String::with_capacity(parts.iter().map(|part| part.as_str().len()).sum());
    text.extend(parts.iter().map(Part::as_str));
    text
}
