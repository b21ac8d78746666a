//! Names that something reads which is no command of the buildspec.

use std::collections::BTreeSet;

use shipspec_check::buildspec::used_in;
use shipspec_check::value::{Data, Value};

/// Names that CodeBuild reads when the commands are through: those it exports, and those in `artifacts:`,
/// `cache:`, `reports:` and whatever else stands beside the phases.
pub(crate) fn read_by_codebuild(root: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let exported = root.get("env").into_iter().flat_map(|env| env.list("exported-variables"));
    names.extend(exported.filter_map(Value::text).map(str::to_owned));
    for section in root.entries() {
        if !matches!(&*section.key, "env" | "phases") {
            collect(&section.value, &mut names);
        }
    }
    names
}

fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match &value.data {
        Data::Text(text) => {
            names.extend(used_in(text).into_iter().map(|(name, _)| name.to_owned()));
        }
        Data::List(items) => items.iter().for_each(|item| collect(item, names)),
        Data::Map(entries) => {
            for entry in entries {
                let found = used_in(&entry.key).into_iter().map(|(name, _)| name.to_owned());
                names.extend(found);
                collect(&entry.value, names);
            }
        }
        _ => {}
    }
}

/// The AWS CLI, kubectl, Docker or shipspec itself reads it in the environment.
pub(crate) fn is_of_tools(name: &str) -> bool {
    let is_proxy = name.to_ascii_uppercase().ends_with("_PROXY");
    let is_of_family = name.starts_with("AWS_") || name.starts_with("DOCKER_");
    is_proxy || name == "KUBECONFIG" || is_of_family && name != "DOCKER_BUILDKIT"
}

/// CodeBuild exports it before the first command, so that a new value reaches every program.
pub(crate) fn is_exported_anyway(name: &str) -> bool {
    matches!(name, "AWS_REGION" | "AWS_DEFAULT_REGION")
}
