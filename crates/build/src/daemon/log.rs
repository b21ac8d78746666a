//! The file for what dockerd says.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::error::DaemonError;

/// Where the log is written, if it can be.
const DEFAULT: &str = "/var/log/dockerd.log";

/// The name of the log in the folder for temporary files.
const NAME: &str = "dockerd.log";

/// Lines at the end that are shown.
const LAST_LINES: usize = 20;

/// Bytes at the end that are looked at for them.
const LAST_BYTES: u64 = 64 * 1024;

/// A log that is written to its end.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    /// Where this start begins; what others have said before stays.
    begin: u64,
}

impl Log {
    /// Opens the log at a path, or where logs are, or with temporary files.
    pub(super) fn open(
        path: Option<&Path>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, DaemonError> {
        let error = |path: &Path, source| DaemonError::Log { path: path.into(), source };
        if let Some(path) = path {
            return Self::try_open(path).map_err(|source| error(path, source));
        }
        Self::try_open(Path::new(DEFAULT)).or_else(|_| {
            let folder = environment.get("TMPDIR").filter(|folder| !folder.is_empty());
            let path = Path::new(folder.map_or("/tmp", String::as_str)).join(NAME);
            Self::try_open(&path).map_err(|source| error(&path, source))
        })
    }

    fn try_open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let begin = file.metadata()?.len();
        Ok(Self { path: path.into(), file, begin })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// The last lines of this start.
    pub(super) fn last_lines(&self) -> Vec<String> {
        let bytes = self.last_bytes().unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let skipped = lines.len().saturating_sub(LAST_LINES);
        lines[skipped..].iter().map(|line| (*line).to_owned()).collect()
    }

    fn last_bytes(&self) -> io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        let end = file.metadata()?.len();
        file.seek(SeekFrom::Start(self.begin.max(end.saturating_sub(LAST_BYTES))))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_last_lines_are_those_of_this_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "of another day\n").unwrap();
        let log = Log::open(Some(&path), &BTreeMap::new()).unwrap();
        assert_eq!(log.last_lines(), Vec::<String>::new());
        for line in 0..30 {
            writeln!(log.file().unwrap(), "line {line}\n").unwrap();
        }
        let lines = log.last_lines();
        assert_eq!((lines.len(), &*lines[0], &*lines[19]), (20, "line 10", "line 29"));
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("of another day\n"));
    }

    #[test]
    fn a_log_that_cannot_be_written_is_named() {
        let error = Log::open(Some(Path::new("/nowhere/log")), &BTreeMap::new()).unwrap_err();
        assert_eq!(error.to_string(), "the log `/nowhere/log` cannot be written");
    }
}
