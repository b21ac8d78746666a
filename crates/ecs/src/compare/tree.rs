//! A task definition as a tree in which equal things are equal: lists whose order says nothing become
//! maps, defaults and empty parts are left out, and what must not be shown is marked.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};
use shipspec_check::{cpu_units, is_of_secret, mebibytes};
use shipspec_spec::scope::sounds_secret;

use super::defaults::is_default;
use super::hide;

/// Lists of pairs: the key of the name, and that of what it has.
pub(super) const PAIRS: [(&str, &str, &str); 6] = [
    ("environment", "name", "value"),
    ("secrets", "name", "valueFrom"),
    ("secretOptions", "name", "valueFrom"),
    ("properties", "name", "value"),
    ("systemControls", "namespace", "value"),
    ("tags", "key", "value"),
];

/// Lists whose items have a name of some kind.
pub(super) const NAMED: [(&str, &str); 12] = [
    ("containerDefinitions", "name"),
    ("volumes", "name"),
    ("ulimits", "name"),
    ("portMappings", "containerPort"),
    ("mountPoints", "containerPath"),
    ("volumesFrom", "sourceContainer"),
    ("dependsOn", "containerName"),
    ("extraHosts", "hostname"),
    ("resourceRequirements", "type"),
    ("devices", "hostPath"),
    ("tmpfs", "containerPath"),
    ("inferenceAccelerators", "deviceName"),
];

/// Lists of words that are a set.
const SETS: [&str; 3] = ["requiresCompatibilities", "add", "drop"];

/// Maps and lists whose names are the user's own, and tell whether a value is a secret.
const OWN_NAMES: [&str; 7] =
    ["environment", "properties", "options", "dockerLabels", "driverOpts", "labels", "tags"];

/// What stands in place of a value that must not be shown.
pub(super) const HIDDEN: &str = "****";

/// A part of a task definition.
#[derive(PartialEq)]
pub(super) enum Node {
    /// A value that is compared as a whole.
    Plain(Json),
    /// One that must not be shown.
    Secret(Json),
    /// Members, by their keys.
    Members(IndexMap<String, Node>),
    /// Items of a list, by their names.
    Items(IndexMap<String, Node>),
}

impl Node {
    /// The part as people may see it.
    pub(super) fn shown(&self) -> Json {
        match self {
            Self::Plain(value) => hide::shown(value),
            Self::Secret(_) => HIDDEN.into(),
            Self::Members(entries) | Self::Items(entries) => {
                let entries = entries.iter().map(|(key, node)| (key.clone(), node.shown()));
                Json::Object(entries.collect())
            }
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Plain(Json::Null) => true,
            Self::Plain(Json::Array(items)) => items.is_empty(),
            Self::Plain(_) | Self::Secret(_) => false,
            Self::Members(entries) | Self::Items(entries) => entries.is_empty(),
        }
    }
}

/// The tree of a whole task definition.
pub(super) fn root(task_definition: &Json) -> Node {
    let network = task_definition["networkMode"].as_str().unwrap_or_default();
    let reader = Reader { has_own_ports: matches!(network, "awsvpc" | "host") };
    reader.node("", task_definition)
}

struct Reader {
    /// A port of a container is the same port outside of it.
    has_own_ports: bool,
}

impl Reader {
    /// `key` is what the value stands under.
    fn node(&self, key: &str, value: &Json) -> Node {
        match value {
            Json::Object(members) => self.members(key, members),
            Json::Array(items) => self.items(key, items),
            other => Node::Plain(other.clone()),
        }
    }

    fn members(&self, parent: &str, members: &Map<String, Json>) -> Node {
        let mut kept = IndexMap::new();
        for (key, value) in members {
            let is_same_port = self.has_own_ports
                && key == "hostPort"
                && Some(value) == members.get("containerPort");
            if is_same_port || is_default(parent, key, value) {
                continue;
            }
            let node = match value {
                Json::String(text) => text_node(parent, key, text),
                // Of a task they are texts, which many write as numbers.
                Json::Number(size) if is_size_of_task(parent, key) => {
                    text_node(parent, key, &size.to_string())
                }
                _ => self.node(key, value),
            };
            if !node.is_empty() {
                kept.insert(key.clone(), node);
            }
        }
        Node::Members(kept)
    }

    fn items(&self, key: &str, items: &[Json]) -> Node {
        if let Some((_, name, value)) = PAIRS.iter().find(|(list, ..)| *list == key) {
            return pairs(key, items, name, value);
        }
        if let Some((_, name)) = NAMED.iter().find(|(list, _)| *list == key) {
            let mut named = IndexMap::new();
            for (index, item) in items.iter().enumerate() {
                let label = label(item, name).filter(|label| !named.contains_key(label));
                named.insert(label.unwrap_or_else(|| index.to_string()), self.node(key, item));
            }
            return Node::Items(named);
        }
        let mut items = items.to_vec();
        if SETS.contains(&key) {
            items.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
        }
        Node::Plain(Json::Array(items))
    }
}

/// What an item is called by; a port has its protocol with it where that is not TCP.
fn label(item: &Json, name: &str) -> Option<String> {
    let text = match &item[name] {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return None,
    };
    match item["protocol"].as_str() {
        Some(protocol) if protocol != "tcp" => Some(format!("{text}/{protocol}")),
        _ => Some(text),
    }
}

/// The last entry of a name counts, as it does in a container.
fn pairs(key: &str, items: &[Json], name: &str, value: &str) -> Node {
    let mut pairs = IndexMap::new();
    for (index, item) in items.iter().enumerate() {
        let name = item[name].as_str().map_or_else(|| index.to_string(), str::to_owned);
        let node = match &item[value] {
            Json::String(text) => text_node(key, &name, text),
            Json::Null => text_node(key, &name, ""),
            // ECS takes none of them, and a comparison is no place to lose one.
            other => text_node(key, &name, &other.to_string()),
        };
        pairs.insert(name, node);
    }
    Node::Items(pairs)
}

fn is_size_of_task(parent: &str, key: &str) -> bool {
    parent.is_empty() && matches!(key, "cpu" | "memory")
}

fn text_node(parent: &str, key: &str, text: &str) -> Node {
    let size = match (parent, key) {
        ("", "cpu") => cpu_units(text),
        ("", "memory") => mebibytes(text),
        _ => None,
    };
    let value = size.map_or_else(|| Json::from(text), |size| size.to_string().into());
    if is_secret(parent, key) { Node::Secret(value) } else { Node::Plain(value) }
}

/// Its own name says that a value must not be shown; `parent` is the list or map that it is in.
pub(super) fn is_secret(parent: &str, name: &str) -> bool {
    OWN_NAMES.contains(&parent) && (sounds_secret(name) || is_of_secret(name))
}
