//! Any text is a Terraform template or an error with a place, and comes to a text or an error: nothing
//! ends the program, and no secret gets out unseen.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use shipspec_spec::expression::{NameError, Names, TerraformTemplate};
use shipspec_spec::value::Value;

const SECRET: &str = "correct-horse-battery";

struct Fixed;

impl Names for Fixed {
    fn resolve(&self, reference: &str) -> Result<Value, NameError> {
        Ok(match reference.split('.').next().unwrap_or(reference) {
            "a" => Value::plain("a \"b\": ${c}"),
            "n" => Value::plain(12),
            "l" => Value::plain(vec!["x", "y"]),
            "m" => Value::plain(json!({"k": {"host": "h", "port": 5432}, "e": null})),
            "t" => Value::tool_made("1234567"),
            "s" => Value::secret("s", SECRET),
            name => return Err(NameError::Unset(name.into())),
        })
    }

    fn known(&self) -> Vec<String> {
        ["a", "n", "l", "m", "t", "s"].map(str::to_owned).to_vec()
    }
}

fuzz_target!(|text: &str| {
    let shows = |shown: &str| shown.contains(SECRET) && !text.contains(SECRET);
    let template = match TerraformTemplate::parse(text) {
        Ok(template) => template,
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                assert!(text.get(error.range.clone()).is_some(), "{error:?}");
            }
            return;
        }
    };
    match template.fill(&Fixed) {
        Ok(filled) => {
            let whole: String = filled.parts.iter().map(|part| &*part.text).collect();
            if !text.contains(['$', '%']) {
                assert_eq!(whole, text);
            }
            if shows(&whole) {
                assert!(filled.used.secrets().contains("s"), "the secret is not known to be one");
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                assert!(text.get(error.range.clone()).is_some(), "{error:?}");
                assert!(!shows(&error.error.to_string()), "an error shows the secret: {error:?}");
            }
        }
    }
});
