//! What is in a folder, in the order and the words of BuildKit's file protocol.
//!
//! An entry comes after its folder and before its next sibling, names sorted by their bytes: `a`,
//! `a/b`, `a.b`. The engine compares that list with the one it has, so the order is not a matter of
//! taste.

use std::collections::HashMap;
use std::fs::{DirEntry, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use bollard_buildkit_proto::fsutil::types::Stat;

use super::filter::{Filter, Place};
use crate::context::ContextError;

/// Bits of a mode as Go has them.
mod go {
    pub(super) const FOLDER: u32 = 1 << 31;
    pub(super) const LINK: u32 = 1 << 27;
    pub(super) const SET_USER: u32 = 1 << 23;
    pub(super) const SET_GROUP: u32 = 1 << 22;
    pub(super) const STICKY: u32 = 1 << 20;
}

/// Tells what a filter wants of a folder, entry by entry, until `tell` answers that nobody listens.
pub(crate) fn walk(
    root: &Path,
    filter: &Filter,
    tell: &mut dyn FnMut(Stat, &Metadata) -> bool,
) -> Result<(), ContextError> {
    let (pending, links) = (Vec::new(), HashMap::new());
    let mut walk = Walk { root, filter, tell, pending, links, is_over: false };
    walk.enter("", &Place::default(), true)
}

struct Walk<'a> {
    root: &'a Path,
    filter: &'a Filter,
    tell: &'a mut dyn FnMut(Stat, &Metadata) -> bool,
    /// Folders around this one that nobody asked for. They are told once something in them is.
    pending: Vec<(Stat, Metadata)>,
    /// Files with several names, by device and inode, and the name that was told first.
    links: HashMap<(u64, u64), String>,
    is_over: bool,
}

impl Walk<'_> {
    /// Tells what is in a folder; `is_wanted` is whether anybody asked for the folder itself.
    fn enter(&mut self, folder: &str, place: &Place, is_wanted: bool) -> Result<(), ContextError> {
        let path = self.root.join(folder);
        let entries = path.read_dir().and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = match entries {
            Ok(entries) => entries,
            // It went away, or may not be read and was only searched.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !folder.is_empty() => {
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && !is_wanted => {
                return Ok(());
            }
            Err(source) => return Err(ContextError::Read { path, source }),
        };
        entries.sort_by_cached_key(DirEntry::file_name);
        for entry in entries {
            if self.is_over {
                break;
            }
            self.visit(folder, place, &entry)?;
        }
        Ok(())
    }

    fn visit(
        &mut self,
        folder: &str,
        parent: &Place,
        entry: &DirEntry,
    ) -> Result<(), ContextError> {
        let name = entry.file_name();
        let separator = if folder.is_empty() { "" } else { "/" };
        let path = format!("{folder}{separator}{}", name.to_string_lossy());
        let place = self.filter.judge(parent, &path);
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound || !place.is_wanted => {
                return Ok(());
            }
            Err(source) => return Err(ContextError::Read { path: entry.path(), source }),
        };
        let goes_on = metadata.is_dir() && self.filter.can_want_below(&path, &place);
        if !place.is_wanted && !goes_on {
            return Ok(());
        }
        if name.to_str().is_none() {
            return Err(ContextError::Name(entry.path()));
        }
        let Some(stat) = self.stat(&path, entry, &metadata)? else { return Ok(()) };
        if place.is_wanted {
            self.tell(stat, metadata);
        } else {
            self.pending.push((stat, metadata));
        }
        if goes_on {
            self.enter(&path, &place, place.is_wanted)?;
        }
        // Still there if nothing in it was told; empty otherwise.
        if !place.is_wanted {
            self.pending.pop();
        }
        Ok(())
    }

    fn tell(&mut self, stat: Stat, metadata: Metadata) {
        for (stat, metadata) in self.pending.drain(..).chain([(stat, metadata)]) {
            self.is_over = self.is_over || !(self.tell)(stat, &metadata);
        }
    }

    /// What the engine is told of an entry. Owners are 0, so that a laptop's user does not matter.
    /// Sockets, pipes and devices have no place in an image.
    fn stat(
        &mut self,
        path: &str,
        entry: &DirEntry,
        metadata: &Metadata,
    ) -> Result<Option<Stat>, ContextError> {
        let mut stat = Stat {
            path: path.into(),
            mode: permissions(metadata.mode()),
            mod_time: metadata.mtime().saturating_mul(1_000_000_000) + metadata.mtime_nsec(),
            ..Stat::default()
        };
        if metadata.is_dir() {
            stat.mode |= go::FOLDER;
        } else if metadata.is_symlink() {
            stat.mode |= go::LINK;
            let read = |source| ContextError::Read { path: entry.path(), source };
            let target = entry.path().read_link().map_err(read)?;
            let target = target.into_os_string().into_string();
            stat.linkname = target.map_err(|_| ContextError::Name(entry.path()))?;
        } else if metadata.is_file() {
            match self.other_name(path, metadata) {
                Some(first) => stat.linkname = first,
                None => stat.size = i64::try_from(metadata.len()).unwrap_or(i64::MAX),
            }
        } else {
            return Ok(None);
        }
        Ok(Some(stat))
    }

    /// The name by which a file was told before.
    fn other_name(&mut self, path: &str, metadata: &Metadata) -> Option<String> {
        if metadata.nlink() < 2 {
            return None;
        }
        let key = (metadata.dev(), metadata.ino());
        if let Some(first) = self.links.get(&key) {
            return Some(first.clone());
        }
        self.links.insert(key, path.into());
        None
    }
}

/// The stat is that of a file with bytes to ask for.
pub(super) fn has_content(stat: &Stat) -> bool {
    stat.mode & (go::FOLDER | go::LINK) == 0 && stat.linkname.is_empty()
}

fn permissions(mode: u32) -> u32 {
    let bit = |unix: u32, go: u32| if mode & unix == 0 { 0 } else { go };
    (mode & 0o777)
        | bit(0o4000, go::SET_USER)
        | bit(0o2000, go::SET_GROUP)
        | bit(0o1000, go::STICKY)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs::Permissions;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use tonic::metadata::MetadataMap;

    use super::super::filter::Wish;
    use super::*;

    /// A folder with these files; a name that ends in `/` is a folder.
    fn folder(paths: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for path in paths {
            let place = folder.path().join(path);
            let parent = if path.ends_with('/') { &*place } else { place.parent().unwrap() };
            std::fs::create_dir_all(parent).unwrap();
            if !path.ends_with('/') {
                std::fs::write(place, path).unwrap();
            }
        }
        folder
    }

    fn stats(root: &Path, wishes: &[(&'static str, &str)]) -> Result<Vec<Stat>, ContextError> {
        let mut metadata = MetadataMap::new();
        for (key, value) in wishes {
            metadata.append(*key, value.parse().unwrap());
        }
        let filter = Wish::read(&metadata).filter(root)?;
        let mut stats = Vec::new();
        walk(root, &filter, &mut |stat, _| {
            stats.push(stat);
            true
        })?;
        Ok(stats)
    }

    fn paths(root: &Path, wishes: &[(&'static str, &str)]) -> Vec<String> {
        stats(root, wishes).unwrap().into_iter().map(|stat| stat.path).collect()
    }

    #[test]
    fn a_folder_comes_before_what_is_in_it_and_then_its_siblings() {
        let folder = folder(
            &["a/b", "a.b", "a", "a-b", "A", "b/"].map(
                |path| {
                    if path == "a" { "a/" } else { path }
                },
            ),
        );
        assert_eq!(paths(folder.path(), &[]), ["A", "a", "a/b", "a-b", "a.b", "b"]);
    }

    #[test]
    fn only_what_is_asked_for_is_told_and_the_folders_around_it() {
        let folder = folder(&["x/y/z", "x/y/w", "x/v", "u/", "t"]);
        let root = folder.path();
        assert_eq!(paths(root, &[("followpaths", "x/y/z")]), ["x", "x/y", "x/y/z"]);
        assert_eq!(paths(root, &[("include-patterns", "**/w")]), ["x", "x/y", "x/y/w"]);
        assert_eq!(paths(root, &[("followpaths", ".")]).len(), 7);
        assert_eq!(paths(root, &[("followpaths", "none")]), Vec::<String>::new());
    }

    #[test]
    fn what_is_excluded_is_not_told_unless_it_is_brought_back() {
        let folder = folder(&["x/y/z", "x/y/w", "x/v", "t"]);
        let exclude = |patterns: &[&'static str]| {
            let wishes: Vec<_> =
                patterns.iter().map(|pattern| ("exclude-patterns", *pattern)).collect();
            paths(folder.path(), &wishes)
        };
        assert_eq!(exclude(&["x/y", "t"]), ["x", "x/v"]);
        assert_eq!(exclude(&["*", "!x/y/w"]), ["x", "x/y", "x/y/w"]);
        let both = [("followpaths", "x"), ("exclude-patterns", "**/w")];
        assert_eq!(paths(folder.path(), &both), ["x", "x/v", "x/y", "x/y/z"]);
    }

    #[test]
    fn kinds_and_modes_are_told_as_go_has_them() {
        let folder = folder(&["d/", "f"]);
        let root = folder.path();
        std::fs::set_permissions(root.join("f"), Permissions::from_mode(0o4751)).unwrap();
        std::fs::set_permissions(root.join("d"), Permissions::from_mode(0o1777)).unwrap();
        std::fs::hard_link(root.join("f"), root.join("g")).unwrap();
        symlink("../there", root.join("l")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("s")).unwrap();
        let stats = stats(root, &[]).unwrap();
        let [d, f, g, l] = stats.as_slice() else { panic!("{stats:?}") };
        assert_eq!(d.mode, go::FOLDER | go::STICKY | 0o777);
        assert_eq!((f.mode, f.size, f.uid, f.gid), (go::SET_USER | 0o751, 1, 0, 0));
        assert_eq!((g.linkname.as_str(), g.size), ("f", 0));
        assert_eq!((l.mode & go::LINK, l.linkname.as_str()), (go::LINK, "../there"));
        assert!(has_content(f) && !has_content(g) && !has_content(l) && !has_content(d));
    }

    #[test]
    fn a_name_that_cannot_be_sent_is_told_unless_it_is_excluded() {
        let folder = folder(&["a"]);
        let name = OsStr::from_bytes(b"b\xff");
        std::fs::write(folder.path().join(name), "").unwrap();
        let error = stats(folder.path(), &[]).unwrap_err();
        assert!(matches!(&error, ContextError::Name(path) if path.ends_with(name)), "{error}");
        assert_eq!(paths(folder.path(), &[("exclude-patterns", "b*")]), ["a"]);
    }

    #[test]
    fn nothing_is_told_when_nobody_listens() {
        let folder = folder(&["a", "b", "c"]);
        let filter = Wish::default().filter(folder.path()).unwrap();
        let mut count = 0;
        walk(folder.path(), &filter, &mut |_, _| {
            count += 1;
            false
        })
        .unwrap();
        assert_eq!(count, 1);
    }
}
