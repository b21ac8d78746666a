//! Services of ECS in shipspec.yml.

use std::sync::Arc;

use indexmap::IndexMap;
use schemars::JsonSchema;

use super::text::{RawText, Text, keep};
use super::tree::RawTree;
use crate::diagnostic::Diagnostics;
use crate::expression::Names;
use crate::source::Source;

/// The service of ECS that a deployment changes. `doctor` and `diff` look at it, and `run` says whether it
/// has what the last run released; nothing changes it.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Service")]
pub(super) struct RawService {
    /// The name of the service.
    pub(super) name: RawText,
    /// The cluster that it is in. Without it, the one that is called `default`.
    #[schemars(default)]
    pub(super) cluster: Option<RawText>,
    /// The region, if it is not that of the run.
    #[schemars(default)]
    pub(super) region: Option<RawText>,
    /// The ARN of a role to look with, if it is not that of the run.
    #[schemars(default)]
    pub(super) role: Option<RawText>,
    /// The external id that the role asks for.
    #[schemars(default)]
    pub(super) external_id: Option<RawText>,
}

impl TryFrom<RawTree> for RawService {
    type Error = &'static str;

    fn try_from(tree: RawTree) -> Result<Self, Self::Error> {
        let RawTree::Map(mut entries) = tree else { return Err("`service` wants a map") };
        let mut text = |key: &str| take(&mut entries, key);
        Ok(Self {
            name: text("name")?.ok_or("`service` needs the key `name`")?,
            cluster: text("cluster")?,
            region: text("region")?,
            role: text("role")?,
            external_id: text("external_id")?,
        })
    }
}

fn take(
    entries: &mut IndexMap<String, RawTree>,
    key: &str,
) -> Result<Option<RawText>, &'static str> {
    entries.shift_remove(key).map(RawText::try_from).transpose()
}

/// A service of ECS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceConfig {
    /// Its name.
    pub name: Text,
    /// Its cluster.
    pub cluster: Option<Text>,
    /// Where it is asked for.
    pub place: PlaceConfig,
}

/// A region and an account of AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaceConfig {
    /// The region; without it, that of the run.
    pub region: Option<Text>,
    /// The role to ask with; without it, that of the run.
    pub role: Option<Text>,
    /// The external id that the role asks for.
    pub external_id: Option<Text>,
}

impl PlaceConfig {
    /// Everything in it that is evaluated.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        [&self.region, &self.role, &self.external_id].into_iter().flatten()
    }
}

impl ServiceConfig {
    /// Everything in it that is evaluated.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        [&self.name].into_iter().chain(&self.cluster).chain(self.place.texts())
    }

    pub(super) fn from_raw(
        raw: &RawService,
        source: &Arc<Source>,
        found: &mut Diagnostics,
    ) -> Option<Self> {
        let mut optional = |raw: &Option<RawText>| {
            raw.as_ref().and_then(|raw| keep(Text::from_raw(raw, source), found))
        };
        let cluster = optional(&raw.cluster);
        let place = PlaceConfig {
            region: optional(&raw.region),
            role: optional(&raw.role),
            external_id: optional(&raw.external_id),
        };
        let name = keep(Text::from_raw(&raw.name, source), found)?;
        Some(Self { name, cluster, place })
    }
}

/// A service of ECS, and where it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its cluster.
    pub cluster: String,
    /// Where it is asked for.
    pub place: Placed,
}

/// A region and an account of AWS, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placed {
    /// The region; without it, that of the run.
    pub region: Option<String>,
    /// The role to ask with; without it, that of the run.
    pub role: Option<String>,
    /// The external id that the role asks for.
    pub external_id: Option<String>,
}

/// The cluster where none is named ([API]).
///
/// [API]: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html
const DEFAULT_CLUSTER: &str = "default";

impl ServiceConfig {
    /// The service that is meant.
    ///
    /// # Errors
    ///
    /// Every name that has no value, and secrets in what everybody can read.
    pub fn evaluate(&self, names: &dyn Names) -> Result<Service, Diagnostics> {
        let cluster = optional(self.cluster.as_ref(), names, "the name of a cluster")?;
        Ok(Service {
            name: self.name.evaluate_public(names, "the name of a service")?,
            cluster: cluster.unwrap_or_else(|| DEFAULT_CLUSTER.to_owned()),
            place: self.place.evaluate(names)?,
        })
    }
}

impl PlaceConfig {
    /// The place that is meant.
    ///
    /// # Errors
    ///
    /// A name that has no value, and secrets in what everybody can read.
    pub fn evaluate(&self, names: &dyn Names) -> Result<Placed, Diagnostics> {
        Ok(Placed {
            region: optional(self.region.as_ref(), names, "the name of a region")?,
            role: optional(self.role.as_ref(), names, "the name of a role")?,
            external_id: optional(self.external_id.as_ref(), names, "an external id")?,
        })
    }
}

fn optional(
    text: Option<&Text>,
    names: &dyn Names,
    place: &str,
) -> Result<Option<String>, Diagnostics> {
    text.map(|text| text.evaluate_public(names, place)).transpose()
}
