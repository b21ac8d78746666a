//! Paths that lead through symbolic links: the links come along, and what they name.

use std::collections::BTreeSet;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::context::ContextError;
use crate::ignore::Ignore;

/// The patterns that bring `paths` along, with all links on the way. A part with wildcards is looked up
/// for links only: as a pattern it fits the rest by itself. Nothing is returned if everything is
/// wanted.
pub(super) fn follow(root: &Path, paths: &[String]) -> Result<Option<Vec<String>>, ContextError> {
    let mut resolver = Resolver { root, found: BTreeSet::new() };
    for path in paths {
        resolver.add(&inside(Path::new(path)))?;
    }
    if resolver.found.contains("") {
        return Ok(None);
    }
    Ok(Some(resolver.found.into_iter().collect()))
}

struct Resolver<'a> {
    root: &'a Path,
    found: BTreeSet<String>,
}

impl Resolver<'_> {
    fn add(&mut self, path: &Path) -> Result<(), ContextError> {
        let mut current = PathBuf::new();
        let mut parts = path.components();
        while let Some(part) = parts.next() {
            current.push(part);
            let targets = self.targets(&current)?;
            if targets.is_empty() {
                continue;
            }
            // A link that was met before leads round in a circle, or where we have been.
            if !self.found.insert(text(&current)) {
                return Ok(());
            }
            for target in targets {
                self.add(&inside(&target.join(parts.as_path())))?;
            }
            return Ok(());
        }
        self.found.insert(text(&current));
        Ok(())
    }

    /// What the links at a path name; nothing if there is no link.
    fn targets(&self, path: &Path) -> Result<Vec<PathBuf>, ContextError> {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Ok(Vec::new());
        };
        if !name.contains(['*', '?', '[']) {
            return Ok(self.target(path)?.into_iter().collect());
        }
        let Ok(pattern) = Ignore::from_patterns([name]) else { return Ok(Vec::new()) };
        let folder = path.parent().unwrap_or(Path::new(""));
        let Ok(entries) = self.root.join(folder).read_dir() else { return Ok(Vec::new()) };
        let names = entries.flatten().map(|entry| entry.file_name());
        let fitting = names.filter(|name| pattern.excludes(&name.to_string_lossy()));
        let targets = fitting.map(|name| self.target(&folder.join(name)));
        targets.filter_map(Result::transpose).collect()
    }

    fn target(&self, path: &Path) -> Result<Option<PathBuf>, ContextError> {
        match self.root.join(path).read_link() {
            Ok(target) if target.is_absolute() => Ok(Some(target)),
            Ok(target) => Ok(Some(path.parent().unwrap_or(Path::new("")).join(target))),
            // No link, or nothing at all.
            Err(error) if is_no_link(&error) => Ok(None),
            Err(source) => Err(ContextError::Read { path: self.root.join(path), source }),
        }
    }
}

fn is_no_link(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, NotADirectory, NotFound};
    matches!(error.kind(), InvalidInput | NotADirectory | NotFound)
}

/// A path without `.` and `..`; none leads out of the root.
fn inside(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    clean
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn follow_in(root: &Path, paths: &[&str]) -> Option<Vec<String>> {
        let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
        follow(root, &paths).unwrap()
    }

    #[test]
    fn links_come_along_with_what_they_name() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("real/sub")).unwrap();
        symlink("../real", root.join("real/loop")).unwrap();
        symlink("real", root.join("link")).unwrap();
        symlink("/real/../../outside", root.join("real/sub/out")).unwrap();
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        let found = |paths: &[&str]| follow_in(root, paths).unwrap();
        assert_eq!(found(&["link/sub/x"]), ["link", "real/sub/x"]);
        assert_eq!(found(&["/real/sub/out"]), ["outside", "real/sub/out"]);
        assert_eq!(found(&["a"]), ["a", "b"]);
        assert_eq!(found(&["l*", "none/*.rs"]), ["l*", "none/*.rs", "real"]);
        assert_eq!(follow_in(root, &["x", "./"]), None);
    }
}
