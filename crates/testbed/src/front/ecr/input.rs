//! Reading an operation's input.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::Front;
use super::super::answer::ServiceError;
use super::super::call::RepositoryKey;
use super::super::registry::repository_missing;
use super::super::repositories::Repository;

/// The input of one operation, and whose it is.
pub(super) struct Input<'a> {
    /// The JSON.
    pub(super) value: &'a Value,
    /// The account of the caller.
    pub(super) account: &'a str,
    /// The region that was asked.
    pub(super) region: &'a str,
}

/// A parameter that the model does not allow.
pub(super) fn invalid(field: &str, constraint: &str) -> ServiceError {
    let message =
        format!("Invalid parameter at '{field}' failed to satisfy constraint: '{constraint}'");
    ServiceError::new(400, "InvalidParameterException", message)
}

/// A repository that is not there.
pub(super) fn not_found(key: &RepositoryKey) -> ServiceError {
    ServiceError::new(400, "RepositoryNotFoundException", repository_missing(key))
}

impl Input<'_> {
    /// The registry's account: the caller's unless the input names another.
    pub(super) fn registry(&self) -> &str {
        self.text("registryId").unwrap_or(self.account)
    }

    /// A field that is a text.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.value[field].as_str()
    }

    /// The items of a list.
    pub(super) fn list(&self, field: &str) -> &[Value] {
        self.value[field].as_array().map_or(&[], Vec::as_slice)
    }

    /// The key of a repository's name in the registry that is meant.
    pub(super) fn key_of(&self, name: &str) -> RepositoryKey {
        RepositoryKey::new(self.registry(), self.region, name)
    }

    /// The repository that is named.
    pub(super) fn key(&self) -> Result<RepositoryKey, ServiceError> {
        self.text("repositoryName")
            .map(|name| self.key_of(name))
            .ok_or_else(|| invalid("repositoryName", "must not be null"))
    }

    /// Reads or changes the repository that is named.
    pub(super) fn with<T>(
        &self,
        front: &Front,
        change: impl FnOnce(&RepositoryKey, &mut Repository) -> T,
    ) -> Result<T, ServiceError> {
        let key = self.key()?;
        front
            .repositories
            .with(&key, |repository| change(&key, repository))
            .ok_or_else(|| not_found(&key))
    }

    /// One page of a list, under its field's name, and where the next one begins.
    pub(super) fn page(&self, field: &str, items: &[Value]) -> Result<Value, ServiceError> {
        let begin = match self.text("nextToken") {
            None => 0,
            Some(token) => offset_of(token).ok_or_else(|| invalid("nextToken", "Invalid token"))?,
        };
        let most = match self.value.get("maxResults").and_then(Value::as_u64) {
            None => 100,
            Some(most @ 1..=1000) => usize::try_from(most).unwrap_or(1000),
            Some(_) => {
                return Err(invalid("maxResults", "Member must have value between 1 and 1000"));
            }
        };
        let rest = items.get(begin..).unwrap_or_default();
        let mut page = json!({ field: &rest[..most.min(rest.len())] });
        if rest.len() > most {
            page["nextToken"] = STANDARD.encode((begin + most).to_string()).into();
        }
        Ok(page)
    }
}

fn offset_of(token: &str) -> Option<usize> {
    String::from_utf8(STANDARD.decode(token).ok()?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_until_there_is_no_more() {
        let items: Vec<Value> = (0..5).map(Value::from).collect();
        let (mut seen, mut token) = (Vec::new(), None);
        loop {
            let value = json!({ "maxResults": 2, "nextToken": token });
            let page = Input { value: &value, account: "", region: "" }
                .page("items", &items)
                .expect("a page");
            seen.push(page["items"].as_array().expect("items").len());
            token = page["nextToken"].as_str().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        assert_eq!(seen, [2, 2, 1]);
        let value = json!({ "maxResults": 1001 });
        assert!(Input { value: &value, account: "", region: "" }.page("items", &items).is_err());
    }
}
