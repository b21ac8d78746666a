//! Task definitions that artifacts begin from.

use std::sync::Arc;

use schemars::JsonSchema;

use super::place::{PlaceConfig, RawPlace};
use super::service::{Service, ServiceConfig};
use super::text::{RawText, Text, keep};
use super::tree::RawTree;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expression::Names;
use crate::place::Place;
use crate::source::{Source, Span};

/// The task definition of ECS that an artifact begins from: the newest active revision of `family`, or the
/// one that `service` runs.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Base")]
pub(super) struct RawBase {
    /// A family.
    #[schemars(default)]
    pub(super) family: Option<RawText>,
    /// The name of a service.
    #[schemars(default)]
    pub(super) service: Option<RawText>,
    /// The cluster that the service is in. Without it, the one that is called `default`.
    #[schemars(default)]
    pub(super) cluster: Option<RawText>,
    #[schemars(flatten)]
    pub(super) place: RawPlace,
}

impl TryFrom<RawTree> for RawBase {
    type Error = &'static str;

    fn try_from(tree: RawTree) -> Result<Self, Self::Error> {
        let RawTree::Map(mut entries) = tree else { return Err("`base` wants a map") };
        let mut text = |key: &str| RawText::take(&mut entries, key);
        Ok(Self {
            family: text("family")?,
            service: text("service")?,
            cluster: text("cluster")?,
            place: RawPlace::take(&mut entries)?,
        })
    }
}

/// The task definition that an artifact begins from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaseConfig {
    /// The newest active revision of a family.
    Family(Text, PlaceConfig),
    /// What a service runs.
    Service(ServiceConfig),
}

/// The task definition that is meant, and where it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Base {
    /// The newest active revision of a family.
    Family(String, Place),
    /// What a service runs.
    Service(Service),
}

impl BaseConfig {
    /// Everything in it that is evaluated.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        let (family, place, service) = match self {
            Self::Family(family, place) => (Some(family), Some(place), None),
            Self::Service(service) => (None, None, Some(service)),
        };
        let place = place.into_iter().flat_map(PlaceConfig::texts);
        family.into_iter().chain(place).chain(service.into_iter().flat_map(ServiceConfig::texts))
    }

    /// The task definition that is meant.
    ///
    /// # Errors
    ///
    /// Every name that has no value, secrets in what everybody can read, and what comes to nothing.
    pub fn evaluate(&self, names: &dyn Names) -> Result<Base, Diagnostics> {
        match self {
            Self::Family(family, place) => {
                let family = family.evaluate_filled(names, "the name of a family")?;
                Ok(Base::Family(family, place.evaluate(names)?))
            }
            Self::Service(service) => service.evaluate(names).map(Base::Service),
        }
    }

    /// Reads what `key`, the artifact's path, has as its base.
    pub(super) fn from_raw(
        raw: &RawBase,
        key: &Span,
        source: &Arc<Source>,
        found: &mut Diagnostics,
    ) -> Option<Self> {
        let place = PlaceConfig::from_raw(&raw.place, source, found);
        let mut optional = |raw: &Option<RawText>| {
            raw.as_ref().and_then(|raw| keep(Text::from_raw(raw, source), found))
        };
        let cluster = optional(&raw.cluster);
        let message = match (&raw.family, &raw.service) {
            (Some(_), None) if cluster.is_some() => "`cluster` says nothing without a `service`",
            (Some(_), None) => return Some(Self::Family(optional(&raw.family)?, place)),
            (None, Some(_)) => {
                return Some(Self::Service(ServiceConfig {
                    name: optional(&raw.service)?,
                    cluster,
                    place,
                }));
            }
            _ => "`base` names a `family` or a `service`",
        };
        found.push(Diagnostic::at(key.clone(), message));
        None
    }
}
