//! Files for the next stage: all of them are written whole, or none is.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use shipspec_spec::destination::Publication;
use tempfile::TempPath;

use crate::parallel;

/// A file to write.
#[derive(Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Where, from the project's folder on.
    pub path: PathBuf,
    /// All of its content.
    pub content: Content,
    /// The secret parameters that stand in it, because shipspec.yml allows it: then the text must
    /// not be shown.
    pub secrets: BTreeSet<String>,
    /// What its author may want to know, though nothing is wrong.
    pub notes: Vec<String>,
    /// Where its content is put as well.
    pub publish: Vec<Publication>,
}

/// What an artifact holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Text(String),
    /// A zip archive.
    Archive(Vec<u8>),
}

impl Content {
    /// The bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Archive(bytes) => bytes,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Archive(_) => None,
        }
    }
}

/// Why no artifact was written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write `{}`", path.display())]
pub struct WriteError {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

/// Artifacts that are complete on the disk, each beside its place. Dropping them leaves nothing.
#[derive(Debug, Default)]
pub struct Prepared {
    files: Vec<File>,
    created: Vec<PathBuf>,
}

/// Artifacts that are in their places, and what was there before.
#[derive(Debug, Default)]
pub struct Written {
    moved: Vec<(PathBuf, Option<Vec<u8>>)>,
    created: Vec<PathBuf>,
}

impl Written {
    /// Puts back what was there before, as far as that can be done.
    pub fn put_back(self) {
        for (path, before) in self.moved.into_iter().rev() {
            put_back(&path, before);
        }
        remove_empty(&self.created);
    }
}

/// A file that is complete, and not yet in its place.
#[derive(Debug)]
struct File {
    name: PathBuf,
    path: PathBuf,
    /// Closed: a process may have only so many files open.
    content: TempPath,
    /// There is one of that name now.
    replaces: bool,
}

impl Prepared {
    /// Writes all artifacts beside their places, so that only moving them there is left to do: what
    /// can go wrong with the disk goes wrong here.
    ///
    /// # Errors
    ///
    /// [`WriteError`]: nothing is left behind.
    pub fn write(folder: &Path, artifacts: &[Artifact]) -> Result<Self, WriteError> {
        let mut prepared = Self::default();
        prepared.create_folders(folder, artifacts)?;
        let files = parallel::map(artifacts, |artifact| prepare(folder, artifact));
        for (artifact, file) in artifacts.iter().zip(files) {
            prepared.files.push(file.map_err(|source| error(&artifact.path, source))?);
        }
        Ok(prepared)
    }

    fn create_folders(&mut self, folder: &Path, artifacts: &[Artifact]) -> Result<(), WriteError> {
        let mut seen = BTreeSet::new();
        for artifact in artifacts {
            let parent = artifact.path.parent().unwrap_or(Path::new(""));
            if seen.insert(parent) {
                let created = self.create_folder(&folder.join(parent));
                created.map_err(|source| error(&artifact.path, source))?;
            }
        }
        Ok(())
    }

    fn create_folder(&mut self, folder: &Path) -> std::io::Result<()> {
        let missing = folder.ancestors().take_while(|folder| !folder.exists());
        let mut missing: Vec<_> = missing.map(Path::to_path_buf).collect();
        if !missing.is_empty() {
            std::fs::create_dir_all(folder)?;
            missing.reverse();
            self.created.append(&mut missing);
        }
        Ok(())
    }

    /// Moves all of them to their places. If one cannot be moved, those before it are put back as
    /// they were.
    ///
    /// # Errors
    ///
    /// [`WriteError`]: every file is as it was before.
    pub fn commit(mut self) -> Result<Written, WriteError> {
        let mut written = Written::default();
        for file in self.files.drain(..) {
            let before = file.replaces.then(|| std::fs::read(&file.path).ok()).flatten();
            if let Err(failed) = file.content.persist(&file.path) {
                written.put_back();
                return Err(error(&file.name, failed.error));
            }
            written.moved.push((file.path, before));
        }
        written.created = std::mem::take(&mut self.created);
        Ok(written)
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        self.files.clear();
        remove_empty(&self.created);
    }
}

/// Takes away the folders that were made for artifacts.
fn remove_empty(created: &[PathBuf]) {
    for folder in created.iter().rev() {
        // It is not empty if somebody else uses it now.
        let _ = std::fs::remove_dir(folder);
    }
}

fn error(path: &Path, source: std::io::Error) -> WriteError {
    WriteError { path: path.into(), source }
}

/// A file beside its place, complete, with the permissions that a shell's `>` would give it. It is not
/// forced onto the disk: what a reader must never see is half of it, and a machine that loses its
/// power loses the whole build.
fn prepare(folder: &Path, artifact: &Artifact) -> std::io::Result<File> {
    let path = folder.join(&artifact.path);
    let there = std::fs::metadata(&path);
    if there.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
        return Err(std::io::Error::other("a folder is in its place"));
    }
    let parent = path.parent().unwrap_or(Path::new("."));
    let mode = std::fs::Permissions::from_mode(0o666);
    let mut content = tempfile::Builder::new().permissions(mode).tempfile_in(parent)?;
    // Through the file itself: an error of the other way would name the temporary path.
    content.as_file_mut().write_all(artifact.content.bytes())?;
    let content = content.into_temp_path();
    Ok(File { name: artifact.path.clone(), path, content, replaces: there.is_ok() })
}

fn put_back(path: &Path, before: Option<Vec<u8>>) {
    // What cannot be put back was moved a moment ago; there is nothing left to try.
    let _ = match before {
        Some(bytes) => std::fs::write(path, bytes),
        None => std::fs::remove_file(path),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(path: &str) -> Artifact {
        Artifact {
            path: path.into(),
            content: Content::Text(format!("new {path}")),
            secrets: BTreeSet::new(),
            notes: Vec::new(),
            publish: Vec::new(),
        }
    }

    #[test]
    fn all_are_written_with_their_folders() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = [artifact("a.json"), artifact("out/deep/b.json")];
        Prepared::write(folder.path(), &artifacts).unwrap().commit().unwrap();
        let read = |path: &str| std::fs::read_to_string(folder.path().join(path)).unwrap();
        assert_eq!(read("a.json"), "new a.json");
        assert_eq!(read("out/deep/b.json"), "new out/deep/b.json");
        let mode = folder.path().join("a.json").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
    }

    #[test]
    fn what_was_written_can_be_put_back() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.json"), "old").unwrap();
        let artifacts = [artifact("a.json"), artifact("out/b.json")];
        Prepared::write(folder.path(), &artifacts).unwrap().commit().unwrap().put_back();
        assert_eq!(std::fs::read_to_string(folder.path().join("a.json")).unwrap(), "old");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn what_is_prepared_and_not_wanted_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        drop(Prepared::write(folder.path(), &[artifact("out/a.json")]).unwrap());
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn if_one_cannot_be_written_none_is() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.json"), "old").unwrap();
        std::fs::create_dir_all(folder.path().join("c.json/in-the-way")).unwrap();
        let artifacts = [artifact("a.json"), artifact("out/b.json"), artifact("c.json")];
        let error = Prepared::write(folder.path(), &artifacts).unwrap_err();
        assert_eq!(error.to_string(), "failed to write `c.json`");
        assert_eq!(std::fs::read_to_string(folder.path().join("a.json")).unwrap(), "old");
        let mut left: Vec<_> =
            folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["a.json", "c.json"]);
    }
}
