//! Whether a text can stand for a repository in shipspec.yml.

use shipspec_spec::config::Text;
use shipspec_spec::expression::{NameError, Names};
use shipspec_spec::image::{Repository, RepositoryError};
use shipspec_spec::value::Value;

/// What a `${…}` may come to: all of a repository, its host, or a word of it.
const STAND_INS: [&str; 3] = ["registry.example/name", "registry.example", "name"];

/// Every name has the same text.
struct StandIn(&'static str);

impl Names for StandIn {
    fn resolve(&self, _: &str) -> Result<Value, NameError> {
        Ok(Value::plain(self.0))
    }

    fn known(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Why a text cannot be a repository, whatever its names come to.
pub(super) fn check(text: &str) -> Result<(), String> {
    if let Some(name) = bare_name(text) {
        return Err(format!(
            "`${name}` is no variable in shipspec.yml; write `${{{name}}}`, in single quotes for a shell"
        ));
    }
    let parsed = Text::parse("--repository", text).map_err(|found| {
        let messages = found.as_slice().iter().map(ToString::to_string);
        format!("`{text}` cannot be read: {}", messages.collect::<Vec<_>>().join("; "))
    })?;
    // The text stands in YAML without quotes.
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "._-/:${}".contains(letter);
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '$')
        && text.chars().all(is_part);
    let mut is_tagged = false;
    for stand_in in STAND_INS {
        let Ok((filled, _)) = parsed.evaluate_text(&StandIn(stand_in)) else { continue };
        match filled.parse::<Repository>() {
            Ok(_) if is_plain => return Ok(()),
            Err(RepositoryError::Tagged(_)) => is_tagged = true,
            Ok(_) | Err(_) => {}
        }
    }
    Err(if is_tagged {
        format!("`{text}` names a tag; a repository has none")
    } else {
        format!(
            "`{text}` is no repository; write `registry/name`, or `${{NAME}}` for a variable of the build"
        )
    })
}

/// The name behind a `$` without braces.
fn bare_name(text: &str) -> Option<&str> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.split('$').skip(1).find_map(|rest| {
        let end = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
        Some(&rest[..end]).filter(|name| !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_never_be_a_repository_is_refused() {
        for text in [
            "${REPOSITORY_URL}",
            "${HOST}/shop",
            "${HOST}:5000/shop",
            "${ACCOUNT}.dkr.ecr.${AWS_REGION}.amazonaws.com/shop-${STAGE:-dev}",
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com/a/b",
            "localhost:5000/a",
            "web",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for (text, told) in [
            ("$REPO", "write `${REPO}`"),
            ("$HOST/web", "write `${HOST}`"),
            ("${", "cannot be read"),
            ("$", "is no repository"),
            ("${R}:5", "`${R}:5` names a tag"),
            ("web:latest", "names a tag"),
            ("localhost:5000/a:1", "names a tag"),
            ("a b", "is no repository"),
            ("a: b", "names a tag"),
            ("[a]", "is no repository"),
            ("Web", "is no repository"),
            ("", "is no repository"),
        ] {
            let error = check(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
