//! Any text is a template or an error with a place, and comes to a value or an error: nothing ends the
//! program, and no secret gets out unseen.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use shipspec_spec::expression::{Dialect, NameError, Names, Nested, Piece, Template};
use shipspec_spec::value::Value;

const SECRET: &str = "correct-horse-battery";

struct Fixed;

impl Names for Fixed {
    fn resolve(&self, reference: &str) -> Result<Value, NameError> {
        Ok(match reference.split('.').next().unwrap_or(reference) {
            "A" => Value::plain("a \"b\": $C"),
            "E" => Value::plain(""),
            "N" => Value::plain(12),
            "L" => Value::plain(vec!["x", "y"]),
            "T" => Value::tool_made("1234567"),
            "S" => Value::secret("S", SECRET),
            "app" => Value::plain(json!({"db": {"host": "h", "port": 5432}})),
            name => return Err(NameError::Unset(name.into())),
        })
    }

    fn known(&self) -> Vec<String> {
        ["A", "E", "N", "L", "T", "S", "app"].map(str::to_owned).to_vec()
    }
}

fuzz_target!(|text: &str| {
    // A large number makes a large value (`99999 * L`): slow, and known.
    let numbers = text.split(|character: char| !character.is_ascii_digit());
    if numbers.map(str::len).max().is_some_and(|digits| digits > 4) {
        return;
    }
    for dialect in [Dialect::Braces, Dialect::Shell] {
        let names = ["A".to_owned(), "S".to_owned()];
        for parsed in [Template::parse(text, dialect), Template::parse_only(text, dialect, &names)]
        {
            match parsed {
                Ok(template) => {
                    tiles(&template, text);
                    evaluates(&template, text);
                    let (with, _) = template.with_placeholders(text, &placeholders());
                    tiles(&with, text);
                    evaluates(&with, text);
                }
                Err(errors) => {
                    assert!(!errors.is_empty());
                    for error in errors {
                        assert!(text.get(error.range.clone()).is_some(), "{error:?}");
                    }
                }
            }
        }
    }
});

fn placeholders() -> Vec<(String, Nested)> {
    let nested = |source: &str| {
        let template = Template::parse(source, Dialect::Braces).expect("a template");
        Nested { source: source.into(), template }
    };
    vec![("<X>".into(), nested("${A}")), ("<XY>".into(), nested("v")), ("%".into(), nested("${S}"))]
}

/// The pieces are the text, in its order; only the first `$` of a kept name is left out.
fn tiles(template: &Template, text: &str) {
    let mut at = 0;
    for piece in template.pieces() {
        let range = match piece {
            Piece::Text(range) => range.clone(),
            Piece::Slot(slot) => slot.range.clone(),
        };
        let between = text.get(at..range.start).expect("pieces are in order");
        assert!(between.is_empty() || between == "$", "{between:?} is lost");
        assert!(text.get(range.clone()).is_some_and(|piece| !piece.is_empty()));
        at = range.end;
    }
    assert_eq!(at, text.len());
}

fn evaluates(template: &Template, text: &str) {
    let shows = |shown: &str| shown.contains(SECRET) && !text.contains(SECRET);
    match template.evaluate_all(text, &Fixed) {
        Ok(value) => {
            if !text.contains(['$', '<', '%']) {
                assert_eq!(value.text().as_deref(), Some(text));
            }
            if shows(&value.content().to_string()) {
                assert!(value.secrets().contains("S"), "the secret is not known to be one");
                assert_eq!(format!("{value:?}"), "****");
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            for (range, error) in errors {
                assert!(text.get(range).is_some());
                assert!(!shows(&error.to_string()), "an error shows the secret: {error}");
            }
        }
    }
}
