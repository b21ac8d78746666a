//! Where artifacts are published, in shipspec.yml.

use std::sync::Arc;

use indexmap::IndexMap;
use schemars::JsonSchema;

use super::place::{PlaceConfig, RawPlace};
use super::text::{RawText, Text, keep};
use super::tree::RawTree;
use crate::destination::{Destination, Publication};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expression::Names;
use crate::source::Source;

/// A place that an artifact is published to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishConfig {
    /// The place.
    pub to: Text,
    /// Where in AWS it is.
    pub place: PlaceConfig,
    /// The parameter is a `SecureString`.
    pub secret: bool,
}

/// `publish`: a place, or several.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, rename = "Publish")]
pub(super) enum RawPublish {
    Many(Vec<RawTarget>),
    To(RawText),
    Map(Box<RawTargetMap>),
}

/// A place: its name, or a map that says more.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, rename = "PublishPlace")]
pub(super) enum RawTarget {
    To(RawText),
    Map(Box<RawTargetMap>),
}

/// A place that an artifact is published to, and as whom.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "PublishTarget")]
pub(super) struct RawTargetMap {
    /// The place: `ssm:/name` or `s3://bucket/key`.
    pub(super) to: RawText,
    #[schemars(flatten)]
    pub(super) place: RawPlace,
    /// The parameter is a `SecureString`, encrypted with the key that AWS has for Parameter Store.
    #[schemars(default)]
    pub(super) secret: bool,
}

impl TryFrom<RawTree> for RawTarget {
    type Error = &'static str;

    fn try_from(tree: RawTree) -> Result<Self, Self::Error> {
        match tree {
            RawTree::Map(entries) => Ok(Self::Map(Box::new(entries.try_into()?))),
            to => Ok(Self::To(to.try_into()?)),
        }
    }
}

impl TryFrom<RawTree> for RawPublish {
    type Error = &'static str;

    fn try_from(tree: RawTree) -> Result<Self, Self::Error> {
        match tree {
            RawTree::List(places) => {
                let places = places.into_iter().map(RawTarget::try_from);
                Ok(Self::Many(places.collect::<Result<_, _>>()?))
            }
            RawTree::Map(entries) => Ok(Self::Map(Box::new(entries.try_into()?))),
            to => Ok(Self::To(to.try_into()?)),
        }
    }
}

impl TryFrom<IndexMap<String, RawTree>> for RawTargetMap {
    type Error = &'static str;

    fn try_from(mut entries: IndexMap<String, RawTree>) -> Result<Self, Self::Error> {
        let to = RawText::take(&mut entries, "to")?;
        Ok(Self {
            to: to.ok_or("a place to publish to needs the key `to`")?,
            place: RawPlace::take(&mut entries)?,
            secret: match entries.shift_remove("secret") {
                Some(RawTree::Literal(serde_json::Value::Bool(secret), _)) => secret,
                Some(_) => return Err("`secret` must be true or false"),
                None => false,
            },
        })
    }
}

impl PublishConfig {
    /// Reads all places of an artifact.
    pub(super) fn from_raw(
        raw: Option<&RawPublish>,
        source: &Arc<Source>,
        found: &mut Diagnostics,
    ) -> Vec<Self> {
        let place = |place: &RawTarget, found: &mut Diagnostics| match place {
            RawTarget::To(to) => Self::plain(to, source, found),
            RawTarget::Map(map) => Self::detailed(map, source, found),
        };
        match raw {
            None => Vec::new(),
            Some(RawPublish::Many(places)) => {
                places.iter().filter_map(|one| place(one, found)).collect()
            }
            Some(RawPublish::To(to)) => Self::plain(to, source, found).into_iter().collect(),
            Some(RawPublish::Map(map)) => Self::detailed(map, source, found).into_iter().collect(),
        }
    }

    fn plain(to: &RawText, source: &Arc<Source>, found: &mut Diagnostics) -> Option<Self> {
        let to = keep(Text::from_raw(to, source), found)?;
        Some(Self { to, place: PlaceConfig::default(), secret: false })
    }

    fn detailed(map: &RawTargetMap, source: &Arc<Source>, found: &mut Diagnostics) -> Option<Self> {
        if map.secret && map.to.as_str().starts_with("s3:") {
            let message = "`secret` is for a parameter; an object of S3 is as open as its bucket";
            found.push(Diagnostic::at(map.to.span(source), message));
        }
        Some(Self {
            place: PlaceConfig::from_raw(&map.place, source, found),
            secret: map.secret,
            to: keep(Text::from_raw(&map.to, source), found)?,
        })
    }

    /// Every text of it, to find the names that it asks for.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        std::iter::once(&self.to).chain(self.place.texts())
    }

    /// The place, with every name in it filled.
    ///
    /// # Errors
    ///
    /// Names without a value, secrets in what everybody can read, and what the services would refuse.
    pub fn evaluate(&self, names: &dyn Names) -> Result<Publication, Diagnostics> {
        let to = self.to.evaluate_public(names, "the name of a place")?;
        let place = self.to.span();
        let destination: Destination =
            to.parse().map_err(|error| Diagnostic::at(place.clone(), format!("{error}")))?;
        Ok(Publication { destination, place: self.place.evaluate(names)?, is_secret: self.secret })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn places(publish: &str) -> Result<Vec<PublishConfig>, String> {
        let text =
            format!("version: 1\nartifacts:\n  a.json: {{ json: {{}}, publish: {publish} }}\n");
        let config = Config::parse(&Source::new("shipspec.yml", text)).map_err(|errors| {
            let lines: Vec<_> = errors.as_slice().iter().map(ToString::to_string).collect();
            lines.join("\n")
        })?;
        Ok(config.artifacts[0].publish.clone())
    }

    #[test]
    fn a_place_is_a_name_a_map_or_a_list_of_both() {
        let written = |publish: &str| -> Vec<_> {
            let places = places(publish).unwrap();
            places.iter().map(|place| place.to.as_written().to_owned()).collect()
        };
        assert_eq!(written("ssm:/shop/x"), ["ssm:/shop/x"]);
        assert_eq!(
            written("[ssm:/shop/x, { to: \"s3://b/k\", region: eu-west-1 }]"),
            ["ssm:/shop/x", "s3://b/k"]
        );
        let places = places("{ to: ssm:/x, role: \"${ROLE}\", external_id: id, secret: true }");
        let place = &places.unwrap()[0];
        assert!(place.secret && place.place.role.as_ref().unwrap().external_id.is_some());
    }

    #[test]
    fn what_says_nothing_is_refused() {
        insta::assert_snapshot!(places("{ to: ssm:/x, external_id: id }").unwrap_err(), @"shipspec.yml:3:59: an `external_id` says nothing without a `role`");
        for place in [
            "base: { family: web, external_id: id }",
            "json: {}, service: { name: web, external_id: id }",
        ] {
            let text = format!("version: 1\nartifacts:\n  a.json: {{ {place} }}\n");
            let errors = Config::parse(&Source::new("shipspec.yml", text)).unwrap_err();
            assert!(errors.to_string().contains("an `external_id` says nothing"), "{errors}");
        }
        insta::assert_snapshot!(places("{ to: \"s3://b/k\", secret: true }").unwrap_err(), @"shipspec.yml:3:38: `secret` is for a parameter; an object of S3 is as open as its bucket");
        insta::assert_snapshot!(places("{ from: ssm:/x }").unwrap_err(), @"
        shipspec.yml:3:34: unknown key `from`
        shipspec.yml:3:32: `publish` needs the key `to`
        ");
        insta::assert_snapshot!(places("[[ssm:/x]]").unwrap_err(), @"shipspec.yml:3:33: `publish` must be text or a map");
    }
}
