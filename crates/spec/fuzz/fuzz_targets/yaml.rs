//! Any value in any YAML: the result has the structure of the template and the value in its place, or
//! there is an error.
//!
//! The input is a template, the character U+0001 and a value. Each `$` is a place for the value; a `!` in front of the
//! value makes it one that is always text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shipspec_spec::document::{Kind, Node};
use shipspec_spec::escape::{Part, YamlError, fill_yaml};
use shipspec_spec::source::Source;

/// Stands for the value while the structure is looked at.
const WORD: &str = "Wrd";

fuzz_target!(|input: &str| {
    let Some((template, value)) = input.split_once('\u{1}') else { return };
    if template.contains(WORD) {
        return;
    }
    let (value, is_text) = match value.strip_prefix('!') {
        Some(value) => (value, true),
        None => (value, false),
    };
    let mut parts = Vec::new();
    for (index, piece) in template.split('$').enumerate() {
        if index > 0 {
            parts.push(Part::Value { text: value.into(), is_text });
        }
        if !piece.is_empty() {
            parts.push(Part::Text(piece));
        }
    }
    let filled = match fill_yaml(&parts) {
        Ok(filled) => filled,
        Err(YamlError::Template { part, .. }) => {
            assert!(part <= parts.len(), "the place is behind the end");
            return;
        }
        Err(YamlError::Structure) => return,
    };
    if !template.contains('$') {
        assert_eq!(filled, template);
    }
    let probe = Node::parse(&Source::new("template", template.replace('$', WORD)));
    let probe = probe.expect("the template was read before");
    let result = Node::parse(&Source::new("result", &*filled));
    let result = result.unwrap_or_else(|error| panic!("{error}: {filled:?}"));
    let wanted = shape(&probe, &|text| text.replace(WORD, value));
    assert_eq!(shape(&result, &str::to_owned), wanted, "{filled:?}");
});

/// The tree without its places. Built without recursion, for the tree may be deep.
fn shape(root: &Node, scalar: &dyn Fn(&str) -> String) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), vec![root]);
    while let Some(node) = open.pop() {
        match &node.kind {
            Kind::Scalar { text, .. } => found.push(format!("{:?}", scalar(text))),
            Kind::Alias => found.push("*".into()),
            Kind::List(items) => {
                found.push(format!("[{}", items.len()));
                open.extend(items);
            }
            Kind::Map(entries) => {
                found.push(format!("{{{}", entries.len()));
                open.extend(entries.iter().flat_map(|(key, value)| [key, value]));
            }
        }
    }
    found
}
