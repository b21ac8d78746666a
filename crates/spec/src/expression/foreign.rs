//! Forms of bash's parameter expansion that are not read, and what says the same.

use super::lexer::name_length;

/// What to write instead of `${…}`, for the forms of bash that people bring along.
pub(super) fn instead_of(inner: &str) -> Option<String> {
    if let Some(name) = inner.strip_prefix('#') {
        return Some(format!("for the length of a value, write `${{{name} | length}}`"));
    }
    if inner.starts_with('!') {
        return Some("there is no indirection; name the variable itself".into());
    }
    let (name, form) = inner.split_at(name_length(inner));
    if name.is_empty() {
        return None;
    }
    // A default was read, and what is wrong is something else.
    if form.starts_with(":-") {
        return None;
    }
    let cut = form.strip_prefix(':').map(str::trim).filter(|cut| {
        cut.starts_with(|first: char| first.is_ascii_digit() || matches!(first, ':' | '-' | '('))
    });
    if let Some(default) = cut.and_then(|cut| cut.strip_prefix('-')).filter(|it| !is_number(it)) {
        return Some(format!("for a default, write `${{{name}:-{default}}}`"));
    }
    if let Some(cut) = cut {
        return Some(slice(name, cut));
    }
    let first = form.chars().next()?;
    let is_double = form[first.len_utf8()..].starts_with(first);
    let pattern = &form[first.len_utf8() * (1 + usize::from(is_double))..];
    let parts = format!("{name} | split('{}')", pattern.trim_matches('*'));
    let join = format!("join('{}')", pattern.trim_matches('*'));
    Some(match first {
        ':' if form.starts_with(":=") => {
            format!("nothing is assigned here; for a default, write `${{{name}:-{}}}`", &form[2..])
        }
        '=' => {
            format!("nothing is assigned here; for a default, write `${{{name}-{}}}`", &form[1..])
        }
        '/' => {
            let (old, new) = replacement(pattern);
            format!("to replace text, write `${{{name} | replace('{old}', '{new}')}}`")
        }
        '^' => format!("for upper case, write `${{{name} | upper}}`"),
        ',' => format!("for lower case, write `${{{name} | lower}}`"),
        '%' if pattern.ends_with('*') && is_double => format!(
            "patterns are not read; to keep the part before the first such sign, write `${{{parts} | first}}`"
        ),
        '%' if pattern.ends_with('*') => format!(
            "patterns are not read; to keep the part before the last such sign, write `${{({parts} | list)[:-1] | {join}}}`"
        ),
        '#' if pattern.starts_with('*') && is_double => format!(
            "patterns are not read; to keep the part behind the last such sign, write `${{{parts} | last}}`"
        ),
        '#' if pattern.starts_with('*') => format!(
            "patterns are not read; to keep the part behind the first such sign, write `${{({parts} | list)[1:] | {join}}}`"
        ),
        '%' | '#' => {
            "patterns of the shell are not read; let the shell cut the value, and give it here"
                .into()
        }
        _ => return None,
    })
}

fn is_number(text: &str) -> bool {
    let digits = text.split(':').next().unwrap_or_default().trim();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What is replaced, and by what; a slash may stand behind a backslash.
fn replacement(pattern: &str) -> (String, String) {
    let slash =
        pattern.char_indices().find(|(at, sign)| *sign == '/' && !pattern[..*at].ends_with('\\'));
    let (old, new) = slash.map_or((pattern, ""), |(at, _)| (&pattern[..at], &pattern[at + 1..]));
    (old.replace("\\/", "/"), new.replace("\\/", "/"))
}

/// `${NAME:start:length}`, also with the start left out.
fn slice(name: &str, cut: &str) -> String {
    let mut parts = cut.split(':').map(str::trim);
    let start = parts.next().unwrap_or_default();
    let length = parts.next();
    match (start, length.map(str::parse::<usize>)) {
        ("" | "0", Some(Ok(length))) => {
            format!("for the first {length} characters, write `${{{name} | short({length})}}`")
        }
        (start, Some(Ok(length))) => match start.parse::<usize>() {
            Ok(start) => format!("for a part, write `${{{name}[{start}:{}]}}`", start + length),
            Err(_) => format!("for a part, write `${{{name}[start:end]}}`"),
        },
        (start, _) => format!("for the rest, write `${{{name}[{start}:]}}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_bash_have_an_advice() {
        for (form, advice) in [
            ("A:0:7", "`${A | short(7)}`"),
            ("A::7", "`${A | short(7)}`"),
            ("A:2:3", "`${A[2:5]}`"),
            ("A:2", "`${A[2:]}`"),
            ("A:=x", "`${A:-x}`"),
            ("A=x", "`${A-x}`"),
            ("A/x/y", "`${A | replace('x', 'y')}`"),
            ("A//x/y", "`${A | replace('x', 'y')}`"),
            ("A^^", "`${A | upper}`"),
            ("A,,", "`${A | lower}`"),
            ("A%%/*", "`${A | split('/') | first}`"),
            ("A##*/", "`${A | split('/') | last}`"),
            ("A%.*", "`${(A | split('.') | list)[:-1] | join('.')}`"),
            ("A#*-", "`${(A | split('-') | list)[1:] | join('-')}`"),
            ("A//\\//-", "`${A | replace('/', '-')}`"),
            ("A: -x", "`${A:-x}`"),
            ("A: -3", "`${A[-3:]}`"),
            ("A%/", "let the shell cut"),
            ("#A", "`${A | length}`"),
        ] {
            let told = instead_of(form).unwrap_or_default();
            assert!(told.contains(advice), "{form}: {told}");
        }
        assert_eq!(instead_of("a b"), None);
        assert_eq!(instead_of("A:-${A:-x}"), None);
    }
}
