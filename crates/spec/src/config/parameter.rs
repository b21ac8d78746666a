//! Parameters in shipspec.yml.

use std::sync::Arc;

use super::place::PlaceConfig;
use super::raw::{RawParameter, RawParameterType};
use super::text::{Text, keep};
use crate::diagnostic::Diagnostics;
use crate::source::Source;

/// Where a parameter is kept, and how it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterConfig {
    /// Where it is kept.
    pub from: Text,
    /// The value where there is none.
    pub default: Option<Text>,
    /// Where in AWS that is.
    pub place: PlaceConfig,
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
        let map = match raw {
            RawParameter::From(from) => {
                let from = keep(Text::from_raw(from, source), found)?;
                return Some(Self {
                    from,
                    default: None,
                    place: PlaceConfig::default(),
                    secret: false,
                    kind: None,
                });
            }
            RawParameter::Map(map) => map,
        };
        Some(Self {
            default: map
                .default
                .as_ref()
                .and_then(|text| keep(Text::from_raw(text, source), found)),
            place: PlaceConfig::from_raw(&map.place, source, found),
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
        std::iter::once(&self.from).chain(&self.default).chain(self.place.texts())
    }
}
