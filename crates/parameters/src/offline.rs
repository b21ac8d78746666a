//! Values from a file instead of AWS.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use shipspec_spec::parameter::ParameterSource;

use crate::answer::Answer;
use crate::assemble;
use crate::error::FetchError;
use crate::fetch::Outcome;
use crate::request::{Request, Requests};

/// Parameters that a file holds.
pub struct File {
    answers: BTreeMap<String, Answer>,
}

impl File {
    /// Takes what a file says: names and values, or what `aws ssm get-parameters` prints (`Parameters`,
    /// a list with `Name`, `Type` and `Value`).
    #[must_use]
    pub fn new(values: BTreeMap<String, Json>) -> Self {
        let listed = values.get("Parameters").and_then(Json::as_array).cloned();
        // AWS prints the names that it does not know beside them.
        let is_of_aws = |key: &String| matches!(&**key, "Parameters" | "InvalidParameters");
        let answers = match listed {
            Some(list) if values.keys().all(is_of_aws) => {
                list.iter().filter_map(listed_answer).collect()
            }
            _ => values.into_iter().map(|(name, content)| (name, plain_answer(content))).collect(),
        };
        Self { answers }
    }

    /// The values of all parameters, each by the name that shipspec.yml gives it or by the one in its
    /// store.
    ///
    /// # Errors
    ///
    /// What is not as it has to be. What is merely not there is no error here.
    pub fn answer(&self, requests: &Requests) -> Result<Outcome, Vec<FetchError>> {
        let (mut outcome, mut errors) = (Outcome::default(), Vec::new());
        for (name, request) in requests {
            match self.look_up(name, request) {
                Ok(Some(fetched)) => drop(outcome.found.insert(name.clone(), fetched)),
                Ok(None) => outcome.missing.push(name.clone()),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(outcome) } else { Err(errors) }
    }

    fn look_up(
        &self,
        name: &str,
        request: &Request,
    ) -> Result<Option<assemble::Fetched>, FetchError> {
        let secret = request.secret || matches!(request.source, ParameterSource::SecretsManager(_));
        let request = &Request { secret, ..request.clone() };
        if let Some(answer) = self.answers.get(name) {
            return Ok(Some(assemble::single(name, request, answer)));
        }
        let whole = request.source.to_string();
        let bare = whole.split_once(':').map_or(&*whole, |(_, bare)| bare);
        let find = |names: &[&str]| names.iter().find_map(|name| self.answers.get(*name));
        match &request.source {
            ParameterSource::Ssm(parameter) => {
                let answer = find(&[&whole, bare, parameter.plain()]);
                Ok(answer.map(|answer| assemble::single(name, request, answer)))
            }
            ParameterSource::SsmPath(path) => {
                let below = self.answers.iter().filter_map(|(known, answer)| {
                    let rest = known.strip_prefix(path.as_str())?;
                    Some((rest.to_owned(), answer.clone()))
                });
                let below: Vec<_> = below.collect();
                if below.is_empty() {
                    return Ok(None);
                }
                assemble::dictionary(name, request, &below).map(Some)
            }
            ParameterSource::SecretsManager(secret) => {
                if let Some(answer) = find(&[&whole, bare]) {
                    return Ok(Some(assemble::single(name, request, answer)));
                }
                let Some(answer) = find(&[&secret.id]) else { return Ok(None) };
                match &secret.json_key {
                    Some(key) => assemble::key(name, request, answer, key).map(Some),
                    None => Ok(Some(assemble::single(name, request, answer))),
                }
            }
        }
    }
}

fn plain_answer(content: Json) -> Answer {
    Answer { content, is_secret: false, arn: String::new(), version: String::new() }
}

fn listed_answer(parameter: &Json) -> Option<(String, Answer)> {
    let text = |key: &str| parameter[key].as_str().unwrap_or_default().to_owned();
    let (value, kind) = (text("Value"), text("Type"));
    let content = if kind == "StringList" { value.split(',').collect() } else { value.into() };
    let answer = Answer {
        content,
        is_secret: kind == "SecureString",
        arn: text("ARN"),
        version: parameter["Version"].to_string(),
    };
    Some((parameter["Name"].as_str()?.to_owned(), answer))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use shipspec_spec::place::Place;

    fn answered(file: Json, name: &str, source: &str) -> Option<String> {
        let Json::Object(file) = file else { panic!("an object") };
        let file = File::new(file.into_iter().collect());
        let request =
            Request { source: source.parse().unwrap(), place: Place::default(), secret: false };
        let outcome = file.answer(&Requests::from([(name.to_owned(), request)])).unwrap();
        let value = &outcome.found.get(name)?.value;
        Some(format!("{} {:?}", value.content(), value.secrets()))
    }

    #[test]
    fn a_parameter_is_found_by_either_of_its_names() {
        for file in [json!({"A": "x"}), json!({"/a": "x"}), json!({"ssm:/a:3": "x"})] {
            assert_eq!(answered(file, "A", "ssm:/a:3").as_deref(), Some(r#""x" {}"#));
        }
        assert_eq!(answered(json!({"B": "x"}), "A", "ssm:/a"), None);
        let secret =
            answered(json!({"hub": "{\"token\": \"x\"}"}), "T", "secretsmanager:hub:token");
        assert_eq!(secret.as_deref(), Some(r#""x" {"T"}"#));
    }

    #[test]
    fn names_that_aws_does_not_know_stand_beside_the_others() {
        let file = json!({
            "Parameters": [{"Name": "/shop/port", "Type": "String", "Value": "8080"}],
            "InvalidParameters": ["/shop/prot"],
        });
        let found = answered(file, "PORT", "ssm:/shop/port");
        assert_eq!(found.as_deref(), Some(r#""8080" {}"#));
    }

    #[test]
    fn what_the_aws_command_prints_is_read() {
        let file = json!({"Parameters": [
            {"Name": "/shop/db/password", "Type": "SecureString", "Value": "x", "Version": 2},
            {"Name": "/shop/zones", "Type": "StringList", "Value": "a,b", "Version": 1},
        ]});
        assert_eq!(
            answered(file, "app", "ssm:/shop/").as_deref(),
            Some(r#"{"db":{"password":"x"},"zones":["a","b"]} {"app.db.password"}"#)
        );
    }
}
