//! What operators give, by the rules of HCL.

use super::syntax::Operator;
use super::value::Item;
use crate::nearest::nearest;

type Given = Result<Item, String>;

pub(super) fn not(item: &Item) -> Given {
    match item {
        Item::Unknown => Ok(Item::Unknown),
        item => Ok(Item::Bool(!item.to_bool()?)),
    }
}

pub(super) fn negative(item: &Item) -> Given {
    match item {
        Item::Unknown => Ok(Item::Unknown),
        item => Ok(Item::Number(item.to_number()?.negated())),
    }
}

pub(super) fn binary(operator: Operator, left: &Item, right: &Item) -> Given {
    if matches!(operator, Operator::Equal | Operator::NotEqual) {
        let is_wanted = operator == Operator::Equal;
        let equals = left.equals(right);
        return Ok(equals.map_or(Item::Unknown, |equals| Item::Bool(equals == is_wanted)));
    }
    if matches!((left, right), (Item::Unknown, _) | (_, Item::Unknown)) {
        return Ok(Item::Unknown);
    }
    if matches!(operator, Operator::And | Operator::Or) {
        let (left, right) = (left.to_bool()?, right.to_bool()?);
        let is_and = operator == Operator::And;
        return Ok(Item::Bool(if is_and { left && right } else { left || right }));
    }
    let (left, right) = (left.to_number()?, right.to_number()?);
    Ok(match operator {
        Operator::Less => Item::Bool(left < right),
        Operator::LessOrEqual => Item::Bool(left <= right),
        Operator::Greater => Item::Bool(left > right),
        Operator::GreaterOrEqual => Item::Bool(left >= right),
        Operator::Subtract => Item::Number(left.minus(&right)?),
        Operator::Multiply => Item::Number(left.times(&right)?),
        Operator::Divide => Item::Number(left.divided_by(&right)?),
        Operator::Remainder => Item::Number(left.remainder(&right)?),
        _ => Item::Number(left.plus(&right)?),
    })
}

/// `item.name`.
pub(super) fn attribute(item: &Item, name: &str) -> Given {
    match item {
        Item::Unknown => Ok(Item::Unknown),
        Item::Map(entries) => entries.get(name).cloned().ok_or_else(|| {
            let near = nearest(name, entries.keys().map(String::as_str));
            let near = near.map(|near| format!("; did you mean `{near}`?"));
            format!("there is no `{name}` in it{}", near.unwrap_or_default())
        }),
        other => Err(format!("this is {}, so there is no `{name}` in it", other.kind())),
    }
}

/// `item[index]`.
pub(super) fn index(item: &Item, index: &Item) -> Given {
    match (item, index) {
        (Item::Unknown, _) | (_, Item::Unknown) => Ok(Item::Unknown),
        (Item::List(items), index) => {
            let found = index.to_number()?.as_index().and_then(|index| items.get(index));
            found.cloned().ok_or_else(|| {
                format!("the list has {} items, and none has this index", items.len())
            })
        }
        (Item::Map(entries), index) => {
            // The index may be a value that must not be shown.
            let key = index.to_text()?;
            entries.get(key.as_str()).cloned().ok_or_else(|| "the map has no such key".into())
        }
        (Item::Set(_), _) => {
            Err("the items of a set have no index; `tolist` makes a list of it".into())
        }
        (other, _) => Err(format!("this is {}, which has no items", other.kind())),
    }
}
