//! A text as a scalar of YAML: whether it can stand there as it is, and how it is written else.

use std::sync::LazyLock;

use regex::Regex;

/// Letters and digits at both ends, and between them nothing that YAML knows as a sign.
pub(super) fn is_inert(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    first.is_ascii_alphanumeric()
        && last.is_ascii_alphanumeric()
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b" _./-".contains(byte))
}

/// The text can stand without quotes and is read as itself.
pub(super) fn is_plain_safe(text: &str, in_flow: bool) -> bool {
    if is_inert(text) {
        return true;
    }
    let mut characters = text.chars();
    let Some(first) = characters.next() else { return false };
    let second_is_space = characters.next().is_none_or(|second| second == ' ' || second == '\t');
    let starts_well = match first {
        '-' | '?' | ':' => !second_is_space,
        ',' | '[' | ']' | '{' | '}' | '#' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
        | '@' | '`' => false,
        _ => true,
    };
    starts_well
        && text.trim() == text
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && !text.starts_with("---")
        && !text.starts_with("...")
        && text.chars().all(|character| is_printable(character) && character != '\t')
        && !matches!(text, "=" | "<<")
        && !(in_flow && text.contains([',', '[', ']', '{', '}', ':', '?']))
}

/// YAML, in one version or another, reads the bare text as something else than a string.
pub(super) fn has_other_type(text: &str) -> bool {
    static OTHER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?xi)^(
                ~ | null | true | false | yes | no | on | off | y | n       # YAML 1.1 and 1.2
                | [-+]? [0-9][0-9_]* (:[0-5]?[0-9])+ (\.[0-9_]*)?            # base 60
                | [-+]? ( 0x[0-9a-f_]+ | 0o[0-7_]+ | 0b[01_]+ )
                | [-+]? ( [0-9][0-9_]* (\.[0-9_]*)? | \.[0-9_]+ ) (e[-+]?[0-9]+)?
                | [-+]? \.inf | \.nan
                | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} ([t\ ].*)?                 # a date
            )$",
        )
        .expect("the pattern is right")
    });
    OTHER.is_match(text)
}

/// YAML allows the character bare, in every version, and it is no line break in any.
fn is_printable(character: char) -> bool {
    matches!(character, '\t' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        && !matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// The text on one line; a comment has no escapes, and is read by people only.
pub(super) fn for_comment(text: &str) -> String {
    text.chars().map(|character| if is_printable(character) { character } else { ' ' }).collect()
}

pub(super) fn double_quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// The text between double quotes. Spaces at its ends are written as codes, because a line break
/// beside them would swallow them.
pub(super) fn escaped(text: &str) -> String {
    let trimmed = text.trim_matches(' ');
    let start = text.len() - text.trim_start_matches(' ').len();
    let end = if trimmed.is_empty() { 0 } else { text.len() - start - trimmed.len() };
    let mut written = "\\x20".repeat(start);
    for character in trimmed.chars() {
        match character {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            character if is_printable(character) => written.push(character),
            character => {
                let code = u32::from(character);
                let form =
                    if code > 0xffff { format!("\\U{code:08x}") } else { format!("\\u{code:04x}") };
                written.push_str(&form);
            }
        }
    }
    written + &"\\x20".repeat(end)
}
