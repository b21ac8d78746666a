//! Any text is a Jinja template or an error, and comes to a text or an error. Where its parts are told,
//! they are the whole text, and a value is one of those that were given or made from them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shipspec_spec::expression::{JinjaTemplate, NameError, Names};
use shipspec_spec::value::Value;

struct Fixed;

impl Names for Fixed {
    fn resolve(&self, reference: &str) -> Result<Value, NameError> {
        Ok(match reference.split('.').next().unwrap_or(reference) {
            "A" => Value::plain("a \"b\": {c}"),
            "N" => Value::plain(12),
            "L" => Value::plain(vec!["x", "y"]),
            "T" => Value::tool_made("1234567"),
            "S" => Value::secret("S", "correct-horse-battery"),
            name => return Err(NameError::Unset(name.into())),
        })
    }

    fn known(&self) -> Vec<String> {
        ["A", "N", "L", "T", "S"].map(str::to_owned).to_vec()
    }
}

fuzz_target!(|text: &str| {
    // A large number makes a large value (`"x" * 99999`): slow, and known.
    let numbers = text.split(|character: char| !character.is_ascii_digit());
    if numbers.map(str::len).max().is_some_and(|digits| digits > 3) {
        return;
    }
    let Ok(template) = JinjaTemplate::parse("t.j2", text) else { return };
    let Ok(filled) = template.fill(&Fixed) else { return };
    if let Some(parts) = &filled.parts {
        let joined: String = parts.iter().map(|part| part.as_str()).collect();
        assert_eq!(joined, filled.text);
    }
    if filled.text.contains("correct-horse-battery") {
        assert!(filled.used.secrets().contains("S"), "the secret is not known to be one");
    }
});
