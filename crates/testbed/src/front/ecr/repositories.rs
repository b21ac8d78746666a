//! Operations on repositories.

use serde_json::{Value, json};
use shipspec_testbed::Mutability;

use super::super::Front;
use super::super::answer::ServiceError;
use super::super::call::RepositoryKey;
use super::super::identity::now;
use super::super::repositories::Repository;
use super::Outcome;
use super::input::{Input, invalid, not_found};

/// The model's pattern for a name, told in refusals.
const NAME: &str = "(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*";
/// The most exclusion filters that a repository takes.
const MOST_FILTERS: usize = 5;

/// `DescribeRepositories`: those that are named, or all.
pub(super) fn describe(front: &Front, input: &Input<'_>) -> Outcome {
    let names = input.list("repositoryNames");
    let found: Vec<Value> = if names.is_empty() {
        let all = front.repositories.of_registry(input.registry(), input.region);
        all.iter().map(|(key, repository)| described(key, repository)).collect()
    } else {
        let keys = names.iter().filter_map(Value::as_str).map(|name| input.key_of(name));
        keys.map(|key| {
            front
                .repositories
                .with(&key, |repository| described(&key, repository))
                .ok_or_else(|| not_found(&key))
        })
        .collect::<Result<_, _>>()?
    };
    input.page("repositories", &found)
}

/// `CreateRepository`.
pub(super) fn create(front: &Front, input: &Input<'_>) -> Outcome {
    let key = input.key()?;
    if !is_name(&key.name) {
        return Err(invalid(
            "repositoryName",
            &format!("must satisfy regular expression '{NAME}'"),
        ));
    }
    let (mutability, filters) = mutability_of(input)?;
    let settings = input.value.clone();
    let created_at = now();
    let repository =
        Repository { created_at, mutability, filters, settings, ..Repository::default() };
    let answer = json!({ "repository": described(&key, &repository) });
    if front.repositories.create(&key, repository) {
        return Ok(answer);
    }
    let message = format!(
        "The repository with name '{}' already exists in the registry with id '{}'",
        key.name, key.account
    );
    Err(ServiceError::new(400, "RepositoryAlreadyExistsException", message))
}

/// `DeleteRepository`, which wants `force` where there are images.
pub(super) fn delete(front: &Front, input: &Input<'_>) -> Outcome {
    let key = input.key()?;
    let is_empty = input.with(front, |_, repository| repository.images.is_empty())?;
    if !is_empty && input.value["force"] != true {
        let message = format!(
            "The repository with name '{}' in registry with id '{}' cannot be deleted because it still contains images",
            key.name, key.account
        );
        return Err(ServiceError::new(400, "RepositoryNotEmptyException", message));
    }
    let repository = front.repositories.remove(&key).ok_or_else(|| not_found(&key))?;
    Ok(json!({ "repository": described(&key, &repository) }))
}

/// `PutImageTagMutability`.
pub(super) fn put_mutability(front: &Front, input: &Input<'_>) -> Outcome {
    let (mutability, filters) = mutability_of(input)?;
    input.with(front, |key, repository| {
        repository.mutability = mutability;
        repository.filters = filters;
        let mut answer =
            json!({ "registryId": key.account, "repositoryName": key.name, "imageTagMutability": mutability });
        add_filters(&mut answer, repository);
        answer
    })
}

/// The rule for tags that an input asks for.
fn mutability_of(input: &Input<'_>) -> Result<(Mutability, Vec<String>), ServiceError> {
    let mutability = match input.value.get("imageTagMutability") {
        None => Mutability::default(),
        Some(value) => serde_json::from_value(value.clone())
            .map_err(|_| invalid("imageTagMutability", "Member must satisfy enum value set"))?,
    };
    let field = "imageTagMutabilityExclusionFilters";
    let filters: Vec<String> = input
        .list(field)
        .iter()
        .filter_map(|filter| filter["filter"].as_str())
        .map(str::to_owned)
        .collect();
    if filters.is_empty() == mutability.takes_filters() {
        return Err(invalid(
            field,
            "filters go with a rule that has exclusions, and only with one",
        ));
    }
    if filters.len() > MOST_FILTERS {
        return Err(invalid(field, "Member must have length less than or equal to 5"));
    }
    Ok((mutability, filters))
}

fn described(key: &RepositoryKey, repository: &Repository) -> Value {
    let asked = |field: &str, default: Value| match repository.settings.get(field) {
        Some(value) if !value.is_null() => value.clone(),
        _ => default,
    };
    let mut value = json!({
        "repositoryArn": key.arn(),
        "registryId": key.account,
        "repositoryName": key.name,
        "repositoryUri": format!("{}/{}", key.host(), key.name),
        "createdAt": repository.created_at,
        "imageTagMutability": repository.mutability,
        "imageScanningConfiguration": asked("imageScanningConfiguration", json!({ "scanOnPush": false })),
        "encryptionConfiguration": asked("encryptionConfiguration", json!({ "encryptionType": "AES256" })),
    });
    add_filters(&mut value, repository);
    value
}

fn add_filters(value: &mut Value, repository: &Repository) {
    if !repository.filters.is_empty() {
        let filters = repository
            .filters
            .iter()
            .map(|filter| json!({ "filterType": "WILDCARD", "filter": filter }));
        value["imageTagMutabilityExclusionFilters"] = filters.collect();
    }
}

/// Whether this is a name that ECR takes.
fn is_name(name: &str) -> bool {
    let is_word = |word: &str| {
        let inner = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        word.starts_with(inner)
            && word.ends_with(inner)
            && word.chars().all(|letter| inner(letter) || "._-".contains(letter))
    };
    (2..=256).contains(&name.len()) && name.split('/').all(is_word)
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_as_the_model_has_them() {
        for (name, expected) in [
            ("web", true),
            ("team/web-1", true),
            ("a", false),
            ("Web", false),
            ("/web", false),
            ("web-", false),
        ] {
            assert_eq!(super::is_name(name), expected, "{name}");
        }
    }
}
