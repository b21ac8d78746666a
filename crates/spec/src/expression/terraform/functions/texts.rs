//! Functions of text. What they cut and put together keeps its origin.

use std::ops::Range;
use std::rc::Rc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use regex::{Captures, Regex};

use super::{LONGEST_TEXT, list};
use crate::expression::terraform::traced::Traced;
use crate::expression::terraform::value::Item;

type Given = Result<Item, String>;

/// The longest regular expression that is read, in bytes.
const LONGEST_PATTERN: usize = 1000;

fn text(item: &Item) -> Result<Rc<Traced>, String> {
    item.to_text()
}

fn cut(text: &Traced, range: Range<usize>) -> Item {
    Item::text(text.slice(range))
}

fn upper_sign(sign: char) -> char {
    one_sign(sign, sign.to_uppercase())
}

/// A sign for a sign, as Terraform changes them: `ß` stays.
fn one_sign(sign: char, mut changed: impl ExactSizeIterator<Item = char>) -> char {
    if changed.len() == 1 { changed.next().unwrap_or(sign) } else { sign }
}

pub(super) fn upper(items: &[Item]) -> Given {
    Ok(Item::text(text(&items[0])?.map(|text| text.chars().map(upper_sign).collect())))
}

pub(super) fn lower(items: &[Item]) -> Given {
    let lower = |sign: char| one_sign(sign, sign.to_lowercase());
    Ok(Item::text(text(&items[0])?.map(|text| text.chars().map(lower).collect())))
}

/// The first letter of each word in upper case.
pub(super) fn title(items: &[Item]) -> Given {
    let text = text(&items[0])?;
    let mut before = ' ';
    let mut titled = String::new();
    for sign in text.as_str().chars() {
        let is_in_word = before.is_alphanumeric() || before == '_';
        titled.push(if is_in_word { sign } else { upper_sign(sign) });
        before = sign;
    }
    Ok(Item::text(text.remade(titled)))
}

pub(super) fn trimspace(items: &[Item]) -> Given {
    let text = text(&items[0])?;
    let start = text.as_str().len() - text.as_str().trim_start().len();
    Ok(cut(&text, start..text.as_str().trim_end().len().max(start)))
}

pub(super) fn trim(items: &[Item]) -> Given {
    let (text, signs) = (text(&items[0])?, text(&items[1])?);
    let is_cut = |sign: char| signs.as_str().contains(sign);
    let start = text.as_str().len() - text.as_str().trim_start_matches(is_cut).len();
    Ok(cut(&text, start..text.as_str().trim_end_matches(is_cut).len().max(start)))
}

pub(super) fn trimprefix(items: &[Item]) -> Given {
    let (text, prefix) = (text(&items[0])?, text(&items[1])?);
    let start = if text.as_str().starts_with(prefix.as_str()) { prefix.as_str().len() } else { 0 };
    Ok(cut(&text, start..text.as_str().len()))
}

pub(super) fn trimsuffix(items: &[Item]) -> Given {
    let (text, suffix) = (text(&items[0])?, text(&items[1])?);
    let cut_off = text.as_str().strip_suffix(suffix.as_str());
    Ok(cut(&text, 0..cut_off.unwrap_or(text.as_str()).len()))
}

/// Without the ends of lines at its end.
pub(super) fn chomp(items: &[Item]) -> Given {
    let text = text(&items[0])?;
    Ok(cut(&text, 0..text.as_str().trim_end_matches(['\n', '\r']).len()))
}

/// Spaces before each line but the first.
pub(super) fn indent(items: &[Item]) -> Given {
    let (width, text) = (items[0].to_number()?, text(&items[1])?);
    let width = width.as_index().filter(|width| *width <= 1000);
    let width = width.ok_or("the width must be a whole number up to 1000")?;
    let ends: Vec<_> = text.as_str().match_indices('\n').map(|(at, _)| at + 1).collect();
    bounded(text.as_str().len() + ends.len() * width)?;
    let spaces = Traced::written(" ".repeat(width));
    Ok(Item::text(text.replaced(ends.into_iter().map(|at| (at..at, spaces.clone())))))
}

pub(super) fn substr(items: &[Item]) -> Given {
    let (text, start, length) = (text(&items[0])?, items[1].to_number()?, items[2].to_number()?);
    let whole = |number: Option<i64>| number.ok_or("whole numbers are wanted");
    let (start, length) = (whole(start.as_integer())?, whole(length.as_integer())?);
    let places = text.as_str().char_indices().map(|(at, _)| at);
    let places: Vec<_> = places.chain([text.as_str().len()]).collect();
    let count = places.len() - 1;
    let from_end = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
    let first = if start < 0 { count.saturating_sub(from_end) } else { from_end.min(count) };
    let last = match usize::try_from(length) {
        Ok(length) => first.saturating_add(length).min(count),
        Err(_) => count,
    };
    Ok(cut(&text, places[first]..places[last]))
}

pub(super) fn startswith(items: &[Item]) -> Given {
    Ok(Item::Bool(text(&items[0])?.as_str().starts_with(text(&items[1])?.as_str())))
}

pub(super) fn endswith(items: &[Item]) -> Given {
    Ok(Item::Bool(text(&items[0])?.as_str().ends_with(text(&items[1])?.as_str())))
}

pub(super) fn strcontains(items: &[Item]) -> Given {
    Ok(Item::Bool(text(&items[0])?.as_str().contains(text(&items[1])?.as_str())))
}

pub(super) fn split(items: &[Item]) -> Given {
    let (separator, text) = (text(&items[0])?, text(&items[1])?);
    let mut parts = Vec::new();
    if separator.as_str().is_empty() {
        let places = text.as_str().char_indices();
        let signs = places.map(|(at, sign)| Item::text(text.slice(at..at + sign.len_utf8())));
        return Ok(Item::list(signs.collect()));
    }
    let mut start = 0;
    for (at, found) in text.as_str().match_indices(separator.as_str()) {
        parts.push(Item::text(text.slice(start..at)));
        start = at + found.len();
    }
    parts.push(Item::text(text.slice(start..text.as_str().len())));
    Ok(Item::list(parts))
}

pub(super) fn join(items: &[Item]) -> Given {
    let separator = text(&items[0])?;
    let mut parts = Vec::new();
    for item in &items[1..] {
        for item in list(item)? {
            parts.push(item.to_text()?);
        }
    }
    let lengths: usize = parts.iter().map(|part| part.as_str().len()).sum();
    bounded(lengths.saturating_add(parts.len().saturating_mul(separator.as_str().len())))?;
    let mut joined = Traced::default();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            joined.push(&separator);
        }
        joined.push(part);
    }
    Ok(Item::text(joined))
}

/// `replace(text, "old", "new")`, or `replace(text, "/pattern/", "new $1")`.
pub(super) fn replace(items: &[Item]) -> Given {
    let (text, old, new) = (text(&items[0])?, text(&items[1])?, text(&items[2])?);
    let pattern = old.as_str().strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    if let Some(pattern) = pattern {
        return replace_pattern(&text, pattern, &new);
    }
    let found: Vec<_> = text
        .as_str()
        .match_indices(old.as_str())
        .map(|(at, found)| (at..at + found.len(), Traced::clone(&new)))
        .collect();
    bounded(text.as_str().len().saturating_add(found.len().saturating_mul(new.as_str().len())))?;
    Ok(Item::text(text.replaced(found)))
}

fn replace_pattern(text: &Traced, pattern: &str, new: &Traced) -> Given {
    let long = || format!("the pattern is longer than {LONGEST_PATTERN} bytes");
    if pattern.len() > LONGEST_PATTERN {
        return Err(long());
    }
    // The error of the reader may quote the pattern, which may be made from a value.
    let pattern = Regex::new(pattern).map_err(|_| "the pattern cannot be read".to_owned())?;
    let (mut found, mut length) = (Vec::new(), text.as_str().len());
    for captures in pattern.captures_iter(text.as_str()) {
        let Some(whole) = captures.get(0) else { continue };
        let with = expanded(text, new, &captures);
        length = length.saturating_add(with.as_str().len());
        bounded(length)?;
        found.push((whole.range(), with));
    }
    Ok(Item::text(text.replaced(found)))
}

/// What stands for a match: `$1` and `${name}` are its groups, which keep their origin.
fn expanded(text: &Traced, new: &Traced, captures: &Captures<'_>) -> Traced {
    let (mut groups, mut at) = (Vec::new(), 0);
    while let Some(dollar) = new.as_str()[at..].find('$').map(|found| at + found) {
        let rest = &new.as_str()[dollar + 1..];
        if rest.starts_with('$') {
            groups.push((dollar..dollar + 1, Traced::default()));
            at = dollar + 2;
            continue;
        }
        let is_in = |sign: char| sign.is_alphanumeric() || sign == '_';
        let (name, length) = match rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let length = rest.find(|sign| !is_in(sign)).unwrap_or(rest.len());
                (&rest[..length], length)
            }
        };
        at = dollar + 1 + length;
        if length == 0 {
            continue;
        }
        let group = match name.parse::<usize>() {
            Ok(index) => captures.get(index),
            Err(_) => captures.name(name),
        };
        let group = group.map_or_else(Traced::default, |group| text.slice(group.range()));
        groups.push((dollar..at, group));
    }
    new.replaced(groups)
}

pub(super) fn base64encode(items: &[Item]) -> Given {
    let text = text(&items[0])?;
    Ok(Item::text(Traced::value(BASE64_STANDARD.encode(text.as_str()))))
}

pub(super) fn base64decode(items: &[Item]) -> Given {
    let text = text(&items[0])?;
    let bytes = BASE64_STANDARD.decode(text.as_str()).map_err(|_| "the text is no base64")?;
    let decoded = String::from_utf8(bytes).map_err(|_| "what it decodes to is no UTF-8")?;
    Ok(Item::text(Traced::value(decoded)))
}

fn bounded(length: usize) -> Result<(), String> {
    if length > LONGEST_TEXT { Err("the text is too long".into()) } else { Ok(()) }
}
