//! A container that is defined twice, and logs in one definition only.

use crate::codes::name as code;
use crate::file::{File, Kind};
use crate::finding::Finding;
use crate::task::{Task, unwrap};
use crate::value::{Data, UNKNOWN, Value};

/// A container of a file.
struct Defined<'a> {
    file: &'a File,
    family: Option<&'a str>,
    /// Nothing if it is not known.
    name: Option<&'a str>,
    container: &'a Value,
}

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let all: Vec<_> = files.iter().flat_map(containers).collect();
    let forgotten = all.iter().filter(|defined| {
        defined.file.kind == Kind::TaskDefinition
            && defined.container.entry("logConfiguration").is_none()
    });
    forgotten.filter_map(|defined| tell(defined, &all)).collect()
}

/// The containers of a file.
fn containers<'a>(file: &'a File) -> Vec<Defined<'a>> {
    let Some(root) = file.value() else { return Vec::new() };
    let (family, containers): (_, Vec<_>) = match file.kind {
        Kind::TaskDefinition => {
            let task = Task::new(unwrap(root));
            (task.root.text_of("family"), task.containers)
        }
        Kind::ContainerDefinitions => (None, root.items().iter().collect()),
        _ => return Vec::new(),
    };
    let defined = |container: &'a Value| Defined {
        file,
        family,
        name: container.text_of("name").filter(|name| !name.contains(UNKNOWN)),
        container,
    };
    containers.into_iter().map(defined).collect()
}

fn tell(defined: &Defined<'_>, all: &[Defined<'_>]) -> Option<Finding> {
    let other = all.iter().find(|other| {
        other.file.name() != defined.file.name()
            && is_same(defined, other, all.len() == 2)
            && is_of_one_family(defined, other)
            && other.container.get("logConfiguration").is_some_and(|logs| logs.data != Data::Null)
    })?;
    let name = defined.name.or(other.name).map(|name| format!(" `{name}`")).unwrap_or_default();
    let driver = other.container.get("logConfiguration")?.text_of("logDriver");
    let driver = driver.map(|driver| format!(" with `{driver}`")).unwrap_or_default();
    let message = format!(
        "the container{name} has no `logConfiguration` here, and in `{}` it logs{driver}",
        other.file.name()
    );
    let fix = "add the same `logConfiguration`; without it the output is lost from the next deployment on";
    let place = defined.container.get("name").unwrap_or(defined.container);
    Some(defined.file.finding(code::AGREE_LOGS, &place.range, message, fix))
}

/// Both have one name. Where one is not known, these two must be the only containers of the project.
fn is_same(one: &Defined<'_>, two: &Defined<'_>, is_pair: bool) -> bool {
    match (one.name, two.name) {
        (Some(one), Some(two)) => one == two,
        _ => is_pair,
    }
}

/// Both are certain to have one family, or one is a list, which has none of its own.
fn is_of_one_family(one: &Defined<'_>, two: &Defined<'_>) -> bool {
    let is_list = |it: &Defined<'_>| it.file.kind == Kind::ContainerDefinitions;
    let is_known = one.family.is_some_and(|family| !family.contains(UNKNOWN));
    is_list(one) || is_list(two) || is_known && one.family == two.family
}
