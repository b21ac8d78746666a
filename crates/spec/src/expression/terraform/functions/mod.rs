//! The functions of Terraform that templates use.

mod lists;
mod maps;
mod texts;

use super::encode;
use super::format;
use super::traced::{Origin, Traced};
use super::value::{Item, Type, unify_all};

/// The longest text that a function makes, in bytes.
pub(super) const LONGEST_TEXT: usize = 16 << 20;

/// A function that an expression can call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Function(&'static Entry);

type Run = fn(&[Item]) -> Result<Item, String>;

#[derive(Debug)]
struct Entry {
    name: &'static str,
    /// The fewest arguments, and the most if there is a limit.
    takes: (usize, Option<usize>),
    /// Null may be an argument.
    null: bool,
    run: Run,
}

const fn entry(name: &'static str, takes: usize, run: Run) -> Entry {
    Entry { name, takes: (takes, Some(takes)), null: false, run }
}

const fn any(name: &'static str, least: usize, run: Run) -> Entry {
    Entry { name, takes: (least, None), null: false, run }
}

const fn with_null(name: &'static str, least: usize, most: Option<usize>, run: Run) -> Entry {
    Entry { name, takes: (least, most), null: true, run }
}

/// By name, in their order.
static FUNCTIONS: [Entry; 49] = [
    entry("abs", 1, lists::abs),
    // The ARN of a parameter; with a text as it is, it is a name and no call.
    entry("arn", 1, |_| Err("the name of a parameter must stand there as it is".into())),
    entry("base64decode", 1, texts::base64decode),
    entry("base64encode", 1, texts::base64encode),
    entry("ceil", 1, lists::ceil),
    entry("chomp", 1, texts::chomp),
    with_null("coalesce", 1, None, maps::coalesce),
    entry("compact", 1, lists::compact),
    any("concat", 1, lists::concat),
    entry("contains", 2, lists::contains),
    entry("distinct", 1, lists::distinct),
    entry("element", 2, lists::element),
    entry("endswith", 2, texts::endswith),
    entry("flatten", 1, lists::flatten),
    entry("floor", 1, lists::floor),
    with_null("format", 1, None, |items| format::format(items).map(Item::text)),
    with_null("formatlist", 1, None, format::formatlist),
    entry("indent", 2, texts::indent),
    any("join", 2, texts::join),
    entry("jsondecode", 1, |items| encode::from_json(items[0].to_text()?.as_str())),
    with_null("jsonencode", 1, Some(1), |items| {
        Ok(Item::text(Traced::new(encode::to_json(&items[0])?, Origin::Json)))
    }),
    entry("keys", 1, maps::keys),
    entry("length", 1, maps::length),
    with_null("lookup", 2, Some(3), maps::lookup),
    entry("lower", 1, texts::lower),
    any("max", 1, lists::max),
    with_null("merge", 1, None, maps::merge),
    any("min", 1, lists::min),
    Entry { name: "range", takes: (1, Some(3)), null: false, run: lists::range },
    entry("replace", 3, texts::replace),
    entry("reverse", 1, lists::reverse),
    entry("sort", 1, lists::sort),
    entry("split", 2, texts::split),
    entry("startswith", 2, texts::startswith),
    entry("strcontains", 2, texts::strcontains),
    entry("substr", 3, texts::substr),
    entry("title", 1, texts::title),
    with_null("tobool", 1, Some(1), |items| items[0].converted(&Type::Bool)),
    with_null("tolist", 1, Some(1), lists::tolist),
    with_null("tomap", 1, Some(1), maps::tomap),
    with_null("tonumber", 1, Some(1), |items| items[0].converted(&Type::Number)),
    with_null("toset", 1, Some(1), lists::toset),
    with_null("tostring", 1, Some(1), |items| items[0].converted(&Type::Text)),
    entry("trim", 2, texts::trim),
    entry("trimprefix", 2, texts::trimprefix),
    entry("trimspace", 1, texts::trimspace),
    entry("trimsuffix", 2, texts::trimsuffix),
    entry("upper", 1, texts::upper),
    entry("values", 1, maps::values),
];

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|entry| entry.name == name).map(Self)
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        FUNCTIONS.iter().map(|entry| entry.name)
    }

    /// It can be called with that many arguments; else what is wrong.
    pub(super) fn takes(self, count: usize) -> Result<(), String> {
        let (least, most) = self.0.takes;
        if count >= least && most.is_none_or(|most| count <= most) {
            return Ok(());
        }
        let wanted = match most {
            Some(most) if most == least => least.to_string(),
            Some(most) => format!("{least} to {most}"),
            None => format!("at least {least}"),
        };
        Err(format!("`{}` takes {wanted} arguments, and here are {count}", self.0.name))
    }

    /// What it gives. What is not known makes a result that is not known.
    pub(super) fn call(self, items: &[Item]) -> Result<Item, String> {
        self.takes(items.len())?;
        let takes_any = matches!(self.0.name, "jsonencode" | "coalesce");
        if !takes_any && items.iter().any(|item| matches!(item, Item::Unknown)) {
            return Ok(Item::Unknown);
        }
        if !self.0.null && items.iter().any(|item| matches!(item, Item::Null)) {
            return Err(format!("`{}`: an argument is null", self.0.name));
        }
        (self.0.run)(items).map_err(|error| format!("`{}`: {error}", self.0.name))
    }
}

/// The items of a list.
fn list(item: &Item) -> Result<&[Item], String> {
    match item {
        Item::List(items) | Item::Set(items) => Ok(items),
        other => Err(format!("a list is wanted, and this is {}", other.kind())),
    }
}

/// Items as a list of one type.
fn of_one_type(items: &[Item]) -> Result<Vec<Item>, String> {
    let types: Vec<_> = items.iter().map(Item::type_of).collect();
    let wanted = unify_all(&types).ok_or("the items have no type in common")?;
    items.iter().map(|item| item.converted(&wanted)).collect()
}
