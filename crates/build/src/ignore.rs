//! `.dockerignore`: which files are not part of the build context.
//!
//! The rules are Docker's ([syntax]): patterns are anchored at the context's root, `**` stands for
//! any number of folders, `!` brings back, the last pattern that fits decides, and a pattern that
//! fits a folder fits all that is in it.
//!
//! [syntax]: https://docs.docker.com/build/concepts/context/#dockerignore-files

mod pattern;

use pattern::Pattern;

/// Patterns of one `.dockerignore`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ignore {
    patterns: Vec<Pattern>,
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
            let fits = inherited || (pattern.brings_back == verdict.excluded && pattern.fits(path));
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
        self.patterns
            .iter()
            .filter(|pattern| pattern.brings_back == brings_back)
            .any(|pattern| pattern.fits(folder) || pattern.reaches_below(&below))
    }
}

#[cfg(test)]
mod tests;
