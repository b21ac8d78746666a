//! A Terraform template, and what it becomes: each part is written for the place where it lands.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::IgnoredAny;
use shipspec_spec::config::{TemplateConfig, describe};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::escape::{JsonPlace, Part, YamlError, fill_yaml};
use shipspec_spec::expression::{
    Names, TerraformError, TerraformOrigin, TerraformPart, TerraformTemplate,
};
use shipspec_spec::source::{Source, Span};
use shipspec_spec::value::{UNKNOWN, Value};

use crate::template::Format;

/// Reads the text of a template.
pub(crate) fn parse(
    source: &Arc<Source>,
    config: &TemplateConfig,
) -> Result<TerraformTemplate, Diagnostics> {
    let mut found = Diagnostics::default();
    let keys = [("only", config.only.is_some()), ("placeholders", !config.placeholders.is_empty())];
    for (key, _) in keys.into_iter().filter(|(_, is_said)| *is_said) {
        let message = format!(
            "`{key}` is for templates of the shell dialect, and `{}` is one of Terraform's",
            source.name
        );
        let hint = "say `dialect: shell` if its names are to be filled as a shell would";
        found.push(Diagnostic::at(config.path.span().clone(), message).with_hint(hint));
    }
    match TerraformTemplate::parse(&source.text) {
        Ok(template) => found.or(template),
        Err(errors) => {
            for error in errors {
                found.push(error.into_diagnostic(|range| Span::new(source, range)));
            }
            Err(found)
        }
    }
}

/// The text with every value in its place, and the secrets that went into it.
pub(crate) fn fill(
    source: &Arc<Source>,
    format: Format,
    template: &TerraformTemplate,
    names: &dyn Names,
) -> Result<(String, Value), Diagnostics> {
    let filled = template.fill(names).map_err(|errors| {
        let mut found = Diagnostics::default();
        for error in errors {
            found.push(told(source, error, names));
        }
        found
    })?;
    let text = match format {
        Format::Text => filled.parts.iter().map(|part| &*part.text).collect(),
        Format::Json => json(source, &filled.parts)?,
        Format::Yaml => yaml(source, &filled.parts)?,
    };
    Ok((text, filled.used))
}

fn told(source: &Arc<Source>, error: TerraformError, names: &dyn Names) -> Diagnostic {
    let told = describe(Span::new(source, error.range), &error.error, names);
    Diagnostic { hint: error.hint.or(told.hint), ..told }
}

fn json(source: &Arc<Source>, parts: &[TerraformPart]) -> Result<String, Diagnostics> {
    let (mut text, mut place) = (String::new(), JsonPlace::default());
    let mut found = Diagnostics::default();
    for part in parts {
        let at = || Span::new(source, part.range.clone());
        match part.origin {
            TerraformOrigin::Template => {
                place.pass(&part.text);
                text.push_str(&part.text);
            }
            TerraformOrigin::Value { .. } if !place.is_in_string() && is_unknown(&part.text) => {
                text.extend(['"', UNKNOWN, '"']);
            }
            TerraformOrigin::Value { .. } => {
                match place.escape(&part.text) {
                    Ok(escaped) => text.push_str(&escaped),
                    Err(error) => found.push(Diagnostic::at(at(), error.to_string()).with_hint(
                        "put the place in quotes to make it a string, or use `jsonencode`",
                    )),
                }
            }
            TerraformOrigin::Json { is_whole } => match encoded(&part.text, place, is_whole) {
                Ok(()) => text.push_str(&part.text),
                Err((message, hint)) => found.push(Diagnostic::at(at(), message).with_hint(hint)),
            },
        }
    }
    found.or(text)
}

fn is_unknown(text: &str) -> bool {
    text.chars().eq([UNKNOWN])
}

/// What `jsonencode` made may stand there as it is; else what is wrong, and what to do.
fn encoded(
    text: &str,
    place: JsonPlace,
    is_whole: bool,
) -> Result<(), (&'static str, &'static str)> {
    if !place.is_in_string() {
        return if is_whole {
            Ok(())
        } else {
            Err((
                "a part of what `jsonencode` made stands outside of a string",
                "change the value before it is encoded",
            ))
        };
    }
    let is_in_one_string = serde_json::from_str::<IgnoredAny>(&format!("\"{text}\"")).is_ok();
    if is_in_one_string && place.escape("").is_ok() {
        return Ok(());
    }
    Err((
        "what `jsonencode` made would end the string that it stands in",
        "`jsonencode` writes its own quotes: take those around the place away, or take the value \
         without `jsonencode`",
    ))
}

fn yaml(source: &Arc<Source>, parts: &[TerraformPart]) -> Result<String, Diagnostics> {
    let texts: Vec<_> = parts
        .iter()
        .map(|part| match part.origin {
            TerraformOrigin::Json { .. } => json_for_yaml(&part.text),
            _ => Cow::Borrowed(&*part.text),
        })
        .collect();
    let written = parts.iter().zip(&texts).map(|(part, text)| match part.origin {
        TerraformOrigin::Value { is_text } => {
            Part::Value { text: text.clone().into_owned(), is_text }
        }
        _ => Part::Text(text),
    });
    fill_yaml(&written.collect::<Vec<_>>()).map_err(|error| match &error {
        YamlError::Template { part, .. } => {
            let range = parts.get(*part).map_or(0..0, |part| part.range.clone());
            Diagnostic::at(Span::new(source, range), format!("this is no YAML: {error}")).into()
        }
        YamlError::Structure => {
            let message = format!("{error} (in `{}`)", source.name);
            Diagnostic::new(message).with_hint("put the places for values in quotes").into()
        }
    })
}

/// JSON that means the same in a plain, a quoted and a flow place of YAML: what would end one of them
/// is escaped as JSON can.
fn json_for_yaml(json: &str) -> Cow<'_, str> {
    if !json.contains(['\'', '#', ':']) {
        return json.into();
    }
    json.replace('\'', "\\u0027").replace(": ", ":\\u0020").replace(" #", "\\u0020#").into()
}
