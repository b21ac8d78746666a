//! What the actions of CodePipeline read, and how much of it.

use super::of_kind;
use crate::codes::name as code;
use crate::file::{File, Kind, Role};
use crate::finding::Finding;
use crate::value::Value;

/// Bytes of an input artifact of the blue/green action, packed ([quotas]).
///
/// [quotas]: https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const MOST_BYTES: usize = 3_000_000;

/// Bytes of what `ParameterOverrides` comes to ([CloudFormation]).
///
/// [CloudFormation]: https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
const MOST_OVERRIDES: usize = 1024;

/// Bytes of the value of a stack's parameter.
const MOST_OF_PARAMETER: usize = 4096;

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let app_specs = of_kind(files, Kind::AppSpec, Role::Artifact);
    let tasks = of_kind(files, Kind::TaskDefinition, Role::Artifact);
    let mut found = Vec::new();
    if app_specs.is_empty() {
        found.extend(check_rolling(files, &tasks));
    } else {
        let read = [
            (&app_specs, "appspec.yaml", "AppSpecTemplatePath"),
            (&tasks, "taskdef.json", "TaskDefinitionTemplatePath"),
        ];
        for (files, default, key) in read {
            found.extend(check_path(files, default, key));
        }
        found.extend(check_size(files, app_specs[0].0));
    }
    for (file, root) in of_kind(files, Kind::Other, Role::Artifact) {
        found.extend(check_overrides((file, root)));
        found.extend(check_stack(file, root));
    }
    found
}

/// The rolling action takes the revision that the service uses.
fn check_rolling(files: &[File], tasks: &[(&File, &Value)]) -> Option<Finding> {
    let (definitions, root) =
        of_kind(files, Kind::ImageDefinitions, Role::Artifact).into_iter().next()?;
    let (task, _) = tasks.first()?;
    let message =
        format!("the action that reads `{}` does not read `{}`", definitions.path, task.path);
    let fix =
        "deploy with `CodeDeployToECS` and an AppSpec, or register the task definition elsewhere";
    let range = root.range.start..root.range.start + 1;
    Some(definitions.finding(code::AGREE_ROLLING, &range, message, fix))
}

/// The blue/green action finds a file with another name only if it is told.
fn check_path(files: &[(&File, &Value)], default: &str, key: &str) -> Option<Finding> {
    let (file, root) = files.first()?;
    if files.iter().any(|(file, _)| file.file_name() == default) {
        return None;
    }
    let message =
        format!("the blue/green action looks for `{default}`, and this is `{}`", file.path);
    let fix = format!("set `{key}` in the action to `{}`, or rename the file", file.path);
    Some(file.finding(code::AGREE_PATH, &(root.range.start..root.range.start + 1), message, fix))
}

fn check_size(files: &[File], place: &File) -> Option<Finding> {
    let size: usize = files.iter().filter(|file| file.role == Role::Artifact).map(File::size).sum();
    let message =
        format!("the artifacts have {size} bytes; the blue/green action takes 3 MB, packed");
    let fix = "put files that it does not read into another artifact";
    (size > MOST_BYTES).then(|| place.finding(code::ARTIFACT_SIZE, &(0..0), message, fix))
}

/// What a template configuration file says of a stack ([layout], [quotas]).
///
/// [layout]: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html
/// [quotas]: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
fn check_stack(file: &File, root: &Value) -> Vec<Finding> {
    const KEYS: [&str; 3] = ["Parameters", "Tags", "StackPolicy"];
    let entries = root.entries();
    if entries.is_empty() || !entries.iter().all(|entry| KEYS.contains(&&*entry.key)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut tell = |place: &Value, message: String, fix: &str| {
        found.push(file.finding(code::STACK_SIZE, &place.range, message, fix));
    };
    for (key, what, most) in [("Parameters", "parameters", 200), ("Tags", "tags", 50)] {
        let Some(entry) = entries.iter().find(|entry| entry.key == key) else { continue };
        let count = entry.value.entries().len();
        if count > most {
            let message = format!("there are {count} {what}; CloudFormation takes {most}");
            tell(&entry.value, message, "take some of them out of the file");
        }
        for parameter in entry.value.entries().iter().filter(|_| key == "Parameters") {
            let size = parameter.value.written().map_or(0, str::len);
            if size > MOST_OF_PARAMETER {
                let message = format!(
                    "the parameter `{}` has {size} bytes; CloudFormation takes {MOST_OF_PARAMETER}",
                    parameter.key
                );
                tell(&parameter.value, message, "hand over the name of where it is kept");
            }
        }
    }
    found
}

/// A flat JSON file of texts is what `Fn::GetParam` reads, unless its name says that it is Terraform's.
fn check_overrides((file, root): (&File, &Value)) -> Option<Finding> {
    let is_other = [".yaml", ".yml", ".tfvars.json"].iter().any(|end| file.path.ends_with(end));
    if is_other {
        return None;
    }
    let texts: Vec<_> = root.entries().iter().filter_map(|entry| entry.value.written()).collect();
    if texts.is_empty() || texts.len() != root.entries().len() {
        return None;
    }
    let size: usize = texts.iter().map(|text| text.len()).sum();
    let message =
        format!("the values of `{}` have {size} bytes; `ParameterOverrides` take 1 KB", file.path);
    let fix = "hand over fewer of them, or use a template configuration file";
    (size > MOST_OVERRIDES).then(|| {
        file.finding(code::OVERRIDES_SIZE, &(root.range.start..root.range.start + 1), message, fix)
    })
}
