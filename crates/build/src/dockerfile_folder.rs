//! The folder that the engine reads the Dockerfile from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::context::{Context, ContextError};
use crate::docker::BuildSecret;
use crate::dockerfile::with_versions;

/// The folder of the Dockerfile, or one made for a build whose secrets have versions.
pub(crate) enum DockerfileFolder {
    Own(PathBuf),
    Made(TempDir),
}

impl DockerfileFolder {
    pub(crate) fn new(
        context: &Context,
        secrets: &BTreeMap<String, BuildSecret>,
    ) -> Result<Self, ContextError> {
        let dockerfile = context.dockerfile();
        let own = dockerfile.parent().unwrap_or(context.folder());
        let versions: BTreeMap<_, _> = secrets
            .iter()
            .filter_map(|(id, secret)| Some((&**id, secret.version.as_deref()?)))
            .collect();
        if versions.is_empty() {
            return Ok(Self::Own(own.to_owned()));
        }
        let read = |source| ContextError::Read { path: dockerfile.to_owned(), source };
        // What is no text is the engine's to judge.
        let text = std::fs::read(dockerfile).map_err(read)?;
        let marked = String::from_utf8(text).ok().and_then(|text| with_versions(&text, &versions));
        match marked {
            Some(text) => Self::make(dockerfile, &text).map_err(read),
            None => Ok(Self::Own(own.to_owned())),
        }
    }

    /// The Dockerfile with other text, and the `.dockerignore` of its own beside it.
    fn make(dockerfile: &Path, text: &str) -> std::io::Result<Self> {
        let folder = TempDir::new()?;
        let name = dockerfile.file_name().unwrap_or_default();
        std::fs::write(folder.path().join(name), text)?;
        let mut ignore = name.to_owned();
        ignore.push(".dockerignore");
        let beside = dockerfile.with_file_name(&ignore);
        if beside.is_file() {
            std::fs::copy(beside, folder.path().join(ignore))?;
        }
        Ok(Self::Made(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Own(folder) => folder,
            Self::Made(folder) => folder.path(),
        }
    }
}
