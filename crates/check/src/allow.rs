//! Findings that the user wants silent: `# shipspec: allow CODE` and `check: {allow: …}`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use shipspec_spec::nearest::nearest;
use shipspec_spec::source::Position;

use crate::codes::{self, Code};
use crate::finding::Finding;

/// Codes that are silent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Everywhere.
    pub whole: BTreeSet<String>,
    /// On these lines, from 1.
    lines: BTreeMap<usize, BTreeSet<String>>,
    /// Codes that there are not, and where they stand.
    pub unknown: Vec<(Range<usize>, UnknownCode)>,
}

/// A code that there is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCode {
    /// As it is written.
    pub written: String,
    /// The one that was probably meant.
    pub near: Option<&'static str>,
}

impl UnknownCode {
    /// The code, if it is none.
    #[must_use]
    pub fn check(written: &str) -> Option<Self> {
        if Code::find(written).is_some() {
            return None;
        }
        let near = nearest(written, codes::all().map(Code::as_str));
        Some(Self { written: written.into(), near })
    }

    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> String {
        format!("no finding has the code `{}`", self.written)
    }

    /// What to write instead.
    #[must_use]
    pub fn fix(&self) -> String {
        match self.near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`shipspec check --list` shows all codes".into(),
        }
    }
}

/// What stands in front of the codes in a comment.
const WORDS: &str = "# shipspec: allow ";

impl Allowed {
    /// Codes that are allowed in a whole file.
    #[must_use]
    pub fn everywhere<'a>(codes: impl IntoIterator<Item = &'a String>) -> Self {
        Self { whole: codes.into_iter().cloned().collect(), ..Self::default() }
    }

    /// What the comments of a YAML text allow. A comment behind something is about its own line, one on
    /// a line of its own about the next line that is none; above everything else it is about the file.
    pub(crate) fn in_comments(text: &str) -> Self {
        let mut allowed = Self::default();
        if !text.contains(WORDS) {
            return allowed;
        }
        let (mut offset, mut is_head, mut open) = (0, true, BTreeSet::new());
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let codes = allowed.codes(line, offset);
            offset += line.len();
            if line.trim_start().starts_with('#') {
                open.extend(codes);
                continue;
            }
            if line.trim().is_empty() || line.trim() == "---" {
                if is_head {
                    allowed.whole.append(&mut open);
                }
                continue;
            }
            is_head = false;
            open.extend(codes);
            allowed.lines.entry(index + 1).or_default().append(&mut open);
        }
        allowed
    }

    /// The codes of the comment in a line.
    fn codes(&mut self, line: &str, offset: usize) -> Vec<String> {
        let Some((before, codes)) = line.split_once(WORDS) else { return Vec::new() };
        let start = offset + before.len() + WORDS.len();
        let words = codes.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty());
        let words: Vec<_> = words.map(str::to_owned).collect();
        for word in &words {
            if let Some(unknown) = UnknownCode::check(word) {
                let at = start + codes.find(word.as_str()).unwrap_or(0);
                self.unknown.push((at..at + word.len(), unknown));
            }
        }
        words
    }

    /// The finding is one of those, or a comment of its own file allows it.
    #[must_use]
    pub fn silences(&self, finding: &Finding) -> bool {
        self.has(finding) || Self::in_comments(&finding.span.source.text).has(finding)
    }

    /// The finding is one of those.
    #[must_use]
    pub fn has(&self, finding: &Finding) -> bool {
        let code = finding.code.as_str();
        if self.whole.contains(code) {
            return true;
        }
        if self.lines.is_empty() {
            return false;
        }
        let line = Position::of(&finding.span.source.text, finding.span.range.start).line;
        self.lines.get(&line).is_some_and(|codes| codes.contains(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_about_its_line_or_the_next_or_the_file() {
        let text = "# shipspec: allow image-latest\n\na: 1 # shipspec: allow left-over, duplicate-key\n# shipspec: allow appspec-hook\n# because\nb: 2\n";
        let allowed = Allowed::in_comments(text);
        assert_eq!(Vec::from_iter(&allowed.whole), ["image-latest"]);
        assert_eq!(Vec::from_iter(&allowed.lines[&3]), ["duplicate-key", "left-over"]);
        assert_eq!(Vec::from_iter(&allowed.lines[&6]), ["appspec-hook"]);
        assert!(allowed.unknown.is_empty());
    }

    #[test]
    fn a_code_that_there_is_not_is_told_with_the_nearest() {
        let text = "a: 1 # shipspec: allow image-latst\n";
        let allowed = Allowed::in_comments(text);
        let (range, unknown) = &allowed.unknown[0];
        assert_eq!((&text[range.clone()], unknown.near), ("image-latst", Some("image-latest")));
    }
}
