//! The parameters of a run: from shipspec.yml to values.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use shipspec_build::plan::ImagePlan;
use shipspec_parameters::error::FetchError;
use shipspec_parameters::fetch::{Outcome, explain_missing, fetch};
use shipspec_parameters::request::{Caller, Request, Requests};
use shipspec_parameters::{arn, offline};
use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::config::{Config, ParameterConfig, ParameterKind};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::parameter::ParameterSource;
use shipspec_spec::scope::Scope;
use shipspec_spec::value::Value;

use crate::context::Context;
use crate::failure::{self, Several};
use crate::project::Project;

/// The longest name that STS takes for a session.
const LONGEST_SESSION: usize = 64;

/// Who is asked for what. Names, regions and roles may be made from the environment.
pub(crate) fn requests(config: &Config, scope: &Scope) -> Result<Requests, Diagnostics> {
    let (mut requests, mut found) = (Requests::new(), Diagnostics::default());
    for (name, parameter) in &config.parameters {
        match request(parameter, scope) {
            Ok(request) => drop(requests.insert(name.clone(), request)),
            Err(errors) => found.extend(errors),
        }
    }
    found.or(requests)
}

fn request(config: &ParameterConfig, scope: &Scope) -> Result<Request, Diagnostics> {
    let (text, _) = config.from.evaluate_text(scope)?;
    let source: ParameterSource = text
        .parse()
        .map_err(|error| Diagnostic::at(config.from.span().clone(), format!("{error}")))?;
    let mut place = config.place.evaluate(scope)?;
    if place.region.is_none() {
        place.region = source.arn_place().map(|(region, _)| region.to_owned());
    }
    Ok(Request { source, place, secret: config.secret })
}

impl Project {
    /// Fetches the values of the parameters, and the ARNs that are asked for; asks nobody where there
    /// is nothing to ask. A parameter of which only the ARN is wanted is not read.
    pub(crate) async fn fetch_parameters(&mut self, context: &Context<'_>) -> anyhow::Result<()> {
        if self.requests.is_empty() {
            return Ok(());
        }
        let templates = self.read_artifacts(context).ok();
        let mut wanted = self.requests.clone();
        let only_named = self.only_named(context);
        if self.offline.is_none() {
            wanted.retain(|name, _| !only_named.contains(name));
        }
        let mut outcome = match &self.offline {
            Some(file) => file.answer(&wanted).map_err(several)?,
            None if wanted.is_empty() => Outcome::default(),
            None => {
                let session = session_name(context);
                let caller = Caller { aws: context.aws().await, session: &session };
                fetch(caller, &wanted).await.map_err(several)?
            }
        };
        outcome.missing.retain(|name| !only_named.contains(name));
        self.take(context, outcome).await?;
        let templates = templates.or_else(|| self.read_artifacts(context).ok());
        self.find_arns(context, templates.as_ref()).await
    }

    /// Takes what was found, defaults in place of what was not, and hides what is secret from here on.
    async fn take(&mut self, context: &Context<'_>, outcome: Outcome) -> anyhow::Result<()> {
        let (mut values, mut missing) = (std::collections::BTreeMap::new(), Vec::new());
        let mut found = Diagnostics::default();
        for (name, fetched) in outcome.found {
            let config = &self.config.parameters[&name];
            match converted(&name, fetched.value, config.kind) {
                Ok(value) => drop(values.insert(name.clone(), value)),
                Err(message) => {
                    found.push(Diagnostic::at(config.from.span().clone(), message));
                }
            }
            self.versions.insert(name, fetched.version);
        }
        for name in outcome.missing {
            match self.default(&name)? {
                Some(value) => {
                    let source = &self.requests[&name].source;
                    context.console.note(format_args!(
                        "note: `{source}` is not there; `{name}` came to its default"
                    ));
                    values.insert(name, value);
                }
                None => missing.push(name),
            }
        }
        self.scope.set_parameters(values);
        self.hide_secrets(context, &[]);
        let mut errors: Vec<anyhow::Error> = Vec::new();
        if !missing.is_empty() {
            errors.push(self.explain_missing(context, &missing).await.into());
        }
        errors.extend(found.or(()).err().map(anyhow::Error::from));
        Several::join(errors).map_or(Ok(()), Err)
    }

    /// Hides what is secret from here on: parameters, whatever images are given as secrets, and the
    /// passwords of registries.
    pub(crate) fn hide_secrets(&self, context: &Context<'_>, plans: &[ImagePlan]) {
        let known = self.scope.secrets();
        let given = plans.iter().flat_map(|plan| {
            let of_test = plan.test.iter().flat_map(|test| test.secrets.values());
            plan.secrets.values().chain(of_test)
        });
        let known = known.iter().map(|secret| &secret.value);
        let passwords = self.users.values().map(|user| &user.password);
        context.console.hide(known.chain(given.map(|secret| &secret.value)).chain(passwords));
    }

    fn default(&self, name: &str) -> Result<Option<Value>, Diagnostics> {
        let config = &self.config.parameters[name];
        let Some(default) = &config.default else { return Ok(None) };
        let value = default.evaluate(&self.scope)?;
        let value =
            if config.secret { Value::secret(name, value.content().clone()) } else { value };
        let converted = converted(name, value, config.kind);
        converted
            .map(Some)
            .map_err(|message| Diagnostic::at(default.span().clone(), message).into())
    }

    async fn explain_missing(&self, context: &Context<'_>, missing: &[String]) -> FetchError {
        let requests: Vec<_> = missing.iter().map(|name| &self.requests[name]).collect();
        if self.offline.is_some() {
            let missing = requests.into_iter().map(|request| shipspec_parameters::error::Missing {
                source: request.source.clone(),
                near: None,
            });
            return FetchError::NotInFile(missing.collect());
        }
        let session = session_name(context);
        let caller = Caller { aws: context.aws().await, session: &session };
        explain_missing(caller, requests).await
    }

    /// The parameters of which only the ARN is wanted. Where a template cannot be read yet, none is
    /// known to be one.
    pub(crate) fn only_named(&self, context: &Context<'_>) -> BTreeSet<String> {
        let Ok(templates) = self.read_artifacts(context) else { return BTreeSet::new() };
        let mut names = self.config.references();
        names.extend(templates.references());
        let asked = self.scope.names(names);
        let names = self.requests.keys().filter(|name| is_only_named(name, &asked));
        names.cloned().collect()
    }

    async fn find_arns(
        &mut self,
        context: &Context<'_>,
        templates: Option<&ArtifactPlans>,
    ) -> anyhow::Result<()> {
        let mut names = self.config.references();
        names.extend(templates.into_iter().flat_map(ArtifactPlans::references));
        let names = self.scope.names(names);
        let asked: Vec<_> = names.iter().filter_map(|name| arn_of(name)).collect();
        if asked.is_empty() {
            return Ok(());
        }
        // Values from a file come with no ARN; those of names without an account cannot be made.
        if self.offline.is_some() {
            let reason = "`--parameters` asks nobody, and the file does not tell the ARN";
            let arns = asked.into_iter().map(|name| {
                let arn = self.versions.get(name).map(|version| version.arn.clone());
                (name.to_owned(), arn.filter(|arn| !arn.is_empty()).ok_or_else(|| reason.into()))
            });
            let arns = arns.collect();
            self.scope.set_arns(arns);
            return Ok(());
        }
        let session = session_name(context);
        let caller = Caller { aws: context.aws().await, session: &session };
        let account = context.build_account();
        let arns = arn::find(caller, account.as_deref(), &self.requests, asked).await;
        self.scope.set_arns(arns.map_err(several)?);
        Ok(())
    }
}

/// Reads the file that `--parameters` names.
pub(crate) fn offline(values: std::collections::BTreeMap<String, Value>) -> offline::File {
    offline::File::new(
        values.into_iter().map(|(name, value)| (name, value.content().clone())).collect(),
    )
}

fn several(errors: Vec<FetchError>) -> anyhow::Error {
    let errors = errors.into_iter().map(anyhow::Error::from).collect();
    Several::join(errors).unwrap_or_else(|| failure::input("nothing was answered", None))
}

/// `NAME` of `arn(NAME)`.
fn arn_of(reference: &str) -> Option<&str> {
    reference.strip_prefix("arn(")?.strip_suffix(')')
}

/// The name is asked for its ARN, and for nothing else.
fn is_only_named(name: &str, asked: &BTreeSet<String>) -> bool {
    let root = |reference: &str| reference.split('.').next() == Some(name);
    let has_arn = asked.iter().filter_map(|reference| arn_of(reference)).any(root);
    has_arn && !asked.iter().any(|reference| root(reference))
}

/// The value as shipspec.yml says that its text is to be read. No message holds a value.
fn converted(name: &str, value: Value, kind: Option<ParameterKind>) -> Result<Value, String> {
    let Some(kind) = kind else { return Ok(value) };
    let content = match (kind, value.content()) {
        (ParameterKind::Text, Json::Array(items)) => {
            let texts: Vec<_> = items.iter().filter_map(Json::as_str).collect();
            texts.join(",").into()
        }
        (ParameterKind::List, Json::String(text)) => text.split(',').collect(),
        (ParameterKind::List, Json::Array(_)) => return Ok(value),
        (ParameterKind::List, _) => return Err(format!("the value of `{name}` is no list")),
        (ParameterKind::Json, Json::String(text)) => {
            serde_json::from_str(text).map_err(|error| {
                let (line, column) = (error.line(), error.column());
                format!("the value of `{name}` is no JSON (line {line} column {column})")
            })?
        }
        (ParameterKind::Text | ParameterKind::Json, _) => return Ok(value),
    };
    Ok(Value::made_from(content, [&value]))
}

/// What the log of another account shows of a role's session.
pub(crate) fn session_name(context: &Context<'_>) -> String {
    let build = context.variable("CODEBUILD_BUILD_ID").unwrap_or("local");
    let legal = |character: char| {
        if character.is_ascii_alphanumeric() || "+=,.@_-".contains(character) {
            character
        } else {
            '-'
        }
    };
    format!("shipspec-{build}").chars().map(legal).take(LONGEST_SESSION).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_of_which_only_the_arn_is_asked_is_not_read() {
        let asked = ["A", "arn(A)", "arn(B)", "arn(app.db.password)", "web.host", "arn(web.key)"];
        let asked = asked.map(str::to_owned).into();
        for (name, only) in [("A", false), ("B", true), ("app", true), ("web", false), ("C", false)]
        {
            assert_eq!(is_only_named(name, &asked), only, "{name}");
        }
    }

    #[test]
    fn a_text_is_read_as_it_is_said() {
        let read = |content: Json, kind| {
            converted("P", Value::secret("P", content), Some(kind))
                .map(|value| value.content().to_string())
        };
        assert_eq!(read("a,b".into(), ParameterKind::List).unwrap(), r#"["a","b"]"#);
        assert_eq!(read(vec!["a", "b"].into(), ParameterKind::Text).unwrap(), r#""a,b""#);
        assert_eq!(read("{\"a\": 1}".into(), ParameterKind::Json).unwrap(), r#"{"a":1}"#);
        let error = read("hunter2".into(), ParameterKind::Json).unwrap_err();
        assert_eq!(error, "the value of `P` is no JSON (line 1 column 1)");
    }
}
