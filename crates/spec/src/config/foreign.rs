//! Images in shipspec.yml that somebody else has built.

use std::sync::Arc;

use super::place::RoleConfig;
use super::raw::RawImage;
use super::text::{RawText, Text, keep};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::Node;
use crate::source::{Source, Span};

/// Keys that may stand beside `reference`: they say who asks its registry.
const OF_ACCESS: [&str; 4] = ["reference", "role", "external_id", "insecure"];

/// An image that is named here and built elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignImage {
    /// Its reference, by a tag, a digest or both.
    pub reference: Text,
    /// The role to assume for its registry.
    pub role: Option<RoleConfig>,
    /// Plain HTTP is spoken with its registry.
    pub insecure: bool,
}

impl ForeignImage {
    /// `map` is the image as it is written; nothing if `reference` is no text.
    pub(super) fn from_raw(
        raw: &RawImage,
        reference: &RawText,
        map: Option<&Node>,
        source: &Arc<Source>,
        found: &mut Diagnostics,
    ) -> Option<Self> {
        for (key, _) in map.into_iter().flat_map(Node::entries) {
            let Some(word) = key.text().filter(|word| !OF_ACCESS.contains(word)) else { continue };
            let message =
                format!("`{word}` says nothing beside `reference`: this image is not built here");
            let span = Span::new(source, key.range.clone());
            let hint = "an image that is built has a `repository` and no `reference`";
            found.push(Diagnostic::at(span, message).with_hint(hint));
        }
        let role = RoleConfig::from_raw(raw.role.as_ref(), raw.external_id.as_ref(), source, found);
        let reference = keep(Text::from_raw(reference, source), found)?;
        Some(Self { reference, role, insecure: raw.insecure })
    }

    /// Every text of it, to find the names that it asks for.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        std::iter::once(&self.reference).chain(self.role.iter().flat_map(RoleConfig::texts))
    }
}
