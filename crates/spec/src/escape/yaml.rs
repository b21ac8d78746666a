//! A value into its place in YAML.
//!
//! The template is first read with a word in each slot, which tells what kind of place every slot is.
//! Then each value is written as its place wants it, and the result is read again: it must have the
//! same structure, with the very values in their places. Where it has not, the scalar is written anew
//! in double quotes, which can hold anything.

mod probe;
mod scalar;

use std::borrow::Cow;
use std::collections::BTreeSet;

use granit_parser::{Event, Parser};

use probe::{Place, PlaceKind, Probe, name};

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'a> {
    /// Stays as it is.
    Text(&'a str),
    /// A value that was filled in.
    Value {
        /// The value.
        text: String,
        /// It is text, whatever it looks like, so that `1234567` is not to be read as a number.
        is_text: bool,
    },
}

impl Part<'_> {
    /// What it says, as it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Value { text, .. } => text,
        }
    }
}

/// Why values cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// The template is not YAML, whatever its slots hold.
    #[error("{message}")]
    Template {
        /// What is wrong with it.
        message: String,
        /// How many parts come before the place.
        part: usize,
        /// Bytes into that part.
        offset: usize,
    },
    /// There is no way to write a value into its place.
    #[error("a value would change the structure of the file")]
    Structure,
}

/// The template with every value in its place.
///
/// # Errors
///
/// [`YamlError`].
pub fn fill_yaml(parts: &[Part<'_>]) -> Result<String, YamlError> {
    let probe = Probe::new(parts);
    let places = probe.places()?;
    let expected: Vec<_> = places.iter().map(|place| place.expected(&probe)).collect();
    let text = probe.write(&places, &expected, &BTreeSet::new());
    if probe.is_inert(&places) && text.lines().all(|line| line.len() <= LONGEST_KEY) {
        return Ok(text);
    }
    let Some(quoted) = differences(&text, &places, &expected) else { return Ok(text) };
    // Values were written as their places want them; what came out wrong is quoted.
    let text = probe.write(&places, &expected, &quoted);
    match differences(&text, &places, &expected) {
        None => Ok(text),
        Some(_) => Err(YamlError::Structure),
    }
}

/// Bytes of a key that stands on one line, at most ([7.4.2]); on a shorter line nothing depends on how long a
/// value is.
///
/// [7.4.2]: https://yaml.org/spec/1.2.2/#742-flow-mappings
const LONGEST_KEY: usize = 1024;

/// The places of the scalars that hold something else than they should; all of them if the structure
/// is another one. Nothing if all is well.
fn differences(
    text: &str,
    places: &[Place<'_>],
    expected: &[Option<Cow<'_, str>>],
) -> Option<BTreeSet<usize>> {
    let scalars = || {
        let is_scalar =
            |(_, place): &(usize, &Place<'_>)| matches!(place.kind, PlaceKind::Scalar { .. });
        places.iter().enumerate().filter(is_scalar).map(|(index, _)| index).collect()
    };
    let mut wrong = BTreeSet::new();
    let is_node = |(_, place): &(usize, &Place<'_>)| !matches!(place.kind, PlaceKind::Comment);
    let mut nodes = places.iter().enumerate().filter(is_node);
    for event in Parser::new_from_str(text) {
        let Ok((event, _)) = event else { return Some(scalars()) };
        if matches!(event, Event::Comment(..)) {
            continue;
        }
        let Some((index, place)) = nodes.next() else { return Some(scalars()) };
        match (&event, &place.kind) {
            (Event::Scalar(found, ..), PlaceKind::Scalar { .. }) => {
                if expected[index].as_deref() != Some(&**found) {
                    wrong.insert(index);
                }
            }
            (Event::Scalar(..), _) | (_, PlaceKind::Scalar { .. }) => return Some(scalars()),
            (other, PlaceKind::Other(kind)) if name(other) == *kind => {}
            _ => return Some(scalars()),
        }
    }
    if nodes.next().is_some() {
        return Some(scalars());
    }
    (!wrong.is_empty()).then_some(wrong)
}

#[cfg(test)]
mod tests;
