//! A scope in which nothing depends on the commit.

use std::sync::Arc;

use super::Scope;
use crate::codebuild::RESOLVED_SOURCE_VERSION;
use crate::tag::{Tag, short};
use crate::value::Value;

/// A tag that no other image of the file has: one in place of another has to show.
fn steady_tag(image: &str) -> Option<Tag> {
    let is_legal =
        |character: &char| character.is_ascii_alphanumeric() || "_.-".contains(*character);
    let name: String = image.chars().filter(is_legal).take(100).collect();
    format!("{}-{name}", short(COMMIT, 7)).parse().ok()
}

/// What stands for any commit.
const COMMIT: &str = "0000000000000000000000000000000000000000";

impl Scope {
    /// The same scope with fixed texts for COMMIT, `COMMIT_HASH` and `IMAGE_TAG`, and one tag for each image: what
    /// is filled with it differs only if something else than the commit does.
    #[must_use]
    pub fn with_steady_names(&self) -> Self {
        let mut scope = self.clone();
        let names = [
            ("COMMIT", COMMIT.to_owned()),
            (RESOLVED_SOURCE_VERSION, COMMIT.to_owned()),
            ("COMMIT_HASH", short(COMMIT, 7)),
            ("IMAGE_TAG", short(COMMIT, 7)),
        ];
        let given = Arc::make_mut(&mut scope.given);
        given.extend(names.map(|(name, text)| (name.to_owned(), Value::plain(text))));
        for (name, known) in &mut scope.images {
            // What others build is not another image because of its name here.
            if let Some(known) = known.as_mut().filter(|known| known.written.is_none()) {
                known.tag = steady_tag(name);
            }
        }
        scope
    }
}
