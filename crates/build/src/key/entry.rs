//! What a folder holds, as far as an image can tell.

use std::cmp::Ordering;
use std::fs::Metadata;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;

use blake3::Hash;
use bollard_buildkit_proto::fsutil::types::Stat;

/// The bits of a mode that count: all but the group's right to write, in which the usual umasks of
/// laptops (0002) and of root (0022) differ.
const MODE: u32 = 0o7777 & !0o020;

/// A file, a folder or a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// From the context's folder on, with `/` between its parts.
    pub(super) path: Box<str>,
    /// Its permission bits; 0 for a link, which has none.
    pub(super) mode: u16,
    pub(super) kind: Kind,
    /// Size and times, to tell whether it changes while it is read; 0 for folders.
    pub(super) mark: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    /// A file with this content; a second name of it is a file like any other.
    File(Hash),
    /// A link that names this.
    Link(Box<str>),
}

impl Kind {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::File(_) => "file",
            Self::Link(_) => "link",
        }
    }
}

impl Entry {
    /// An entry whose content is not read yet.
    pub(super) fn new(stat: Stat, metadata: &Metadata) -> Self {
        let mode = u16::try_from(metadata.mode() & MODE).unwrap_or_default();
        let (mode, kind, mark) = if metadata.is_dir() {
            (mode, Kind::Folder, 0)
        } else if metadata.is_symlink() {
            (0, Kind::Link(stat.linkname.into()), mark(metadata))
        } else {
            (mode, Kind::File(Hash::from_bytes([0; 32])), mark(metadata))
        };
        Self { path: stat.path.into(), mode, kind, mark }
    }

    /// It is the same as one whose content is not read yet.
    pub(super) fn looks_like(&self, other: &Self) -> bool {
        let is_same_kind = match (&self.kind, &other.kind) {
            (Kind::File(_), Kind::File(_)) => true,
            (mine, theirs) => mine == theirs,
        };
        is_same_kind && (&self.path, self.mode, self.mark) == (&other.path, other.mode, other.mark)
    }
}

/// What changes when a file is written: its size and its times. The number of the file is left out, for
/// not every file system keeps it.
pub(super) fn mark(metadata: &Metadata) -> u64 {
    let mut hasher = DefaultHasher::new();
    let modified = (metadata.mtime(), metadata.mtime_nsec());
    let changed = (metadata.ctime(), metadata.ctime_nsec());
    (metadata.len(), modified, changed).hash(&mut hasher);
    hasher.finish()
}

/// The order of a walk: what is in a folder comes behind it and before its next sibling.
pub(super) fn order(one: &str, other: &str) -> Ordering {
    one.split('/').cmp(other.split('/'))
}
