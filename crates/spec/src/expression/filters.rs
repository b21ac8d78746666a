//! What an expression can call.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::value::{Kwargs, StringInput};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};
use sha2::{Digest as _, Sha256};

use super::marks;
use crate::image::Digest;
use crate::tag;

/// The engine of every expression: strict, and without access to files.
pub(super) static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(engine);

/// Steps that one expression or template may take; a loop that ends takes far fewer.
const FUEL: u64 = 10_000_000;

/// A new engine with our filters.
pub(super) fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    // Escaping is the business of the place where a value lands.
    engine.set_auto_escape_callback(|_| AutoEscape::None);
    engine.set_fuel(Some(FUEL));
    // It prints the insides of the engine, which belong into no file.
    engine.remove_global("debug");
    engine.add_filter("short", |text: &str, count: Option<usize>| {
        tag::short(&plain(text), count.unwrap_or(7))
    });
    engine.add_filter("slug", |text: &str| slug(&plain(text)));
    engine.add_filter("b64encode", |text: &str| BASE64_STANDARD.encode(&*plain(text)));
    engine.add_filter("sha256", |text: &str| sha256(&plain(text)));
    engine.add_filter("json", json);
    engine.add_filter("tojson", json);
    engine.add_filter("indent", indent);
    engine
}

/// Text that a template has captured, without the marks that it has inside.
fn plain(text: &str) -> Cow<'_, str> {
    marks::without_marks(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// What an error of our own says; it holds no value.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Told(pub(super) String);

/// An error whose words are ours, and shown.
pub(super) fn told(message: impl Into<String>) -> Error {
    let message = message.into();
    Error::new(ErrorKind::InvalidOperation, message.clone()).with_source(Told(message))
}

/// Spaces that `indent` may put before a line; nobody indents deeper, and memory is not endless.
const WIDEST_INDENT: usize = 1000;

/// minijinja's own `indent`, with a limit.
fn indent(
    text: StringInput<'_>,
    width: Option<usize>,
    first: Option<bool>,
    blank: Option<bool>,
    named: Kwargs,
) -> Result<Value, Error> {
    let named_width = named.peek::<Option<usize>>("width").ok().flatten();
    if width.or(named_width).is_some_and(|width| width > WIDEST_INDENT) {
        return Err(told(format!("indent: more than {WIDEST_INDENT} spaces")));
    }
    minijinja::filters::indent(text, width, first, blank, named)
}

/// A legal tag from any text, such as a branch name: runs of what no tag may have become one `-`.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.chars() {
        let is_legal = character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-');
        if is_legal {
            slug.push(character);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug: String = slug.trim_start_matches(['.', '-']).chars().take(128).collect();
    slug.trim_end_matches('-').to_owned()
}

/// The hash in hexadecimal digits.
fn sha256(text: &str) -> String {
    Digest::from_sha256(Sha256::digest(text).into()).hex().to_owned()
}

/// The value as JSON, quotes and all.
fn json(value: &Value) -> Result<String, Error> {
    let text = value.as_str().and_then(marks::without_marks).map(Value::from);
    serde_json::to_string(text.as_ref().unwrap_or(value))
        .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}

/// The function `file('path')`: the text of a file in `folder`. `code` is what calls it.
pub(super) fn file_in(folder: &Path, code: &str) -> Value {
    let (folder, code) = (folder.to_path_buf(), code.to_owned());
    Value::from_function(move |path: String| {
        let wrong = |why: &str| told(format!("file({}): {why}", written(&path, &code)));
        let found = inside(&folder, &path).ok_or_else(|| wrong("no such file in the project"))?;
        std::fs::read_to_string(found).map_err(|error| wrong(&error.to_string()))
    })
}

/// The argument of a call, if that is how the code has it. What was put together may be made from a
/// secret.
pub(super) fn written(argument: &str, code: &str) -> String {
    if code.contains(argument) { format!("'{argument}'") } else { "…".to_owned() }
}

/// The path of a file, if it is there and in `folder`, links followed.
pub(super) fn inside(folder: &Path, path: &str) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    let found = folder.join(path).canonicalize().ok()?;
    found.starts_with(&folder).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_a_legal_tag() {
        assert_eq!(slug("feature/ABC-12 fix: größe"), "feature-ABC-12-fix-gr-e");
        assert_eq!(slug("../x/"), "x");
        assert_eq!(slug(&"a/".repeat(200)).len(), 127);
    }

    #[test]
    fn files_outside_of_the_folder_are_out_of_reach() {
        let folder = std::env::temp_dir();
        assert_eq!(inside(&folder, "../etc/passwd"), None);
        assert_eq!(inside(&folder, "/etc/passwd"), None);
        assert_eq!(inside(&folder, "no such file"), None);
    }
}
