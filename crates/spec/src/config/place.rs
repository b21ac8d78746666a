//! Regions and roles in shipspec.yml: where in AWS something is, and as whom it is asked for.

use std::sync::Arc;

use indexmap::IndexMap;
use schemars::JsonSchema;

use super::text::{RawText, Text, keep};
use super::tree::RawTree;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expression::Names;
use crate::place::{Place, Role};
use crate::source::Source;

/// The keys that say where in AWS something is.
#[derive(Debug, Clone, JsonSchema)]
pub(super) struct RawPlace {
    /// The region, if it is not that of the run.
    #[schemars(default)]
    pub(super) region: Option<RawText>,
    /// The ARN of a role to use there, if it is not that of the run.
    #[schemars(default)]
    pub(super) role: Option<RawText>,
    /// The external id that the role asks for.
    #[schemars(default)]
    pub(super) external_id: Option<RawText>,
}

impl RawPlace {
    /// Takes them out of a map.
    pub(super) fn take(entries: &mut IndexMap<String, RawTree>) -> Result<Self, &'static str> {
        Ok(Self {
            region: RawText::take(entries, "region")?,
            role: RawText::take(entries, "role")?,
            external_id: RawText::take(entries, "external_id")?,
        })
    }
}

/// A region and an account of AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaceConfig {
    /// The region; without it, that of the run.
    pub region: Option<Text>,
    /// The role to use there; without it, that of the run.
    pub role: Option<RoleConfig>,
}

/// A role of AWS to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleConfig {
    /// Its ARN.
    pub arn: Text,
    /// The external id that it asks for.
    pub external_id: Option<Text>,
}

impl PlaceConfig {
    pub(super) fn from_raw(raw: &RawPlace, source: &Arc<Source>, found: &mut Diagnostics) -> Self {
        let region = raw.region.as_ref();
        Self {
            region: region.and_then(|text| keep(Text::from_raw(text, source), found)),
            role: RoleConfig::from_raw(raw.role.as_ref(), raw.external_id.as_ref(), source, found),
        }
    }

    /// Everything in it that is evaluated.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        self.region.iter().chain(self.role.iter().flat_map(RoleConfig::texts))
    }

    /// The place that is meant.
    ///
    /// # Errors
    ///
    /// A name that has no value, secrets in what everybody can read, and what comes to nothing.
    pub fn evaluate(&self, names: &dyn Names) -> Result<Place, Diagnostics> {
        Ok(Place {
            region: public(self.region.as_ref(), names, "the name of a region")?,
            role: self.role.as_ref().map(|role| role.evaluate(names)).transpose()?,
        })
    }
}

impl RoleConfig {
    /// An external id alone is a `role` that was forgotten.
    pub(super) fn from_raw(
        role: Option<&RawText>,
        external_id: Option<&RawText>,
        source: &Arc<Source>,
        found: &mut Diagnostics,
    ) -> Option<Self> {
        if let (None, Some(id)) = (role, external_id) {
            let message = "an `external_id` says nothing without a `role`";
            found.push(Diagnostic::at(id.span(source), message));
        }
        let external_id = external_id.and_then(|id| keep(Text::from_raw(id, source), found));
        let arn = keep(Text::from_raw(role?, source), found)?;
        Some(Self { arn, external_id })
    }

    /// Everything in it that is evaluated.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        [&self.arn].into_iter().chain(&self.external_id)
    }

    /// The role that is meant.
    ///
    /// # Errors
    ///
    /// A name that has no value, secrets in what everybody can read, and what comes to nothing.
    pub fn evaluate(&self, names: &dyn Names) -> Result<Role, Diagnostics> {
        Ok(Role {
            arn: self.arn.evaluate_filled(names, "the name of a role")?,
            external_id: public(self.external_id.as_ref(), names, "an external id")?,
        })
    }
}

/// Fills a text that may be missing, and that everybody can read because it is `place`.
pub(super) fn public(
    text: Option<&Text>,
    names: &dyn Names,
    place: &str,
) -> Result<Option<String>, Diagnostics> {
    text.map(|text| text.evaluate_filled(names, place)).transpose()
}
