//! The tags of a Jinja template: where its code is.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::calls;
use super::lexer::name_length;

/// The longest `{{ … }}` or `{% … %}` that is read, in bytes. A longer one is no expression that a
/// person wrote, and each operator takes its part of the stack.
pub(super) const LONGEST_TAG: usize = 4096;

/// Where the first tag begins that is too long to be read.
pub(super) fn overlong_tag(text: &str) -> Option<usize> {
    let overlong = tags(text).into_iter().find(|(_, code)| code.len() > LONGEST_TAG);
    overlong.map(|(start, _)| start)
}

/// The first filter or test that there is not: where it stands, and what is said of it.
pub(super) fn unknown_filter(text: &str) -> Option<(Range<usize>, String)> {
    tags(text).into_iter().find_map(|(start, code)| {
        let (at, message) = calls::check_filters(code).err()?;
        let length = name_length(&code[at..]);
        Some((start + at..start + at + length, message))
    })
}

/// The code of each `{{ … }}` and `{% … %}`, and where it begins.
pub(super) fn tags(text: &str) -> Vec<(usize, &str)> {
    static END_RAW: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\{%[-+]?\s*endraw\s*[-+]?%\}").expect("the pattern is right")
    });
    let (mut tags, mut at) = (Vec::new(), 0);
    while let Some(open) = text[at..].find('{').map(|found| at + found) {
        let start = open + 2;
        at = match text.as_bytes().get(open + 1) {
            Some(b'#') => text[start..].find("#}").map_or(text.len(), |found| start + found),
            Some(sign @ (b'{' | b'%')) => {
                let close = if *sign == b'{' { "}}" } else { "%}" };
                let end = start + code_length(&text[start..], close);
                let code = &text[start..end];
                if *sign == b'%' && code.trim_matches(['-', '+']).trim() == "raw" {
                    END_RAW.find_at(text, end).map_or(text.len(), |found| found.end())
                } else {
                    tags.push((start, code));
                    end
                }
            }
            _ => open + 1,
        };
    }
    tags
}

/// How far the code goes that ends with `close`, or with the text; it may have that in a string.
fn code_length(text: &str, close: &str) -> usize {
    let mut quote = None;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (quote, byte) {
            (Some(_), b'\\') => drop(bytes.next()),
            (Some(open), _) if byte == open => quote = None,
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, _) if text.as_bytes()[at..].starts_with(close.as_bytes()) => return at,
            _ => {}
        }
    }
    // A quote that is never closed is for the parser to tell.
    text.find(close).unwrap_or(text.len())
}
