//! `.dockerignore`: which files are not part of the build context.
//!
//! The rules are Docker's ([syntax]): patterns are anchored at the context's root, `**` stands for
//! any number of folders, `!` brings back, the last pattern that fits decides, and a pattern that
//! fits a folder fits all that is in it.
//!
//! [syntax]: https://docs.docker.com/build/concepts/context/#dockerignore-files

use regex::Regex;

/// Patterns of one `.dockerignore`.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
struct Pattern {
    brings_back: bool,
    regex: Regex,
    /// The pattern up to its first wildcard.
    plain_start: String,
    has_wildcard: bool,
}

/// What the patterns say of a path.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// The path is left out.
    pub excluded: bool,
    /// Which patterns fit it, for what is inside of it.
    fitting: Vec<bool>,
}

/// A line that is no pattern.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line}: `{text}` is no pattern: {reason}")]
pub struct PatternError {
    /// The line, from 1.
    pub line: usize,
    /// What stands there.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Ignore {
    /// Reads the text of a `.dockerignore`.
    ///
    /// # Errors
    ///
    /// The first line that is no pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.lines().zip(1..).filter(|(line, _)| !line.starts_with('#'));
        Self::read(lines)
    }

    /// Reads patterns that stand alone, as BuildKit sends them.
    ///
    /// # Errors
    ///
    /// The first that is no pattern; its line is its place in the list, from 1.
    pub fn from_patterns<'a>(
        patterns: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, PatternError> {
        Self::read(patterns.into_iter().zip(1..))
    }

    fn read<'a>(numbered: impl Iterator<Item = (&'a str, usize)>) -> Result<Self, PatternError> {
        let trimmed = numbered.map(|(text, line)| (text.trim(), line));
        let patterns = trimmed.filter(|(text, _)| !text.is_empty()).map(|(text, line)| {
            Pattern::read(text).map_err(|reason| PatternError { line, text: text.into(), reason })
        });
        Ok(Self { patterns: patterns.collect::<Result<_, _>>()? })
    }

    /// There is no pattern.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// What the patterns say of a path in a folder of which they said `parent`. The path is relative to
    /// the context, with `/` between its parts.
    ///
    /// A pattern that fits a folder fits all that is in it. As in Docker, a pattern is only tried
    /// where it would change something, and what was not tried on a folder is not inherited.
    #[must_use]
    pub fn judge(&self, parent: &Verdict, path: &str) -> Verdict {
        let mut verdict = Verdict { excluded: false, fitting: vec![false; self.patterns.len()] };
        for (index, pattern) in self.patterns.iter().enumerate() {
            let inherited = parent.fitting.get(index).copied().unwrap_or(false);
            let fits = inherited
                || (pattern.brings_back == verdict.excluded && pattern.regex.is_match(path));
            verdict.fitting[index] = fits;
            if fits {
                verdict.excluded = !pattern.brings_back;
            }
        }
        verdict
    }

    /// The path is left out, by all the folders that it is in.
    #[must_use]
    pub fn excludes(&self, path: &str) -> bool {
        let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        let paths = folders.chain(std::iter::once(path));
        paths.fold(Verdict::default(), |parent, path| self.judge(&parent, path)).excluded
    }

    /// A file below a folder that is left out could still be brought back.
    #[must_use]
    pub fn can_bring_back_below(&self, folder: &str) -> bool {
        self.reaches_below(folder, true)
    }

    /// A file below a folder that stays could be left out.
    #[must_use]
    pub fn can_exclude_below(&self, folder: &str) -> bool {
        self.reaches_below(folder, false)
    }

    fn reaches_below(&self, folder: &str, brings_back: bool) -> bool {
        let below = format!("{folder}/");
        self.patterns.iter().filter(|pattern| pattern.brings_back == brings_back).any(|pattern| {
            pattern.regex.is_match(folder)
                || pattern.plain_start.starts_with(&below)
                || (pattern.has_wildcard && below.starts_with(&pattern.plain_start))
        })
    }
}

impl Pattern {
    /// Reads one pattern; the error says what is wrong with it.
    fn read(text: &str) -> Result<Self, String> {
        let (brings_back, pattern) = match text.strip_prefix('!') {
            Some(pattern) => (true, pattern.trim()),
            None => (false, text),
        };
        if pattern.is_empty() {
            return Err("nothing stands behind the `!`".into());
        }
        let cleaned = clean(pattern);
        let regex =
            Regex::new(&to_regex(&cleaned)).map_err(|_| "brackets are not closed".to_owned())?;
        let wildcard = cleaned.find(['*', '?', '[', '\\']);
        let plain_start = cleaned[..wildcard.unwrap_or(cleaned.len())].to_owned();
        Ok(Self { brings_back, regex, plain_start, has_wildcard: wildcard.is_some() })
    }
}

/// The pattern without what makes no difference: `./a//b/../c/` is `a/c`.
fn clean(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if pattern.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    if parts.is_empty() { ".".into() } else { parts.join("/") }
}

fn to_regex(pattern: &str) -> String {
    let mut regex = String::from("^(?s:");
    let mut characters = pattern.chars().peekable();
    let mut at_start = true;
    while let Some(character) = characters.next() {
        match character {
            '*' if characters.next_if_eq(&'*').is_some() => {
                let slash = characters.next_if_eq(&'/').is_some();
                let last = characters.peek().is_none();
                // `**x` fits `ax` too, but only if `x` is plain: an old habit of Docker's.
                let is_suffix = at_start && !slash && !pattern[2..].contains(['*', '?', '[', ']']);
                regex.push_str(if last || is_suffix { ".*" } else { "(.*/)?" });
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' => {
                regex.push('[');
                while let Some(inner) = characters.next() {
                    match inner {
                        ']' => {
                            regex.push(']');
                            break;
                        }
                        '\\' => regex.extend(['\\', characters.next().unwrap_or('\\')]),
                        // Operators of sets, which the patterns do not have.
                        '[' | '&' | '~' => regex.extend(['\\', inner]),
                        other => regex.push(other),
                    }
                }
            }
            '\\' => {
                let escaped = characters.next().unwrap_or('\\');
                regex.push_str(&regex::escape(&escaped.to_string()));
            }
            other => regex.push_str(&regex::escape(&other.to_string())),
        }
        at_start = false;
    }
    regex.push_str(")$");
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row: patterns, paths that are left out, paths that stay.
    const CASES: [(&str, &[&str], &[&str]); 22] = [
        (
            "node_modules",
            &["node_modules", "node_modules/a/b"],
            &["web/node_modules", "node_modulesx"],
        ),
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
        assert!(
            !ignore.can_bring_back_below("node_modules") && !ignore.can_bring_back_below("doc")
        );
        assert!(Ignore::parse("*\n!**/keep\n").unwrap().can_bring_back_below("node_modules"));
    }

    #[test]
    fn a_line_that_is_no_pattern_is_told() {
        let error = Ignore::parse("a\n!\n").unwrap_err();
        assert_eq!(error.to_string(), "line 2: `!` is no pattern: nothing stands behind the `!`");
        assert!(Ignore::parse("a[b").is_err());
    }
}
