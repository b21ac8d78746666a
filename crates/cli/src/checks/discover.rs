//! Files of the source that the checks know.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use shipspec_check::read::Format;
use shipspec_check::{File, Kind, kind_of_name};
use shipspec_spec::source::Source;

/// How deep the project's folder is searched where nobody names a file.
pub(super) const DEPTH: usize = 3;

/// How deep it is searched in a run: what lies further down belongs to others, and must not stop it.
pub(super) const RUN_DEPTH: usize = 1;

/// How deep a folder is searched that somebody names.
const NAMED_DEPTH: usize = 16;

/// A file that is larger is none of ours.
const MOST_BYTES: u64 = 4_000_000;

/// Folders with the work of others.
const FOREIGN: [&str; 6] = ["node_modules", "vendor", "target", "dist", "build", "venv"];

/// The files of the project's folder that have the name of one that the checks know, but for those that
/// shipspec reads or writes itself.
pub(crate) fn discover(folder: &Path, depth: usize, but: &BTreeSet<String>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(folder, depth, &mut found);
    let is_known = |path: &PathBuf| {
        let name = relative(path, folder);
        kind_of_name(&name).is_some() && !but.contains(&name)
    };
    found.retain(is_known);
    found
}

/// The files that somebody names, and those of folders that somebody names.
///
/// # Errors
///
/// Everything that is named and cannot be read: nobody asks for a look at nothing. Of what is found in a
/// folder, that is only told.
pub(crate) fn read_named(
    folder: &Path,
    paths: &[PathBuf],
) -> Result<(Vec<File>, Vec<String>), Vec<String>> {
    let (mut named, mut found, mut unread) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        if !path.is_dir() {
            named.push(path.clone());
        } else if let Err(error) = std::fs::read_dir(path) {
            unread.push(format!("`{}` cannot be read: {error}", relative(path, folder)));
        } else {
            walk(path, NAMED_DEPTH, &mut found);
        }
    }
    let (mut files, more) = read_all(folder, &named);
    unread.extend(more);
    if !unread.is_empty() {
        return Err(unread);
    }
    let (of_folders, not_checked) = read_all(folder, &found);
    files.extend(of_folders);
    Ok((files, not_checked))
}

/// These files, and why the others of them cannot be read.
pub(crate) fn read_all(folder: &Path, paths: &[PathBuf]) -> (Vec<File>, Vec<String>) {
    let (mut files, mut unread) = (Vec::new(), Vec::new());
    for path in paths {
        let name = relative(path, folder);
        match read(path) {
            Ok(text) => files.push(file(&name, &text)),
            Err(reason) => unread.push(format!("`{name}` {reason}")),
        }
    }
    (files, unread)
}

fn relative(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned()
}

fn read(path: &Path) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    if std::fs::metadata(path).map_err(cannot)?.len() > MOST_BYTES {
        return Err("is too large".into());
    }
    let bytes = std::fs::read(path).map_err(cannot)?;
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
}

fn file(name: &str, text: &str) -> File {
    let format = Format::of(name);
    let file = File::source(name, &Source::new(name, text), format);
    // A template of JSON often has another ending.
    let is_ours = matches!(file.kind, Kind::TaskDefinition | Kind::ContainerDefinitions);
    let is_json = format == Format::Yaml && is_ours;
    if is_json && text.trim_start().starts_with(['{', '[']) {
        return File::source(name, &Source::new(name, text), Format::Json);
    }
    file
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        // A link may lead out of the project, or back into itself.
        let Ok(kind) = entry.file_type() else { continue };
        let is_hidden = name.starts_with('.') && name != ".codebuild";
        if kind.is_dir() && depth > 1 && !is_hidden && !FOREIGN.contains(&&*name) {
            walk(&path, depth - 1, found);
        } else if kind.is_file() && is_text(&name) {
            found.push(path);
        }
    }
}

fn is_text(name: &str) -> bool {
    matches!(Path::new(name).extension().and_then(|it| it.to_str()), Some("json" | "yaml" | "yml"))
}
