//! The page of a code, as people read it.

use std::fmt::Write as _;

use super::{Files, Page};
use crate::read::Format;

impl Page {
    /// The page in Markdown: what it is about, a file that has it, and the same file, mended.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n", self.code);
        let _ =
            write!(text, "{}: {}.\n\n{}\n", capital(self.severity.word()), self.title, self.text);
        for (title, files) in [("Found here", self.bad), ("Right", self.good)] {
            if !self.bad.is_empty() {
                example(&mut text, title, files);
            }
        }
        let _ = write!(
            text,
            "\n## To silence it\n\n`check: {{ allow: [{0}] }}` in shipspec.yml, for everything or in one artifact; in YAML \
             `# shipspec: allow {0}` behind the line or above it.\n",
            self.code
        );
        text
    }
}

fn example(text: &mut String, title: &str, files: Files) {
    let _ = write!(text, "\n## {title}\n");
    for (path, content) in files {
        let language = Format::of(path).word().to_lowercase();
        let _ = write!(text, "\n`{path}`:\n\n```{language}\n{}\n```\n", content.trim_end());
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
