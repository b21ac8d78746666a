//! Places that images are copied to, in shipspec.yml.

use std::sync::Arc;

use indexmap::IndexMap;

use super::place::RoleConfig;
use super::raw::RawPromotion;
use super::text::{Text, named_texts, texts};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::Node;
use crate::nearest::nearest;
use crate::source::{Source, Span};

/// A place that images are copied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromotionConfig {
    /// The repositories there, by the names of the images.
    pub repositories: IndexMap<String, Text>,
    /// The role to assume for their registries.
    pub role: Option<RoleConfig>,
    /// The whole list of tags, if they are not those of the images.
    pub tags: Option<Vec<Text>>,
    /// Where its name is written.
    pub span: Span,
}

impl PromotionConfig {
    /// Every text of it, to find the names that it asks for.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        self.repositories
            .values()
            .chain(self.role.iter().flat_map(RoleConfig::texts))
            .chain(self.tags.iter().flatten())
    }
}

/// Reads one place.
pub(super) struct PromotionReader<'a> {
    pub(super) source: &'a Arc<Source>,
    /// The names of the images that the file has.
    pub(super) images: &'a [&'a str],
    /// The names of those that others build.
    pub(super) foreign: &'a [&'a str],
    /// Its key and what stands under it, as written.
    pub(super) keys: Option<(&'a Node, &'a Node)>,
    pub(super) found: &'a mut Diagnostics,
}

impl PromotionReader<'_> {
    pub(super) fn read(mut self, raw: &RawPromotion) -> PromotionConfig {
        let span = self.span(self.keys.map(|(key, _)| key));
        self.check_images(raw, &span);
        let (role, id) = (raw.role.as_ref(), raw.external_id.as_ref());
        let role = RoleConfig::from_raw(role, id, self.source, self.found);
        if raw.tags.as_ref().is_some_and(Vec::is_empty) {
            self.tell(span.clone(), "`tags` is empty; an image needs a tag");
        }
        PromotionConfig {
            role,
            tags: raw.tags.as_ref().map(|tags| texts(tags, self.source, self.found)),
            repositories: named_texts(&raw.repositories, self.source, self.found),
            span,
        }
    }

    /// Only images of the file can be copied by name.
    fn check_images(&mut self, raw: &RawPromotion, span: &Span) {
        if raw.repositories.is_empty() {
            self.tell(span.clone(), "`repositories` is empty; nothing would be copied");
        }
        for name in raw.repositories.keys().filter(|name| !self.images.contains(&name.as_str())) {
            let key = self.keys.and_then(|(_, below)| below.at(&["repositories", name]));
            if self.foreign.contains(&name.as_str()) {
                let span = self.span(key.map(|(key, _)| key));
                let message = format!("`{name}` is not copied: it has a `reference`");
                let hint = "`shipspec promote --from REFERENCE --to REPOSITORY` copies any image";
                self.found.push(Diagnostic::at(span, message).with_hint(hint));
                continue;
            }
            let message = format!("no image has the name `{name}`");
            let hint = match nearest(name, self.images.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("`images:` has: {}", self.images.join(", ")),
            };
            let span = self.span(key.map(|(key, _)| key));
            self.found.push(Diagnostic::at(span, message).with_hint(hint));
        }
    }

    fn span(&self, key: Option<&Node>) -> Span {
        Span::new(self.source, key.map_or(0..0, |key| key.range.clone()))
    }

    fn tell(&mut self, span: Span, message: &str) {
        self.found.push(Diagnostic::at(span, message));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn promote(text: &str) -> Result<Config, String> {
        let text = format!(
            "version: 1\nimages: {{ app: {{ repository: r.example/a }} }}\npromote:\n{text}"
        );
        Config::parse(&Source::new("shipspec.yml", text)).map_err(|errors| {
            let line = |finding: &Diagnostic| match &finding.hint {
                Some(hint) => format!("{finding} ({hint})"),
                None => finding.to_string(),
            };
            errors.as_slice().iter().map(line).collect::<Vec<_>>().join("\n")
        })
    }

    #[test]
    fn a_place_has_repositories_a_role_and_tags() {
        let config = promote("  production:\n    repositories: { app: \"${PROD}.example/web\" }\n    role: ${ROLE}\n    external_id: x\n    tags: [\"${IMAGE_TAG}\", stable]\n").unwrap();
        let production = &config.promote["production"];
        assert_eq!(production.repositories["app"].as_written(), "${PROD}.example/web");
        assert_eq!(production.tags.as_ref().map(Vec::len), Some(2));
        assert_eq!(production.span.to_string(), "shipspec.yml:4:3");
        let names: Vec<_> = production.texts().flat_map(Text::references).collect();
        assert_eq!(names, ["PROD", "ROLE", "IMAGE_TAG"]);
        assert!(config.references().contains("PROD"));
        assert_eq!(
            promote("  p: { repositories: { app: r.example/b } }\n").unwrap().promote["p"].tags,
            None
        );
    }

    #[test]
    fn what_is_wrong_with_a_place_is_told_with_its_line() {
        insta::assert_snapshot!(promote("  production:\n    repositories: { ap: r.example/b }\n    external_id: x\n    tags: []\n  empty: { repositories: {} }\n").unwrap_err(), @"
        shipspec.yml:5:21: no image has the name `ap` (did you mean `app`?)
        shipspec.yml:6:18: an `external_id` says nothing without a `role`
        shipspec.yml:4:3: `tags` is empty; an image needs a tag
        shipspec.yml:8:3: `repositories` is empty; nothing would be copied
        ");
        insta::assert_snapshot!(promote("  production: { repositoris: { app: r.example/b } }\n").unwrap_err(), @"
        shipspec.yml:4:17: unknown key `repositoris` (did you mean `repositories`?)
        shipspec.yml:4:15: `production` needs the key `repositories`
        ");
    }
}
