//! What an expression calls, which is known before any value is.

use std::borrow::Cow;
use std::sync::LazyLock;

use minijinja::ErrorKind;
use regex::{Captures, Regex};

use super::filters::ENGINE;
use crate::nearest::nearest;

/// The functions that are ours; the engine has some of its own.
pub(super) const FUNCTIONS: [&str; 2] = ["file", "arn"];

/// Filters that people ask for, for whoever mistypes one.
const FILTERS: [&str; 18] = [
    "b64encode",
    "default",
    "first",
    "indent",
    "int",
    "join",
    "json",
    "last",
    "length",
    "list",
    "lower",
    "replace",
    "sha256",
    "short",
    "slug",
    "split",
    "trim",
    "upper",
];

/// Words before a parenthesis that call nothing.
const KEYWORDS: [&str; 7] = ["and", "else", "if", "in", "is", "not", "or"];

/// Filters, tests and functions that there are not.
///
/// # Errors
///
/// The first of them, with the nearest that there is.
pub(super) fn check(code: &str) -> Result<(), String> {
    check_filters(code).map_err(|(_, message)| message)?;
    called(&without_strings(code)).find(|name| !is_function(name)).map_or(Ok(()), |name| {
        let own = ENGINE.globals().map(|(name, _)| name.to_owned());
        let all: Vec<_> = FUNCTIONS.map(str::to_owned).into_iter().chain(own).collect();
        Err(unknown("function", name, all.iter().map(String::as_str)))
    })
}

/// As [`check`], in a tag of a template, without functions: it may have some of its own.
///
/// # Errors
///
/// Where it stands, and what is wrong.
pub(super) fn check_filters(code: &str) -> Result<(), (usize, String)> {
    static FILTER: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?:\||^[-+]?\s*filter\s)\s*([A-Za-z_]\w*)"));
    static TEST: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bis\s+(?:not\s+)?([A-Za-z_]\w*)"));
    let code = without_strings(code);
    let mut state = ENGINE.empty_state();
    let is_unknown = |result: Result<(), minijinja::Error>, kind| {
        result.is_err_and(|error| error.kind() == kind)
    };
    for (at, name) in words(&FILTER, &code) {
        if is_unknown(state.apply_filter(name, &[]).map(drop), ErrorKind::UnknownFilter) {
            return Err((at, unknown("filter", name, FILTERS)));
        }
    }
    for (at, name) in words(&TEST, &code) {
        if is_unknown(state.perform_test(name, &[]).map(drop), ErrorKind::UnknownTest) {
            return Err((at, unknown("test", name, ["defined", "in", "string", "number"])));
        }
    }
    Ok(())
}

/// The name is one of a function, ours or the engine's.
pub(super) fn is_function(name: &str) -> bool {
    FUNCTIONS.contains(&name) || ENGINE.globals().any(|(global, _)| global == name)
}

/// The names of an expression in which something is cut out (`A[2:]`): the engine does not tell those that
/// stand there.
pub(super) fn names_beside_slices(code: &str) -> Vec<String> {
    static SLICE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\[[^\[\]]*:[^\[\]]*\]"));
    static NAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"));
    let code = without_strings(code);
    if !SLICE.is_match(&code) {
        return Vec::new();
    }
    let name = |found: regex::Match<'_>| {
        let (before, behind) = (&code[..found.start()], code[found.end()..].trim_start());
        let (name, is_called) = match (found.as_str().rsplit_once('.'), behind.starts_with('(')) {
            // `app.items()`
            (Some((object, _)), true) => (object, false),
            (_, is_called) => (found.as_str(), is_called),
        };
        let is_word = KEYWORDS.contains(&name)
            || matches!(name, "true" | "false" | "none" | "True" | "False" | "None");
        let is_argument = behind.starts_with('=') && !behind.starts_with("==");
        // `1e5` is a number.
        let is_number = before.ends_with(|last: char| last.is_ascii_digit());
        let is_none = is_word || is_argument || is_number || is_called || is_after_sign(before);
        (!is_none).then(|| name.to_owned())
    };
    NAME.find_iter(&code).filter_map(name).collect()
}

/// Names before a parenthesis that are called as functions.
fn called(code: &str) -> impl Iterator<Item = &str> {
    static CALL: LazyLock<Regex> = LazyLock::new(|| pattern(r"([A-Za-z_]\w*)\s*\("));
    CALL.captures_iter(code).filter_map(move |found| {
        let name = found.get(1)?;
        let is_other = is_after_sign(&code[..name.start()]);
        let is_word = KEYWORDS.contains(&name.as_str());
        (!is_other && !is_word).then(|| name.as_str())
    })
}

/// What comes next is no name and no function: `x | f`, `x.f`, `x is f`.
fn is_after_sign(before: &str) -> bool {
    static SIGN: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:[|.]|\bis(?:\s+not)?)\s*$"));
    SIGN.is_match(before)
}

fn words<'a>(pattern: &Regex, code: &'a str) -> Vec<(usize, &'a str)> {
    let found = pattern.captures_iter(code).filter_map(|found| found.get(1));
    let found = found.map(|name| (name.start(), name.as_str()));
    found.filter(|(_, name)| !KEYWORDS.contains(name)).collect()
}

fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = nearest(name, known).map(|near| format!("; did you mean `{near}`?"));
    format!("there is no {what} `{name}`{}", near.unwrap_or_default())
}

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is right")
}

/// The code with nothing but spaces in its strings.
fn without_strings(code: &str) -> Cow<'_, str> {
    static STRING: LazyLock<Regex> =
        LazyLock::new(|| pattern(r#"'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*""#));
    STRING.replace_all(code, |found: &Captures<'_>| {
        format!("'{}'", " ".repeat(found[0].len().saturating_sub(2)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_may_be_called() {
        for code in [
            "A | upper | replace('(', 'x(') | default(\"| nosuch\")",
            "range(3) | join(',')",
            "file('a(b') ~ arn('X')",
            "A if (B is defined) and not (C in ('a', 'b')) else (D)",
            "A is not in(B)",
            "A is divisibleby(3)",
            "A is  not\n eq('x') or (A)is eq('abc')",
            "app.items() | length",
            "dict(a=1).a",
        ] {
            assert_eq!(check(code), Ok(()), "{code}");
        }
    }

    #[test]
    fn names_beside_slices_are_found() {
        let names = |code| names_beside_slices(code).join(" ");
        assert_eq!(names("A[2:]"), "A");
        assert_eq!(
            names("(app.db.host | replace('x[1:]', B) ~ 'C')[:N - 1] | upper"),
            "app.db.host B N"
        );
        assert_eq!(names("A[:2] if B is defined and not C else range(3)"), "A B C");
        assert_eq!(names("A[2]"), "");
        assert_eq!(names("app.items()[1:] ~ A.k[1:]"), "app A.k");
    }

    #[test]
    fn what_there_is_not_is_told_with_the_nearest() {
        let told = |code| check(code).unwrap_err();
        assert_eq!(told("A | uper"), "there is no filter `uper`; did you mean `upper`?");
        assert_eq!(told("A|nothing_like_it('x')"), "there is no filter `nothing_like_it`");
        assert_eq!(told("A is defind"), "there is no test `defind`; did you mean `defined`?");
        assert_eq!(told("A is not nosuch(1)"), "there is no test `nosuch`");
        assert_eq!(told("fille('x')"), "there is no function `fille`; did you mean `file`?");
        assert_eq!(told("env ('HOME') ~ 'x'"), "there is no function `env`");
    }
}
