use serde::{Deserialize, Serialize};

/// Whether a repository's tags may be moved, as ECR names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Mutability {
    /// Every tag may move.
    #[default]
    Mutable,
    /// No tag may move.
    Immutable,
    /// No tag may move but those that a filter matches.
    ImmutableWithExclusion,
    /// Every tag may move but those that a filter matches.
    MutableWithExclusion,
}

impl Mutability {
    /// Whether a tag must stay where it is, given the repository's exclusion filters.
    #[must_use]
    pub fn freezes(self, tag: &str, filters: &[String]) -> bool {
        let excluded = || filters.iter().any(|filter| matches(filter, tag));
        match self {
            Self::Mutable => false,
            Self::Immutable => true,
            Self::ImmutableWithExclusion => !excluded(),
            Self::MutableWithExclusion => excluded(),
        }
    }

    /// Whether this kind takes exclusion filters; it then needs at least one.
    #[must_use]
    pub fn takes_filters(self) -> bool {
        matches!(self, Self::ImmutableWithExclusion | Self::MutableWithExclusion)
    }
}

/// Whether the whole of `text` is matched by `pattern`, in which `*` stands for any text.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("latest", "latest", true),
            ("latest", "latest2", false),
            ("*", "", true),
            ("dev-*", "dev-1", true),
            ("dev-*", "adev-1", false),
            ("*-dev", "a-dev", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c2b", false),
            ("a*a", "a", false),
            ("*b*", "abc", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn exclusions_turn_the_rule_round() {
        let filters = ["latest".to_owned(), "dev-*".to_owned()];
        assert!(!Mutability::Mutable.freezes("latest", &filters));
        assert!(Mutability::Immutable.freezes("latest", &filters));
        assert!(!Mutability::ImmutableWithExclusion.freezes("dev-1", &filters));
        assert!(Mutability::ImmutableWithExclusion.freezes("v1", &filters));
        assert!(Mutability::MutableWithExclusion.freezes("dev-1", &filters));
        assert!(!Mutability::MutableWithExclusion.freezes("v1", &filters));
    }
}
