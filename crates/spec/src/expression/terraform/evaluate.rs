//! What the parts of a template come to.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::rc::Rc;

use super::number::Number;
use super::operators;
use super::syntax::{Each, Expr, For, Kind, Part, Step};
use super::traced::Traced;
use super::value::{Item, unify};
use crate::nearest::nearest;

/// Steps that one template may take; one that a person wrote takes far fewer.
const FUEL: u64 = 10_000_000;

/// Items that one value may have, those inside of others counted.
const LARGEST: u64 = 1_000_000;

/// Why a part has no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) range: Range<usize>,
    pub(super) message: String,
}

type Evaluated<T = Item> = Result<T, Fault>;

/// A part of the result: a text, and where it comes from in the template.
pub(super) struct Printed {
    pub(super) text: Rc<Traced>,
    pub(super) range: Range<usize>,
}

/// Evaluates a template.
pub(super) struct Evaluator<'a> {
    /// What the outside says to each reference, or why it says nothing.
    outside: &'a HashMap<String, Result<Item, String>>,
    /// The names of loops, the innermost last.
    locals: Vec<(String, Item)>,
    fuel: u64,
    /// The references that were looked at.
    pub(super) used: BTreeSet<String>,
    pub(super) faults: Vec<Fault>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(outside: &'a HashMap<String, Result<Item, String>>) -> Self {
        let (locals, used, faults) = (Vec::new(), BTreeSet::new(), Vec::new());
        Self { outside, locals, fuel: FUEL, used, faults }
    }

    /// Prints the parts of a file, and notes what is wrong with each.
    pub(super) fn file(&mut self, parts: &[Part], printed: &mut Vec<Printed>) {
        for part in parts {
            if let Err(fault) = self.file_part(part, printed)
                && !self.faults.contains(&fault)
            {
                self.faults.push(fault);
            }
            if self.fuel == 0 {
                break;
            }
        }
    }

    fn file_part(&mut self, part: &Part, printed: &mut Vec<Printed>) -> Evaluated<()> {
        match part {
            Part::Text(text, range) => {
                self.spend(1 + text.len() as u64 / 8, range)?;
                let text = Rc::new(Traced::written(&**text));
                printed.push(Printed { text, range: range.clone() });
            }
            Part::Slot(expression, range) => {
                let text = self.printed(expression, range)?;
                printed.push(Printed { text, range: range.clone() });
            }
            Part::If(branch) => {
                let condition = self.condition(&branch.condition)?;
                self.file(if condition { &branch.then } else { &branch.otherwise }, printed);
            }
            Part::For(each) => self.each_of(each, |evaluator, body| {
                evaluator.file(body, printed);
                Ok(())
            })?,
        }
        Ok(())
    }

    /// The text of a string in an expression.
    fn text(&mut self, parts: &[Part], text: &mut Traced) -> Evaluated<()> {
        for part in parts {
            match part {
                Part::Text(literal, range) => {
                    self.spend(1 + literal.len() as u64 / 8, range)?;
                    text.push(&Traced::written(&**literal));
                }
                Part::Slot(expression, range) => text.push(&*self.printed(expression, range)?),
                Part::If(branch) => {
                    let condition = self.condition(&branch.condition)?;
                    self.text(if condition { &branch.then } else { &branch.otherwise }, text)?;
                }
                Part::For(each) => {
                    self.each_of(each, |evaluator, body| evaluator.text(body, text))?;
                }
            }
        }
        Ok(())
    }

    fn printed(&mut self, expression: &Expr, range: &Range<usize>) -> Evaluated<Rc<Traced>> {
        let item = self.value(expression)?;
        let text = item.to_text().map_err(|_| {
            let message = match item {
                Item::Null => "the value is null, and there is no text for that".to_owned(),
                _ => format!("the value is {}; print it with `jsonencode` or `join`", item.kind()),
            };
            Fault { range: expression.range.clone(), message }
        })?;
        self.spend(text.as_str().len() as u64 / 8, range)?;
        Ok(text)
    }

    fn condition(&mut self, expression: &Expr) -> Evaluated<bool> {
        let fault = |message| Fault { range: expression.range.clone(), message };
        match self.value(expression)? {
            Item::Unknown => Err(fault("what is not known decides here".into())),
            Item::Null => Err(fault("the condition is null".into())),
            item => item.to_bool().map_err(fault),
        }
    }

    fn each_of(
        &mut self,
        each: &For,
        mut body: impl FnMut(&mut Self, &[Part]) -> Evaluated<()>,
    ) -> Evaluated<()> {
        let items = self.items(&each.list)?;
        let locals = self.locals.len();
        for (key, item) in items {
            self.spend(1, &each.list.range)?;
            self.enter(each.key.as_ref(), &each.item, key, item);
            let done = body(self, &each.body);
            self.locals.truncate(locals);
            done?;
        }
        Ok(())
    }

    fn enter(&mut self, key_name: Option<&String>, item_name: &str, key: Item, item: Item) {
        self.locals.extend(key_name.map(|name| (name.clone(), key)));
        self.locals.push((item_name.to_owned(), item));
    }

    /// What a loop goes over, with the keys.
    fn items(&mut self, expression: &Expr) -> Evaluated<Vec<(Item, Item)>> {
        let pairs: Vec<(Item, Item)> = match self.value(expression)? {
            Item::List(items) => {
                let keys = (0..items.len()).map(|index| Item::Number(Number::of_count(index)));
                keys.zip(items.iter().cloned()).collect()
            }
            Item::Set(items) => items.iter().map(|item| (item.clone(), item.clone())).collect(),
            Item::Map(entries) => {
                let pair = |(key, item): (&String, &Item)| {
                    (Item::text(Traced::value(&**key)), item.clone())
                };
                entries.iter().map(pair).collect()
            }
            other => {
                let message = match other {
                    Item::Unknown => "what is not known decides here".to_owned(),
                    other => format!("a list or a map is wanted, and this is {}", other.kind()),
                };
                return Err(Fault { range: expression.range.clone(), message });
            }
        };
        self.spend(pairs.len() as u64, &expression.range)?;
        Ok(pairs)
    }

    pub(super) fn value(&mut self, expression: &Expr) -> Evaluated {
        self.spend(1, &expression.range)?;
        if let Some(reference) = expression.reference() {
            let name = reference.split('.').next().unwrap_or(&reference);
            if !self.locals.iter().any(|(local, _)| local == name) {
                return self.outside(reference, &expression.range);
            }
        }
        let fault = |message| Fault { range: expression.range.clone(), message };
        match &expression.kind {
            Kind::Null => Ok(Item::Null),
            Kind::Bool(value) => Ok(Item::Bool(*value)),
            Kind::Number(number) => Ok(Item::Number(number.clone())),
            Kind::Text(parts) => self.string(parts),
            Kind::Name { name, .. } => Ok(self.local(name)),
            Kind::Attribute(inner, name) => {
                let inner = self.value(inner)?;
                operators::attribute(&inner, name).map_err(fault)
            }
            Kind::Index(inner, index) => {
                let (inner, index) = (self.value(inner)?, self.value(index)?);
                operators::index(&inner, &index).map_err(fault)
            }
            Kind::Splat(inner, steps) => self.splat(inner, steps, &expression.range),
            Kind::Not(inner) => operators::not(&self.value(inner)?).map_err(fault),
            Kind::Negative(inner) => operators::negative(&self.value(inner)?).map_err(fault),
            Kind::Binary(operator, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                operators::binary(*operator, &left, &right).map_err(fault)
            }
            Kind::Conditional(parts) => self.conditional(parts),
            Kind::List(items) => {
                let items = items.iter().map(|item| self.value(item));
                let items = Item::list(items.collect::<Result<_, _>>()?);
                self.weighed(items, &expression.range)
            }
            Kind::Map(entries) => self.map(entries, &expression.range),
            Kind::Each(each) => self.each(each, &expression.range),
            Kind::Call(function, arguments, is_spread) => {
                let mut values = Vec::new();
                for argument in arguments {
                    values.push(self.value(argument)?);
                }
                if *is_spread {
                    let last = values.pop().unwrap_or(Item::Null);
                    let (Item::List(items) | Item::Set(items)) = last else {
                        return Err(fault(format!(
                            "`...` wants a list, and this is {}",
                            last.kind()
                        )));
                    };
                    values.extend(items.iter().cloned());
                }
                let item = function.call(&values).map_err(fault)?;
                self.weighed(item, &expression.range)
            }
        }
    }

    fn local(&self, name: &str) -> Item {
        let found = self.locals.iter().rev().find(|(local, _)| local == name);
        found.map_or(Item::Null, |(_, item)| item.clone())
    }

    fn outside(&mut self, reference: String, range: &Range<usize>) -> Evaluated {
        let item = match self.outside.get(&reference) {
            Some(item) => item.clone(),
            None => Err(format!("`{reference}` has no value")),
        };
        self.used.insert(reference);
        item.map_err(|message| Fault { range: range.clone(), message })
    }

    /// A string; one that is a single `${…}` keeps the type of its value.
    fn string(&mut self, parts: &[Part]) -> Evaluated {
        if let [Part::Slot(expression, _)] = parts {
            return self.value(expression);
        }
        let mut text = Traced::default();
        self.text(parts, &mut text)?;
        Ok(Item::text(text))
    }

    /// Both results are looked at, for they become values of one type; only what is wrong with the one
    /// that is chosen counts, and only its secrets get out.
    fn conditional(&mut self, parts: &[Expr; 3]) -> Evaluated {
        let [condition, then, otherwise] = parts;
        let (chosen, other) =
            if self.condition(condition)? { (then, otherwise) } else { (otherwise, then) };
        let item = self.value(chosen)?;
        let used = self.used.clone();
        let other = self.value(other);
        self.used = used;
        let Ok(other) = other else { return Ok(item) };
        let range = then.range.start..otherwise.range.end;
        let fault = |message| Fault { range: range.clone(), message };
        let wanted = unify(&item.type_of(), &other.type_of()).ok_or_else(|| {
            fault(format!("the two results are {} and {}", item.kind(), other.kind()))
        })?;
        item.converted(&wanted).map_err(fault)
    }

    fn map(&mut self, entries: &[(Expr, Expr)], range: &Range<usize>) -> Evaluated {
        let mut map = BTreeMap::new();
        for (key, value) in entries {
            map.insert(self.key(key)?, self.value(value)?);
        }
        self.weighed(Item::map(map), range)
    }

    fn key(&mut self, expression: &Expr) -> Evaluated<String> {
        let key = self.value(expression)?.to_text();
        let key = key.map_err(|message| Fault { range: expression.range.clone(), message })?;
        Ok(key.as_str().to_owned())
    }

    fn each(&mut self, each: &Each, range: &Range<usize>) -> Evaluated {
        let items = self.items(&each.list)?;
        let (mut list, mut map) = (Vec::new(), BTreeMap::new());
        let locals = self.locals.len();
        for (key, item) in items {
            self.enter(each.key.as_ref(), &each.item, key, item);
            let entry = self.entry(each);
            self.locals.truncate(locals);
            match entry? {
                None => {}
                Some((None, item)) => list.push(item),
                Some((Some(key), _)) if map.contains_key(&key) => {
                    let message = "two items have the same key".to_owned();
                    return Err(Fault { range: range.clone(), message });
                }
                Some((Some(key), item)) => drop(map.insert(key, item)),
            }
        }
        let made = if each.new_key.is_some() { Item::map(map) } else { Item::list(list) };
        self.weighed(made, range)
    }

    fn entry(&mut self, each: &Each) -> Evaluated<Option<(Option<String>, Item)>> {
        if let Some(filter) = &each.filter
            && !self.condition(filter)?
        {
            return Ok(None);
        }
        let key = each.new_key.as_ref().map(|key| self.key(key)).transpose()?;
        Ok(Some((key, self.value(&each.new_item)?)))
    }

    fn splat(&mut self, inner: &Expr, steps: &[Step], range: &Range<usize>) -> Evaluated {
        let items = match self.value(inner)? {
            Item::Unknown => return Ok(Item::Unknown),
            Item::Null => Vec::new(),
            Item::List(items) | Item::Set(items) => items.to_vec(),
            other => vec![other],
        };
        let mut found = Vec::new();
        for mut item in items {
            for step in steps {
                self.spend(1, range)?;
                let (part, place) = match step {
                    Step::Attribute(name, place) => (operators::attribute(&item, name), place),
                    Step::Index(index) => {
                        let value = self.value(index)?;
                        (operators::index(&item, &value), &index.range)
                    }
                };
                item = part.map_err(|message| Fault { range: place.clone(), message })?;
            }
            found.push(item);
        }
        self.weighed(Item::list(found), range)
    }

    /// A value that was made here: no larger than a value may be.
    fn weighed(&mut self, item: Item, range: &Range<usize>) -> Evaluated {
        let mut left = LARGEST;
        if !weigh(&item, &mut left) {
            let message = "the value has too many parts".to_owned();
            return Err(Fault { range: range.clone(), message });
        }
        self.spend(LARGEST - left, range)?;
        Ok(item)
    }

    fn spend(&mut self, cost: u64, range: &Range<usize>) -> Evaluated<()> {
        self.fuel = self.fuel.saturating_sub(cost);
        if self.fuel > 0 {
            return Ok(());
        }
        let message = "the template takes too many steps".to_owned();
        Err(Fault { range: range.clone(), message })
    }
}

/// Takes what an item weighs from what is left; it is too large if nothing is.
fn weigh(item: &Item, left: &mut u64) -> bool {
    let own = match item {
        Item::Text(text) => 1 + text.as_str().len() as u64 / 8,
        _ => 1,
    };
    *left = left.saturating_sub(own);
    *left > 0
        && match item {
            Item::List(items) | Item::Set(items) => items.iter().all(|item| weigh(item, left)),
            Item::Map(entries) => entries.values().all(|item| weigh(item, left)),
            _ => true,
        }
}

/// The part of a value that a reference names, or what it lacks.
pub(super) fn part_of(reference: &str, whole: Item) -> Result<Item, String> {
    let mut parts = reference.split('.');
    let mut path = parts.next().unwrap_or_default().to_owned();
    let mut item = whole;
    for part in parts {
        item = match &item {
            Item::Unknown => return Ok(Item::Unknown),
            Item::Map(entries) => match entries.get(part) {
                Some(inner) => inner.clone(),
                None => {
                    let near = nearest(part, entries.keys().map(String::as_str));
                    let near = near.map(|near| format!("; did you mean `{path}.{near}`?"));
                    return Err(format!("`{path}` has no `{part}`{}", near.unwrap_or_default()));
                }
            },
            other => {
                return Err(format!("`{path}` is {}, so there is no `{part}` in it", other.kind()));
            }
        };
        path = format!("{path}.{part}");
    }
    Ok(item)
}
