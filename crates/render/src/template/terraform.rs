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
use shipspec_spec::value::UNKNOWN;

use super::{Filled, Format, TemplateFile, shell_only};

/// Reads the text of a template.
pub(super) fn parse(
    source: &Arc<Source>,
    config: &TemplateConfig,
) -> Result<TerraformTemplate, Diagnostics> {
    let mut found = shell_only(source, config, "Terraform's");
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

impl TemplateFile {
    /// The text with every value in its place.
    pub(super) fn fill_terraform(
        &self,
        template: &TerraformTemplate,
        names: &dyn Names,
    ) -> Result<Filled, Diagnostics> {
        let told = |error| told(&self.source, error, names);
        let filled = template
            .fill(names)
            .map_err(|errors| errors.into_iter().map(told).collect::<Diagnostics>())?;
        let text = match self.format {
            Format::Text => filled.parts.iter().map(|part| &*part.text).collect(),
            Format::Json => json(&self.source, &filled.parts)?,
            Format::Yaml => yaml(&self.source, &filled.parts)?,
        };
        Ok(Filled { text, secrets: filled.used.secrets().clone(), notes: Vec::new() })
    }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use shipspec_spec::config::{TemplateDialect, Text};
    use shipspec_spec::expression::NameError;

    use shipspec_spec::value::Value;

    use super::*;

    struct Fixed(BTreeMap<String, serde_json::Value>);

    impl Names for Fixed {
        fn resolve(&self, reference: &str) -> Result<Value, NameError> {
            let name = reference.split('.').next().unwrap_or(reference);
            match self.0.get(name) {
                Some(value) if name == "COMMIT" => Ok(Value::tool_made(value.clone())),
                Some(value) => Ok(Value::plain(value.clone())),
                None => Err(NameError::Unset(name.into())),
            }
        }

        fn known(&self) -> Vec<String> {
            self.0.keys().cloned().collect()
        }
    }

    fn fill(template: &str, artifact: &str, values: serde_json::Value) -> String {
        let names = Fixed(serde_json::from_value(values).unwrap());
        let config = TemplateConfig::new(Text::literal("test", "t.tpl"));
        let file = match TemplateFile::parse("t.tpl", template, artifact, &config) {
            Ok(file) => file,
            Err(errors) => return errors.to_string(),
        };
        match file.fill(artifact, &names) {
            Ok(filled) => filled.text,
            Err(errors) => errors.to_string(),
        }
    }

    #[test]
    fn a_value_stays_in_its_string_and_in_its_place() {
        let values = json!({"a": "x\", \"b\": \"\\", "n": "80", "list": ["p\"q", "r"]});
        for (template, expected) in [
            (r#"{"a": "${a}"}"#, r#"{"a": "x\", \"b\": \"\\"}"#),
            (r#"{"a": "${upper(a)}!"}"#, r#"{"a": "X\", \"B\": \"\\!"}"#),
            (r#"{"a": ${n}, "b": "${n}"}"#, r#"{"a": 80, "b": "80"}"#),
            (r#"{"a": ${jsonencode(a)}}"#, r#"{"a": "x\", \"b\": \"\\"}"#),
            (r#"{"a": ${jsonencode(list)}}"#, r#"{"a": ["p\"q","r"]}"#),
            // Structure that the author wrote in an expression is structure, and values in it are values.
            (r#"{"a": ["${join("\",\"", list)}"]}"#, r#"{"a": ["p\"q","r"]}"#),
            (
                r#"{"a": [${join(",", [for x in list : "{\"k\":\"${x}\"}"])}]}"#,
                r#"{"a": [{"k":"p\"q"},{"k":"r"}]}"#,
            ),
            // What is escaped by hand is escaped once.
            (
                r#"{"a": "${replace(replace(a, "\\", "\\\\"), "\"", "\\\"")}"}"#,
                r#"{"a": "x\", \"b\": \"\\"}"#,
            ),
            (r#"{"a": "${trim(jsonencode(list[0]), "\"")}"}"#, r#"{"a": "p\"q"}"#),
            (
                r#"[${jsonencode(["1"])}, ${replace(jsonencode(["1"]), "\"", "")}]"#,
                r#"[["1"], [1]]"#,
            ),
        ] {
            assert_eq!(fill(template, "x.json", values.clone()), expected, "{template}");
        }
    }

    #[test]
    fn what_would_break_the_structure_is_refused() {
        let values = json!({"a": "x\"y", "list": [1]});
        for (template, message) in [
            (r#"{"a": ${a}}"#, "t.tpl:1:7: the value is no JSON value of its own"),
            (
                r#"{"a": "${jsonencode(a)}"}"#,
                "t.tpl:1:8: what `jsonencode` made would end the string that it stands in",
            ),
            (
                r#"{"a": ${trim(jsonencode(list), "[")}}"#,
                "t.tpl:1:7: a part of what `jsonencode` made stands outside of a string",
            ),
            (r#"{"a": "\${a}"}"#, "t.tpl:1:9: a backslash stands before the value"),
            (r#"{"a": 1,}"#, "`x.json` would not be JSON: key must be a string at line 1 column 9"),
            (
                "${A:-b} ${up(1)}",
                "t.tpl:1:4: `}` is wanted to close `${`, and here is `:`\nt.tpl:1:11: there is no function `up` here",
            ),
        ] {
            assert_eq!(fill(template, "x.json", values.clone()), message, "{template}");
        }
    }

    #[test]
    fn the_dialect_is_told_by_the_ending_or_by_a_word() {
        let parse = |name: &str, dialect, only: Option<&str>| {
            let config = TemplateConfig {
                dialect,
                only: only.map(|name| vec![name.to_owned()]),
                ..TemplateConfig::new(Text::literal("test", name))
            };
            let file =
                TemplateFile::parse(name, "\"%{ if true }${a}%{ endif }\"", "x.txt", &config)?;
            let names = Fixed(BTreeMap::from([("a".to_owned(), json!(1))]));
            file.fill("x.txt", &names).map(|filled| filled.text)
        };
        for (name, dialect, expected) in [
            ("t.tpl", None, "1"),
            ("t.json.tftpl", None, "1"),
            ("t.json", Some(TemplateDialect::Terraform), "1"),
            ("t.tpl", Some(TemplateDialect::Shell), "%{ if true }1%{ endif }"),
            ("t.json", None, "%{ if true }1%{ endif }"),
        ] {
            assert_eq!(parse(name, dialect, None).unwrap(), format!("\"{expected}\""), "{name}");
        }
        for (name, whose) in [("t.tpl", "Terraform's"), ("t.j2", "Jinja's")] {
            let refused = parse(name, None, Some("a")).unwrap_err().to_string();
            assert!(refused.contains(&format!("is one of {whose}")), "{refused}");
        }
        let refused = parse("t.tpl", None, Some("a")).unwrap_err().to_string();
        assert!(refused.contains("`only` is for templates of the shell dialect"), "{refused}");
    }

    #[test]
    fn yaml_keeps_its_structure_too() {
        let values = json!({"a": "x: y", "COMMIT": "1234567", "m": {"k": "it's # : a"}, "list": ["p", "q: r"]});
        for (template, expected) in [
            ("a: ${a}\nb: ${COMMIT}\n", "a: \"x: y\"\nb: \"1234567\"\n"),
            ("m: ${jsonencode(m)}\n", "m: {\"k\":\"it\\u0027s\\u0020# :\\u0020a\"}\n"),
            ("%{ for x in list ~}\n- ${x}\n%{ endfor ~}\n", "- p\n- \"q: r\"\n"),
        ] {
            assert_eq!(fill(template, "x.yaml", values.clone()), expected, "{template}");
        }
        assert_eq!(fill("%{ if true }a ${a}%{ endif }", "x.txt", values), "a x: y");
    }

    proptest::proptest! {
        #[test]
        fn no_value_changes_the_structure_of_json(text in ".*") {
            let template = r#"{"a": "<${v}>",
                "b": [%{ for i, x in [v, v] }%{ if i > 0 },%{ endif }"${x}"%{ endfor }],
                "c": ${jsonencode({ k = v })},
                "d": ["${replace(v, ",", "\",\"")}"], "e": ["${join("\",\"", split(",", v))}"]}"#;
            let filled = fill(template, "x.json", json!({ "v": text }));
            let parts: Vec<_> = text.split(',').collect();
            let expected = json!({
                "a": format!("<{text}>"), "b": [text, text], "c": {"k": text}, "d": parts, "e": parts,
            });
            let result: serde_json::Value = serde_json::from_str(&filled).unwrap_or(filled.clone().into());
            proptest::prop_assert_eq!(result, expected);
        }

        #[test]
        fn no_value_changes_the_structure_of_yaml(text in "[ -~\n'\"#:]*") {
            let template = "a: ${v}\nb: '${jsonencode([v])}'\nc: ${jsonencode({ k = v })}\nd: cmd ${jsonencode([v])} end\ne: |\n  ${jsonencode([v])}\n";
            let filled = fill(template, "x.yaml", json!({ "v": text }));
            let node = shipspec_spec::document::Node::parse(&Source::new("x", &*filled)).unwrap();
            let shipspec_spec::document::Kind::Map(entries) = &node.kind else { panic!("{filled}") };
            proptest::prop_assert_eq!(entries.len(), 5);
            let of = |text: Option<&str>| serde_json::from_str::<serde_json::Value>(text.unwrap()).unwrap();
            proptest::prop_assert_eq!(of(entries[1].1.text()), json!([text]));
            let command = entries[3].1.text().and_then(|it| it.strip_prefix("cmd ")?.strip_suffix(" end"));
            proptest::prop_assert_eq!(of(command), json!([text]));
        }
    }
}
