//! Scalars of YAML.

/// A text as a plain scalar where that is the same, else in double quotes. In a list between brackets,
/// more has to be quoted.
pub(crate) fn scalar(text: &str, is_in_brackets: bool) -> String {
    let is_plain_letter = |letter: char| {
        letter.is_alphanumeric()
            || "_./-:@$+=%^<>~()".contains(letter)
            || !is_in_brackets && "{}| ',".contains(letter)
    };
    let starts_well = text.starts_with(|first: char| {
        first.is_alphabetic() || "/._$".contains(first) || first.is_ascii_digit()
    });
    let is_plain = starts_well
        && text.chars().all(is_plain_letter)
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && !is_other_type(text);
    let has_brackets = is_in_brackets && text.contains('$');
    if is_plain && !has_brackets { text.to_owned() } else { quoted(text) }
}

/// In double quotes.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// YAML, of whatever version, would read a number, a truth value, a null or a date.
fn is_other_type(text: &str) -> bool {
    let lower = text.to_lowercase();
    let is_word = matches!(
        &*lower,
        "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n" | "null" | "~" | ""
    );
    let is_numeric = text.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && text.chars().all(|letter| letter.is_ascii_hexdigit() || ".xo_:e+-TZ".contains(letter));
    is_word || is_numeric || matches!(text, "." | ".." | "...") || text.starts_with("---")
}

#[cfg(test)]
mod tests {
    use super::scalar;

    #[test]
    fn what_yaml_would_read_otherwise_is_quoted() {
        for (text, wanted) in [
            ("${COMMIT | short(8)}", "${COMMIT | short(8)}"),
            ("${A}.dkr.ecr.${R}.amazonaws.com/web", "${A}.dkr.ecr.${R}.amazonaws.com/web"),
            ("1234567", "\"1234567\""),
            ("0.4.0", "\"0.4.0\""),
            ("yes", "\"yes\""),
            ("a: b", "\"a: b\""),
            ("a #b", "\"a #b\""),
            ("*", "\"*\""),
            ("linux/amd64", "linux/amd64"),
        ] {
            assert_eq!(scalar(text, false), wanted);
        }
        assert_eq!(scalar("${A}", true), "\"${A}\"");
        assert_eq!(scalar("latest", true), "latest");
    }
}
