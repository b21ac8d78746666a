use proptest::collection::btree_map;
use proptest::prelude::*;

use super::*;
use crate::key::entry::order;

fn entry(path: &str, mode: u16, kind: Kind) -> Entry {
    Entry { path: path.into(), mode, kind, mark: 0 }
}

fn file(path: &str, text: &str) -> Entry {
    entry(path, 0o644, Kind::File(blake3::hash(text.as_bytes())))
}

fn json(node: &Node) -> String {
    serde_json::to_string(node).unwrap()
}

#[test]
fn an_ordinary_file_is_its_hash_and_others_say_what_they_are() {
    let entries = [
        entry("bin", 0o1777, Kind::Folder),
        entry("bin/run", 0o755, Kind::File(blake3::hash(b"a"))),
        entry("empty", 0o755, Kind::Folder),
        entry("link", 0, Kind::Link("a".into())),
        file("plain", "a"),
    ];
    let node = Listing::of(&entries, usize::MAX);
    let expected = r#"{"bin":{"":"d1777.AAAAAAAAAAA","run":"f755.F3Yv3dlppFM"},"empty":{},"link":"l.F3Yv3dlppFM","plain":"F3Yv3dlppFM"}"#;
    assert_eq!(json(&node), expected);
    assert_eq!(serde_json::from_str::<Node>(expected).unwrap(), node);
}

#[test]
fn what_is_no_entry_is_told() {
    for text in
        ["", "x644.F3Yv3dlppFM", "f.F3Yv3dlppFM", "f9.F3Yv3dlppFM", "F3YL", "lx.F3Yv3dlppFM"]
    {
        assert!(serde_json::from_str::<Node>(&format!("\"{text}\"")).is_err(), "{text}");
    }
}

#[test]
fn large_folders_are_named_by_one_hash_before_small_ones() {
    let large = (0..100).map(|number| file(&format!("large/{number:03}"), "a"));
    let entries: Vec<_> = large.chain([file("small/a", "a"), file("z", "a")]).collect();
    let Node::Folder(listing) = Listing::of(&entries, 200) else { panic!() };
    assert!(matches!(&listing.0["large"], Node::Leaf(leaf) if leaf.kind == LeafKind::Folder));
    assert!(matches!(&listing.0["small"], Node::Folder(small) if small.0.len() == 1));
    assert!(matches!(Listing::of(&entries, 20), Node::Leaf(_)));
}

#[test]
fn no_path_is_too_deep_for_a_reader_of_json() {
    let path = "a/".repeat(2000) + "b";
    let node = Listing::of(&[file(&path, "a")], usize::MAX);
    assert_eq!(serde_json::from_str::<Node>(&json(&node)).unwrap(), node);
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let path =
        prop::collection::vec("[a-c\"\\\\\u{1}]{1,3}", 1..4).prop_map(|parts| parts.join("/"));
    btree_map(path, (0_u16..0o1000, 0_u8..9), 0..40).prop_map(|files| {
        let mut entries: Vec<Entry> = Vec::new();
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort_by(|one, other| order(&one.0, &other.0));
        for (path, (mode, number)) in files {
            // A file is no folder.
            let is_inside = |entry: &Entry| path.starts_with(&format!("{}/", entry.path));
            if !entries.iter().any(is_inside) {
                entries.push(entry(&path, mode, Kind::File(blake3::hash(&[number]))));
            }
        }
        entries
    })
}

proptest! {
    #[test]
    fn a_listing_fits_and_is_read_as_it_was_written(entries in entries(), limit in 30_usize..900) {
        let whole = Listing::of(&entries, usize::MAX);
        let fitting = Listing::of(&entries, limit);
        let text = json(&fitting);
        prop_assert!(text.len() <= limit, "{} bytes: {}", text.len(), text);
        prop_assert_eq!(&serde_json::from_str::<Node>(&text).unwrap(), &fitting);
        prop_assert_eq!(fitting.leaf(), whole.leaf());
    }
}
