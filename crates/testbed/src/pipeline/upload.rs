//! The files that CodeBuild takes from a checkout when a build has ended.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::buildspec::{OneOrMany, Section, Switch};
use super::{Artifact, Buildspec, Refusal};

impl Buildspec {
    /// Uploads what `artifacts:` names, for the outputs of the pipeline's CodeBuild action.
    ///
    /// One output is the primary artifact. Of several, each is the secondary artifact of its name.
    /// A pattern that finds nothing is passed over, as CodeBuild does.
    ///
    /// # Errors
    ///
    /// [`Refusal::NothingFound`] if an artifact would be empty; [`Refusal::Buildspec`] if the
    /// buildspec does not have it, or two files of it would have one path.
    pub fn upload(&self, checkout: &Path, outputs: &[&str]) -> Result<Vec<Artifact>, Refusal> {
        let Some(artifacts) = &self.artifacts else {
            return Err(Refusal::Buildspec("it has no `artifacts`".to_owned()));
        };
        let section = |output: &str| match outputs {
            [_] => Ok(&artifacts.primary),
            _ => artifacts.secondary_artifacts.get(output).ok_or_else(|| {
                Refusal::Buildspec(format!("no secondary artifact is named `{output}`"))
            }),
        };
        outputs.iter().map(|output| section(output)?.pack(output, checkout)).collect()
    }
}

impl Section {
    fn pack(&self, name: &str, checkout: &Path) -> Result<Artifact, Refusal> {
        let Some(files) = &self.files else {
            return Err(Refusal::Buildspec(format!("the artifact `{name}` has no `files`")));
        };
        let folder = self.folder(checkout)?;
        let (wanted, unwanted) = (patterns(Some(files))?, patterns(self.exclude_paths.as_ref())?);
        let is_any =
            |patterns: &[Pattern], path: &str| patterns.iter().any(|pattern| pattern.matches(path));
        let discards_paths = self.discard_paths.as_ref().is_some_and(Switch::is_on);
        let mut packed = BTreeMap::new();
        for path in files_below(&folder) {
            if !is_any(&wanted, &path) || is_any(&unwanted, &path) {
                continue;
            }
            let bytes = std::fs::read(folder.join(&path))
                .map_err(|error| Refusal::Buildspec(format!("{path}: {error}")))?;
            let inside = match path.rsplit_once('/') {
                Some((_, file)) if discards_paths => file,
                _ => &path,
            };
            if packed.insert(inside.to_owned(), bytes).is_some() {
                return Err(Refusal::Buildspec(format!("two files of `{name}` are `{inside}`")));
            }
        }
        if packed.is_empty() {
            return Err(Refusal::NothingFound(files.texts().join(", ")));
        }
        Ok(Artifact::pack(name, &packed))
    }

    fn folder(&self, checkout: &Path) -> Result<PathBuf, Refusal> {
        let Some(base) = &self.base_directory else { return Ok(checkout.to_owned()) };
        if base.contains(['*', '?', '$']) {
            let why =
                format!("a pattern or variable in the base directory `{base}` is not done here");
            return Err(Refusal::Buildspec(why));
        }
        let folder = checkout.join(base);
        if folder.is_dir() {
            return Ok(folder);
        }
        Err(Refusal::NothingFound(format!("the base directory `{base}`")))
    }
}

fn patterns(texts: Option<&OneOrMany>) -> Result<Vec<Pattern<'_>>, Refusal> {
    texts.map_or(&[][..], OneOrMany::texts).iter().map(|text| Pattern::parse(text)).collect()
}

/// A path, whose parts may have `*` for part of a name and `?` for one character; a part `**` is any
/// number of folders.
struct Pattern<'a>(Vec<&'a str>);

impl<'a> Pattern<'a> {
    fn parse(text: &'a str) -> Result<Self, Refusal> {
        if text.contains(['$', '[', '{']) || text.starts_with('/') {
            let why = format!("a variable, a set or a whole path in `{text}` is not done here");
            return Err(Refusal::Buildspec(why));
        }
        Ok(Self(text.strip_prefix("./").unwrap_or(text).split('/').collect()))
    }

    fn matches(&self, path: &str) -> bool {
        match_parts(&self.0, &path.split('/').collect::<Vec<_>>())
    }
}

fn match_parts(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**", rest @ ..], _) => {
            (0..=path.len()).any(|skipped| match_parts(rest, &path[skipped..]))
        }
        ([part, rest @ ..], [name, below @ ..]) => {
            match_name(part.as_bytes(), name.as_bytes()) && match_parts(rest, below)
        }
        _ => false,
    }
}

fn match_name(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=name.len()).any(|taken| match_name(rest, &name[taken..])),
        ([b'?', rest @ ..], [_, below @ ..]) => match_name(rest, below),
        ([first, rest @ ..], [byte, below @ ..]) => first == byte && match_name(rest, below),
        _ => false,
    }
}

/// The paths of all files below a folder, with `/` between their parts.
fn files_below(folder: &Path) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if path.is_file() {
                let inside = path.strip_prefix(folder).unwrap_or(&path);
                found.push(inside.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests;
