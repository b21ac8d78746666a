use super::*;

/// Each row: patterns, paths that are left out, paths that stay.
const CASES: [(&str, &[&str], &[&str]); 39] = [
    ("node_modules", &["node_modules", "node_modules/a/b"], &["web/node_modules", "node_modulesx"]),
    ("/target/", &["target", "target/x"], &["a/target"]),
    ("*.log", &["a.log"], &["x/a.log", "a.logs"]),
    ("**/*.log", &["a.log", "x/y/a.log"], &["a.txt"]),
    ("*/tmp", &["a/tmp", "a/tmp/x"], &["tmp", "a/b/tmp"]),
    ("a?c", &["abc"], &["ac", "a/c", "abbc"]),
    ("a/**", &["a/b", "a/b/c"], &["a", "b"]),
    ("a/**/z", &["a/z", "a/b/c/z"], &["z", "a/zz"]),
    ("**", &["a", "a/b", ".x"], &[]),
    ("*\n!keep", &["a", "b/c"], &["keep", "keep/x"]),
    ("docs\n!docs/a.md", &["docs", "docs/b.md"], &["docs/a.md"]),
    ("!a\na", &["a"], &["b"]),
    ("# a\n\n  b  ", &["b"], &["# a", "a"]),
    ("[ab].txt", &["a.txt", "b.txt"], &["c.txt"]),
    ("[0-9].txt", &["5.txt"], &["a.txt", "-.txt"]),
    ("x[^a].txt", &["xb.txt"], &["xa.txt"]),
    ("[[]x[a&&b~~]", &["[xa", "[x&"], &["x", "[xc"]),
    ("?/*\n!?", &["a/src"], &["b"]),
    ("**b", &["ab", "x/ab"], &["ba"]),
    ("**b/*", &["b/x", "a/b/x"], &["ab/x"]),
    ("a\\*b", &["a*b"], &["axb"]),
    ("./x/../y", &["y"], &["x"]),
    // What has no wildcard but `**` at one end is compared as text.
    ("^a", &["^a"], &["a"]),
    ("a**", &["a", "ab", "ab/c"], &["b/a"]),
    ("**/.git", &[".git", "a/.git/x"], &["a.git"]),
    ("**a**", &["a", "ab", "x/ab"], &["xa", "b/c"]),
    ("**/a*", &["ab", "x/y/ab"], &["x/ba"]),
    ("a/**/**", &["a/b", "a/b/c"], &["a", "b"]),
    // In the others `^` stands for the start of the path.
    ("^a*", &["a", "ab"], &["^a"]),
    // Brackets: what ends them, what is in them.
    ("[*]", &["[]", "^]"], &["*", "a"]),
    ("[\\*\\]]", &["*", "]"], &["a"]),
    ("a]?", &["a]b"], &["a]", "a"]),
    ("[[:digit:]x].txt", &["1.txt", "x.txt"], &["d.txt", ":.txt"]),
    ("x[^a]y", &["xby", "x/y"], &["xay"]),
    ("[!a]", &["!", "a"], &["b"]),
    // What was not tried on a folder is not inherited, so the last line brings back what is in it.
    ("*\n!d\nd/*\n!d/a", &["b", "d/b"], &["d", "d/a"]),
    ("**/b/**\n!**/keep.md", &["b/x", "a/b/c/x"], &["b/keep.md", "a/b/keep.md", "b"]),
    ("**\n!src/main.rs", &["a", "src/lib.rs", "src"], &["src/main.rs"]),
    ("!!a\n\\!b\n! c", &["!b"], &["!a", "c", "b"]),
];

#[test]
fn patterns_mean_what_docker_means() {
    for (text, out, kept) in CASES {
        let ignore = Ignore::parse(text).unwrap();
        for path in out {
            assert!(ignore.excludes(path), "{text:?} leaves {path} out");
        }
        for path in kept {
            assert!(!ignore.excludes(path), "{text:?} keeps {path}");
        }
    }
}

#[test]
fn only_folders_that_may_hold_something_are_entered() {
    let ignore = Ignore::parse("*\n!docs/a.md\n!src/*.rs\n").unwrap();
    assert!(ignore.can_bring_back_below("docs") && ignore.can_bring_back_below("src"));
    assert!(!ignore.can_bring_back_below("node_modules") && !ignore.can_bring_back_below("doc"));
    assert!(Ignore::parse("*\n!**/keep\n").unwrap().can_bring_back_below("node_modules"));
}

#[test]
fn a_line_that_is_no_pattern_is_told() {
    let error = Ignore::parse("a\n!\n").unwrap_err();
    assert_eq!(error.to_string(), "line 2: `!` is no pattern: nothing stands behind the `!`");
    for text in ["a[b", "[]a]", "[a-]", "[--a]", "a\\", "[a\\", "[]", "[^]", "! "] {
        assert!(Ignore::parse(text).is_err(), "{text}");
    }
}
