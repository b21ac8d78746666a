//! Whether the files of a pipeline agree with each other.

mod artifacts;
mod containers;
mod images;
mod logs;

use crate::file::{File, Kind, Role};
use crate::finding::Finding;
use crate::value::Value;

/// Everything in which the files do not agree.
pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let mut found = containers::check(files);
    found.extend(images::check(files));
    found.extend(artifacts::check(files));
    found.extend(logs::check(files));
    found
}

/// The files of a kind that belong to another one: those of the same folder, else all with the same
/// role.
fn beside<'a>(file: &File, kind: Kind, files: &'a [File]) -> Vec<(&'a File, &'a Value)> {
    let all = of_kind(files, kind, file.role);
    let near: Vec<_> =
        all.iter().filter(|(other, _)| other.folder() == file.folder()).copied().collect();
    if near.is_empty() { all } else { near }
}

fn of_kind(files: &[File], kind: Kind, role: Role) -> Vec<(&File, &Value)> {
    let is_meant = |file: &&File| file.kind == kind && file.role == role;
    files.iter().filter(is_meant).filter_map(|file| Some((file, file.value()?))).collect()
}
