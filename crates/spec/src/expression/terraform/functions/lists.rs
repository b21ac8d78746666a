//! Functions of lists and numbers.

use std::cmp::Ordering;

use super::{list, of_one_type};
use crate::expression::terraform::number::Number;
use crate::expression::terraform::value::Item;

type Given = Result<Item, String>;

/// Numbers that `range` gives at most.
const LONGEST_RANGE: usize = 1024;

pub(super) fn concat(items: &[Item]) -> Given {
    let mut all = Vec::new();
    for item in items {
        all.extend_from_slice(list(item)?);
    }
    Ok(Item::list(all))
}

pub(super) fn contains(items: &[Item]) -> Given {
    let found = list(&items[0])?.iter().map(|item| item.equals(&items[1]));
    let found: Vec<_> = found.collect();
    if found.contains(&Some(true)) {
        return Ok(Item::Bool(true));
    }
    Ok(if found.contains(&None) { Item::Unknown } else { Item::Bool(false) })
}

/// Without empty texts and nulls.
pub(super) fn compact(items: &[Item]) -> Given {
    let mut kept = Vec::new();
    for item in list(&items[0])? {
        if !matches!(item, Item::Null) && !item.to_text()?.as_str().is_empty() {
            kept.push(Item::Text(item.to_text()?));
        }
    }
    Ok(Item::list(kept))
}

/// Each item once, in the order of the first ones.
pub(super) fn distinct(items: &[Item]) -> Given {
    once(of_one_type(list(&items[0])?)?).map(Item::list)
}

fn once(items: Vec<Item>) -> Result<Vec<Item>, String> {
    if items.len() > LONGEST_RANGE {
        return Err(format!("the list has more than {LONGEST_RANGE} items"));
    }
    let mut kept: Vec<Item> = Vec::new();
    for item in items {
        if !kept.iter().any(|other| other.equals(&item) == Some(true)) {
            kept.push(item);
        }
    }
    Ok(kept)
}

pub(super) fn flatten(items: &[Item]) -> Given {
    fn into(item: &Item, all: &mut Vec<Item>) {
        match item {
            Item::List(items) | Item::Set(items) => items.iter().for_each(|item| into(item, all)),
            item => all.push(item.clone()),
        }
    }
    let mut all = Vec::new();
    list(&items[0])?.iter().for_each(|item| into(item, &mut all));
    Ok(Item::list(all))
}

pub(super) fn reverse(items: &[Item]) -> Given {
    Ok(Item::list(list(&items[0])?.iter().rev().cloned().collect()))
}

/// Texts in their order.
pub(super) fn sort(items: &[Item]) -> Given {
    let texts = list(&items[0])?.iter().map(Item::to_text);
    let mut texts = texts.collect::<Result<Vec<_>, _>>()?;
    texts.sort_by(|one, two| one.as_str().cmp(two.as_str()));
    Ok(Item::list(texts.into_iter().map(Item::Text).collect()))
}

/// The item at an index, which goes around behind the end.
pub(super) fn element(items: &[Item]) -> Given {
    let (list, index) = (list(&items[0])?, items[1].to_number()?);
    let index = index.as_integer().filter(|index| *index >= 0);
    let index = index.ok_or("the index must be a whole number, and none below zero")?;
    if list.is_empty() {
        return Err("the list is empty".into());
    }
    let index = usize::try_from(index).map_err(|_| "the index is out of range")?;
    Ok(list[index % list.len()].clone())
}

pub(super) fn tolist(items: &[Item]) -> Given {
    match &items[0] {
        Item::Null => Ok(Item::Null),
        item => of_one_type(list(item)?).map(Item::list),
    }
}

/// Each item once, in order.
pub(super) fn toset(items: &[Item]) -> Given {
    if matches!(items[0], Item::Null) {
        return Ok(Item::Null);
    }
    let mut items = once(of_one_type(list(&items[0])?)?)?;
    items.sort_by(order);
    Ok(Item::Set(items.into()))
}

fn order(one: &Item, two: &Item) -> Ordering {
    match (one, two) {
        (Item::Text(one), Item::Text(two)) => one.as_str().cmp(two.as_str()),
        (Item::Number(one), Item::Number(two)) => one.cmp(two),
        (Item::Bool(one), Item::Bool(two)) => one.cmp(two),
        _ => Ordering::Equal,
    }
}

pub(super) fn max(items: &[Item]) -> Given {
    extreme(items, Ordering::Greater)
}

pub(super) fn min(items: &[Item]) -> Given {
    extreme(items, Ordering::Less)
}

fn extreme(items: &[Item], wanted: Ordering) -> Given {
    let mut best: Option<Number> = None;
    for item in items {
        let number = item.to_number()?;
        if best.as_ref().is_none_or(|best| number.cmp(best) == wanted) {
            best = Some(number);
        }
    }
    best.map(Item::Number).ok_or_else(|| "a number is wanted".into())
}

pub(super) fn abs(items: &[Item]) -> Given {
    let number = items[0].to_number()?;
    Ok(Item::Number(if number.is_negative() { number.negated() } else { number }))
}

pub(super) fn floor(items: &[Item]) -> Given {
    Ok(Item::Number(items[0].to_number()?.floor()))
}

pub(super) fn ceil(items: &[Item]) -> Given {
    Ok(Item::Number(items[0].to_number()?.negated().floor().negated()))
}

/// `range(end)`, `range(start, end)`, `range(start, end, step)`.
pub(super) fn range(items: &[Item]) -> Given {
    let numbers = items.iter().map(Item::to_number).collect::<Result<Vec<_>, _>>()?;
    let (zero, one) = (Number::of_count(0), Number::of_count(1));
    let (start, end, step) = match numbers.as_slice() {
        [end] => (zero.clone(), end.clone(), None),
        [start, end] => (start.clone(), end.clone(), None),
        _ => (numbers[0].clone(), numbers[1].clone(), numbers.get(2).cloned()),
    };
    let step = step.unwrap_or_else(|| if end < start { one.negated() } else { one });
    if step.is_zero() || (end < start) != step.is_negative() && end != start {
        return Err("the step does not lead to the end".into());
    }
    let (mut numbers, mut at) = (Vec::new(), start);
    while if step.is_negative() { at > end } else { at < end } {
        if numbers.len() == LONGEST_RANGE {
            return Err(format!("more than {LONGEST_RANGE} numbers"));
        }
        numbers.push(Item::Number(at.clone()));
        at = at.plus(&step)?;
    }
    Ok(Item::list(numbers))
}
