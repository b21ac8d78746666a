//! One artifact.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use shipspec_check::buildspec::used_in;

use super::{Writer, list};
use crate::artifacts::{Artifact, artifacts, image_name};
use crate::files::{Content, Fills, Source, Template};
use crate::json::Json;
use crate::names::is_alone;
use crate::text::{Meaning, Piece, Text};
use crate::yaml::{quoted, scalar};

impl Writer<'_> {
    pub(super) fn artifact(&mut self, artifact: &Artifact<'_>, lines: &mut String) {
        self.names.read_in(&artifact.file.path);
        let path = scalar(&artifact.file.path, false);
        let what = match &artifact.file.content {
            Content::Json(json) => match artifact.made(self.walk, self.images) {
                Some(made) => format!("\n    {made}\n"),
                None => {
                    let mut text = String::from("\n    json:\n");
                    self.json(json, 6, &mut text);
                    text
                }
            },
            Content::Template(template) => self.template(artifact, template),
        };
        let _ = write!(lines, "  {path}:{what}");
    }

    /// A text, in which images go by their names.
    fn value(&self, text: &Text) -> String {
        let name = image_name(self.walk, self.images, text);
        name.unwrap_or_else(|| self.names.write(text))
    }

    fn template(&mut self, artifact: &Artifact<'_>, template: &Template) -> String {
        let (source, text) = self.source(artifact, template);
        let mut keys = String::new();
        match &template.fills {
            Fills::Only(only) if !only.is_empty() => {
                let _ = writeln!(keys, "    only: {}", list(only));
            }
            // What `sed` does not name, it leaves.
            Fills::Nothing if text.as_ref().is_some_and(|text| text.contains('$')) => {
                keys.push_str("    only: []\n");
            }
            _ => {}
        }
        keys.push_str(&self.placeholders(template, &source, text.as_deref()));
        let mut own = String::new();
        if template.fills != Fills::Nothing {
            for (name, value, is_global) in self.template_names(artifact, text.as_deref()) {
                if is_global {
                    self.globals.push((name, value));
                } else {
                    let _ = writeln!(own, "      {name}: {}", scalar(&value, false));
                }
            }
        }
        if !own.is_empty() {
            let _ = write!(keys, "    variables:\n{own}");
        }
        if text.is_none() && matches!(template.source, Source::Path(_)) {
            let look = format!("`{source}` is not here, so nobody looked which names it asks for");
            self.written.looks.push(look);
        }
        let source = scalar(&source, false);
        if keys.is_empty() {
            format!(" {source}\n")
        } else {
            format!("\n    template: {source}\n{keys}")
        }
    }

    /// The path of a template, and its text if it is a file of the source.
    fn source(&mut self, artifact: &Artifact<'_>, template: &Template) -> (String, Option<String>) {
        let copy = template_path(&artifact.file.path);
        match &template.source {
            Source::Path(source) => {
                self.names.read_in(source);
                let text = (self.walk.read)(source);
                if *source != artifact.file.path {
                    let is_changed = self.is_changed_in_place(source);
                    return (if is_changed { template_path(source) } else { source.clone() }, text);
                }
                self.written.templates.push((copy.clone(), text.clone().unwrap_or_default()));
                self.written.looks.push(format!(
                    "`{source}` was changed in place; `{copy}` is its template now, and `{source}` can go"
                ));
                (copy, text)
            }
            Source::Text(text) => {
                let piece = |piece: &Piece| match piece {
                    Piece::Literal(text) => text.replace('$', "$$"),
                    piece => self.value(&Text::of(piece.clone())),
                };
                let text: String = text.0.iter().map(piece).collect();
                self.written.templates.push((copy.clone(), text));
                (copy, None)
            }
        }
    }

    /// The file is an artifact too, so that its copy has what it was before.
    fn is_changed_in_place(&self, source: &str) -> bool {
        let is_it = |file: &crate::files::FileStep| match &file.content {
            Content::Template(template) => {
                file.path == source && template.source == Source::Path(source.to_owned())
            }
            Content::Json(_) => false,
        };
        artifacts(self.walk).iter().any(|artifact| is_it(artifact.file))
    }

    /// What `sed` replaces.
    fn placeholders(&mut self, template: &Template, source: &str, text: Option<&str>) -> String {
        let mut lines = String::new();
        for (pattern, value) in &template.placeholders {
            if text.is_some_and(|text| !text.contains(pattern)) {
                let look =
                    format!("`{pattern}` does not occur in `{source}`; nothing was replaced there");
                self.written.looks.push(look);
                continue;
            }
            let value = scalar(&self.value(value), false);
            let _ = writeln!(lines, "      {}: {value}", quoted(pattern));
        }
        if lines.is_empty() { lines } else { format!("    placeholders:\n{lines}") }
    }

    /// Names that a template asks for and the shell had given, with their values; whether all of the
    /// file may have them.
    fn template_names(
        &mut self,
        artifact: &Artifact<'_>,
        text: Option<&str>,
    ) -> Vec<(String, String, bool)> {
        let file = artifact.file;
        let asked: BTreeSet<String> = match text {
            Some(text) => used_in(text).into_iter().map(|(name, _)| name.to_owned()).collect(),
            None => {
                file.names.keys().filter(|name| file.exported.contains(*name)).cloned().collect()
            }
        };
        let mut found = Vec::new();
        for name in asked {
            let given = file
                .names
                .get(&name)
                .map(|number| (*number, &self.walk.variables.0[*number].meaning));
            let Some((number, Meaning::Text(text))) = given else {
                self.names.read.borrow_mut().insert(name);
                continue;
            };
            if !file.exported.contains(&name) {
                self.written.looks.push(format!(
                    "`{name}` was not exported, so that `envsubst` made nothing of it in `{}`; now it has its value",
                    file.path
                ));
            }
            let variable = Text::of(Piece::Variable(number));
            if !self.is_made_anyway(&name, &variable) {
                let image = image_name(self.walk, self.images, &variable);
                let value = image.unwrap_or_else(|| self.names.write(text));
                found.push((name, value, is_alone(self.walk, number)));
            }
        }
        found
    }

    /// shipspec gives the name the same value without being told.
    fn is_made_anyway(&self, name: &str, value: &Text) -> bool {
        let variables = &self.walk.variables;
        let canon = variables.canon(value);
        match (name, self.images) {
            ("IMAGE_TAG", _) => self.names.is_run_tag(value),
            ("COMMIT_HASH", _) => self.names.tag.is_none() && self.names.is_run_tag(value),
            ("IMAGE_URI" | "IMAGE_CURRENT", [image]) => canon == image.reference(self.walk),
            ("IMAGE_LATEST", [image]) => {
                canon == image.reference_with(self.walk, &Text::literal("latest"))
            }
            ("REPOSITORY_URI", [image]) => canon == variables.canon(&image.repository),
            _ => false,
        }
    }

    fn json(&self, json: &Json, indent: usize, lines: &mut String) {
        let space = " ".repeat(indent);
        match json {
            Json::List(items) if !items.is_empty() => {
                for item in items {
                    let mut inner = String::new();
                    self.json(item, indent + 2, &mut inner);
                    let _ = write!(lines, "{space}- {}", inner.trim_start_matches(' '));
                }
            }
            Json::Map(entries) if !entries.is_empty() => {
                for (key, value) in entries {
                    let (key, is_scalar) = (scalar(key, false), value.is_scalar());
                    let mut inner = String::new();
                    self.json(value, if is_scalar { 0 } else { indent + 2 }, &mut inner);
                    let gap = if is_scalar { ' ' } else { '\n' };
                    let _ = write!(lines, "{space}{key}:{gap}{inner}");
                }
            }
            Json::List(_) => {
                let _ = writeln!(lines, "{space}[]");
            }
            Json::Map(_) => {
                let _ = writeln!(lines, "{space}{{}}");
            }
            Json::Bare(text) => {
                let _ = writeln!(lines, "{space}{text}");
            }
            Json::Text(text) => {
                let _ = writeln!(lines, "{space}{}", scalar(&self.value(text), false));
            }
        }
    }
}

/// `taskdef.json` has its template in `taskdef.template.json`.
fn template_path(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let name = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => format!("{stem}.template.{ending}"),
        _ => format!("{name}.template"),
    };
    if folder.is_empty() { name } else { format!("{folder}/{name}") }
}
