//! The shipspec.yml of an import.

mod artifact;
mod image;
mod images;
mod values;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::artifacts::{Artifact, artifacts};
use crate::names::Names;
use crate::text::Text;
use crate::walk::Walk;
use crate::yaml::scalar;

pub(crate) use images::{Image, images};

/// What was written, and what it needs.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) text: String,
    /// Names that come from the environment of the build.
    pub(crate) read: BTreeSet<String>,
    /// Names that artifacts need, of them.
    pub(crate) read_by_files: BTreeSet<String>,
    /// Entries of `env:` that are in shipspec.yml now.
    pub(crate) moved: BTreeSet<String>,
    /// Templates that have to be written: path and text.
    pub(crate) templates: Vec<(String, String)>,
    /// What is worth a look.
    pub(crate) looks: Vec<String>,
}

/// Writes one part after the other, and collects what they need.
struct Writer<'a> {
    walk: &'a Walk<'a>,
    images: &'a [Image],
    names: Names<'a>,
    /// An entry of `env:` may go to shipspec.yml.
    may_move: &'a dyn Fn(&str) -> bool,
    /// Names that templates ask for, and what they come to.
    globals: Vec<(String, String)>,
    written: Written,
}

/// Writes shipspec.yml; `name` is that of the buildspec.
pub(crate) fn write(
    walk: &Walk<'_>,
    images: &[Image],
    name: &str,
    may_move: &dyn Fn(&str) -> bool,
) -> Written {
    let artifacts = artifacts(walk);
    let names = names(walk, images, &artifacts);
    let (globals, written) = (Vec::new(), Written::default());
    let mut writer = Writer { walk, images, names, may_move, globals, written };
    let (mut of_images, mut of_files) = (String::new(), String::new());
    for image in images {
        writer.image(image, &mut of_images);
    }
    let registries = writer.registries();
    let read_by_images = writer.names.read.borrow().clone();
    for artifact in &artifacts {
        writer.artifact(artifact, &mut of_files);
    }
    let tag = writer.names.tag_entries();
    let variables = writer.variables();
    let read = writer.names.read.borrow().clone();
    writer.written.read_by_files = read.difference(&read_by_images).cloned().collect();
    writer.written.read = read;
    let parameters = writer.parameters();
    let variables = writer.moved_variables() + &variables;
    let mut text = format!("# Made from {name} by `shipspec import`.\nversion: 1\n");
    match tag.as_slice() {
        [] => {}
        [one] => {
            let _ = writeln!(text, "tag: {}", scalar(one, false));
        }
        many => {
            let _ = writeln!(text, "tag: {}", list(many));
        }
    }
    let sections: [(&str, String); 5] = [
        ("parameters", parameters),
        ("variables", variables),
        ("registries", registries),
        ("images", of_images),
        ("artifacts", of_files),
    ];
    for (key, lines) in sections.iter().filter(|(_, lines)| !lines.is_empty()) {
        let _ = write!(text, "{key}:\n{lines}");
    }
    Written { text, ..writer.written }
}

/// Reads all texts before any of them is written, so that each knows what the others share with it.
fn names<'a>(walk: &'a Walk<'a>, images: &[Image], artifacts: &[Artifact<'_>]) -> Names<'a> {
    let tags: Vec<_> = images.iter().flat_map(|image| &image.tags).collect();
    let mut texts: Vec<&Text> = images.iter().map(|image| &image.repository).collect();
    for image in images {
        let build = &walk.builds[image.build];
        let pairs = build.args.iter().chain(&build.secret_args).chain(&build.labels);
        texts.extend(pairs.map(|(_, text)| text));
        texts.extend(build.cache_from.iter().chain(&build.target));
    }
    for artifact in artifacts {
        artifact.texts(&mut texts);
    }
    Names::new(walk, &tags, &texts)
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| scalar(item, true)).collect::<Vec<_>>().join(", "))
}
