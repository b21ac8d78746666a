//! All parameters of a run in as few requests as can be, side by side.

use std::collections::{BTreeMap, BTreeSet};

use aws_config::SdkConfig;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt as _};
use shipspec_spec::parameter::{ParameterName, ParameterPath, ParameterSource};

use crate::answer::Answer;
use crate::error::{FetchError, Missing};
use crate::request::{Caller, Request, Requests, region};
use crate::secrets_manager::SecretVersion;
use crate::{assemble, secrets_manager, ssm};
use shipspec_spec::place::Place;

pub use crate::assemble::{Fetched, Version};

/// Requests that are under way at the same time. Parameter Store allows 40 a second to an account.
const AT_ONCE: usize = 12;

/// What the stores hold.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was found, by the names that shipspec.yml gives.
    pub found: BTreeMap<String, Fetched>,
    /// The names of those that are not there.
    pub missing: Vec<String>,
}

/// Reads parameters, decrypted. Each is asked for once, ten names of Parameter Store in one request,
/// and all requests are under way side by side.
///
/// # Errors
///
/// Every request that failed, once for each cause. What is merely not there is no error here.
pub async fn fetch(caller: Caller<'_>, requests: &Requests) -> Result<Outcome, Vec<FetchError>> {
    let mut questions = Vec::new();
    for (place, wanted) in by_place(requests) {
        let config = caller.at(&place).await;
        questions.extend(wanted.questions(&place, &config));
    }
    let answers: Vec<_> = stream::iter(questions).buffer_unordered(AT_ONCE).collect().await;
    let (mut store, mut errors) = (Store::default(), Vec::new());
    for answer in answers {
        match answer {
            Ok((place, answered)) => store.take(&place, answered),
            Err(error) if !errors.contains(&error) => errors.push(error),
            Err(_) => {}
        }
    }
    let mut outcome = Outcome::default();
    for (name, request) in requests {
        match store.look_up(name, request) {
            Ok(Some(fetched)) => drop(outcome.found.insert(name.clone(), fetched)),
            Ok(None) => outcome.missing.push(name.clone()),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(outcome) } else { Err(errors) }
}

/// The error for parameters that are not there, with the nearest names that are, as far as those may
/// be listed.
pub async fn explain_missing(caller: Caller<'_>, missing: Vec<&Request>) -> FetchError {
    let regions: BTreeSet<_> =
        missing.iter().map(|request| region(&request.place, caller.aws)).collect();
    let region = match Vec::from_iter(regions)[..] {
        [region] => region.map(str::to_owned),
        _ => None,
    };
    let look_up = missing.into_iter().map(|request| async move {
        let config = caller.at(&request.place).await;
        let near = match &request.source {
            ParameterSource::Ssm(name) => {
                let client = aws_sdk_ssm::Client::new(&config);
                ssm::nearest_name(&client, name).await.map(|near| format!("ssm:{near}"))
            }
            ParameterSource::SecretsManager(secret) => {
                let client = aws_sdk_secretsmanager::Client::new(&config);
                let near = secrets_manager::nearest_name(&client, &secret.id).await;
                near.map(|near| format!("secretsmanager:{near}"))
            }
            ParameterSource::SsmPath(_) => None,
        };
        Missing { source: request.source.clone(), near }
    });
    let missing = stream::iter(look_up).buffered(AT_ONCE).collect().await;
    FetchError::Missing { missing, region }
}

/// What is wanted of one place, each thing once.
#[derive(Default)]
struct Wanted {
    names: BTreeSet<ParameterName>,
    paths: BTreeSet<ParameterPath>,
    secrets: BTreeSet<SecretVersion>,
}

fn by_place(requests: &Requests) -> BTreeMap<Place, Wanted> {
    let mut places: BTreeMap<Place, Wanted> = BTreeMap::new();
    for request in requests.values() {
        let wanted = places.entry(request.place.clone()).or_default();
        match &request.source {
            ParameterSource::Ssm(name) => drop(wanted.names.insert(name.clone())),
            ParameterSource::SsmPath(path) => drop(wanted.paths.insert(path.clone())),
            ParameterSource::SecretsManager(secret) => drop(wanted.secrets.insert(secret.into())),
        }
    }
    places
}

/// One request's answer.
enum Answered {
    Names(Vec<(ParameterName, Answer)>),
    Path(ParameterPath, Vec<(String, Answer)>),
    Secret(SecretVersion, Option<Answer>),
}

type Question = BoxFuture<'static, Result<(Place, Answered), FetchError>>;

impl Wanted {
    fn questions(self, place: &Place, config: &SdkConfig) -> Vec<Question> {
        let store = aws_sdk_ssm::Client::new(config);
        let names: Vec<_> = self.names.into_iter().collect();
        let batches = names.chunks(ssm::NAMES_PER_REQUEST).map(<[_]>::to_vec);
        let mut questions: Vec<Question> = Vec::new();
        for batch in batches {
            let (store, place) = (store.clone(), place.clone());
            let ask = async move { Ok((place, Answered::Names(ssm::get(&store, &batch).await?))) };
            questions.push(ask.boxed());
        }
        for path in self.paths {
            let (store, place) = (store.clone(), place.clone());
            let ask = async move {
                let below = ssm::get_below(&store, &path).await?;
                Ok((place, Answered::Path(path, below)))
            };
            questions.push(ask.boxed());
        }
        let manager = aws_sdk_secretsmanager::Client::new(config);
        for secret in self.secrets {
            let (manager, place) = (manager.clone(), place.clone());
            let ask = async move {
                let answer = secrets_manager::get(&manager, &secret).await?;
                Ok((place, Answered::Secret(secret, answer)))
            };
            questions.push(ask.boxed());
        }
        questions
    }
}

/// Everything that was answered.
#[derive(Default)]
struct Store {
    names: BTreeMap<(Place, ParameterName), Answer>,
    paths: BTreeMap<(Place, ParameterPath), Vec<(String, Answer)>>,
    secrets: BTreeMap<(Place, SecretVersion), Answer>,
}

impl Store {
    fn take(&mut self, place: &Place, answered: Answered) {
        match answered {
            Answered::Names(answers) => self
                .names
                .extend(answers.into_iter().map(|(name, answer)| ((place.clone(), name), answer))),
            Answered::Path(path, below) => drop(self.paths.insert((place.clone(), path), below)),
            Answered::Secret(secret, Some(answer)) => {
                self.secrets.insert((place.clone(), secret), answer);
            }
            Answered::Secret(_, None) => {}
        }
    }

    /// The value of one parameter; nothing if it is not there.
    fn look_up(&self, name: &str, request: &Request) -> Result<Option<Fetched>, FetchError> {
        let place = request.place.clone();
        match &request.source {
            ParameterSource::Ssm(parameter) => {
                let answer = self.names.get(&(place, parameter.clone()));
                Ok(answer.map(|answer| assemble::single(name, request, answer)))
            }
            ParameterSource::SsmPath(path) => match self.paths.get(&(place, path.clone())) {
                Some(below) if !below.is_empty() => {
                    assemble::dictionary(name, request, below).map(Some)
                }
                _ => Ok(None),
            },
            ParameterSource::SecretsManager(secret) => {
                let Some(answer) = self.secrets.get(&(place, secret.into())) else {
                    return Ok(None);
                };
                match &secret.json_key {
                    None => Ok(Some(assemble::single(name, request, answer))),
                    Some(key) => assemble::key(name, request, answer, key).map(Some),
                }
            }
        }
    }
}
