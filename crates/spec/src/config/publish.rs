//! Where artifacts are published, in shipspec.yml.

use std::sync::Arc;

use indexmap::IndexMap;
use schemars::JsonSchema;

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
    /// The region of it.
    pub region: Option<Text>,
    /// The role to write with, by its ARN.
    pub role: Option<Text>,
    /// The external id that the role asks for.
    pub external_id: Option<Text>,
    /// The parameter is a `SecureString`.
    pub secret: bool,
}

/// `publish`: a place, or several.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, rename = "Publish")]
pub(super) enum RawPublish {
    Many(Vec<RawPlace>),
    To(RawText),
    Map(Box<RawPlaceMap>),
}

/// A place: its name, or a map that says more.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, rename = "PublishPlace")]
pub(super) enum RawPlace {
    To(RawText),
    Map(Box<RawPlaceMap>),
}

/// A place that an artifact is published to, and as whom.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "PublishTarget")]
pub(super) struct RawPlaceMap {
    /// The place: `ssm:/name` or `s3://bucket/key`.
    pub(super) to: RawText,
    /// The region that it is in. Without it, that of the run.
    #[schemars(default)]
    pub(super) region: Option<RawText>,
    /// The ARN of a role to write it with.
    #[schemars(default)]
    pub(super) role: Option<RawText>,
    /// The external id that the role asks for.
    #[schemars(default)]
    pub(super) external_id: Option<RawText>,
    /// The parameter is a `SecureString`, encrypted with the key that AWS has for Parameter Store.
    #[schemars(default)]
    pub(super) secret: bool,
}

impl TryFrom<RawTree> for RawPlace {
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
                let places = places.into_iter().map(RawPlace::try_from);
                Ok(Self::Many(places.collect::<Result<_, _>>()?))
            }
            RawTree::Map(entries) => Ok(Self::Map(Box::new(entries.try_into()?))),
            to => Ok(Self::To(to.try_into()?)),
        }
    }
}

impl TryFrom<IndexMap<String, RawTree>> for RawPlaceMap {
    type Error = &'static str;

    fn try_from(mut entries: IndexMap<String, RawTree>) -> Result<Self, Self::Error> {
        let mut text = |key: &str| entries.shift_remove(key).map(RawText::try_from).transpose();
        Ok(Self {
            to: text("to")?.ok_or("a place to publish to needs the key `to`")?,
            region: text("region")?,
            role: text("role")?,
            external_id: text("external_id")?,
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
        let place = |place: &RawPlace, found: &mut Diagnostics| match place {
            RawPlace::To(to) => Self::plain(to, source, found),
            RawPlace::Map(map) => Self::detailed(map, source, found),
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
        Some(Self { to, region: None, role: None, external_id: None, secret: false })
    }

    fn detailed(map: &RawPlaceMap, source: &Arc<Source>, found: &mut Diagnostics) -> Option<Self> {
        if let (Some(id), None) = (&map.external_id, &map.role) {
            let message = "an `external_id` says nothing without a `role`";
            found.push(Diagnostic::at(id.span(source), message));
        }
        if map.secret && map.to.as_str().starts_with("s3:") {
            let message = "`secret` is for a parameter; an object of S3 is as open as its bucket";
            found.push(Diagnostic::at(map.to.span(source), message));
        }
        let mut optional = |text: &Option<RawText>| {
            text.as_ref().and_then(|text| keep(Text::from_raw(text, source), found))
        };
        Some(Self {
            region: optional(&map.region),
            role: optional(&map.role),
            external_id: optional(&map.external_id),
            secret: map.secret,
            to: keep(Text::from_raw(&map.to, source), found)?,
        })
    }

    /// Every text of it, to find the names that it asks for.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        let optional = [&self.region, &self.role, &self.external_id];
        std::iter::once(&self.to).chain(optional.into_iter().flatten())
    }

    /// The place, with every name in it filled.
    ///
    /// # Errors
    ///
    /// Names without a value, secrets in what everybody can read, and what the services would refuse.
    pub fn evaluate(&self, names: &dyn Names) -> Result<Publication, Diagnostics> {
        let public = |text: &Text| text.evaluate_public(names, "the name of a place");
        let to = public(&self.to)?;
        let place = self.to.span();
        let destination: Destination =
            to.parse().map_err(|error| Diagnostic::at(place.clone(), format!("{error}")))?;
        let optional = |text: &Option<Text>| text.as_ref().map(public).transpose();
        Ok(Publication {
            destination,
            region: optional(&self.region)?,
            role: optional(&self.role)?,
            external_id: optional(&self.external_id)?,
            is_secret: self.secret,
        })
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
        assert!(place.secret && place.role.is_some() && place.external_id.is_some());
    }

    #[test]
    fn what_says_nothing_is_refused() {
        insta::assert_snapshot!(places("{ to: ssm:/x, external_id: id }").unwrap_err(), @"shipspec.yml:3:59: an `external_id` says nothing without a `role`");
        insta::assert_snapshot!(places("{ to: \"s3://b/k\", secret: true }").unwrap_err(), @"shipspec.yml:3:38: `secret` is for a parameter; an object of S3 is as open as its bucket");
        insta::assert_snapshot!(places("{ from: ssm:/x }").unwrap_err(), @"
        shipspec.yml:3:34: unknown key `from`
        shipspec.yml:3:32: `publish` needs the key `to`
        ");
        insta::assert_snapshot!(places("[[ssm:/x]]").unwrap_err(), @"shipspec.yml:3:33: `publish` must be text or a map");
    }
}
