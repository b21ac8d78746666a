//! Signs in place of what is not known.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use shipspec_spec::escape::JsonPlace;
use shipspec_spec::expression::{EvaluationError, NameError, Names};
use shipspec_spec::scope::Scope;
use shipspec_spec::value::{UNKNOWN, Value};

use super::{DraftSlot, is_unknown};

/// The names of a scope, and a sign for each that is not known.
pub(super) struct StandIns<'a> {
    scope: &'a Scope,
    used: RefCell<BTreeSet<String>>,
}

impl<'a> StandIns<'a> {
    pub(super) fn new(scope: &'a Scope) -> Self {
        Self { scope, used: RefCell::default() }
    }

    pub(super) fn used(&self) -> bool {
        !self.used.borrow().is_empty()
    }
}

impl Names for StandIns<'_> {
    fn resolve(&self, reference: &str) -> Result<Value, NameError> {
        self.scope.resolve(reference).or_else(|error| {
            let error = EvaluationError::from(error);
            match error {
                error if is_unknown(&error) => {
                    self.used.borrow_mut().insert(reference.to_owned());
                    Ok(Value::plain(UNKNOWN.to_string()))
                }
                EvaluationError::Name(error) => Err(error),
                _ => Err(NameError::Unset(reference.to_owned())),
            }
        })
    }

    fn known(&self) -> Vec<String> {
        self.scope.known()
    }

    fn folder(&self) -> Option<&Path> {
        self.scope.folder()
    }
}

/// A JSON template with its values, and signs for what is not known: where no string is, a string of
/// nothing else.
pub(super) fn with_stand_ins(text: &str, slots: &[DraftSlot]) -> String {
    let (mut filled, mut place, mut end) = (String::new(), JsonPlace::default(), 0);
    for slot in slots {
        let literal = &text[end..slot.range.start];
        place.pass(literal);
        filled.push_str(literal);
        let value = slot.value.as_ref().and_then(|(value, _)| place.escape(value).ok());
        match value {
            Some(value) => filled.push_str(&value),
            None if place.is_in_string() => filled.push(UNKNOWN),
            None => filled.extend(['"', UNKNOWN, '"']),
        }
        end = slot.range.end;
    }
    filled.push_str(&text[end..]);
    filled
}

/// The values of which nothing is known, not even that they are text.
pub(super) fn unknown_values(text: &str) -> Vec<DraftSlot> {
    let sign = format!("\"{UNKNOWN}\"");
    let places = text.match_indices(&sign).map(|(start, sign)| start..start + sign.len());
    let is_value = |range: &Range<usize>| {
        !text[..range.start].ends_with('\\') && !text[range.end..].trim_start().starts_with(':')
    };
    places.filter(is_value).map(|range| DraftSlot { range, value: None }).collect()
}
