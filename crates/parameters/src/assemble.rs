//! From what a store holds to the value of a name.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};
use shipspec_spec::nearest::nearest;
use shipspec_spec::value::Value;

use crate::answer::Answer;
use crate::error::FetchError;
use crate::request::Request;

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// What the name stands for.
    pub value: Value,
    /// Its ARN and its version: together they name one value for good. For a dictionary, its path and
    /// those of all its entries.
    pub version: Version,
}

/// One version of a parameter or secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The ARN of the parameter or the secret.
    pub arn: String,
    /// The version, in the words of its store.
    pub version: String,
}

pub(crate) fn single(name: &str, request: &Request, answer: &Answer) -> Fetched {
    let is_secret = answer.is_secret || request.secret;
    Fetched { value: value(name, answer.content.clone(), is_secret), version: version(answer) }
}

/// One key of a secret that is JSON.
pub(crate) fn key(
    name: &str,
    request: &Request,
    answer: &Answer,
    key: &str,
) -> Result<Fetched, FetchError> {
    let wrong =
        |problem: String| FetchError::Content { source_text: request.source.to_string(), problem };
    let json: Option<Map<String, Json>> =
        answer.content.as_str().and_then(|text| serde_json::from_str(text).ok());
    let map = json.ok_or_else(|| wrong(format!("is no JSON object, so it has no key `{key}`")))?;
    match map.get(key) {
        Some(content) => {
            Ok(Fetched { value: value(name, content.clone(), true), version: version(answer) })
        }
        None => {
            let near = nearest(key, map.keys().map(String::as_str));
            let near = near.map(|near| format!("; there is `{near}`")).unwrap_or_default();
            Err(wrong(format!("has no key `{key}`{near}")))
        }
    }
}

/// All parameters below a path, nested by the slashes in their names.
pub(crate) fn dictionary(
    name: &str,
    request: &Request,
    below: &[(String, Answer)],
) -> Result<Fetched, FetchError> {
    let (mut root, mut secrets) = (Map::new(), BTreeSet::new());
    for (path, answer) in below {
        if !insert(&mut root, path, answer.content.clone()) {
            let problem = format!(
                "holds `{path}` and more below it, which cannot be one entry of a dictionary"
            );
            return Err(FetchError::Content { source_text: request.source.to_string(), problem });
        }
        if answer.is_secret || request.secret {
            secrets.insert(format!("{name}.{}", path.replace('/', ".")));
        }
    }
    let versions = below.iter().map(|(_, answer)| format!("{} {}", answer.arn, answer.version));
    let version = versions.collect::<Vec<_>>().join(",");
    let version = Version { arn: request.source.to_string(), version };
    Ok(Fetched { value: Value::dictionary(root, secrets), version })
}

/// Puts a value at a path; not if a value is in the way, or others are in its place.
fn insert(root: &mut Map<String, Json>, path: &str, content: Json) -> bool {
    let (folders, last) = path.rsplit_once('/').unwrap_or(("", path));
    let mut map = root;
    for folder in folders.split('/').filter(|folder| !folder.is_empty()) {
        let inner = map.entry(folder).or_insert_with(|| Map::new().into());
        let Json::Object(inner) = inner else { return false };
        map = inner;
    }
    map.insert(last.to_owned(), content).is_none()
}

fn value(name: &str, content: Json, is_secret: bool) -> Value {
    if is_secret { Value::secret(name, content) } else { Value::plain(content) }
}

fn version(answer: &Answer) -> Version {
    Version { arn: answer.arn.clone(), version: answer.version.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shipspec_spec::place::Place;

    fn answer(text: &str, is_secret: bool) -> Answer {
        Answer { content: text.into(), is_secret, arn: "arn:x".into(), version: "3".into() }
    }

    fn request(source: &str) -> Request {
        Request { source: source.parse().unwrap(), place: Place::default(), secret: false }
    }

    #[test]
    fn names_below_a_path_are_nested_and_only_secure_ones_are_secret() {
        let below = [
            ("db/host".to_owned(), answer("h", false)),
            ("db/password".to_owned(), answer("x", true)),
            ("stage".to_owned(), answer("dev", false)),
        ];
        let found = dictionary("app", &request("ssm:/shop/"), &below).unwrap();
        assert_eq!(
            found.value.content(),
            &serde_json::json!({"db": {"host": "h", "password": "x"}, "stage": "dev"})
        );
        assert_eq!(found.value.secrets().iter().collect::<Vec<_>>(), ["app.db.password"]);
    }

    #[test]
    fn a_value_that_is_a_folder_too_is_told_in_either_order() {
        for names in [["db", "db/host"], ["db/host", "db"]] {
            let below = names.map(|name| (name.to_owned(), answer("x", false)));
            let error = dictionary("app", &request("ssm:/shop/"), &below).unwrap_err();
            assert!(error.to_string().contains("cannot be one entry"), "{error}");
        }
    }

    #[test]
    fn a_key_of_a_secret_is_found_or_told() {
        let secret = answer(r#"{"user": "root", "password": "x"}"#, true);
        let source = request("secretsmanager:db:password");
        assert_eq!(key("P", &source, &secret, "password").unwrap().value.text().unwrap(), "x");
        assert_eq!(
            key("P", &source, &secret, "pasword").unwrap_err().to_string(),
            "`secretsmanager:db:password` has no key `pasword`; there is `password`"
        );
        let error = key("P", &source, &answer("hunter2", true), "password").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
