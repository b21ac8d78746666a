//! SSM Parameter Store. Nothing else knows its SDK.

use std::collections::BTreeMap;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{Parameter, ParameterStringFilter, ParameterType};
use shipspec_spec::nearest::nearest;
use shipspec_spec::parameter::{ParameterName, ParameterPath};

use crate::answer::Answer;
use crate::error::{FetchError, explain};

const SERVICE: &str = "SSM Parameter Store";

/// The most names that one request may ask for, and the most parameters of one page below a path.
pub(crate) const NAMES_PER_REQUEST: usize = 10;

/// Pages of names that are read to find the nearest one: it is advice, and not worth more.
const PAGES_FOR_ADVICE: usize = 10;

/// Reads up to ten parameters, decrypted; those that are not there are left out.
///
/// `WithDecryption` is always sent: without it, a `SecureString` comes as ciphertext and no error
/// tells ([API]).
///
/// [API]: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
pub(crate) async fn get(
    client: &Client,
    names: &[ParameterName],
) -> Result<Vec<(ParameterName, Answer)>, FetchError> {
    let texts = names.iter().map(|name| name.as_str().to_owned()).collect();
    let request = client.get_parameters().set_names(Some(texts)).with_decryption(true);
    let reply = request.send().await;
    let reply = reply.map_err(|error| explain(SERVICE, "ssm:GetParameters", &error))?;
    // An answer is in an order of its own, so each parameter is kept under every name that it could
    // have been asked for by: plain, with its version, its label, and as an ARN.
    let mut known: BTreeMap<String, &Parameter> = BTreeMap::new();
    for parameter in reply.parameters() {
        let name = parameter.name().unwrap_or_default();
        let selector = parameter.selector().unwrap_or_default();
        let selector = selector.strip_prefix(name).unwrap_or(selector);
        for whole in [name, parameter.arn().unwrap_or_default()] {
            known.insert(format!("{whole}:{}", parameter.version()), parameter);
            // Not every server tells the selector; without one, the newest version is meant.
            let plain = known.entry(format!("{whole}{selector}")).or_insert(parameter);
            if plain.version() < parameter.version() {
                *plain = parameter;
            }
        }
    }
    let found = |name: &ParameterName| Some((name.clone(), answer(known.get(name.as_str())?)));
    Ok(names.iter().filter_map(found).collect())
}

/// Reads all parameters below a path, decrypted, by what their names add to it. A page may be empty
/// and have another one behind it ([API]).
///
/// [API]: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html
pub(crate) async fn get_below(
    client: &Client,
    path: &ParameterPath,
) -> Result<Vec<(String, Answer)>, FetchError> {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let request = client.get_parameters_by_path().path(path.as_str()).recursive(true);
        let request = request.with_decryption(true).max_results(10).set_next_token(token.clone());
        let reply = request.send().await;
        let reply = reply.map_err(|error| explain(SERVICE, "ssm:GetParametersByPath", &error))?;
        for parameter in reply.parameters() {
            let name = parameter.name().unwrap_or_default();
            let rest = name.strip_prefix(path.as_str()).unwrap_or(name.trim_start_matches('/'));
            all.push((rest.to_owned(), answer(parameter)));
        }
        match reply.next_token() {
            Some(next) if token.as_deref() == Some(next) => {
                let message = "the same page was answered twice".into();
                return Err(FetchError::Request {
                    service: SERVICE,
                    message,
                    is_connection: false,
                });
            }
            Some(next) if !next.is_empty() => token = Some(next.to_owned()),
            _ => return Ok(all),
        }
    }
}

fn answer(parameter: &Parameter) -> Answer {
    let text = parameter.value().unwrap_or_default();
    let kind = parameter.r#type();
    Answer {
        content: match kind {
            Some(ParameterType::StringList) => text.split(',').collect(),
            _ => text.into(),
        },
        is_secret: kind == Some(&ParameterType::SecureString),
        arn: parameter.arn().unwrap_or_default().to_owned(),
        version: parameter.version().to_string(),
    }
}

/// Whether there is a parameter of this name. Its value is not read.
pub(crate) async fn exists(client: &Client, name: &ParameterName) -> Result<bool, FetchError> {
    let filter = ParameterStringFilter::builder().key("Name").option("Equals").values(name.plain());
    let filter = filter.build().map_err(|error| FetchError::Request {
        service: SERVICE,
        message: error.to_string(),
        is_connection: false,
    })?;
    let mut token = None;
    loop {
        let request = client.describe_parameters().parameter_filters(filter.clone());
        let reply = request.set_next_token(token).send().await;
        let reply = reply.map_err(|error| explain(SERVICE, "ssm:DescribeParameters", &error))?;
        token = reply.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
        // A page may be empty and have another one behind it.
        if !reply.parameters().is_empty() || token.is_none() {
            return Ok(!reply.parameters().is_empty());
        }
    }
}

/// The name that is there and most like one that is not; nothing if names may not be listed.
pub(crate) async fn nearest_name(client: &Client, missing: &ParameterName) -> Option<String> {
    let plain = missing.plain();
    if missing.has_selector() {
        let request = client.get_parameters().names(plain).with_decryption(true);
        let there = request.send().await.is_ok_and(|reply| !reply.parameters().is_empty());
        if there {
            return Some(plain.to_owned());
        }
    }
    let folder = plain.rfind('/').map(|slash| &plain[..=slash]);
    let words = plain.split(|character: char| !character.is_ascii_alphanumeric());
    let word = words.max_by_key(|word| word.len());
    // Names that have a word of it, of a store that may have thousands; then those beside it.
    let mut nearest = nearest_of(client, plain, Some(("Contains", word?))).await;
    if nearest.is_none() {
        let beside = folder.map(|folder| ("BeginsWith", folder));
        nearest = nearest_of(client, plain, beside).await;
    }
    nearest
}

async fn nearest_of(client: &Client, plain: &str, filter: Option<(&str, &str)>) -> Option<String> {
    let (mut names, mut token) = (Vec::new(), None);
    for _ in 0..PAGES_FOR_ADVICE {
        let mut request = client.describe_parameters().max_results(50).set_next_token(token);
        if let Some((option, value)) = filter {
            let filter = ParameterStringFilter::builder().key("Name").option(option).values(value);
            request = request.parameter_filters(filter.build().ok()?);
        }
        let reply = request.send().await.ok()?;
        names.extend(reply.parameters().iter().filter_map(|one| one.name().map(str::to_owned)));
        token = reply.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    nearest(plain, names.iter().map(String::as_str)).map(str::to_owned)
}
