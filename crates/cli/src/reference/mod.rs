//! `docs/reference`, made from the code. The test fails where what is committed is not what the code
//! says; with `UPDATE_REFERENCE=1` it writes the pages instead.

mod checks;
mod commands;
mod errors;
mod schema;

use std::path::{Path, PathBuf};

/// In front of every page.
const NOTE: &str = "<!-- Made from the code by scripts/reference; do not edit. -->\n\n";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference")
}

fn pages() -> Vec<(String, String)> {
    let config = shipspec_spec::config::Config::schema();
    let report = schemars::schema_for!(crate::report::Report).to_value();
    let pages = vec![
        ("commands.md", format!("{NOTE}{}", commands::page())),
        ("shipspec-yml.md", format!("{NOTE}# shipspec.yml\n\n{}", schema::page(&config))),
        ("shipspec.schema.json", json(&config)),
        (
            "output.md",
            format!("{NOTE}# The JSON document of `--output json`\n\n{}", schema::page(&report)),
        ),
        ("output.schema.json", json(&report)),
        ("exit-codes.md", format!("{NOTE}{}", errors::exit_codes())),
        ("errors.md", format!("{NOTE}{}", errors::page())),
        ("checks/README.md", format!("{NOTE}{}", checks::index())),
    ];
    let pages = pages.into_iter().map(|(path, text)| (path.to_owned(), text));
    let checks = checks::pages().into_iter().map(|(path, text)| (path, format!("{NOTE}{text}")));
    pages.chain(checks).collect()
}

fn json(value: &serde_json::Value) -> String {
    let text = serde_json::to_string_pretty(value).expect("JSON");
    format!("{text}\n")
}

#[test]
fn the_reference_says_what_the_code_says() {
    let update = std::env::var_os("UPDATE_REFERENCE").is_some();
    let mut stale = Vec::new();
    for (name, text) in pages() {
        let path = folder().join(&name);
        if update {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("docs/reference");
            std::fs::write(&path, text).expect("the page");
        } else if std::fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            stale.push(name);
        }
    }
    assert_eq!(stale, Vec::<String>::new(), "run scripts/reference and commit what it writes");
}
