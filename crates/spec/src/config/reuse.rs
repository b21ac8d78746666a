//! Whether an image that the registry holds already is taken as it is.

use std::sync::Arc;

use schemars::JsonSchema;

use super::text::{RawText, Text, keep};
use super::tree::RawTree;
use crate::diagnostic::Diagnostics;
use crate::source::Source;

/// Whether an image is taken from the registry that was made from the same sources before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ReuseConfig {
    /// Nothing is said: it is, and what speaks against it is told.
    #[default]
    Default,
    /// It is.
    Always,
    /// It is built each time.
    Never,
    /// Only if it was built within this length of time.
    For(Text),
}

/// `reuse`: true, false, or an age.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, rename = "Reuse")]
pub(super) enum RawReuse {
    Whether(bool),
    Age(RawText),
}

impl TryFrom<RawTree> for RawReuse {
    type Error = &'static str;

    fn try_from(tree: RawTree) -> Result<Self, Self::Error> {
        match tree {
            RawTree::Literal(serde_json::Value::Bool(whether), _) => Ok(Self::Whether(whether)),
            RawTree::Text(text) | RawTree::Literal(serde_json::Value::Number(_), text) => {
                Ok(Self::Age(text))
            }
            _ => Err("`reuse` must be true, false or an age such as `7d`"),
        }
    }
}

impl ReuseConfig {
    pub(super) fn from_raw(
        raw: Option<&RawReuse>,
        source: &Arc<Source>,
        found: &mut Diagnostics,
    ) -> Self {
        match raw {
            None => Self::Default,
            Some(RawReuse::Whether(true)) => Self::Always,
            Some(RawReuse::Whether(false)) => Self::Never,
            Some(RawReuse::Age(text)) => {
                keep(Text::from_raw(text, source), found).map_or(Self::Default, Self::For)
            }
        }
    }

    /// Its text, if it has one.
    pub(super) fn text(&self) -> Option<&Text> {
        match self {
            Self::For(text) => Some(text),
            Self::Default | Self::Always | Self::Never => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn reuse(text: &str) -> Result<ReuseConfig, String> {
        let text = format!("version: 1\nimages:\n  app:\n    repository: r.example/a\n{text}");
        let config = Config::parse(&Source::new("shipspec.yml", text));
        config.map(|config| config.images["app"].reuse.clone()).map_err(|error| error.to_string())
    }

    #[test]
    fn it_is_a_truth_value_or_an_age() {
        assert_eq!(reuse(""), Ok(ReuseConfig::Default));
        assert_eq!(reuse("    reuse: true\n"), Ok(ReuseConfig::Always));
        assert_eq!(reuse("    reuse: false\n"), Ok(ReuseConfig::Never));
        for (text, written) in [("7d", "7d"), ("90", "90"), ("\"${AGE}\"", "${AGE}")] {
            let Ok(ReuseConfig::For(age)) = reuse(&format!("    reuse: {text}\n")) else {
                panic!()
            };
            assert_eq!(age.as_written(), written);
        }
        assert!(reuse("    reuse: [7d]\n").unwrap_err().contains("`reuse` must be"));
    }
}
