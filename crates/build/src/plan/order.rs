//! Which images are made from which.

use std::collections::BTreeSet;

use shipspec_spec::config::{Config, ImageConfig, Text};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::scope::Scope;

/// Every name that an image is made from; where it goes is not among them.
pub(super) fn references(image: &ImageConfig) -> BTreeSet<String> {
    let is_place = |text: &Text| *text == image.repository || image.tags.contains(text);
    image.texts().filter(|text| !is_place(text)).flat_map(Text::references).collect()
}

/// Images that would have to be built before themselves, each told once.
pub(super) fn cycles(config: &Config, scope: &Scope) -> Diagnostics {
    let (mut found, mut told) = (Diagnostics::default(), BTreeSet::new());
    for (name, image) in &config.images {
        let Some(path) = path_back(config, scope, &[name], &mut BTreeSet::new()) else { continue };
        if !path.iter().any(|image| told.contains(image)) {
            let message = format!("the image `{name}` is made from itself: {}", path.join(" → "));
            found.push(Diagnostic::at(image.repository.span().clone(), message));
            told.extend(path);
        }
    }
    found
}

/// The way from the first image of `path` back to it, over the images that each is made from; `seen`
/// are those from which there is none.
fn path_back(
    config: &Config,
    scope: &Scope,
    path: &[&str],
    seen: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    let name = *path.last()?;
    let references = references(config.images.get(name)?);
    let needs_itself = scope.image_needs(references.clone()).digests.contains(name);
    // Its own repository and tag are known before; only the digest comes afterwards.
    let others = scope.images_of(references).into_iter();
    for next in others.filter(|next| next != name || needs_itself) {
        let path: Vec<_> = path.iter().copied().chain([&*next]).collect();
        if next == path[0] {
            return Some(path.into_iter().map(str::to_owned).collect());
        }
        if seen.insert(next.clone())
            && let Some(found) = path_back(config, scope, &path, seen)
        {
            return Some(found);
        }
    }
    None
}
