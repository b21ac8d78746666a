//! Words of a Dockerfile, with their variables put in.

/// Puts variables into a word, takes quotes away. Nothing if the word uses what is not understood
/// here, or a variable that must have a value has none.
pub(super) fn expand(
    word: &str,
    escape: char,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Option<String> {
    let mut out = String::new();
    let mut rest = word;
    let mut quote = None;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        match character {
            '\'' | '"' if quote == Some(character) => quote = None,
            '\'' | '"' if quote.is_none() => quote = Some(character),
            _ if quote == Some('\'') => out.push(character),
            '$' => {
                let (value, behind) = variable(rest, escape, lookup)?;
                out.push_str(&value);
                rest = behind;
            }
            _ if character == escape => {
                let Some(escaped) = rest.chars().next() else { break };
                rest = &rest[escaped.len_utf8()..];
                if quote == Some('"') && !['"', '$', escape].contains(&escaped) {
                    out.push(escape);
                }
                out.push(escaped);
            }
            _ => out.push(character),
        }
    }
    Some(out)
}

/// The value of what stands behind a `$`, and the rest behind it.
fn variable<'a>(
    text: &'a str,
    escape: char,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Option<(String, &'a str)> {
    let Some(inner) = text.strip_prefix('{') else {
        let (name, rest) = text.split_at(name_length(text));
        let value = if name.is_empty() { "$".into() } else { lookup(name).unwrap_or_default() };
        return Some((value, rest));
    };
    let end = closing_brace(inner)?;
    let (name, form) = inner[..end].split_at(name_length(inner));
    let (value, rest) = (lookup(name), &inner[end + 1..]);
    if name.is_empty() {
        return None;
    }
    // With a colon an empty value is as good as none.
    let (value, form) = match form.strip_prefix(':') {
        Some(form) if !form.is_empty() => (value.filter(|value| !value.is_empty()), form),
        _ => (value, form),
    };
    let filled = match (form.chars().next(), value) {
        (None, value) => value.unwrap_or_default(),
        (Some('-' | '?'), Some(value)) => value,
        (Some('+'), None) => String::new(),
        (Some('-'), None) | (Some('+'), Some(_)) => expand(&form[1..], escape, lookup)?,
        // No value where one must be, or a newer form, such as `${NAME#prefix}`.
        (Some(_), _) => return None,
    };
    Some((filled, rest))
}

fn name_length(text: &str) -> usize {
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.find(|character: char| !is_name(character)).unwrap_or(text.len())
}

/// Where the brace that is open closes.
fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(index),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_filled_as_docker_fills_them() {
        let lookup = |name: &str| match name {
            "A" => Some("a".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (word, expected) in [
            ("x$A-${A}y", "xa-ay"),
            ("$NONE", ""),
            ("${NONE:-y}", "y"),
            ("${NONE:-${A}:1}", "a:1"),
            ("${EMPTY:-y}${EMPTY-z}", "y"),
            ("${A:+y}${NONE+z}", "y"),
            ("${A:?no}", "a"),
            ("'$A'\"$A\"", "$Aa"),
            ("\\$A\\x\"\\x\"", "$Ax\\x"),
            ("$", "$"),
        ] {
            assert_eq!(expand(word, '\\', &lookup).as_deref(), Some(expected), "{word}");
        }
        for word in ["${NONE:?no}", "${A#a}", "${A", "${}"] {
            assert_eq!(expand(word, '\\', &lookup), None, "{word}");
        }
        assert_eq!(expand("`$A", '`', &lookup).as_deref(), Some("$A"));
    }
}
