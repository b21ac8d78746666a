//! A page for each finding of `shipspec check`, and one that lists them.

use std::fmt::Write as _;

use shipspec_check::codes;

/// All codes, with links to their pages.
pub(super) fn index() -> String {
    let mut text = String::from(
        "# Findings of `shipspec check`\n\nAn error is what AWS refuses, or what is certain to fail; a warning is probably not what was meant; \
         a note is worth knowing. [How to use it](../../guide/check.md).\n\n| code | severity | about |\n| --- | --- | --- |\n",
    );
    for code in codes::all() {
        let page = code.page();
        let _ = writeln!(
            text,
            "| [`{0}`]({0}.md) | {1} | {2} |",
            page.code,
            page.severity.word(),
            page.title.replace('|', "\\|")
        );
    }
    text
}

/// The page of each code, by its path.
pub(super) fn pages() -> Vec<(String, String)> {
    let page = |code: codes::Code| (format!("checks/{code}.md"), code.page().markdown());
    codes::all().map(page).collect()
}
