use proptest::prelude::*;

use super::*;
use crate::document::{Kind, Node};
use crate::source::Source;

fn fill(template: &str, value: &str) -> String {
    fill_as(template, value, false)
}

fn fill_as(template: &str, value: &str, is_text: bool) -> String {
    let pieces: Vec<_> = template.split("${X}").collect();
    let mut parts = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            parts.push(Part::Value { text: value.into(), is_text });
        }
        parts.push(Part::Text(piece));
    }
    fill_yaml(&parts).unwrap_or_else(|error| panic!("{template:?} {value:?}: {error}"))
}

#[test]
fn a_harmless_value_stands_as_envsubst_would_write_it() {
    for (template, value) in [
        ("a: ${X}\n", "80"),
        ("a: ${X}\n", "true"),
        ("a: x-${X} # note ${X}\n", "b c"),
        ("- '${X}'\n- \"${X}\"\n", "plain"),
        ("a: |\n  one ${X}\n  two\n", "v"),
        ("TaskDefinition: <TASK_DEFINITION>\nContainerName: ${X}\n", "web"),
    ] {
        assert_eq!(fill(template, value), template.replace("${X}", value));
    }
}

#[test]
fn what_would_change_the_structure_is_quoted() {
    assert_eq!(fill("a: ${X}\n", "b: c"), "a: \"b: c\"\n");
    assert_eq!(fill("a: ${X} # keep\n", "x # y"), "a: \"x # y\" # keep\n");
    assert_eq!(fill("a: [ ${X}, b ]\n", "1, 2"), "a: [ \"1, 2\", b ]\n");
    assert_eq!(fill("a: '${X}'\n", "it's"), "a: 'it''s'\n");
    assert_eq!(fill("a: '${X}'\n", "1\n2"), "a: \"1\\n2\"\n");
    assert_eq!(fill("a: \"${X}\"\n", "\"\\"), "a: \"\\\"\\\\\"\n");
    assert_eq!(fill("a: ${X}\n", ""), "a: \"\"\n");
    assert_eq!(fill("${X}: v\n", "k: w"), "\"k: w\": v\n");
}

#[test]
fn several_lines_are_indented_in_a_block_or_the_block_is_quoted() {
    assert_eq!(fill("a: |\n  x\n  ${X}\n", "1\n2"), "a: |\n  x\n  1\n  2\n");
    assert_eq!(fill("a: >\n  ${X}\nb: c\n", "1\n2"), "a: \"1\\n2\\n\"\nb: c\n");
    assert_eq!(fill("a: | # why\n  ${X}\n", " 1\n2"), "a: \"\\x201\\n2\\n\" # why\n");
}

#[test]
fn what_older_readers_take_for_a_break_is_written_as_a_code() {
    for sign in ["\u{85}", "\u{2028}", "\u{2029}"] {
        let code = scalar::escaped(sign);
        assert!(code.starts_with('\\'), "{code}");
        let value = format!("a{sign}b: c");
        let wanted = format!("a{code}b: c");
        assert_eq!(fill("k: '${X}'\n", &value), format!("k: \"{wanted}\"\n"));
        assert_eq!(fill("k: |\n  ${X}\nl: m\n", &value), format!("k: \"{wanted}\\n\"\nl: m\n"));
        assert_eq!(fill("k: >-\n  ${X}\n", &value), format!("k: \"{wanted}\"\n"));
        assert_eq!(fill("k: \"${X}\"\n", &value), format!("k: \"{wanted}\"\n"));
    }
    assert_eq!(fill("k: ${X}\n", "="), "k: \"=\"\n");
    assert_eq!(fill("k: [ ${X} ]\n", "a?b"), "k: [ \"a?b\" ]\n");
}

#[test]
fn text_that_looks_like_a_number_stays_text() {
    for value in ["1234567", "12e4567", "0x12", "1_000", "yes", "null", "2026-01-01", "12:30"] {
        assert_eq!(fill_as("a: ${X}\n", value, true), format!("a: \"{value}\"\n"));
    }
    assert_eq!(fill_as("a: ${X}\n", "1a2b3c4", true), "a: 1a2b3c4\n");
    assert_eq!(fill_as("a: v${X}\n", "1234567", true), "a: v1234567\n");
}

#[test]
fn a_template_that_is_no_yaml_is_told_where() {
    let parts = [
        Part::Text("a: ["),
        Part::Value { text: "x".into(), is_text: false },
        Part::Text("\nb: c\n"),
    ];
    assert!(matches!(fill_yaml(&parts), Err(YamlError::Template { part: 2, .. })));
}

const TEMPLATES: [&str; 18] = [
    "a: ${X}\nb: 1\n",
    "a: pre ${X} post # c\n",
    "a: '${X}'\n",
    "a: 'p ${X} q'\n",
    "a: \"${X}\"\n",
    "a: \"p\n  ${X}\n  q\"\n",
    "- ${X}\n- b\n",
    "- [ ${X}, 'c', \"${X}\" ]\n",
    "{ a: ${X}, b: { c: \"${X}\" } }\n",
    "${X}: v\nk: w\n",
    "'${X}': v\n",
    "a: |\n  ${X}\nb: 1\n",
    "a: |\n  x ${X} y\n  z\n",
    "a: |-\n  x\n  ${X}\n",
    "a: >\n  x ${X}\n  y\nb: 1\n",
    "a: &anchor ${X}\nb: *anchor\n",
    "# comment ${X}\na: b # ${X}\n",
    "a:\n  - b: ${X}\n    c: ${X}\n  - d\n",
];

/// The tree without its places, with a text in place of each scalar.
fn shape(node: &Node, scalar: &impl Fn(&str) -> String) -> String {
    match &node.kind {
        Kind::Scalar { text, .. } => format!("{:?}", scalar(text)),
        Kind::Alias => "*".into(),
        Kind::List(items) => {
            format!("{:?}", items.iter().map(|item| shape(item, scalar)).collect::<Vec<_>>())
        }
        Kind::Map(entries) => {
            let entry = |(key, value): &(Node, Node)| (shape(key, scalar), shape(value, scalar));
            format!("{:?}", entries.iter().map(entry).collect::<Vec<_>>())
        }
    }
}

fn parsed(text: &str, scalar: impl Fn(&str) -> String) -> String {
    shape(&Node::parse(&Source::new("x", text)).unwrap(), &scalar)
}

#[test]
fn a_value_in_an_anchor_is_no_scalar() {
    assert_eq!(fill("a: &${X} v\n", "x1"), "a: &x1 v\n");
    let parts = [
        Part::Text("a: &"),
        Part::Value { text: "x y".into(), is_text: false },
        Part::Text(" v\n"),
    ];
    assert_eq!(fill_yaml(&parts), Err(YamlError::Structure));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_value_is_that_very_string_in_its_place(
        value in prop_oneof![".*", "[A-Za-z0-9][A-Za-z0-9 _./-]{0,12}[A-Za-z0-9]", "[a-z]{500,1000}", "[ \\t\\n'\"#:,\\[\\]{}&*!|>%@`\\\\?~0-9a-z-]{0,12}", "(?s).{0,20}"],
        template in proptest::sample::select(TEMPLATES.as_slice()),
        is_text: bool,
    ) {
        // A carriage return is a line break to YAML, and no bare place can hold it; quotes can.
        let filled = fill_as(template, &value, is_text);
        let wanted = parsed(&template.replace("${X}", "SLOT"), |text| text.replace("SLOT", &value));
        prop_assert_eq!(parsed(&filled, str::to_owned), wanted, "{}", filled);
    }
}

#[test]
fn a_long_value_in_a_key_is_looked_at() {
    // A key of one line has a longest length, whatever it is put together from.
    let long = "a".repeat(500);
    let parts = |before| {
        let value = || Part::Value { text: long.clone(), is_text: false };
        [Part::Text(before), value(), Part::Text(", "), value(), Part::Text(", b, "), value()]
    };
    let mut list = parts("[").to_vec();
    list.push(Part::Text("]: v\n"));
    assert_eq!(fill_yaml(&list), Err(YamlError::Structure));
    let text = fill_yaml(&parts("a: ")).unwrap();
    assert_eq!(text, format!("a: {long}, {long}, b, {long}"));
}

#[test]
fn what_a_scalar_means_is_no_slot() {
    assert_eq!(fill("a: \"\\x7aq\"\nb: ${X}\n", "y"), "a: \"\\x7aq\"\nb: y\n");
    assert_eq!(fill("a: \"z\\\n  q\"\nb: ${X}\n", "y"), "a: \"z\\\n  q\"\nb: y\n");
    let anchor = [
        Part::Text("a: &"),
        Part::Value { text: "b c".into(), is_text: false },
        Part::Text(" \"\\x7aq9\\x7aq\"\n"),
    ];
    assert_eq!(fill_yaml(&anchor), Err(YamlError::Structure));
}
