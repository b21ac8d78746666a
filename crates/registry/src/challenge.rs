//! What a registry asks for with `WWW-Authenticate` ([RFC 9110, 11.6.1]).
//!
//! [RFC 9110, 11.6.1]: https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1

use std::collections::BTreeMap;

/// How a registry wants to be spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// User and password with every request, as ECR wants it.
    Basic,
    /// A token from a server that the registry names.
    Bearer {
        /// The token server.
        realm: String,
        /// `service` and whatever else it is to be told.
        parameters: BTreeMap<String, String>,
    },
}

impl Challenge {
    /// Reads the header; a scheme that is neither is none.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut parameters = parameters(rest);
        let realm = parameters.remove("realm")?;
        Some(Self::Bearer { realm, parameters })
    }
}

/// `name="value"` pairs, separated by commas that do not stand inside quotes.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while let Some((name, behind)) = rest.split_once('=') {
        let (value, behind) = match behind.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => behind.split_at(behind.find(',').unwrap_or(behind.len())),
        };
        found.insert(name.trim_matches([' ', ',']).to_ascii_lowercase(), value.to_owned());
        rest = behind.trim_start_matches([' ', ',']);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_schemes_are_read() {
        assert_eq!(
            Challenge::parse(r#"Basic realm="https://x/",service="ecr.amazonaws.com""#),
            Some(Challenge::Basic)
        );
        let bearer =
            r#"Bearer realm="https://auth.example/token",service="reg, one",scope="a:b:pull,push""#;
        let Some(Challenge::Bearer { realm, parameters }) = Challenge::parse(bearer) else {
            panic!("no bearer challenge");
        };
        assert_eq!(realm, "https://auth.example/token");
        assert_eq!(parameters["service"], "reg, one");
        assert_eq!(parameters["scope"], "a:b:pull,push");
        assert_eq!(Challenge::parse("Negotiate"), None);
        assert_eq!(Challenge::parse("Bearer service=x"), None);
    }
}
