//! Files that are written, in the words of shipspec.yml.

use crate::config::Image;
use crate::files::{Content, FileStep};
use crate::json::Json;
use crate::text::Text;
use crate::walk::{Walk, What};
use crate::yaml::scalar;

/// A file that shipspec writes.
pub(crate) struct Artifact<'a> {
    pub(crate) file: &'a FileStep,
}

/// The files that no command writes any more.
pub(crate) fn artifacts<'a>(walk: &'a Walk<'_>) -> Vec<Artifact<'a>> {
    let is_live = |number: usize| walk.steps.iter().any(|step| step.what == What::Writes(number));
    let live = walk.files.iter().enumerate().filter(|(number, _)| is_live(*number));
    live.map(|(_, file)| Artifact { file }).collect()
}

impl<'a> Artifact<'a> {
    /// Every text that it has.
    pub(crate) fn texts(&self, texts: &mut Vec<&'a Text>) {
        match &self.file.content {
            Content::Json(json) => of_json(json, texts),
            Content::Template(template) => {
                texts.extend(template.placeholders.iter().map(|(_, text)| text));
            }
        }
    }

    /// The short form of a file about images.
    pub(crate) fn made(&self, walk: &Walk<'_>, images: &[Image]) -> Option<String> {
        let Content::Json(json) = &self.file.content else { return None };
        let image = |text: &Text| {
            let canon = walk.variables.canon(text);
            images.iter().find(|image| canon == image.reference(walk))
        };
        match json {
            Json::Map(entries) if entries.len() == 1 && entries[0].0 == "ImageURI" => {
                Some(format!("image_detail: {}", image(entries[0].1.text()?)?.name))
            }
            Json::List(items) => {
                let mut pairs = Vec::new();
                for item in items {
                    let Json::Map(entries) = item else { return None };
                    if entries.iter().map(|(key, _)| &**key).collect::<Vec<_>>()
                        != ["name", "imageUri"]
                    {
                        return None;
                    }
                    let container = walk.variables.expand(entries[0].1.text()?).known()?;
                    pairs.push((container, image(entries[1].1.text()?)?.name.clone()));
                }
                if pairs.iter().all(|(container, image)| container == image) {
                    let names: Vec<_> = pairs.into_iter().map(|(name, _)| name).collect();
                    return Some(format!("image_definitions: [{}]", names.join(", ")));
                }
                let lines: Vec<_> = pairs
                    .iter()
                    .map(|(name, image)| format!("{}: {image}", scalar(name, false)))
                    .collect();
                Some(format!("image_definitions:\n      {}", lines.join("\n      ")))
            }
            _ => None,
        }
    }
}

/// What says the text by the name of an image.
pub(crate) fn image_name(walk: &Walk<'_>, images: &[Image], text: &Text) -> Option<String> {
    let canon = walk.variables.canon(text);
    images.iter().find_map(|image| {
        let name = &image.name;
        if canon == image.reference(walk) {
            return Some(format!("${{images.{name}.uri}}"));
        }
        if canon == walk.variables.canon(&image.repository) {
            return Some(format!("${{images.{name}.repository}}"));
        }
        let tag = image.tags.iter().find(|tag| canon == image.reference_with(walk, tag))?;
        let tag = walk.variables.expand(tag).known()?;
        Some(format!("${{images.{name}.repository}}:{tag}"))
    })
}

fn of_json<'a>(json: &'a Json, texts: &mut Vec<&'a Text>) {
    match json {
        Json::Text(text) => texts.push(text),
        Json::List(items) => items.iter().for_each(|item| of_json(item, texts)),
        Json::Map(entries) => entries.iter().for_each(|(_, value)| of_json(value, texts)),
        Json::Bare(_) => {}
    }
}
