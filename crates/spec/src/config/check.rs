//! How findings are judged.

use std::sync::Arc;

use super::raw::RawCheck;
use crate::source::{Source, Span};

/// Findings that are not told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckConfig {
    /// Their codes, and where each is written. Whether there is such a code, the checks know.
    pub allow: Vec<(String, Span)>,
}

impl CheckConfig {
    pub(super) fn from_raw(raw: &RawCheck, source: &Arc<Source>) -> Self {
        let code = |text: &super::text::RawText| (text.as_str().to_owned(), text.span(source));
        Self { allow: raw.allow.iter().map(code).collect() }
    }

    /// The codes.
    pub fn codes(&self) -> impl Iterator<Item = &String> {
        self.allow.iter().map(|(code, _)| code)
    }
}
