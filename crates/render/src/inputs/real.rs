//! Which file a path means.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};

use crate::artifact::MOST_LINKS;

/// Paths that tell whether two are the same file: without links as far as there is something, and without
/// `.` and `..`. Folders are looked at once, since hundreds of files lie in few of them.
#[derive(Default)]
pub(super) struct RealPaths {
    folders: HashMap<PathBuf, PathBuf>,
}

impl RealPaths {
    /// The one path of the file that this path means, whether it is there or not.
    pub(super) fn of(&mut self, path: &Path) -> PathBuf {
        self.look(path).0
    }

    /// The same, and whether a folder is there.
    pub(super) fn look(&mut self, path: &Path) -> (PathBuf, bool) {
        if let (Some(folder), Some(Component::Normal(name))) =
            (path.parent(), path.components().next_back())
        {
            let real = self.of_folder(folder).join(name);
            let there = real.symlink_metadata().ok();
            if !there.as_ref().is_some_and(Metadata::is_symlink) {
                return (real, there.is_some_and(|there| there.is_dir()));
            }
        }
        let real = resolve(path);
        let is_folder = real.is_dir();
        (real, is_folder)
    }

    fn of_folder(&mut self, folder: &Path) -> &Path {
        if !self.folders.contains_key(folder) {
            self.folders.insert(folder.into(), resolve(folder));
        }
        &self.folders[folder]
    }
}

fn resolve(path: &Path) -> PathBuf {
    resolve_links(path, MOST_LINKS)
}

fn resolve_links(path: &Path, links: usize) -> PathBuf {
    for there in path.ancestors() {
        let rest = path.strip_prefix(there).unwrap_or(Path::new(""));
        let mut real = match (there.canonicalize(), there.read_link()) {
            (Ok(real), _) => real,
            // A link to what is not there yet: whoever writes to it makes that.
            (Err(_), Ok(target)) if links > 0 => {
                let target = there.parent().unwrap_or(Path::new("")).join(target);
                return resolve_links(&target.join(rest), links - 1);
            }
            _ => continue,
        };
        for part in rest.components() {
            match part {
                Component::ParentDir => drop(real.pop()),
                Component::Normal(name) => real.push(name),
                _ => {}
            }
        }
        return real;
    }
    path.to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_dots_lead_to_one_path() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(top.join("a/b")).unwrap();
        std::fs::write(top.join("a/b/file"), "").unwrap();
        std::os::unix::fs::symlink("a/b", top.join("link")).unwrap();
        std::os::unix::fs::symlink("link/file", top.join("to-file")).unwrap();
        std::os::unix::fs::symlink("nowhere", top.join("to-nothing")).unwrap();
        std::os::unix::fs::symlink("link/../new/file", top.join("to-new")).unwrap();
        std::os::unix::fs::symlink("endless", top.join("endless")).unwrap();
        let mut paths = RealPaths::default();
        for (path, real) in [
            ("a/b/file", "a/b/file"),
            ("link/file", "a/b/file"),
            ("to-file", "a/b/file"),
            ("./a/./b/../b/file", "a/b/file"),
            ("link/../x", "a/x"),
            ("link/new/file", "a/b/new/file"),
            ("none/../x", "x"),
            ("none/../a/b/file", "a/b/file"),
            ("new/a/../b", "new/b"),
            ("none/..", ""),
            ("to-nothing", "nowhere"),
            ("to-nothing/x", "nowhere/x"),
            ("to-new", "a/new/file"),
            ("endless", "endless"),
        ] {
            assert_eq!(paths.of(&top.join(path)), top.join(real), "{path}");
        }
    }
}
