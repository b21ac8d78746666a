//! Files that are written for a user to keep: all of them, or none.

use std::collections::BTreeSet;
use std::path::Path;

use shipspec_render::artifact::{Artifact, Content, Prepared};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};

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
        self.require_places(folder)?;
        let artifacts: Vec<_> = self.0.iter().map(File::as_artifact).collect();
        Prepared::write(folder, &artifacts)?.commit()?;
        for file in &self.0 {
            console.note(format_args!("wrote {}", file.path));
        }
        Ok(())
    }

    /// Nothing is in the way of a file.
    fn require_places(&self, folder: &Path) -> anyhow::Result<()> {
        let mut found = Diagnostics::default();
        for file in &self.0 {
            let path = Path::new(&file.path);
            let above = path.ancestors().skip(1).filter(|part| !part.as_os_str().is_empty());
            if folder.join(path).is_dir() {
                let message =
                    format!("`{}` cannot be written: a folder is in its place", file.path);
                found.push(Diagnostic::new(message));
            }
            for part in above.filter(|part| is_file(&folder.join(part))) {
                let part = part.display();
                let message = format!("`{}` cannot be written: `{part}` is no folder", file.path);
                found.push(Diagnostic::new(message));
            }
        }
        Ok(found.or(())?)
    }
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|there| !there.is_dir())
}

impl File {
    /// The file as what is written whole, with all others or with none.
    fn as_artifact(&self) -> Artifact {
        Artifact {
            path: self.path.clone().into(),
            content: Content::Text(self.text.clone()),
            secrets: BTreeSet::new(),
            notes: Vec::new(),
            publish: Vec::new(),
            allow: Vec::new(),
        }
    }
}
