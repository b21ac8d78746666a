//! All checks over all files.

use crate::allow::Allowed;
use crate::codes::name as code;
use crate::file::{File, Kind, Role, kind_of_name};
use crate::finding::{Finding, Sink};
use crate::read::ReadError;
use crate::value::Value;
use crate::{agree, appspec, buildspec, images, left_over, task};

/// What the files are in.
pub struct Surroundings<'a> {
    /// The paths of the artifacts that shipspec writes.
    pub outputs: Vec<String>,
    /// Those of them that shipspec also puts where the next stage finds them.
    pub published: Vec<String>,
    /// Whether the source has a file of this path.
    pub has_file: &'a dyn Fn(&str) -> bool,
}

/// Everything that is wrong in the files, one by one and together, but for what is allowed.
#[must_use]
pub fn check(files: &[File], surroundings: &Surroundings<'_>, allowed: &Allowed) -> Vec<Finding> {
    let mut found: Vec<_> = files.iter().flat_map(|file| check_file(file, surroundings)).collect();
    let together = agree::check(files);
    let of_source = |finding: &Finding| {
        let source = &finding.span.source;
        files.iter().find(|file| std::ptr::eq(file.text(), source.text.as_str()))
    };
    let is_silent = |finding: &Finding| match of_source(finding) {
        Some(file) => file.allowed.has(finding),
        // It is told in shipspec.yml.
        None => Allowed::in_comments(&finding.span.source.text).has(finding),
    };
    found.extend(together);
    found.retain(|finding| !allowed.has(finding) && !is_silent(finding));
    sort(&mut found);
    found
}

/// By file and place, each once.
fn sort(found: &mut Vec<Finding>) {
    let key = |finding: &Finding| {
        let span = &finding.span;
        (span.source.name.clone(), span.range.start, span.range.end, finding.code.as_str())
    };
    found.sort_by_cached_key(key);
    found.dedup();
}

/// Everything that is wrong in one file by itself.
fn check_file(file: &File, surroundings: &Surroundings<'_>) -> Vec<Finding> {
    let mut sink = Sink::new(file);
    for (range, unknown) in &file.allowed.unknown {
        sink.tell(code::UNKNOWN_CODE, range, unknown.message(), unknown.fix());
    }
    match &file.root {
        Err(error) => unreadable(file, error, &mut sink),
        Ok(root) => {
            match file.kind {
                Kind::TaskDefinition => task::check(root, &mut sink),
                Kind::AppSpec => appspec::check(root, &mut sink),
                Kind::ImageDefinitions => images::check_definitions(root, &mut sink),
                Kind::ImageDetail => images::check_detail(root, &mut sink),
                Kind::Buildspec => buildspec::check(root, surroundings, &mut sink),
                Kind::Other => {}
            }
            if file.kind != Kind::Other || file.role == Role::Artifact {
                duplicates(root, &mut sink);
            }
            left_over::check(file, &mut sink);
        }
    }
    let mut found = sink.into_findings();
    found.retain(|finding| !file.allowed.has(finding));
    found
}

/// A file that cannot be read is told if it is certain to be one of ours, and to be wrong.
fn unreadable(file: &File, error: &ReadError, sink: &mut Sink<'_>) {
    let is_ours = file.role == Role::Artifact || kind_of_name(&file.path).is_some();
    if !is_ours || error.is_doubtful {
        return;
    }
    let message = format!("this is no {}: {}", error.format.word(), error.message);
    let end = file.text().len().min(error.offset + 1);
    sink.tell(code::NOT_READABLE, &(error.offset.min(end)..end), message, "");
}

/// Keys that stand twice: of readers, some take the first and some the last.
fn duplicates(root: &Value, sink: &mut Sink<'_>) {
    for value in root.all() {
        let mut seen = std::collections::BTreeSet::new();
        for entry in value.entries() {
            if !seen.insert(&entry.key) {
                let message = format!("the key `{}` is there twice", entry.key);
                sink.tell(code::DUPLICATE_KEY, &entry.key_range, message, "keep one of them");
            }
        }
    }
}

impl File {
    /// Why nothing can be said of it: what is not known decides whether it can be read.
    #[must_use]
    pub fn not_checked(&self) -> Option<&str> {
        let error = self.root.as_ref().err().filter(|error| error.is_doubtful)?;
        Some(&error.message)
    }
}
