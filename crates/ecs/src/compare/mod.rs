//! How one task definition differs from another, by what it means and not by how it is written.

mod defaults;
mod hide;
mod mask;
mod tree;

use indexmap::IndexMap;
use serde_json::Value as Json;

pub use mask::{first_hidden, masked};
use tree::Node;

/// What is not the same in two task definitions. No value in it is a secret that its name tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Difference {
    /// What the one that runs has, and the other one has not.
    pub lost: Vec<Entry>,
    /// What both have, with other values.
    pub changed: Vec<Entry>,
    /// What only the new one has.
    pub added: Vec<Entry>,
}

/// A part of a task definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where it is: `containerDefinitions[web].environment[STAGE]`.
    pub path: String,
    /// What it is now; null if it is not there.
    pub before: Json,
    /// What it becomes; null if it is not there any more.
    pub after: Json,
}

impl Difference {
    /// Both mean the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.changed.is_empty() && self.added.is_empty()
    }

    /// Leaves a part out that cannot be compared.
    pub fn forget(&mut self, path: &str) {
        for entries in [&mut self.lost, &mut self.changed, &mut self.added] {
            entries.retain(|entry| entry.path != path);
        }
    }
}

/// What becomes of the task definition `before` once `after` is deployed in its place.
///
/// The order of variables, ports and containers does not count, and a default that one of them spells
/// out is none that the other one lacks.
#[must_use]
pub fn compare(before: &Json, after: &Json) -> Difference {
    let mut difference = Difference::default();
    difference.node("", &tree::root(before), &tree::root(after));
    difference
}

impl Difference {
    fn node(&mut self, path: &str, before: &Node, after: &Node) {
        match (before, after) {
            (Node::Members(before), Node::Members(after)) => {
                let name = |key: &str| {
                    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
                };
                self.entries(name, before, after);
            }
            (Node::Items(before), Node::Items(after)) => {
                self.entries(|key| format!("{path}[{key}]"), before, after);
            }
            _ if before == after => {}
            _ => self.changed.push(Entry {
                path: path.to_owned(),
                before: before.shown(),
                after: after.shown(),
            }),
        }
    }

    fn entries(
        &mut self,
        name: impl Fn(&str) -> String,
        before: &IndexMap<String, Node>,
        after: &IndexMap<String, Node>,
    ) {
        for (key, node) in before {
            match after.get(key) {
                Some(other) => self.node(&name(key), node, other),
                None => self.lost.push(Entry {
                    path: name(key),
                    before: node.shown(),
                    after: Json::Null,
                }),
            }
        }
        for (key, node) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
            self.added.push(Entry { path: name(key), before: Json::Null, after: node.shown() });
        }
    }
}

#[cfg(test)]
mod tests;
