//! Tags that name what an image is made from: `content` in a list of tags.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{ImageNames, Scope};
use crate::config::Text;
use crate::expression::NameError;
use crate::image::Digest;
use crate::tag::{CONTENT_DIGITS, Tag};

/// The word that stands for it.
const WORD: &str = "content";

/// What stands for the content of an image that has no key yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Unkeyed {
    /// Nothing: who asks is told that it comes later.
    #[default]
    Later,
    /// Digits that no other image has.
    StandIn,
    /// Digits of this kind, for every image: texts that differ with it are made from the content.
    Forced(u8),
}

/// The text is the word for an image's content, and no tag of that name.
#[must_use]
pub fn is_content(text: &Text) -> bool {
    text.as_written() == WORD
}

/// Digits that no other image of a run has, and no image at all but by chance.
#[must_use]
pub fn content_stand_in(image: &str) -> String {
    stand_in(image, 0)
}

fn stand_in(image: &str, kind: u8) -> String {
    let hash = Digest::from_sha256(Sha256::digest(format!("{kind} {image}")).into());
    hash.hex()[..CONTENT_DIGITS].to_owned()
}

impl Scope {
    /// The same scope, in which `content` and an `IMAGE_TAG` that is made from it are those of this image.
    #[must_use]
    pub fn of_image(&self, name: &str) -> Self {
        Self { subject: Some(name.to_owned()), ..self.clone() }
    }

    /// The same scope with stand-ins for the contents of images that have no key yet.
    #[must_use]
    pub fn with_content_stand_ins(&self) -> Self {
        Self { unkeyed: Unkeyed::StandIn, ..self.clone() }
    }

    /// The same scope with stand-ins of this kind for all contents: what differs from the same with another
    /// kind is made from a content.
    #[must_use]
    pub fn with_contents_of_kind(&self, kind: u8) -> Self {
        Self { unkeyed: Unkeyed::Forced(kind), ..self.clone() }
    }

    /// The same scope, in which nothing may be made from the content of this image: for what that is
    /// made from.
    #[must_use]
    pub fn for_content_of(&self, name: &str) -> Self {
        Self { making: Some(name.to_owned()), ..self.clone() }
    }

    /// `tag:` of the file has the word, so that `IMAGE_TAG` may be a content.
    #[must_use]
    pub fn may_use_content(&self) -> bool {
        self.tag.iter().any(is_content)
    }

    /// Takes the tag that is made from an image's key, and the tag that the image is named by now.
    pub fn set_content(&mut self, image: &str, content: &Tag, main_tag: &Tag) {
        Arc::make_mut(&mut self.contents).insert(image.to_owned(), content.to_string());
        if let Some(known) = self.image(image).cloned() {
            let tag = Some(main_tag.clone());
            self.set_image(image, ImageNames { tag, ..known });
        }
    }

    /// The content of this image is known.
    #[must_use]
    pub fn has_content(&self, image: &str) -> bool {
        self.contents.contains_key(image)
    }

    /// The content of the image that a text is about.
    ///
    /// # Errors
    ///
    /// It is not known yet, or never will be; `name` is what was asked for.
    pub fn content(&self, name: &str) -> Result<String, NameError> {
        let never = |reason: String| NameError::Never { name: name.to_owned(), reason };
        let mut built = self.built_names();
        let image = match (&self.subject, built.next(), built.next()) {
            (Some(image), ..) => image.clone(),
            (None, Some(image), None) => image,
            (None, other, _) => {
                let other = other.unwrap_or_else(|| "NAME".into());
                let reason = "`content` of `tag` is another one for each image";
                return Err(never(format!("{reason}: name `images.{other}.tag`")));
            }
        };
        self.content_of(&image, name)
    }

    /// The tag of an image may be asked for by `reference`.
    pub(super) fn require_tag(
        &self,
        image: &str,
        known: &ImageNames,
        reference: &str,
    ) -> Result<(), NameError> {
        if known.is_keyed { self.content_of(image, reference).map(drop) } else { Ok(()) }
    }

    /// The content of an image; as [`Scope::content`].
    pub(super) fn content_of(&self, image: &str, name: &str) -> Result<String, NameError> {
        if let Unkeyed::Forced(kind) = self.unkeyed {
            return Ok(stand_in(image, kind));
        }
        if self.making.as_deref() == Some(image) {
            let reason = format!("the content of `{image}` is made from this text");
            return Err(NameError::Never { name: name.to_owned(), reason });
        }
        match (self.contents.get(image), self.unkeyed) {
            (Some(content), _) => Ok(content.clone()),
            (None, Unkeyed::Later) => Err(NameError::Later {
                name: name.to_owned(),
                stage: "the content key of the image is made",
            }),
            (None, _) => Ok(stand_in(image, 0)),
        }
    }
}
