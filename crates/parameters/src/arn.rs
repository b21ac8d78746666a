//! The ARNs of parameters, for a task definition's `valueFrom`. No value is read for them.

use std::collections::BTreeMap;

use shipspec_spec::aws::partition;
use shipspec_spec::parameter::{ParameterName, ParameterSource, SecretReference};

use crate::error::{FetchError, refused};
use crate::request::{Caller, Requests, region};
use crate::{account, secrets_manager};
use shipspec_spec::place::Place;

/// ARNs by what asks for them, or why there is none.
pub type Arns = BTreeMap<String, Result<String, String>>;

/// The ARNs of `asked`: names of parameters, or of entries of a dictionary (`app.db.password`).
///
/// That of a parameter is put together; `account` is the one that the run is in, if that is known,
/// else STS is asked. That of a secret in Secrets Manager has random characters, so it is looked up.
///
/// # Errors
///
/// Every question that failed.
pub async fn find(
    caller: Caller<'_>,
    account: Option<&str>,
    requests: &Requests,
    asked: impl IntoIterator<Item = &str>,
) -> Result<Arns, Vec<FetchError>> {
    let account = account.map(str::to_owned);
    let mut finder = Finder { caller, account, secrets: BTreeMap::new() };
    let (mut arns, mut errors) = (Arns::new(), Vec::new());
    for name in asked {
        let found = match requests.get(name.split('.').next().unwrap_or(name)) {
            Some(request) => finder.arn(name, &request.source, &request.place).await,
            None => Ok(Err(format!("no parameter has the name `{name}`"))),
        };
        match found {
            Ok(arn) => drop(arns.insert(name.to_owned(), arn)),
            Err(error) if !errors.contains(&error) => errors.push(error),
            Err(_) => {}
        }
    }
    if errors.is_empty() { Ok(arns) } else { Err(errors) }
}

/// Knows what was asked before: each account and each secret is asked for once.
struct Finder<'a> {
    caller: Caller<'a>,
    account: Option<String>,
    secrets: BTreeMap<(Place, String), String>,
}

impl Finder<'_> {
    async fn arn(
        &mut self,
        name: &str,
        source: &ParameterSource,
        place: &Place,
    ) -> Result<Result<String, String>, FetchError> {
        match source {
            ParameterSource::Ssm(parameter) => self.of_parameter(parameter, place).await,
            ParameterSource::SsmPath(path) => match name.split_once('.') {
                Some((_, rest)) => {
                    let whole = format!("{path}{}", rest.replace('.', "/"));
                    match whole.parse() {
                        Ok(parameter) => self.of_parameter(&parameter, place).await,
                        Err(error) => Ok(Err(error.to_string())),
                    }
                }
                None => Ok(Err(format!("`{name}` is a dictionary; name one of its entries"))),
            },
            ParameterSource::SecretsManager(secret) => self.of_secret(secret, place).await.map(Ok),
        }
    }

    /// `parameter/` and the name, whose leading slash is not doubled ([format]).
    ///
    /// [format]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-ssm-paramstore.html
    async fn of_parameter(
        &mut self,
        parameter: &ParameterName,
        place: &Place,
    ) -> Result<Result<String, String>, FetchError> {
        if parameter.has_selector() {
            let reason = "it names a version or a label, and a container can only have the newest";
            return Ok(Err(reason.into()));
        }
        if parameter.as_str().starts_with("arn:") {
            return Ok(Ok(parameter.as_str().to_owned()));
        }
        let Some(region) = region(place, self.caller.aws) else {
            return Ok(Err("no region is set (`AWS_REGION`)".into()));
        };
        let role_account = place.role.as_ref().and_then(|role| role.arn.split(':').nth(4));
        let account = match (role_account, &self.account) {
            (Some(account), _) => account.to_owned(),
            (None, Some(account)) => account.clone(),
            (None, None) => {
                let account = account::account(self.caller, place).await;
                let account = account.map_err(|refusal| refused("STS", refusal))?;
                self.account.insert(account).clone()
            }
        };
        let name = parameter.plain().trim_start_matches('/');
        Ok(Ok(format!("arn:{}:ssm:{region}:{account}:parameter/{name}", partition(region))))
    }

    /// The ARN, and key and version behind it: all three colons, if one of the parts is there
    /// ([format]).
    ///
    /// [format]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
    async fn of_secret(
        &mut self,
        secret: &SecretReference,
        place: &Place,
    ) -> Result<String, FetchError> {
        let key = (place.clone(), secret.id.clone());
        let arn = match self.secrets.get(&key) {
            _ if secret.id.starts_with("arn:") => secret.id.clone(),
            Some(known) => known.clone(),
            None => {
                let config = self.caller.at(place).await;
                let client = aws_sdk_secretsmanager::Client::new(&config);
                let arn = secrets_manager::arn(&client, &secret.id).await?;
                self.secrets.insert(key, arn.clone());
                arn
            }
        };
        let parts = [&secret.json_key, &secret.version_stage, &secret.version_id];
        if parts.iter().all(|part| part.is_none()) {
            return Ok(arn);
        }
        let [key, stage, id] = parts.map(|part| part.as_deref().unwrap_or_default());
        Ok(format!("{arn}:{key}:{stage}:{id}"))
    }
}
