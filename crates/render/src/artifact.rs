//! Files for the next stage: all of them are written whole, or none is.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use shipspec_spec::destination::Publication;
use tempfile::{Builder, TempPath};

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
    /// Findings of `check` that are not told of it.
    pub allow: Vec<String>,
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

/// Artifacts that are in their places, and what was there before, which goes when this is dropped.
#[derive(Debug, Default)]
pub struct Written {
    moved: Vec<(PathBuf, Option<TempPath>)>,
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
    /// Where it goes: where links lead to.
    path: PathBuf,
    /// Closed: a process may have only so many files open.
    content: TempPath,
    /// Nothing was in its place a moment ago.
    is_new: bool,
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
            match put(file.content, &file.path, file.is_new) {
                Ok(before) => written.moved.push((file.path, before)),
                Err(source) => {
                    written.put_back();
                    return Err(error(&file.name, source));
                }
            }
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

/// A file beside its place, complete, with the owner and the permissions that a shell's `>` would leave
/// it. It is not forced onto the disk: what a reader must never see is half of it, and a machine that
/// loses its power loses the whole build.
fn prepare(folder: &Path, artifact: &Artifact) -> std::io::Result<File> {
    let (path, there) = follow(folder.join(&artifact.path))?;
    if there.as_ref().is_some_and(Metadata::is_dir) {
        return Err(std::io::Error::other("a folder is in its place"));
    }
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        return Err(std::io::Error::other("what is in its place is no file"));
    }
    let mode = std::fs::Permissions::from_mode(0o666);
    let mut content = Builder::new().permissions(mode).tempfile_in(parent(&path))?;
    // Through the file itself: an error of the other way would name the temporary path.
    let file = content.as_file_mut();
    file.write_all(artifact.content.bytes())?;
    if let Some(there) = &there {
        let own = file.metadata()?;
        refuse_sticky(&path, there.uid(), own.uid())?;
        if (own.uid(), own.gid()) != (there.uid(), there.gid()) {
            // Only root may give files away; for others it is theirs from now on.
            let _ = fchown(&*file, Some(there.uid()), Some(there.gid()));
        }
        file.set_permissions(there.permissions())?;
    }
    let is_new = there.is_none();
    Ok(File { name: artifact.path.clone(), path, content: content.into_temp_path(), is_new })
}

/// In a folder such as `/tmp` a file is moved by nobody but its owner, the folder's or root, and neither
/// is the second name that it would be given here.
fn refuse_sticky(path: &Path, owner: u32, own: u32) -> std::io::Result<()> {
    const STICKY: u32 = 0o1000;
    if own == 0 || own == owner {
        return Ok(());
    }
    let folder = parent(path).metadata()?;
    if folder.mode() & STICKY != 0 && own != folder.uid() {
        let message = "it belongs to another user, and only they may replace it in this folder";
        return Err(std::io::Error::other(message));
    }
    Ok(())
}

/// Links that may lead from one to the next, as for the kernel.
pub(crate) const MOST_LINKS: usize = 40;

/// The path behind links, as a shell's `>` follows them, and what is there; there need not be a file yet.
fn follow(mut path: PathBuf) -> std::io::Result<(PathBuf, Option<Metadata>)> {
    for _ in 0..MOST_LINKS {
        let there = path.symlink_metadata().ok();
        if !there.as_ref().is_some_and(Metadata::is_symlink) {
            return Ok((path, there));
        }
        let target = std::fs::read_link(&path)?;
        path = parent(&path).join(target);
        if !parent(&path).is_dir() {
            let message =
                format!("it is a link to `{}`, in a folder that is not there", path.display());
            return Err(std::io::Error::other(message));
        }
    }
    Err(std::io::Error::other("its link leads to links without an end"))
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// Moves a file to its place, and gives what was there before.
fn put(content: TempPath, path: &Path, is_new: bool) -> std::io::Result<Option<TempPath>> {
    if !is_new {
        return replace(content, path);
    }
    match content.persist_noclobber(path) {
        Ok(()) => Ok(None),
        // Somebody was faster, or the file system cannot do it in one step.
        Err(failed) => replace(failed.path, path),
    }
}

fn replace(content: TempPath, path: &Path) -> std::io::Result<Option<TempPath>> {
    let before = if path.symlink_metadata().is_ok() { Some(set_aside(path)?) } else { None };
    match content.persist(path) {
        Ok(()) => Ok(before),
        Err(failed) => {
            if let Some(before) = before {
                restore(before, path);
            }
            Err(failed.error)
        }
    }
}

/// The file itself under a second name beside it, whether or not it can be read.
fn set_aside(path: &Path) -> std::io::Result<TempPath> {
    // With a second name it stays in its place until the new one takes it.
    let linked = Builder::new().make_in(parent(path), |beside| std::fs::hard_link(path, beside));
    if let Ok(linked) = linked {
        return Ok(linked.into_temp_path());
    }
    // Not every file system has second names, and not every user may give them.
    let aside = Builder::new().tempfile_in(parent(path))?.into_temp_path();
    std::fs::rename(path, &aside)?;
    Ok(aside)
}

fn put_back(path: &Path, before: Option<TempPath>) {
    match before {
        Some(before) => restore(before, path),
        // What cannot be taken away was moved there a moment ago; there is nothing left to try.
        None => drop(std::fs::remove_file(path)),
    }
}

/// The file is what it was before. What cannot be moved stays beside its place: it is not ours to lose.
fn restore(before: TempPath, path: &Path) {
    if let Err(failed) = before.persist(path) {
        let _ = failed.path.keep();
    }
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
            allow: Vec::new(),
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

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o7777
    }

    fn names(folder: &Path) -> Vec<String> {
        let names = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn in_a_sticky_folder_only_owners_replace_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let owner = folder.path().metadata().unwrap().uid();
        let (stranger, other) = (owner + 1, owner + 2);
        let is_refused = |owner, own| refuse_sticky(&path, owner, own).is_err();
        assert!(!is_refused(other, stranger));
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o1777)).unwrap();
        assert!(is_refused(other, stranger));
        assert!(
            !is_refused(stranger, stranger) && !is_refused(other, owner) && !is_refused(other, 0)
        );
    }

    #[test]
    fn a_file_keeps_its_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sh");
        for bits in [0o755, 0o600, 0o400] {
            std::fs::write(folder.path().join("a.sh"), "old").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(bits)).unwrap();
            let inode = path.metadata().unwrap().ino();
            let written =
                Prepared::write(folder.path(), &[artifact("a.sh")]).unwrap().commit().unwrap();
            assert_eq!(mode(&path), bits);
            written.put_back();
            // It is the same file, and not one like it.
            assert_eq!((path.metadata().unwrap().ino(), mode(&path)), (inode, bits));
            let written =
                Prepared::write(folder.path(), &[artifact("a.sh")]).unwrap().commit().unwrap();
            drop(written);
            assert_eq!(names(folder.path()), ["a.sh"]);
            assert_eq!(mode(&path), bits);
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn a_link_stays_and_the_file_behind_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        std::fs::create_dir(at("real")).unwrap();
        std::fs::write(at("real/a.json"), "old").unwrap();
        std::os::unix::fs::symlink("real/a.json", at("a.json")).unwrap();
        std::os::unix::fs::symlink("a.json", at("link.json")).unwrap();
        std::os::unix::fs::symlink("real/b.json", at("b.json")).unwrap();
        let artifacts = [artifact("link.json"), artifact("b.json")];
        let written = Prepared::write(folder.path(), &artifacts).unwrap().commit().unwrap();
        assert_eq!(std::fs::read_to_string(at("real/a.json")).unwrap(), "new link.json");
        assert_eq!(std::fs::read_to_string(at("real/b.json")).unwrap(), "new b.json");
        written.put_back();
        assert_eq!(std::fs::read_to_string(at("real/a.json")).unwrap(), "old");
        assert_eq!(names(&at("real")), ["a.json"]);
        assert_eq!(std::fs::read_link(at("link.json")).unwrap(), Path::new("a.json"));
        assert_eq!(std::fs::read_link(at("b.json")).unwrap(), Path::new("real/b.json"));
    }

    #[test]
    fn a_link_that_leads_nowhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        std::os::unix::fs::symlink("missing/a.json", at("a.json")).unwrap();
        std::os::unix::fs::symlink("c.json", at("b.json")).unwrap();
        std::os::unix::fs::symlink("b.json", at("c.json")).unwrap();
        let why = |path: &str| {
            let error = Prepared::write(folder.path(), &[artifact(path)]).unwrap_err();
            std::error::Error::source(&error).unwrap().to_string()
        };
        assert!(why("a.json").ends_with("missing/a.json`, in a folder that is not there"));
        assert_eq!(why("b.json"), "its link leads to links without an end");
        assert_eq!(names(folder.path()), ["a.json", "b.json", "c.json"]);
    }

    #[test]
    fn if_one_cannot_be_moved_all_are_what_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        std::fs::write(at("a.json"), "old").unwrap();
        std::fs::set_permissions(at("a.json"), std::fs::Permissions::from_mode(0o200)).unwrap();
        let artifacts = [artifact("a.json"), artifact("out/b.json"), artifact("c.json")];
        let prepared = Prepared::write(folder.path(), &artifacts).unwrap();
        // Somebody is faster.
        std::fs::create_dir_all(at("c.json/in-the-way")).unwrap();
        assert_eq!(prepared.commit().unwrap_err().to_string(), "failed to write `c.json`");
        assert_eq!(names(folder.path()), ["a.json", "c.json"]);
        assert_eq!(names(&at("c.json")), ["in-the-way"]);
        assert_eq!(mode(&at("a.json")), 0o200);
        std::fs::set_permissions(at("a.json"), std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(std::fs::read_to_string(at("a.json")).unwrap(), "old");
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
