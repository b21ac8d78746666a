//! What stands for parameters in a policy, which is made without asking anybody.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use shipspec_spec::config::{ReuseConfig, Text};
use shipspec_spec::scope::Scope;
use shipspec_spec::value::Value;

use crate::project::Project;

/// What stands for parameters, and of which it does.
pub(super) struct StandIns(Vec<(String, String)>);

impl StandIns {
    /// Gives every parameter a value of its own that can stand in the names of AWS, and replaces what a policy does not
    /// tell and such a value would be a mistake in.
    pub(super) fn give(project: &mut Project) -> Self {
        let mut given = Self(Vec::new());
        let before = project.scope.clone();
        let references = before.names(project.config.references());
        let (mut values, mut arns) = (BTreeMap::new(), BTreeMap::new());
        for name in before.unfetched() {
            let stand_in = given.next(name);
            values.insert(name.to_owned(), Value::plain(content(name, &stand_in, &references)));
        }
        for reference in &references {
            let name = reference.strip_prefix("arn(").and_then(|name| name.strip_suffix(')'));
            if let Some(name) = name {
                arns.insert(name.to_owned(), Ok(given.next(name)));
            }
        }
        project.scope.set_parameters(values);
        project.scope.set_arns(arns);
        given.replace(project, &before);
        given
    }

    fn replace(&mut self, project: &mut Project, before: &Scope) {
        let is_open = |text: &Text| before.lacks_parameter(text.references());
        let scope = &project.scope;
        for image in project.config.images.values_mut() {
            for text in std::iter::once(&mut image.repository).chain(&mut image.mirrors) {
                if is_open(text) {
                    self.give_host(text, scope);
                }
            }
            let lifecycle = image.create_repository.as_mut().and_then(|it| it.lifecycle.as_mut());
            if let Some(policy) = lifecycle.filter(|text| is_open(text)) {
                *policy = Text::literal("lifecycle", "{}");
            }
            image.platform = image.platform.take().filter(|text| !is_open(text));
            if let ReuseConfig::For(age) = &mut image.reuse
                && is_open(age)
            {
                *age = Text::literal("reuse", "1d");
            }
            if let Some(test) = &mut image.test {
                test.timeout = test.timeout.take().filter(|text| !is_open(text));
            }
        }
        for image in project.config.foreign.values_mut() {
            if is_open(&image.reference) {
                self.give_host(&mut image.reference, scope);
            }
        }
    }

    /// A repository whose host nobody knows is taken for one of ECR.
    fn give_host(&mut self, text: &mut Text, scope: &Scope) {
        let has_host = text.evaluate_text(scope).is_ok_and(|(filled, _)| {
            filled.split_once('/').is_some_and(|(host, _)| host.contains(['.', ':']))
        });
        if !has_host {
            let stand_in = self.next(text.as_written());
            let repository = format!("{stand_in}.dkr.ecr.{stand_in}.amazonaws.com/{stand_in}");
            *text = Text::literal("repository", &repository);
        }
    }

    /// Twelve digits are an account, and have the form of most other names as well.
    fn next(&mut self, name: &str) -> String {
        let stand_in = format!("9040{:08}", self.0.len() + 27_182_818);
        self.0.push((stand_in.clone(), name.to_owned()));
        stand_in
    }

    /// The text with `*` where a parameter is, and the names of these parameters.
    pub(super) fn shown(&self, text: &str) -> (String, BTreeSet<&str>) {
        let mut shown = text.to_owned();
        let mut names = BTreeSet::new();
        for (stand_in, name) in &self.0 {
            if shown.contains(&**stand_in) {
                shown = shown.replace(&**stand_in, "*");
                names.insert(&**name);
            }
        }
        (shown, names)
    }
}

/// Text, or an object with every key that somebody asks for.
fn content(name: &str, stand_in: &str, references: &BTreeSet<String>) -> Json {
    let mut content = json!(stand_in);
    for reference in references {
        let mut parts = reference.split('.');
        if parts.next() != Some(name) {
            continue;
        }
        let mut place = &mut content;
        for part in parts {
            if !place.is_object() {
                *place = json!({});
            }
            place = &mut place[part];
            if place.is_null() {
                *place = json!(stand_in);
            }
        }
    }
    content
}
