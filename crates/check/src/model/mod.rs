//! What `RegisterTaskDefinition` takes, as the model of its API says.

mod described;
mod validate;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

pub use described::{Registrable, registrable};
pub(crate) use validate::validate;

/// The input of the operation, reduced to names, types and words; the file says where it is from.
static TEXT: &str = include_str!("register-task-definition.json");

static MODEL: LazyLock<Model> = LazyLock::new(|| {
    // The file is a part of the program, and a test reads it.
    serde_json::from_str(TEXT).unwrap_or_default()
});

#[derive(Debug, Default, Deserialize)]
struct Model {
    root: String,
    /// Keys that `DescribeTaskDefinition` returns and the operation does not take.
    output_only: Vec<String>,
    shapes: HashMap<String, Shape>,
}

#[derive(Debug, Deserialize)]
struct Shape {
    #[serde(rename = "type")]
    kind: ShapeKind,
    #[serde(default)]
    required: Vec<String>,
    #[serde(default)]
    members: HashMap<String, String>,
    #[serde(default)]
    member: Option<String>,
    #[serde(default)]
    value: Option<String>,
    #[serde(default, rename = "enum")]
    words: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ShapeKind {
    Structure,
    List,
    Map,
    String,
    Integer,
    Boolean,
}

impl Model {
    fn shape(&self, name: &str) -> Option<&Shape> {
        self.shapes.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_can_be_read_and_every_shape_is_there() {
        assert!(MODEL.shape(&MODEL.root).is_some());
        for shape in MODEL.shapes.values() {
            let names = shape.members.values().chain(&shape.member).chain(&shape.value);
            for name in names {
                assert!(MODEL.shape(name).is_some(), "{name}");
            }
        }
    }
}
