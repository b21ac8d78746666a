//! What names stand for and where that comes from, in words; never a secret.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::config::Text;
use shipspec_spec::expression::Names as _;
use shipspec_spec::scope::{Origin, Scope, sounds_secret};
use shipspec_spec::value::Value;

use crate::project::Project;

/// Every source that has a value for a name, and the one that wins: for the whole file, and for each of
/// the artifacts that give the name a value of their own.
pub(crate) fn explain(project: &Project, artifacts: Option<&ArtifactPlans>, name: &str) -> String {
    let root = name.split('.').next().unwrap_or(name);
    let mut text = format!("{name} = ");
    explain_in(&mut text, project, &project.scope, name);
    for (path, scope) in artifacts.into_iter().flat_map(|all| all.naming(root, &project.scope)) {
        let _ = write!(text, "\nin {path}: {name} = ");
        explain_in(&mut text, project, &scope, name);
    }
    text
}

fn explain_in(text: &mut String, project: &Project, scope: &Scope, name: &str) {
    let root = name.split('.').next().unwrap_or(name);
    let _ = writeln!(text, "{}", value(scope, name));
    for (index, origin) in scope.origins(root).iter().enumerate() {
        let what = if index == 0 { "from" } else { "not" };
        let _ = writeln!(text, "  {what:4} {}", describe(project, root, origin));
    }
    if let Err(error) = scope.resolve(name) {
        let _ = writeln!(text, "  {error}");
    }
}

/// What a name stands for, on one line.
pub(crate) fn value(scope: &Scope, name: &str) -> String {
    /// Enough to recognise a value by.
    const MOST: usize = 60;
    let text = Text::parse(name, &format!("${{{name}}}"));
    let value = match text.map(|text| text.value(scope)) {
        Ok(Ok(value)) if is_hidden(scope, name, &value) => {
            return "****".into();
        }
        Ok(Ok(value)) => value.text().unwrap_or_else(|| value.content().to_string()),
        Ok(Err(_)) | Err(_) => return "-".into(),
    };
    let line = value.replace('\n', "\\n");
    if line.chars().count() <= MOST {
        return format!("{line:?}");
    }
    let start: String = line.chars().take(MOST - 1).collect();
    format!("{start:?}…")
}

/// The value must not be shown: it is made from a secret, or may be.
fn is_hidden(scope: &Scope, name: &str, value: &Value) -> bool {
    let names = scope.names(BTreeSet::from([name.to_owned()]));
    let has_user = |text: &str| {
        text.split_once("://")
            .is_some_and(|(_, rest)| rest.split('/').next().is_some_and(|host| host.contains('@')))
    };
    !value.secrets().is_empty()
        // CodeBuild fills variables of the environment from secrets too, and does not say which.
        || names.iter().any(|name| sounds_secret(name))
        || value.text().is_some_and(|text| has_user(&text))
}

/// A source in words.
pub(crate) fn describe(project: &Project, name: &str, origin: &Origin) -> String {
    match origin {
        Origin::Given => "--set or --values".into(),
        Origin::Matrix => "its place in the matrix".into(),
        Origin::Variable(span) => span.to_string(),
        Origin::Parameter => {
            let source = project.requests.get(name).map(|request| request.source.to_string());
            source.unwrap_or_else(|| "parameters".into())
        }
        Origin::ToolMade => "made by shipspec".into(),
        Origin::Environment => "the environment".into(),
    }
}
