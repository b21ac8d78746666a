//! Parameters in shipspec.yml.

use std::sync::Arc;

use super::raw::{RawParameter, RawParameterType};
use super::text::{RawText, Text, keep};
use crate::diagnostic::Diagnostics;
use crate::source::Source;

/// Where a parameter is kept, and how it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterConfig {
    /// Where it is kept.
    pub from: Text,
    /// The value where there is none.
    pub default: Option<Text>,
    /// The region that it is kept in.
    pub region: Option<Text>,
    /// The role to read it with, by its ARN.
    pub role: Option<Text>,
    /// The external id that the role asks for.
    pub external_id: Option<Text>,
    /// It must not be shown, whatever its store says.
    pub secret: bool,
    /// What its text is, if that is said.
    pub kind: Option<ParameterKind>,
}

/// What the text of a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// Text, as it is.
    Text,
    /// JSON.
    Json,
    /// Texts with commas between them.
    List,
}

impl ParameterConfig {
    pub(super) fn from_raw(
        raw: &RawParameter,
        source: &Arc<Source>,
        found: &mut Diagnostics,
    ) -> Option<Self> {
        let optional = |text: &Option<RawText>, found: &mut Diagnostics| {
            text.as_ref().and_then(|text| keep(Text::from_raw(text, source), found))
        };
        let map = match raw {
            RawParameter::From(from) => {
                let from = keep(Text::from_raw(from, source), found)?;
                return Some(Self {
                    from,
                    default: None,
                    region: None,
                    role: None,
                    external_id: None,
                    secret: false,
                    kind: None,
                });
            }
            RawParameter::Map(map) => map,
        };
        Some(Self {
            default: optional(&map.default, found),
            region: optional(&map.region, found),
            role: optional(&map.role, found),
            external_id: optional(&map.external_id, found),
            secret: map.secret,
            kind: map.r#type.map(|kind| match kind {
                RawParameterType::String => ParameterKind::Text,
                RawParameterType::Json => ParameterKind::Json,
                RawParameterType::List => ParameterKind::List,
            }),
            from: keep(Text::from_raw(&map.from, source), found)?,
        })
    }

    /// Every text of it, to find the names that it asks for.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        let optional = [&self.default, &self.region, &self.role, &self.external_id];
        std::iter::once(&self.from).chain(optional.into_iter().flatten())
    }
}
