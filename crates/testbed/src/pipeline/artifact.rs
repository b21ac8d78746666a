use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// An artifact of the pipeline: a name, and a zip of files.
#[derive(Clone)]
pub struct Artifact {
    name: String,
    zip: Vec<u8>,
}

impl Artifact {
    /// Packs files, each with its path in the artifact.
    ///
    /// # Panics
    ///
    /// If a path is none that a zip can hold.
    #[must_use]
    pub fn pack(name: &str, files: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        // No time, so that the same files are the same bytes.
        let options = SimpleFileOptions::DEFAULT.compression_method(CompressionMethod::Deflated);
        for (path, bytes) in files {
            zip.start_file(path, options).expect("a path that a zip can hold");
            zip.write_all(bytes).expect("memory");
        }
        Self { name: name.to_owned(), zip: zip.finish().expect("memory").into_inner() }
    }

    /// An artifact that came as a zip.
    #[must_use]
    pub fn from_zip(name: &str, zip: Vec<u8>) -> Self {
        Self { name: name.to_owned(), zip }
    }

    /// Its name in the pipeline.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The zip, which is what the limits of the actions count.
    #[must_use]
    pub fn zip(&self) -> &[u8] {
        &self.zip
    }

    /// The paths of its files.
    ///
    /// # Panics
    ///
    /// If this is no zip.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let zip = ZipArchive::new(Cursor::new(&self.zip)).expect("a zip");
        let names = zip.file_names().map(|name| name.expect("UTF-8").into_owned());
        let mut paths: Vec<_> = names.collect();
        paths.sort();
        paths
    }

    /// What a file of it holds: `None` where it has no such file, or is no zip.
    #[must_use]
    pub fn read(&self, path: &str) -> Option<Vec<u8>> {
        let mut zip = ZipArchive::new(Cursor::new(&self.zip)).ok()?;
        let mut bytes = Vec::new();
        zip.by_name(path).ok()?.read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

impl std::fmt::Debug for Artifact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, zip } = self;
        write!(formatter, "Artifact({name}, {} bytes)", zip.len())
    }
}
