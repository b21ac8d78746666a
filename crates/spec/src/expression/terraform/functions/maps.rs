//! Functions of maps, and of any value.

use std::collections::BTreeMap;

use super::of_one_type;
use crate::expression::terraform::number::Number;
use crate::expression::terraform::traced::Traced;
use crate::expression::terraform::value::{Item, unify_all};

type Given = Result<Item, String>;

fn map(item: &Item) -> Result<&BTreeMap<String, Item>, String> {
    match item {
        Item::Map(entries) => Ok(entries),
        other => Err(format!("a map is wanted, and this is {}", other.kind())),
    }
}

pub(super) fn keys(items: &[Item]) -> Given {
    let keys = map(&items[0])?.keys().map(|key| Item::text(Traced::value(&**key)));
    Ok(Item::list(keys.collect()))
}

pub(super) fn values(items: &[Item]) -> Given {
    Ok(Item::list(map(&items[0])?.values().cloned().collect()))
}

/// All entries; of two with one key, the later one.
pub(super) fn merge(items: &[Item]) -> Given {
    let mut all = BTreeMap::new();
    for item in items {
        if !matches!(item, Item::Null) {
            all.extend(map(item)?.iter().map(|(key, item)| (key.clone(), item.clone())));
        }
    }
    Ok(Item::map(all))
}

pub(super) fn lookup(items: &[Item]) -> Given {
    let key = items[1].to_text()?;
    match (map(&items[0])?.get(key.as_str()), items.get(2)) {
        (Some(found), _) => Ok(found.clone()),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err("the map has no such key, and there is no default".into()),
    }
}

/// How many items, entries or characters.
pub(super) fn length(items: &[Item]) -> Given {
    let count = match &items[0] {
        Item::List(items) | Item::Set(items) => items.len(),
        Item::Map(entries) => entries.len(),
        Item::Text(text) => text.as_str().chars().count(),
        other => {
            return Err(format!("a list, a map or text is wanted, and this is {}", other.kind()));
        }
    };
    Ok(Item::Number(Number::of_count(count)))
}

/// The first that is neither null nor an empty text.
pub(super) fn coalesce(items: &[Item]) -> Given {
    let types: Vec<_> = items.iter().map(Item::type_of).collect();
    let wanted = unify_all(&types).ok_or("the arguments have no type in common")?;
    for item in items {
        let is_empty = match item {
            Item::Null => true,
            Item::Text(text) => text.as_str().is_empty(),
            _ => false,
        };
        if !is_empty {
            return item.converted(&wanted);
        }
    }
    Err("all arguments are null or empty".into())
}

pub(super) fn tomap(items: &[Item]) -> Given {
    if matches!(items[0], Item::Null) {
        return Ok(Item::Null);
    }
    let entries = map(&items[0])?;
    let values = of_one_type(&entries.values().cloned().collect::<Vec<_>>())?;
    Ok(Item::map(entries.keys().cloned().zip(values).collect()))
}
