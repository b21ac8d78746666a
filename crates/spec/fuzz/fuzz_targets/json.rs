//! Any value in any JSON: if it is taken, the result has the structure of the template and the value in
//! its place.
//!
//! The input is a template, the character U+0001 and a value. Each `$` is a place for the value.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use shipspec_spec::escape::JsonPlace;

/// Stand for the value, in a string and elsewhere.
const WORD: &str = "Wrd";
const BARE: &str = "Bare";

fuzz_target!(|input: &str| {
    let Some((template, value)) = input.split_once('\u{1}') else { return };
    if template.contains(WORD) || template.contains(BARE) {
        return;
    }
    let mut place = JsonPlace::default();
    let (mut filled, mut probe, mut all_in_strings) = (String::new(), String::new(), true);
    for (index, piece) in template.split('$').enumerate() {
        if index > 0 {
            let Ok(escaped) = place.escape(value) else { return };
            filled.push_str(&escaped);
            // Only in a string everything is taken.
            let in_string = place.is_in_string();
            probe.push_str(&if in_string { WORD.to_owned() } else { format!("\"{BARE}\"") });
            all_in_strings &= in_string;
        }
        place.pass(piece);
        filled.push_str(piece);
        probe.push_str(piece);
    }
    let Ok(probe) = serde_json::from_str::<Value>(&probe) else { return };
    match serde_json::from_str::<Value>(&filled) {
        Ok(result) => {
            let bare = serde_json::from_str(value).unwrap_or(Value::Null);
            if let Some(expected) = expected(&probe, value, &bare) {
                assert_eq!(result, expected, "{filled:?}");
            }
        }
        // A number in place of a key, or deeper than a reader goes: the result is refused.
        Err(error) => assert!(!all_in_strings, "{error}: {filled:?}"),
    }
});

/// The tree of the template with the value in its places; nothing if two keys are the same then, of
/// which a reader keeps one.
fn expected(probe: &Value, value: &str, bare: &Value) -> Option<Value> {
    Some(match probe {
        Value::String(text) if text == BARE => bare.clone(),
        Value::String(text) => text.replace(WORD, value).into(),
        Value::Array(items) => {
            let items = items.iter().map(|item| expected(item, value, bare));
            items.collect::<Option<Vec<_>>>()?.into()
        }
        Value::Object(entries) => {
            let mut map = Map::new();
            for (key, inner) in entries {
                let key = match bare {
                    Value::String(text) if key == BARE => text.clone(),
                    _ => key.replace(WORD, value),
                };
                if map.insert(key, expected(inner, value, bare)?).is_some() {
                    return None;
                }
            }
            map.into()
        }
        other => other.clone(),
    })
}
