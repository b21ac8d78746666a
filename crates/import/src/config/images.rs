//! The images that are pushed, and what they are called.

use std::collections::BTreeSet;

use crate::text::{Piece, Text};
use crate::walk::Walk;

/// An image of shipspec.yml.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) build: usize,
    pub(crate) repository: Text,
    pub(crate) tags: Vec<Text>,
}

impl Image {
    /// `repository:tag` as `images.NAME.uri` gives it, in the form in which texts are compared.
    pub(crate) fn reference(&self, walk: &Walk<'_>) -> String {
        self.tags.first().map(|tag| self.reference_with(walk, tag)).unwrap_or_default()
    }

    /// `repository:tag`, in the form in which texts are compared.
    pub(crate) fn reference_with(&self, walk: &Walk<'_>, tag: &Text) -> String {
        let mut text = self.repository.clone();
        text.push(Piece::Literal(":".into()));
        text.append(tag.clone());
        walk.variables.canon(&text)
    }
}

/// The images that are pushed, each repository of one build an image.
pub(crate) fn images(walk: &Walk<'_>) -> Vec<Image> {
    let mut images: Vec<Image> = Vec::new();
    for push in walk.live_pushes() {
        let canon = walk.variables.canon(&push.repository);
        let known = images.iter_mut().find(|image| {
            image.build == push.build && walk.variables.canon(&image.repository) == canon
        });
        match known {
            Some(image) => {
                let tag = walk.variables.canon(&push.tag);
                if !image.tags.iter().any(|other| walk.variables.canon(other) == tag) {
                    image.tags.push(push.tag.clone());
                }
            }
            None => {
                let (build, repository) = (push.build, push.repository.clone());
                images.push(Image {
                    name: String::new(),
                    build,
                    repository,
                    tags: vec![push.tag.clone()],
                });
            }
        }
    }
    let mut taken = BTreeSet::new();
    let is_only = images.len() == 1;
    for image in &mut images {
        // Tags that belong to one commit come first: files name the image by the first.
        image.tags.sort_by_key(|tag| {
            let known = walk.variables.expand(tag).known();
            (known.is_some(), known.as_deref() == Some("latest"))
        });
        let wanted = name_of(walk, image)
            .unwrap_or_else(|| if is_only { "app".into() } else { "image".into() });
        let mut name = wanted.clone();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        image.name = name;
    }
    images
}

/// The last part of the repository, else the folder of the context.
fn name_of(walk: &Walk<'_>, image: &Image) -> Option<String> {
    let repository = walk.variables.unfold(&image.repository);
    let of_repository = match repository.0.last() {
        Some(Piece::Literal(text)) => match text.rsplit_once('/') {
            Some((_, name)) => word(name),
            None => repository.known().map(|text| word(&text)).unwrap_or_default(),
        },
        Some(Piece::Environment(name)) => of_variable(name),
        _ => String::new(),
    };
    let context = &walk.builds[image.build].context;
    let of_context = word(context.rsplit('/').next().unwrap_or_default());
    [of_repository, of_context].into_iter().find(|name| !name.is_empty())
}

/// `ECR_WEB_SERVICE_URL` is about `web_service`.
fn of_variable(name: &str) -> String {
    const COMMON: [&str; 14] = [
        "ECR",
        "AWS",
        "DOCKER",
        "IMAGE",
        "CONTAINER",
        "REPOSITORY",
        "REPO",
        "REGISTRY",
        "URL",
        "URI",
        "NAME",
        "PREFIX",
        "APP",
        "HOST",
    ];
    let parts: Vec<_> = name.split('_').filter(|part| !COMMON.contains(part)).collect();
    word(&parts.join("_"))
}

/// A name as expressions can have it.
fn word(text: &str) -> String {
    if text.contains("${") {
        return String::new();
    }
    let letter = |letter: char| {
        if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' }
    };
    let word: String = text.chars().map(letter).collect();
    word.trim_matches('_').trim_start_matches(|first: char| first.is_ascii_digit()).to_owned()
}
