//! Which file a path means.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::FileType;
use std::path::{Component, Path, PathBuf};

use crate::artifact::MOST_LINKS;

/// Paths that tell whether two are the same file: without links as far as there is something, and without
/// `.` and `..`. Folders are looked at once, since hundreds of files lie in few of them.
#[derive(Default)]
pub(super) struct RealPaths {
    folders: HashMap<PathBuf, Folder>,
}

/// A folder, as it is found.
struct Folder {
    /// Its own path without links.
    real: PathBuf,
    /// How many of its files were looked at alone.
    looked_at: usize,
    /// All that is in it, once that was asked for and told.
    entries: Option<HashMap<OsString, FileType>>,
}

/// For more files than these a folder is read as a whole.
const FEW: usize = 8;

impl RealPaths {
    /// The one path of the file that this path means, whether it is there or not.
    pub(super) fn of(&mut self, path: &Path) -> PathBuf {
        self.look(path).0
    }

    /// The same, and whether a folder is there.
    pub(super) fn look(&mut self, path: &Path) -> (PathBuf, bool) {
        if let (Some(parent), Some(Component::Normal(name))) =
            (path.parent(), path.components().next_back())
        {
            let folder = self.folder(parent);
            let there = folder.look(name);
            if !there.is_some_and(|there| there.is_symlink()) {
                return (folder.real.join(name), there.is_some_and(|there| there.is_dir()));
            }
        }
        let real = resolve(path);
        let is_folder = real.is_dir();
        (real, is_folder)
    }

    fn folder(&mut self, path: &Path) -> &mut Folder {
        if !self.folders.contains_key(path) {
            let folder = Folder { real: resolve(path), looked_at: 0, entries: None };
            self.folders.insert(path.into(), folder);
        }
        self.folders.get_mut(path).expect("it was put there if it was missing")
    }
}

impl Folder {
    /// What has this name, if something has.
    fn look(&mut self, name: &OsStr) -> Option<FileType> {
        self.looked_at += 1;
        if self.looked_at == FEW {
            // A folder that nobody may read can still have files that are known by their names.
            self.entries = entries(&self.real).ok();
        }
        match &self.entries {
            Some(entries) => entries.get(name).copied(),
            None => self.real.join(name).symlink_metadata().ok().map(|there| there.file_type()),
        }
    }
}

fn entries(folder: &Path) -> std::io::Result<HashMap<OsString, FileType>> {
    let entry = |entry: std::fs::DirEntry| Ok((entry.file_name(), entry.file_type()?));
    folder.read_dir()?.map(|found| found.and_then(entry)).collect()
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
        // The same, from what the folder as a whole was found to have.
        (0..FEW).for_each(|_| drop(paths.of(&top.join("a"))));
        assert_eq!(paths.folders[&top].entries.as_ref().map(HashMap::len), Some(6));
        for (path, real, is_folder) in [
            ("a", "a", true),
            ("link", "a/b", true),
            ("to-file", "a/b/file", false),
            ("to-new", "a/new/file", false),
            ("nowhere", "nowhere", false),
        ] {
            assert_eq!(paths.look(&top.join(path)), (top.join(real), is_folder), "{path}");
        }
    }
}
