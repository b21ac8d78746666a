//! Task definitions whose structure shipspec.yml changes.

pub mod edit;
mod rewrite;
mod values;

pub(crate) use values::evaluate;

use serde_json::Value as Json;
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::document::json;
use shipspec_spec::source::Span;

use edit::{Edited, Edits, edit};
use rewrite::rewrite;

/// The text of a task definition with changes in it: what is not changed stays byte for byte. What its
/// author may want to know comes with it.
///
/// # Errors
///
/// What is no task definition, told at `place`, and every container that it lacks.
pub(crate) fn edit_text(
    text: &str,
    edits: &Edits,
    path: &str,
    place: &Span,
) -> Result<(String, Vec<String>), Diagnostics> {
    let wrong = |message: String| Diagnostic::at(place.clone(), message);
    let task_definition: Json = serde_json::from_str(text)
        .map_err(|error| wrong(format!("`{path}` would not be JSON: {error}")))?;
    let root = json::parse(text)
        .map_err(|error| wrong(format!("`{path}` would not be JSON: {}", error.message)))?;
    let Edited { task_definition, notes } =
        edit(task_definition, edits).map_err(|errors| placed(&errors, path, place))?;
    let notes = notes.into_iter().map(|note| format!("`{path}`: {note}")).collect();
    Ok((rewrite(text, &root, &task_definition), notes))
}

/// Findings about the whole are told where the artifact is named.
fn placed(errors: &Diagnostics, path: &str, place: &Span) -> Diagnostics {
    let mut found = Diagnostics::default();
    for error in errors.as_slice() {
        let mut error = error.clone();
        if error.span.is_none() {
            error.message = format!("`{path}`: {}", error.message);
            error.span = Some(place.clone());
        }
        found.push(error);
    }
    found
}
