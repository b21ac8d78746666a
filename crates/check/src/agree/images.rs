//! Images that a task definition asks for, and the files that name them.

use std::collections::BTreeMap;

use super::{beside, of_kind};
use crate::codes::name as code;
use crate::file::{File, Kind, Role};
use crate::finding::Finding;
use crate::nearest::slip;
use crate::task::{Task, image_references, is_placeholder, unwrap};

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut found = check_placeholders(files);
    for role in [Role::Artifact, Role::Source] {
        for (file, _) in of_kind(files, Kind::ImageDefinitions, role) {
            found.extend(check_definitions(file, files));
        }
    }
    found
}

/// Each placeholder in the task definition is filled from an `imageDetail.json` of its own.
fn check_placeholders(files: &[File]) -> Vec<Finding> {
    let tasks = of_kind(files, Kind::TaskDefinition, Role::Artifact);
    let details = of_kind(files, Kind::ImageDetail, Role::Artifact);
    if tasks.is_empty() {
        return Vec::new();
    }
    let mut placeholders = BTreeMap::new();
    for (file, root) in &tasks {
        let task = Task::new(unwrap(root));
        for value in image_references(&task.containers) {
            let Some(text) = value.text().filter(|text| is_placeholder(text)) else { continue };
            placeholders.entry(text).or_insert((*file, value.range.clone()));
        }
    }
    let count = |number: usize| match number {
        0 => "no `imageDetail.json` is written".to_owned(),
        1 => "one `imageDetail.json` is written".into(),
        many => format!("{many} `imageDetail.json` are written"),
    };
    let missing = placeholders.iter().skip(details.len()).map(|(text, (file, range))| {
        let message = format!("{} for {} placeholders: nothing fills `{text}`", count(details.len()), placeholders.len());
        let fix = "add an artifact `NAME/imageDetail.json: { image_detail: NAME }`, unless an ECR source action has it";
        file.finding(code::AGREE_IMAGE_DETAIL, range, message, fix)
    });
    let unused = details.iter().skip(placeholders.len()).map(|(file, root)| {
        let message = format!(
            "`{}` is for a placeholder, and the task definition has {}",
            file.path,
            placeholders.len()
        );
        let fix =
            "write `\"image\": \"<IMAGE1_NAME>\"` in the task definition, or leave this file out";
        file.finding(
            code::AGREE_IMAGE_DETAIL,
            &(root.range.start..root.range.start + 1),
            message,
            fix,
        )
    });
    missing.chain(unused).collect()
}

/// The rolling action changes the images of containers by their names.
fn check_definitions(file: &File, files: &[File]) -> Vec<Finding> {
    let tasks = beside(file, Kind::TaskDefinition, files);
    let tasks: Vec<_> = tasks.into_iter().map(|(_, root)| Task::new(unwrap(root))).collect();
    let names: Option<Vec<_>> = tasks.iter().map(Task::container_names).collect();
    let Some(names) = names.map(|names| names.concat()).filter(|names| !names.is_empty()) else {
        return Vec::new();
    };
    let items = file.value().into_iter().flat_map(crate::value::Value::items);
    let values = items.filter_map(|item| item.get("name"));
    let unknown = values.filter_map(|value| Some((value, value.text()?)));
    let unknown = unknown.filter(|(_, name)| !names.contains(name));
    unknown
        .map(|(value, name)| {
            let message = format!("the task definition has no container `{name}`");
            let fix = match slip(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it has {}", names.join(", ")),
            };
            file.finding(code::AGREE_DEFINITIONS, &value.range, message, fix)
        })
        .collect()
}
