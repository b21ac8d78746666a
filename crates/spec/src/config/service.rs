//! Services of ECS in shipspec.yml.

use std::sync::Arc;

use schemars::JsonSchema;

use super::place::{PlaceConfig, RawPlace, public};
use super::text::{RawText, Text, keep};
use super::tree::RawTree;
use crate::diagnostic::Diagnostics;
use crate::expression::Names;
use crate::place::Place;
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
    #[schemars(flatten)]
    pub(super) place: RawPlace,
}

impl TryFrom<RawTree> for RawService {
    type Error = &'static str;

    fn try_from(tree: RawTree) -> Result<Self, Self::Error> {
        let RawTree::Map(mut entries) = tree else { return Err("`service` wants a map") };
        let mut text = |key: &str| RawText::take(&mut entries, key);
        Ok(Self {
            name: text("name")?.ok_or("`service` needs the key `name`")?,
            cluster: text("cluster")?,
            place: RawPlace::take(&mut entries)?,
        })
    }
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
        let cluster = raw.cluster.as_ref();
        let cluster = cluster.and_then(|raw| keep(Text::from_raw(raw, source), found));
        let place = PlaceConfig::from_raw(&raw.place, source, found);
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
    pub place: Place,
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
    /// Every name that has no value, secrets in what everybody can read, and what comes to nothing.
    pub fn evaluate(&self, names: &dyn Names) -> Result<Service, Diagnostics> {
        let cluster = public(self.cluster.as_ref(), names, "the name of a cluster")?;
        Ok(Service {
            name: self.name.evaluate_filled(names, "the name of a service")?,
            cluster: cluster.unwrap_or_else(|| DEFAULT_CLUSTER.to_owned()),
            place: self.place.evaluate(names)?,
        })
    }
}
