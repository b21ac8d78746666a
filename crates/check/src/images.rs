//! `imagedefinitions.json` and `imageDetail.json` ([reference]).
//!
//! [reference]: https://docs.aws.amazon.com/codepipeline/latest/userguide/file-reference.html

use std::collections::BTreeSet;

use crate::codes::name as code;
use crate::finding::Sink;
use crate::task::check_reference;
use crate::value::{Data, Value};

/// Bytes of `imagedefinitions.json` ([quotas]).
///
/// [quotas]: https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const MOST_BYTES: usize = 100_000;

const FORM: &str = "it has the form `[{\"name\": \"web\", \"imageUri\": \"registry/web:tag\"}]`";

/// The rolling action's file: a list of containers and images.
pub(crate) fn check_definitions(root: &Value, sink: &mut Sink<'_>) {
    let size = sink.file().size();
    if size > MOST_BYTES {
        let message = format!("the file has {size} bytes; CodePipeline takes 100 KB at most");
        let range = root.range.start..root.range.start;
        sink.tell(code::IMAGE_DEFINITIONS_SIZE, &range, message, "name fewer containers");
    }
    match &root.data {
        Data::Unknown => {}
        Data::List(items) if items.is_empty() => {
            sink.tell(code::IMAGE_DEFINITIONS, &root.range, "the list names no container", FORM);
        }
        Data::List(items) => check_items(items, sink),
        _ => {
            let message = "the file is no list, not even of one container";
            sink.tell(code::IMAGE_DEFINITIONS, &start(root), message, FORM);
        }
    }
}

fn check_items(items: &[Value], sink: &mut Sink<'_>) {
    let mut seen = BTreeSet::new();
    for item in items {
        for key in ["name", "imageUri"] {
            match item.get(key) {
                None if item.data == Data::Unknown => {}
                None => {
                    let message = format!("an entry has no `{key}`");
                    sink.tell(code::IMAGE_DEFINITIONS, &start(item), message, FORM);
                }
                Some(value) if value.written().is_none() && value.data != Data::Unknown => {
                    let message = format!("`{key}` is no text");
                    sink.tell(code::IMAGE_DEFINITIONS, &value.range, message, FORM);
                }
                Some(_) => {}
            }
        }
        if let Some(value) = item.get("imageUri") {
            check_reference(value, sink);
        }
        if let Some(name) = item.get("name")
            && let Some(text) = name.text().filter(|text| !seen.insert(*text))
        {
            let message = format!("the container `{text}` is there twice");
            sink.tell(code::IMAGE_DEFINITIONS, &name.range, message, "keep one of them");
        }
    }
}

/// The blue/green action's file: one image.
pub(crate) fn check_detail(root: &Value, sink: &mut Sink<'_>) {
    let fix = "it has the form `{\"ImageURI\": \"registry/web:tag\"}`";
    match root.get("ImageURI") {
        Some(value) if value.written().is_some() => check_reference(value, sink),
        Some(Value { data: Data::Unknown, .. }) => {}
        Some(value) => sink.tell(code::IMAGE_DETAIL, &value.range, "`ImageURI` is no text", fix),
        None if root.data == Data::Unknown => {}
        None => {
            let message = "the file has no `ImageURI`, spelt like this";
            sink.tell(code::IMAGE_DETAIL, &start(root), message, fix);
        }
    }
}

fn start(value: &Value) -> std::ops::Range<usize> {
    value.range.start..value.range.start + 1
}
