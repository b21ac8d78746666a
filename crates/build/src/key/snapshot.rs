//! A folder as an engine would get it, with a hash of all that an image can tell.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use blake3::{Hash, Hasher};
use rayon::iter::{IntoParallelRefMutIterator as _, ParallelIterator as _};
use rustix::fs::OFlags;
use shipspec_spec::hint::Hint;

use super::encode::Encoder;
use super::entry::{Entry, Kind, mark, order};
use crate::context::{Context, ContextError, read_ignore};
use crate::ignore::Ignore;
use crate::session::{Filter, walk};

/// Bytes that are read at once, for each thread.
const CHUNK: usize = 128 * 1024;

/// What is in a folder, less what `.dockerignore` leaves out: the same list of files that a build is
/// sent, by the same walk.
#[derive(Debug)]
pub struct Snapshot {
    folder: PathBuf,
    filter: Filter,
    entries: Vec<Entry>,
    hash: Hash,
}

/// Why a folder has no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The folder is no build context, or something in it cannot be read.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// Something changed while the folder was read: nobody knows what a build would get.
    #[error("`{}` changed while the build context was read", .0.display())]
    Changed(PathBuf),
}

impl Hint for SnapshotError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Context(_) => None,
            Self::Changed(_) => Some(
                "let nothing write into the build context during a run, or name what is written in .dockerignore"
                    .into(),
            ),
        }
    }
}

impl Snapshot {
    /// Reads a build context, on all cores. It takes as long as reading every file once.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`]. A file that changes is found by its size and its times, which a second look at
    /// every entry compares after the last has been read.
    pub fn of_context(context: &Context) -> Result<Self, SnapshotError> {
        Self::read(context.folder().to_owned(), context.ignore().clone(), &|_| {})
    }

    /// Reads the folder of a named context, which has a `.dockerignore` of its own.
    ///
    /// # Errors
    ///
    /// As [`Snapshot::of_context`].
    pub fn of_folder(folder: &Path) -> Result<Self, SnapshotError> {
        if !folder.is_dir() {
            return Err(ContextError::NoFolder(folder.into()).into());
        }
        let ignore = read_ignore(&[folder.join(".dockerignore")])?;
        Self::read(folder.to_owned(), ignore, &|_| {})
    }

    /// `opened` hears of each file when it is open and nothing of it is read.
    fn read(
        folder: PathBuf,
        ignore: Ignore,
        opened: &(dyn Fn(&Path) + Sync),
    ) -> Result<Self, SnapshotError> {
        let filter = Filter::without(ignore);
        let mut entries = Vec::new();
        walk(&folder, &filter, &mut |stat, metadata| {
            entries.push(Entry::new(stat, metadata));
            true
        })?;
        let buffer = || vec![0; CHUNK];
        entries.par_iter_mut().try_for_each_init(buffer, |buffer, entry| {
            let Kind::File(hash) = &mut entry.kind else { return Ok(()) };
            *hash = content(&folder.join(&*entry.path), entry.mark, buffer, opened)?;
            Ok::<_, SnapshotError>(())
        })?;
        let hash = hash_of(&entries);
        let snapshot = Self { folder, filter, entries, hash };
        snapshot.check_unchanged()?;
        Ok(snapshot)
    }

    /// Looks at every entry once more, without reading files: after a build this tells whether the
    /// engine can have got anything else.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Changed`] names the first entry that is not as it was.
    pub fn check_unchanged(&self) -> Result<(), SnapshotError> {
        let mut before = self.entries.iter();
        let mut changed = None;
        walk(&self.folder, &self.filter, &mut |stat, metadata| {
            let now = Entry::new(stat, metadata);
            changed = match before.next() {
                Some(entry) if entry.looks_like(&now) => None,
                // Something new stands before it, or it is another one, or gone.
                Some(entry) if order(&entry.path, &now.path).is_lt() => Some(entry.path.clone()),
                _ => Some(now.path),
            };
            changed.is_none()
        })?;
        let gone = || before.next().map(|entry| entry.path.clone());
        match changed.or_else(gone) {
            Some(path) => Err(SnapshotError::Changed(self.folder.join(&*path))),
            None => Ok(()),
        }
    }

    /// How many files, folders and links there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// There is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Something with this path is part of it, such as `.git`, which changes with every commit, or a file
    /// that the run itself writes.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.entries.binary_search_by(|entry| order(&entry.path, path)).is_ok()
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn hash(&self) -> Hash {
        self.hash
    }
}

fn hash_of(entries: &[Entry]) -> Hash {
    let mut encoder = Encoder::new("shipspec folder");
    encoder.count(entries.len());
    for entry in entries {
        encoder.text(&entry.path);
        encoder.text(entry.kind.name());
        encoder.number(entry.mode.into());
        match &entry.kind {
            Kind::Folder => {}
            Kind::File(hash) => encoder.text(&hash.to_hex()),
            Kind::Link(target) => encoder.text(target),
        }
    }
    encoder.hash()
}

/// The hash of a file that still has the mark it was seen with.
fn content(
    path: &Path,
    seen: u64,
    buffer: &mut [u8],
    opened: &(dyn Fn(&Path) + Sync),
) -> Result<Hash, SnapshotError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            SnapshotError::Changed(path.into())
        }
        _ if is_link(&source) => SnapshotError::Changed(path.into()),
        _ => ContextError::Read { path: path.into(), source }.into(),
    };
    // A pipe that took the file's place would wait for a writer, a link would lead elsewhere.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let flags = i32::try_from(flags).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed)?;
    opened(path);
    let is_as_seen = || -> io::Result<bool> {
        let metadata = file.metadata()?;
        Ok(metadata.is_file() && mark(&metadata) == seen)
    };
    if is_as_seen().map_err(failed)? {
        let hash = read_all(&file, buffer).map_err(failed)?;
        if is_as_seen().map_err(failed)? {
            return Ok(hash);
        }
    }
    Err(SnapshotError::Changed(path.into()))
}

fn is_link(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

fn read_all(mut file: &File, buffer: &mut [u8]) -> io::Result<Hash> {
    let mut hasher = Hasher::new();
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(hasher.finalize()),
            Ok(count) => drop(hasher.update(&buffer[..count])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
