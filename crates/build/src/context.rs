//! The build context as a stream: it is never held in memory.

use std::fs::{File, FileType, Metadata};
use std::io::{self, Read as _, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::ignore::{Ignore, PatternError, Verdict};

/// Bytes in one piece of the stream.
const CHUNK: usize = 64 * 1024;

/// Pieces that may wait for the engine to take them.
const CHUNKS_IN_FLIGHT: usize = 8;

/// A folder that is sent to the engine, less what `.dockerignore` leaves out, and a Dockerfile.
#[derive(Debug)]
pub struct Context {
    folder: PathBuf,
    dockerfile: PathBuf,
    ignore: Ignore,
}

/// Why a folder cannot be a build context.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// The folder is not there, or is no folder.
    #[error("the build context `{}` is not a folder", .0.display())]
    NoFolder(PathBuf),
    /// There is no Dockerfile at its path.
    #[error("there is no Dockerfile at `{}`", .0.display())]
    NoDockerfile(PathBuf),
    /// The Dockerfile is outside the build context, and the engine has no BuildKit.
    #[error("the Dockerfile `{}` is outside the build context, which only BuildKit can use", .0.display())]
    Outside(PathBuf),
    /// A name in it is no UTF-8, which the engine's protocol wants.
    #[error("the name of `{}` is not UTF-8, so it cannot be sent", .0.display())]
    Name(PathBuf),
    /// Something in it cannot be read.
    #[error("failed to read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// `.dockerignore` holds a line that is no pattern.
    #[error("`{}`, {source}", path.display())]
    Pattern {
        /// The file.
        path: PathBuf,
        /// The line.
        source: PatternError,
    },
}

impl Context {
    /// Looks at a folder; `dockerfile` is relative to it, and need not be in it.
    ///
    /// # Errors
    ///
    /// [`ContextError`].
    pub fn open(folder: &Path, dockerfile: &Path) -> Result<Self, ContextError> {
        if !folder.is_dir() {
            return Err(ContextError::NoFolder(folder.into()));
        }
        let path = folder.join(dockerfile);
        if !path.is_file() {
            return Err(ContextError::NoDockerfile(path));
        }
        let whole = |path: &Path| {
            path.canonicalize().map_err(|source| ContextError::Read { path: path.into(), source })
        };
        let (folder, dockerfile) = (whole(folder)?, whole(&path)?);
        let mut own = dockerfile.as_os_str().to_owned();
        own.push(".dockerignore");
        let ignore = read_ignore(&[own.into(), folder.join(".dockerignore")])?;
        Ok(Self { folder, dockerfile, ignore })
    }

    /// The whole path of the folder, without links.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The Dockerfile's whole path, without links.
    #[must_use]
    pub fn dockerfile(&self) -> &Path {
        &self.dockerfile
    }

    /// What is left out of it.
    #[must_use]
    pub fn ignore(&self) -> &Ignore {
        &self.ignore
    }

    /// The Dockerfile's path in the context, where an archive has it.
    ///
    /// # Errors
    ///
    /// [`ContextError::Outside`].
    pub fn dockerfile_inside(&self) -> Result<&Path, ContextError> {
        let inside = self.dockerfile.strip_prefix(&self.folder);
        inside.map_err(|_| ContextError::Outside(self.dockerfile.clone()))
    }

    /// The context as an uncompressed tar archive, read by a thread of its own while it is taken.
    /// Owners are 0, as Docker sends them, so that a laptop's user does not matter.
    pub fn stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let (sender, receiver) = mpsc::channel(CHUNKS_IN_FLIGHT);
        tokio::task::spawn_blocking(move || {
            let writer =
                ChannelWriter { sender: sender.clone(), buffer: Vec::with_capacity(CHUNK) };
            if let Err(error) = self.write(writer) {
                // Nobody listens any more when the engine has hung up; it said why.
                let _ = sender.blocking_send(Err(error));
            }
        });
        ReceiverStream::new(receiver)
    }

    fn write(&self, writer: impl Write) -> io::Result<()> {
        let mut archive = tar::Builder::new(writer);
        self.add_folder(&mut archive, Path::new(""), &Verdict::default())?;
        archive.into_inner()?.flush()
    }

    /// Adds what is in a folder, in the order of names, so that equal contexts are equal streams.
    fn add_folder<W: Write>(
        &self,
        archive: &mut tar::Builder<W>,
        folder: &Path,
        verdict: &Verdict,
    ) -> io::Result<()> {
        let path = self.folder.join(folder);
        let entries = path.read_dir().and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = entries.map_err(|error| at(&path, &error))?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let relative = folder.join(entry.file_name());
            let kind = entry.file_type().map_err(|error| at(&entry.path(), &error))?;
            let verdict = self.ignore.judge(verdict, &relative.to_string_lossy());
            self.add(archive, &relative, kind, &verdict).map_err(|error| {
                // What is wrong inside a folder already says where.
                if kind.is_dir() { error } else { at(&entry.path(), &error) }
            })?;
        }
        Ok(())
    }

    fn add<W: Write>(
        &self,
        archive: &mut tar::Builder<W>,
        relative: &Path,
        kind: FileType,
        verdict: &Verdict,
    ) -> io::Result<()> {
        let path = self.folder.join(relative);
        // The engine reads the Dockerfile from the stream, whatever `.dockerignore` says of it.
        let excluded = verdict.excluded && path != self.dockerfile;
        if kind.is_dir() {
            if !excluded {
                let mut header = header(&path.symlink_metadata()?, tar::EntryType::Directory);
                archive.append_data(&mut header, relative, io::empty())?;
            }
            if !excluded || self.may_hold_more(relative) {
                self.add_folder(archive, relative, verdict)?;
            }
        } else if excluded {
            // Not a part of the context.
        } else if kind.is_symlink() {
            let mut header = header(&path.symlink_metadata()?, tar::EntryType::Symlink);
            archive.append_link(&mut header, relative, path.read_link()?)?;
        } else if kind.is_file() {
            add_file(archive, &path, relative)?;
        }
        // Sockets, pipes and devices have no place in an image.
        Ok(())
    }

    fn may_hold_more(&self, relative: &Path) -> bool {
        self.ignore.can_bring_back_below(&relative.to_string_lossy())
            || self.dockerfile.starts_with(self.folder.join(relative))
    }
}

/// Reads the first of these files that is there: `<Dockerfile>.dockerignore` comes before
/// `.dockerignore`.
pub(crate) fn read_ignore(paths: &[PathBuf]) -> Result<Ignore, ContextError> {
    for path in paths {
        match std::fs::read(path) {
            Ok(bytes) => {
                let parsed = Ignore::parse(&String::from_utf8_lossy(&bytes));
                return parsed
                    .map_err(|source| ContextError::Pattern { path: path.clone(), source });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(ContextError::Read { path: path.clone(), source }),
        }
    }
    Ok(Ignore::default())
}

fn add_file<W: Write>(
    archive: &mut tar::Builder<W>,
    path: &Path,
    relative: &Path,
) -> io::Result<()> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut header = header(&metadata, tar::EntryType::Regular);
    // A file that grows is cut where it ended, one that shrinks would break the archive.
    let mut content = Exactly { file: file.take(metadata.len()), left: metadata.len() };
    archive.append_data(&mut header, relative, &mut content)
}

fn header(metadata: &Metadata, kind: tar::EntryType) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(metadata.permissions().mode() & 0o7777);
    header.set_mtime(u64::try_from(metadata.mtime()).unwrap_or(0));
    header.set_size(if kind == tar::EntryType::Regular { metadata.len() } else { 0 });
    header
}

/// The same error with the path that it is about.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("failed to read `{}`: {error}", path.display()))
}

/// Reads as many bytes as were announced, or fails.
struct Exactly {
    file: io::Take<File>,
    left: u64,
}

impl io::Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.left -= count as u64;
        if count == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::Error::other("it became shorter while it was read"));
        }
        Ok(count)
    }
}

/// Hands pieces to the task that sends them, and waits while too many are on their way.
struct ChannelWriter {
    sender: mpsc::Sender<io::Result<Bytes>>,
    buffer: Vec<u8>,
}

impl Write for ChannelWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let count = data.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(&data[..count]);
        if self.buffer.len() == CHUNK {
            self.flush()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK));
        self.sender
            .blocking_send(Ok(full.into()))
            .map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the engine hung up"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(context: &Context) -> Vec<String> {
        let mut bytes = Vec::new();
        context.write(&mut bytes).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entries = archive.entries().unwrap();
        entries.map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect()
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn the_stream_holds_what_the_ignore_file_keeps() {
        let folder = folder(&[
            ("Dockerfile", "FROM scratch"),
            (".dockerignore", "*\n!src/keep\n"),
            ("src/keep/a", ""),
            ("src/other", ""),
            ("b", ""),
        ]);
        let context = Context::open(folder.path(), Path::new("Dockerfile")).unwrap();
        assert_eq!(names(&context), ["Dockerfile", "src/keep", "src/keep/a"]);
    }

    #[test]
    fn the_ignore_file_of_the_dockerfile_wins() {
        let folder = folder(&[
            ("docker/web", "FROM scratch"),
            ("docker/web.dockerignore", "b"),
            (".dockerignore", "a"),
            ("a", ""),
            ("b", ""),
        ]);
        let context = Context::open(folder.path(), Path::new("docker/web")).unwrap();
        assert_eq!(
            names(&context),
            [".dockerignore", "a", "docker", "docker/web", "docker/web.dockerignore"]
        );
    }

    #[test]
    fn links_modes_and_long_names_go_as_they_are() {
        let long = "x".repeat(200);
        let folder = folder(&[("Dockerfile", ""), ("run.sh", "#!/bin/sh"), (&long, "")]);
        let script = folder.path().join("run.sh");
        std::fs::set_permissions(script, std::fs::Permissions::from_mode(0o4755)).unwrap();
        std::os::unix::fs::symlink("../outside", folder.path().join("link")).unwrap();
        let context = Context::open(folder.path(), Path::new("Dockerfile")).unwrap();
        let mut bytes = Vec::new();
        context.write(&mut bytes).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            match &*entry.path().unwrap().display().to_string() {
                "link" => {
                    assert_eq!(&*entry.link_name().unwrap().unwrap(), Path::new("../outside"));
                }
                "run.sh" => assert_eq!(entry.header().mode().unwrap(), 0o4755),
                name => assert!(name == "Dockerfile" || name == long),
            }
        }
    }

    #[test]
    fn what_is_missing_is_told_before_anything_is_sent() {
        let folder = folder(&[("sub/x", ""), ("Dockerfile", "")]);
        let open = |at: &str, file: &str| Context::open(&folder.path().join(at), Path::new(file));
        assert!(matches!(open("none", "Dockerfile"), Err(ContextError::NoFolder(_))));
        assert!(matches!(open("sub", "Dockerfile"), Err(ContextError::NoDockerfile(_))));
        let outside = open("sub", "../Dockerfile").unwrap();
        assert!(matches!(outside.dockerfile_inside(), Err(ContextError::Outside(_))));
    }

    #[test]
    fn an_unreadable_file_is_named() {
        let folder = folder(&[("Dockerfile", "")]);
        let context = Context::open(folder.path(), Path::new("Dockerfile")).unwrap();
        std::fs::remove_dir_all(folder.path()).unwrap();
        let error = context.write(Vec::new()).unwrap_err();
        assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
    }
}
