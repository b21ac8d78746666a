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
    /// All that is in it; nothing where that cannot be told at once.
    entries: Option<HashMap<OsString, FileType>>,
}

/// In a folder with more than these each file is asked for alone.
const MOST: usize = 4096;

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

    fn folder(&mut self, path: &Path) -> &Folder {
        if !self.folders.contains_key(path) {
            let real = resolve(path);
            // A folder that nobody may read can still have files that are known by their names.
            let entries = entries(&real).ok().flatten();
            self.folders.insert(path.into(), Folder { real, entries });
        }
        &self.folders[path]
    }
}

impl Folder {
    /// What has this name, if something has.
    fn look(&self, name: &OsStr) -> Option<FileType> {
        match &self.entries {
            Some(entries) => entries.get(name).copied(),
            None => self.real.join(name).symlink_metadata().ok().map(|there| there.file_type()),
        }
    }
}

/// All that is in a folder, if that is not too much.
fn entries(folder: &Path) -> std::io::Result<Option<HashMap<OsString, FileType>>> {
    let mut entries = HashMap::new();
    for entry in folder.read_dir()? {
        let entry = entry?;
        entries.insert(entry.file_name(), entry.file_type()?);
        if entries.len() > MOST {
            return Ok(None);
        }
    }
    Ok(Some(entries))
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
        let cases = [
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
        ];
        let mut paths = RealPaths::default();
        for (path, real) in cases {
            assert_eq!(paths.of(&top.join(path)), top.join(real), "{path}");
        }
        assert_eq!(paths.folders[&top].entries.as_ref().map(HashMap::len), Some(6));
        assert_eq!(paths.look(&top.join("a")), (top.join("a"), true));
        assert_eq!(paths.look(&top.join("link")), (top.join("a/b"), true));
        // The same where each is asked for alone.
        paths.folders.values_mut().for_each(|folder| folder.entries = None);
        for (path, real) in cases {
            assert_eq!(paths.of(&top.join(path)), top.join(real), "{path}");
        }
        assert_eq!(paths.look(&top.join("a")), (top.join("a"), true));
    }

    #[test]
    fn a_large_folder_is_not_read_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..MOST {
            std::fs::write(folder.path().join(number.to_string()), "").unwrap();
        }
        assert_eq!(entries(folder.path()).unwrap().map(|it| it.len()), Some(MOST));
        std::fs::write(folder.path().join("more"), "").unwrap();
        assert!(entries(folder.path()).unwrap().is_none());
    }
}
