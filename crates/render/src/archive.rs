//! A zip of artifacts and files: the form in which an action of `CodePipeline` takes its input.
//!
//! The same members give the same bytes, on every machine and at any time: names in their order, one
//! fixed time, one mode, and no compression, so that no compressor's version counts. That is how
//! a place that holds it already is known to.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Write as _};
use std::path::{Component, Path};
use std::sync::Arc;

use shipspec_spec::config::{Config, Text};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::expression::Names;
use shipspec_spec::scope::Scope;
use shipspec_spec::source::Span;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::plan::{ArtifactPlan, Content, left_out, public_text};

/// The permissions of every member, for whatever unpacks it.
const MODE: u32 = 0o644;

/// What is packed.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    pub(crate) members: Vec<Member>,
    /// Every name that the artifacts among the members could ask for.
    pub(crate) references: BTreeSet<String>,
}

/// A file of an archive.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) path: String,
    pub(crate) place: Span,
    /// What a file of the project holds; nothing for an artifact.
    pub(crate) file: Option<Arc<[u8]>>,
}

impl Archive {
    /// Reads the paths of the members; whose they are is not known yet.
    pub(crate) fn read(paths: &[Text], names: &dyn Names) -> Result<Self, Diagnostics> {
        let (mut members, mut found) = (Vec::<Member>::new(), Diagnostics::default());
        for text in paths {
            let path = match public_text(text, names) {
                Ok(path) => path,
                Err(errors) => {
                    found.extend(errors);
                    continue;
                }
            };
            let path = path.strip_prefix("./").unwrap_or(&path).to_owned();
            let place = text.span().clone();
            if let Some(problem) = problem(&path) {
                found.push(Diagnostic::at(place, format!("`{path}` {problem}")));
            } else if members.iter().any(|member| member.path == path) {
                found.push(Diagnostic::at(place, format!("`{path}` stands twice in `zip`")));
            } else {
                members.push(Member { path, place, file: None });
            }
        }
        members.sort_by(|one, other| one.path.cmp(&other.path));
        found.or(Self { members, references: BTreeSet::new() })
    }

    /// The bytes; `content` gives what each member holds.
    pub(crate) fn pack<'a>(
        &'a self,
        mut content: impl FnMut(&'a Member) -> &'a [u8],
    ) -> std::io::Result<Vec<u8>> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(MODE);
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for member in &self.members {
            writer.start_file(&*member.path, options)?;
            writer.write_all(content(member))?;
        }
        Ok(writer.finish()?.into_inner())
    }
}

/// Why a path names no member. One that leads out of the archive is what unpackers refuse.
fn problem(path: &str) -> Option<&'static str> {
    let is_inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if path.is_empty() || path.ends_with('/') {
        Some("is no path of a file")
    } else if is_inside {
        None
    } else {
        Some("leads out of the folder of shipspec.yml")
    }
}

/// Finds the members of every archive: artifacts of the run, else files of the project.
pub(crate) fn find_members(
    plans: &mut [ArtifactPlan],
    config: &Config,
    scope: &Scope,
    folder: &Path,
    found: &mut Diagnostics,
) {
    if !plans.iter().any(|plan| matches!(plan.content, Content::Zip(_))) {
        return;
    }
    let known: BTreeMap<_, _> = plans
        .iter()
        .map(|plan| {
            let is_archive = matches!(plan.content, Content::Zip(_));
            (plan.path.clone(), (is_archive, plan.references(config.reference)))
        })
        .collect();
    let left_out = left_out(config, scope);
    let archives = plans.iter_mut().filter_map(|plan| match &mut plan.content {
        Content::Zip(archive) => Some(archive),
        _ => None,
    });
    for archive in archives {
        for member in &mut archive.members {
            let (path, place) = (&member.path, member.place.clone());
            match known.get(path) {
                Some((true, _)) => {
                    let message =
                        format!("`{path}` is a zip itself, and is not packed into another");
                    found.push(Diagnostic::at(place, message));
                }
                Some((false, references)) => archive.references.extend(references.iter().cloned()),
                // What an earlier run left under its path is not what this run means.
                None if left_out.contains(path) => {
                    let message = format!("`{path}` is not made this time: its `when:` says so");
                    found.push(Diagnostic::at(place, message));
                }
                None => match std::fs::read(folder.join(path)) {
                    Ok(bytes) => member.file = Some(bytes.into()),
                    Err(error) => {
                        let message = format!("`{path}` is no artifact, and no file: {error}");
                        found.push(Diagnostic::at(place, message));
                    }
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(paths: &[&str]) -> Result<Archive, Diagnostics> {
        let texts: Vec<_> = paths.iter().map(|path| Text::literal("test", path)).collect();
        let scope = shipspec_spec::scope::Scope::new(
            &shipspec_spec::config::Config::default(),
            BTreeMap::new(),
            Err(String::from("no commit")),
        );
        Archive::read(&texts, &scope)
    }

    #[test]
    fn the_same_members_give_the_same_bytes_in_any_order() {
        let pack =
            |paths: &[&str]| archive(paths).unwrap().pack(|member| member.path.as_bytes()).unwrap();
        let bytes = pack(&["b/c.txt", "./a.json"]);
        assert_eq!(bytes, pack(&["a.json", "b/c.txt"]));
        let mut read = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let names: Vec<_> = (0..read.len())
            .map(|at| read.by_index(at).unwrap().name().unwrap().into_owned())
            .collect();
        assert_eq!(names, ["a.json", "b/c.txt"]);
        let file = read.by_index(0).unwrap();
        assert_eq!(file.unix_mode().map(|mode| mode & 0o777), Some(0o644));
        assert_eq!(file.last_modified(), Some(DateTime::DEFAULT));
        assert_eq!(std::io::read_to_string(file).unwrap(), "a.json");
    }

    #[test]
    fn a_path_out_of_the_archive_is_refused() {
        for path in ["", "a/", "/etc/passwd", "../a", "a/../../b"] {
            assert!(archive(&[path]).is_err(), "{path}");
        }
        let error = archive(&["a", "./a"]).unwrap_err();
        assert!(error.to_string().ends_with("`a` stands twice in `zip`"), "{error}");
    }
}
