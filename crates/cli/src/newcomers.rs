//! Files that are written for a user to keep: none at all if one of them exists.

use std::path::Path;

use crate::console::Console;
use crate::failure;

/// Files to write.
#[derive(Debug, Default)]
pub(crate) struct Newcomers(Vec<File>);

#[derive(Debug)]
struct File {
    path: String,
    text: String,
    /// It takes the place of one that is there.
    replaces: bool,
}

impl Newcomers {
    /// A file that must not exist.
    pub(crate) fn add(&mut self, path: &str, text: &str) {
        self.0.push(File { path: path.into(), text: text.into(), replaces: false });
    }

    /// A file that the user wants replaced.
    pub(crate) fn replace(&mut self, path: &str, text: &str) {
        self.0.push(File { path: path.into(), text: text.into(), replaces: true });
    }

    /// All of them, each under its name.
    pub(crate) fn shown(&self) -> String {
        let show = |file: &File| format!("# {}\n{}\n", file.path, file.text.trim_end_matches('\n'));
        self.0.iter().map(show).collect::<Vec<_>>().join("---\n")
    }

    /// Writes them below a folder.
    pub(crate) fn write(
        &self,
        console: &Console,
        folder: &Path,
        force: bool,
    ) -> anyhow::Result<()> {
        let is_there = |file: &&File| folder.join(&file.path).symlink_metadata().is_ok();
        let there: Vec<_> = self.0.iter().filter(|file| !file.replaces).filter(is_there).collect();
        if !there.is_empty() && !force {
            let names: Vec<_> = there.iter().map(|file| format!("`{}`", file.path)).collect();
            let hint = "`--force` replaces what is there";
            return Err(failure::input(
                format!("not written, because it exists: {}", names.join(", ")),
                Some(hint),
            ));
        }
        for file in &self.0 {
            let path = folder.join(&file.path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(&path, &file.text).map_err(|error| {
                anyhow::Error::new(error).context(format!("failed to write `{}`", path.display()))
            })?;
            console.note(format_args!("wrote {}", file.path));
        }
        Ok(())
    }
}
