//! A JSON text that is to say something else: what stays is kept byte for byte, and what is new is
//! written as its neighbours are.

use serde_json::{Map, Value as Json};
use shipspec_spec::document::{Kind, Node};

/// The text with as few changes as make it say `wanted`; `root` is the tree of it.
pub(crate) fn rewrite(text: &str, root: &Node, wanted: &Json) -> String {
    let layout = Layout { text, unit: unit(text, root), has_flat_maps: has_flat_maps(text, root) };
    let mut written = text[..root.range.start].to_owned();
    layout.value(root, wanted, &mut written);
    written.push_str(&text[root.range.end..]);
    written
}

/// How a text is laid out.
struct Layout<'a> {
    text: &'a str,
    /// What a level is indented by.
    unit: &'a str,
    /// Small maps are on one line.
    has_flat_maps: bool,
}

/// An entry of a list or a map: where it begins, its value, and what that is to be; nothing if it goes.
struct Entry<'a> {
    start: usize,
    node: &'a Node,
    wanted: Option<&'a Json>,
}

/// What comes to a list or a map, there with its key.
type New<'a> = (Option<&'a str>, &'a Json);

impl Layout<'_> {
    fn value(&self, node: &Node, wanted: &Json, written: &mut String) {
        let now = &self.text[node.range.clone()];
        if serde_json::from_str::<Json>(now).is_ok_and(|now| now == *wanted) {
            return written.push_str(now);
        }
        match (&node.kind, wanted) {
            (Kind::Map(entries), Json::Object(wanted)) if !entries.is_empty() => {
                let (entries, new) = pair_keys(entries, wanted);
                self.collection(node, &entries, &new, written);
            }
            (Kind::List(items), Json::Array(wanted)) if is_named(items) => {
                let (entries, new) = pair_items(items, wanted);
                self.collection(node, &entries, &new, written);
            }
            (Kind::List(items), _) if !items.is_empty() && !now.contains('\n') => {
                flat(wanted, written);
            }
            _ => self.fresh(wanted, self.indent(node.range.start), written),
        }
    }

    /// A list or a map that is not empty: its entries in their order, then what is new.
    fn collection(
        &self,
        node: &Node,
        entries: &[Entry<'_>],
        new: &[New<'_>],
        written: &mut String,
    ) {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return };
        let lead = &self.text[node.range.start + 1..first.start];
        let is_left = entries.iter().any(|entry| entry.wanted.is_some()) || !new.is_empty();
        written.push_str(&self.text[node.range.start..=node.range.start]);
        if is_left {
            written.push_str(lead);
        }
        let (mut is_first, mut end) = (true, first.start);
        for entry in entries {
            if let Some(wanted) = entry.wanted {
                // Before the first entry that stays is what was before the first of all.
                let from = if is_first { entry.start } else { end };
                written.push_str(&self.text[from..entry.node.range.start]);
                self.value(entry.node, wanted, written);
                is_first = false;
            }
            end = entry.node.range.end;
        }
        let colon = self.colon(entries);
        let separator = if lead.is_empty() { ", ".to_owned() } else { format!(",{lead}") };
        for (key, value) in new {
            if !is_first {
                written.push_str(&separator);
            }
            is_first = false;
            if let Some(key) = key {
                written.push_str(&Json::from(*key).to_string());
                written.push_str(colon);
            }
            let indent = lead.rfind('\n').map(|newline| &lead[newline + 1..]);
            self.fresh(value, indent, written);
        }
        if is_left {
            written.push_str(&self.text[last.node.range.end..node.range.end]);
        } else {
            written.push_str(&self.text[node.range.end - 1..node.range.end]);
        }
    }

    /// What stands between a key and its value.
    fn colon(&self, entries: &[Entry<'_>]) -> &str {
        let between = entries.first().map(|entry| &self.text[entry.start..entry.node.range.start]);
        let colon = between.and_then(|text| Some(&text[text.rfind('"')? + 1..]));
        colon.filter(|colon| colon.contains(':')).unwrap_or(": ")
    }

    /// The indentation of the line of a place; nothing where all is on one line.
    fn indent(&self, place: usize) -> Option<&str> {
        let start = self.text[..place].rfind('\n').map_or(0, |newline| newline + 1);
        let line = &self.text[start..];
        let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        self.text.trim().contains('\n').then_some(indent)
    }

    /// A value that was not there: on lines of its own, indented from `indent` on, or on one line.
    fn fresh(&self, value: &Json, indent: Option<&str>, written: &mut String) {
        let Some(indent) = indent.filter(|_| !self.is_for_one_line(value)) else {
            return flat(value, written);
        };
        let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
        let inner = format!("{indent}{}", self.unit);
        written.push(open);
        for (index, (key, value)) in parts(value).into_iter().enumerate() {
            written.push_str(if index > 0 { ",\n" } else { "\n" });
            written.push_str(&inner);
            if let Some(key) = key {
                written.push_str(&Json::from(key).to_string());
                written.push_str(": ");
            }
            self.fresh(value, Some(&inner), written);
        }
        written.push('\n');
        written.push_str(indent);
        written.push(close);
    }

    fn is_for_one_line(&self, value: &Json) -> bool {
        let is_small = parts(value).iter().all(|(_, value)| parts(value).is_empty());
        parts(value).is_empty() || (is_small && (self.has_flat_maps || value.is_array()))
    }
}

/// The parts of a list or a map; none of anything else.
fn parts(value: &Json) -> Vec<(Option<&str>, &Json)> {
    match value {
        Json::Array(items) => items.iter().map(|item| (None, item)).collect(),
        Json::Object(entries) => {
            entries.iter().map(|(key, value)| (Some(key.as_str()), value)).collect()
        }
        _ => Vec::new(),
    }
}

/// A value on one line, with spaces where people put them.
fn flat(value: &Json, written: &mut String) {
    let parts = parts(value);
    if parts.is_empty() {
        return written.push_str(&value.to_string());
    }
    written.push_str(if value.is_array() { "[" } else { "{ " });
    for (index, (key, value)) in parts.into_iter().enumerate() {
        written.push_str(if index > 0 { ", " } else { "" });
        if let Some(key) = key {
            written.push_str(&Json::from(key).to_string());
            written.push_str(": ");
        }
        flat(value, written);
    }
    written.push_str(if value.is_array() { "]" } else { " }" });
}

/// What each key is to be, and the keys that are new.
fn pair_keys<'a>(
    entries: &'a [(Node, Node)],
    wanted: &'a Map<String, Json>,
) -> (Vec<Entry<'a>>, Vec<New<'a>>) {
    let entry = |(key, node): &'a (Node, Node)| Entry {
        start: key.range.start,
        node,
        wanted: key.text().and_then(|key| wanted.get(key)),
    };
    let is_new = |key: &str| entries.iter().all(|(other, _)| other.text() != Some(key));
    let new = wanted.iter().filter(|(key, _)| is_new(key));
    (entries.iter().map(entry).collect(), new.map(|(key, value)| (Some(&**key), value)).collect())
}

/// What each item is to be, found by its name, and the items that are new. In this order they are
/// exactly what is wanted.
fn pair_items<'a>(items: &'a [Node], wanted: &'a [Json]) -> (Vec<Entry<'a>>, Vec<New<'a>>) {
    let mut rest = wanted.iter().peekable();
    let mut entries = Vec::new();
    for node in items {
        let is_same = |wanted: &&&Json| name(node) == wanted["name"].as_str();
        let wanted = rest.peek().filter(is_same).copied();
        if wanted.is_some() {
            rest.next();
        }
        entries.push(Entry { start: node.range.start, node, wanted });
    }
    (entries, rest.map(|value| (None, value)).collect())
}

fn is_named(items: &[Node]) -> bool {
    !items.is_empty() && items.iter().all(|item| name(item).is_some())
}

fn name(node: &Node) -> Option<&str> {
    node.at(&["name"])?.1.text()
}

/// The indentation of the first key, or what is usual.
fn unit<'a>(text: &'a str, root: &Node) -> &'a str {
    let first = root.entries().first().map(|(key, _)| &text[root.range.start + 1..key.range.start]);
    let unit = first.and_then(|lead| Some(&lead[lead.rfind('\n')? + 1..]));
    unit.filter(|unit| !unit.is_empty()).unwrap_or("  ")
}

/// There is a map of several lines' worth on one line.
fn has_flat_maps(text: &str, node: &Node) -> bool {
    match &node.kind {
        Kind::Map(entries) if !entries.is_empty() && !text[node.range.clone()].contains('\n') => {
            true
        }
        Kind::Map(entries) => entries.iter().any(|(_, value)| has_flat_maps(text, value)),
        Kind::List(items) => items.iter().any(|item| has_flat_maps(text, item)),
        Kind::Scalar { .. } | Kind::Alias => false,
    }
}

#[cfg(test)]
mod tests;
