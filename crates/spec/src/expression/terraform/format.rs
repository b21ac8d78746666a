//! `format` and `formatlist`: texts with `%s`, `%d` and their like.

use super::encode;
use super::traced::Traced;
use super::value::Item;

/// Signs that a value is filled up to.
const WIDEST: usize = 1000;

/// `%-08.3f` without its `%`.
struct Verb {
    letter: char,
    is_left: bool,
    is_zero: bool,
    is_plus: bool,
    width: usize,
    places: Option<usize>,
}

/// The text with each verb replaced by the argument that it stands for.
pub(super) fn format(items: &[Item]) -> Result<Traced, String> {
    let pattern = items[0].to_text()?;
    let (mut formatted, mut next, mut at) = (Traced::default(), 1, 0);
    while let Some(percent) = pattern.as_str()[at..].find('%').map(|found| at + found) {
        formatted.push(&pattern.slice(at..percent));
        let rest = &pattern.as_str()[percent + 1..];
        if rest.starts_with('%') {
            formatted.push(&pattern.slice(percent..percent + 1));
            at = percent + 2;
            continue;
        }
        let (verb, length) = Verb::read(rest)?;
        at = percent + 1 + length;
        let item = items
            .get(next)
            .ok_or_else(|| format!("there is no argument for `%{}`", verb.letter))?;
        next += 1;
        formatted.push(&verb.written(item)?);
    }
    formatted.push(&pattern.slice(at..pattern.as_str().len()));
    if next < items.len() {
        return Err(format!("{} arguments have no place", items.len() - next));
    }
    Ok(formatted)
}

/// A list of texts: one for each item of the lists among the arguments.
pub(super) fn formatlist(items: &[Item]) -> Result<Item, String> {
    let lengths = items.iter().filter_map(|item| match item {
        Item::List(items) | Item::Set(items) => Some(items.len()),
        _ => None,
    });
    let lengths: Vec<_> = lengths.collect();
    if lengths.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err("the lists have different lengths".into());
    }
    let count = lengths.first().copied().unwrap_or(1);
    let texts = (0..count).map(|index| {
        let of_index = |item: &Item| match item {
            Item::List(items) | Item::Set(items) => items[index].clone(),
            item => item.clone(),
        };
        let items: Vec<_> = items.iter().map(of_index).collect();
        format(&items).map(Item::text)
    });
    Ok(Item::list(texts.collect::<Result<_, _>>()?))
}

impl Verb {
    /// The verb at the start of a text, and its bytes.
    fn read(text: &str) -> Result<(Self, usize), String> {
        let flags = text.len() - text.trim_start_matches(['-', '0', '+', ' ', '#']).len();
        let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
        let width = digits(flags);
        let mut at = flags + width;
        let mut places = None;
        if text[at..].starts_with('.') {
            let count = digits(at + 1);
            places = Some(&text[at + 1..at + 1 + count]);
            at += 1 + count;
        }
        let number = |digits: &str| match digits {
            "" => Ok(0),
            digits => digits
                .parse()
                .ok()
                .filter(|number| *number <= WIDEST)
                .ok_or_else(|| format!("a width or precision above {WIDEST} is not read")),
        };
        let letter =
            text[at..].chars().next().ok_or("`%` stands at the end; write `%%` for the sign")?;
        let verb = Self {
            letter,
            is_left: text[..flags].contains('-'),
            is_zero: text[..flags].contains('0'),
            is_plus: text[..flags].contains('+'),
            width: number(&text[flags..flags + width])?,
            places: places.map(number).transpose()?,
        };
        if text[..flags].contains([' ', '#']) || !"svqdft".contains(letter) {
            return Err(format!(
                "`%{}` is not read here; known are %s, %v, %q, %d, %f and %t",
                &text[..at + letter.len_utf8()]
            ));
        }
        Ok((verb, at + letter.len_utf8()))
    }

    fn written(&self, item: &Item) -> Result<Traced, String> {
        let text = match (self.letter, item) {
            (_, Item::Unknown) => return Ok(Traced::clone(&*item.to_text()?)),
            ('v', Item::Null) => Traced::value("null"),
            ('v', Item::List(_) | Item::Set(_) | Item::Map(_)) => {
                Traced::new(encode::to_json(item)?, super::traced::Origin::Json)
            }
            ('q', item) => Traced::new(
                encode::to_json(&Item::Text(item.to_text()?))?,
                super::traced::Origin::Json,
            ),
            ('s' | 'v', item) => self.shortened(&*item.to_text()?),
            ('t', item) => Traced::value(item.to_bool()?.to_string()),
            (letter, item) => {
                let number = item.to_number()?;
                let text = if letter == 'd' {
                    number.as_integer().ok_or("a whole number is wanted for `%d`")?.to_string()
                } else {
                    number.with_places(u32::try_from(self.places.unwrap_or(6)).unwrap_or(6))
                };
                let sign = if self.is_plus && !number.is_negative() { "+" } else { "" };
                Traced::value(format!("{sign}{text}"))
            }
        };
        Ok(self.filled(text))
    }

    fn shortened(&self, text: &Traced) -> Traced {
        let end = self.places.and_then(|count| text.as_str().char_indices().nth(count));
        text.slice(0..end.map_or(text.as_str().len(), |(at, _)| at))
    }

    fn filled(&self, text: Traced) -> Traced {
        let missing = self.width.saturating_sub(text.as_str().chars().count());
        if missing == 0 {
            return text;
        }
        if self.is_left {
            let mut filled = text;
            filled.push(&Traced::written(" ".repeat(missing)));
            return filled;
        }
        let is_number = matches!(self.letter, 'd' | 'f');
        if self.is_zero && is_number {
            let sign = usize::from(text.as_str().starts_with(['-', '+']));
            return text.replaced([(sign..sign, Traced::value("0".repeat(missing)))]);
        }
        let mut filled = Traced::written(" ".repeat(missing));
        filled.push(&text);
        filled
    }
}
