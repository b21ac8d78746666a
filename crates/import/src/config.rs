//! The shipspec.yml of an import.

use std::collections::{BTreeMap, BTreeSet};

use shipspec_check::buildspec::used_in;

use crate::artifacts::{Artifact, artifacts};
use crate::files::{Content, Source};
use crate::json::Json;
use crate::names::{Names, is_alone, is_made};
use crate::text::{Meaning, Piece, Text};
use crate::walk::Walk;
use crate::yaml::{quoted, scalar};

/// An image of shipspec.yml.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) build: usize,
    pub(crate) repository: Text,
    pub(crate) tags: Vec<Text>,
}

/// What was written, and what it needs.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) text: String,
    /// Names that come from the environment of the build.
    pub(crate) read: BTreeSet<String>,
    /// Names that artifacts need, of them.
    pub(crate) read_by_files: BTreeSet<String>,
    /// Entries of `env:` that are in shipspec.yml now.
    pub(crate) moved: BTreeSet<String>,
    /// Templates that have to be written: path and text.
    pub(crate) templates: Vec<(String, String)>,
    /// What is worth a look.
    pub(crate) looks: Vec<String>,
}

/// The images that are pushed, each repository of one build an image.
pub(crate) fn images(walk: &Walk<'_>) -> Vec<Image> {
    let mut images: Vec<Image> = Vec::new();
    for push in walk.live_pushes() {
        let canon = walk.variables.canon(&push.repository);
        let known = images.iter_mut().find(|image| {
            image.build == push.build && walk.variables.canon(&image.repository) == canon
        });
        match known {
            Some(image) => {
                let tag = walk.variables.canon(&push.tag);
                if !image.tags.iter().any(|other| walk.variables.canon(other) == tag) {
                    image.tags.push(push.tag.clone());
                }
            }
            None => {
                let (build, repository) = (push.build, push.repository.clone());
                images.push(Image {
                    name: String::new(),
                    build,
                    repository,
                    tags: vec![push.tag.clone()],
                });
            }
        }
    }
    let mut taken = BTreeSet::new();
    let is_only = images.len() == 1;
    for image in &mut images {
        // Tags that belong to one commit come first: files name the image by the first.
        image.tags.sort_by_key(|tag| {
            let known = walk.variables.expand(tag).known();
            (known.is_some(), known.as_deref() == Some("latest"))
        });
        let wanted = name_of(walk, image)
            .unwrap_or_else(|| if is_only { "app".into() } else { "image".into() });
        let mut name = wanted.clone();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        image.name = name;
    }
    images
}

/// The last part of the repository, else the folder of the context.
fn name_of(walk: &Walk<'_>, image: &Image) -> Option<String> {
    let repository = walk.variables.unfold(&image.repository);
    let of_repository = match repository.0.last() {
        Some(Piece::Literal(text)) => match text.rsplit_once('/') {
            Some((_, name)) => word(name),
            None => repository.known().map(|text| word(&text)).unwrap_or_default(),
        },
        Some(Piece::Environment(name)) => of_variable(name),
        _ => String::new(),
    };
    let context = &walk.builds[image.build].context;
    let of_context = word(context.rsplit('/').next().unwrap_or_default());
    [of_repository, of_context].into_iter().find(|name| !name.is_empty())
}

/// `ECR_WEB_SERVICE_URL` is about `web_service`.
fn of_variable(name: &str) -> String {
    const COMMON: [&str; 14] = [
        "ECR",
        "AWS",
        "DOCKER",
        "IMAGE",
        "CONTAINER",
        "REPOSITORY",
        "REPO",
        "REGISTRY",
        "URL",
        "URI",
        "NAME",
        "PREFIX",
        "APP",
        "HOST",
    ];
    let parts: Vec<_> = name.split('_').filter(|part| !COMMON.contains(part)).collect();
    word(&parts.join("_"))
}

/// A name as expressions can have it.
fn word(text: &str) -> String {
    if text.contains("${") {
        return String::new();
    }
    let letter = |letter: char| {
        if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' }
    };
    let word: String = text.chars().map(letter).collect();
    word.trim_matches('_').trim_start_matches(|first: char| first.is_ascii_digit()).to_owned()
}

/// Writes shipspec.yml.
pub(crate) fn write(
    walk: &Walk<'_>,
    images: &[Image],
    name: &str,
    may_move: &dyn Fn(&str) -> bool,
) -> Written {
    let mut written = Written::default();
    let artifacts = artifacts(walk, images);
    let tags: Vec<_> = images.iter().flat_map(|image| &image.tags).collect();
    let mut texts: Vec<&Text> = images.iter().map(|image| &image.repository).collect();
    for image in images {
        let build = &walk.builds[image.build];
        texts.extend(
            build
                .build_args
                .iter()
                .chain(&build.secret_args)
                .chain(&build.labels)
                .map(|(_, text)| text),
        );
        texts.extend(build.cache_from.iter().chain(&build.target));
    }
    for artifact in &artifacts {
        artifact.texts(&mut texts);
    }
    let names = Names::new(walk, &tags, &texts);
    let mut body = String::new();
    for image in images {
        write_image(walk, image, &names, &mut body, &mut written);
    }
    let of_images = names.read.borrow().clone();
    let mut files = String::new();
    let mut globals: Vec<(String, String)> = Vec::new();
    for artifact in &artifacts {
        write_artifact(walk, images, artifact, &names, &mut files, &mut globals, &mut written);
    }
    let tag = names.tag_entries();
    let variables = write_variables(walk, &names, globals);
    written.read = names.read.borrow().clone();
    written.read_by_files.extend(written.read.difference(&of_images).cloned());
    let parameters = write_parameters(walk, &names, may_move, &mut written);
    let moved = moved_variables(walk, may_move, &mut written);
    let mut text = format!("# Made from {name} by `shipspec import`.\nversion: 1\n");
    match tag.as_slice() {
        [] => {}
        [one] => text.push_str(&format!("tag: {}\n", scalar(one, false))),
        many => text.push_str(&format!("tag: {}\n", list(many))),
    }
    for (key, lines) in [
        ("parameters", parameters),
        ("variables", moved + &variables),
        ("images", body),
        ("artifacts", files),
    ] {
        if !lines.is_empty() {
            text.push_str(&format!("{key}:\n{lines}"));
        }
    }
    written.text = text;
    written
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| scalar(item, true)).collect::<Vec<_>>().join(", "))
}

fn write_image(
    walk: &Walk<'_>,
    image: &Image,
    names: &Names<'_>,
    body: &mut String,
    written: &mut Written,
) {
    let build = &walk.builds[image.build];
    names.read_in(&build.context);
    names.read_in(build.dockerfile.as_deref().unwrap_or_default());
    let mut lines = String::new();
    let mut line = |text: String| lines.push_str(&format!("    {text}\n"));
    let pairs = |key: &str, pairs: &[(String, Text)], line: &mut dyn FnMut(String)| {
        if !pairs.is_empty() {
            line(format!("{key}:"));
            for (name, text) in pairs {
                line(format!("  {}: {}", scalar(name, false), scalar(&names.write(text), false)));
            }
        }
    };
    line(format!("repository: {}", scalar(&names.write(&image.repository), false)));
    if !build.context.is_empty() {
        line(format!("context: {}", scalar(&build.context, false)));
    }
    if let Some(dockerfile) = &build.dockerfile {
        line(format!("dockerfile: {}", scalar(dockerfile, false)));
    }
    for (key, text) in
        [("target", &build.target), ("platform", &build.platform), ("network", &build.network)]
    {
        if let Some(text) = text {
            line(format!("{key}: {}", scalar(&names.write(text), false)));
        }
    }
    let is_run_tag = matches!(image.tags.as_slice(), [tag] if names.is_run_tag(tag));
    if !is_run_tag {
        let tags: Vec<_> = image.tags.iter().map(|tag| names.write(tag)).collect();
        line(format!("tags: {}", list(&tags)));
    }
    pairs("build_args", &build.build_args, &mut line);
    if !build.secret_args.is_empty() {
        line("# Secrets: everybody who can pull the image can read them. Mount them with `secrets:` instead.".into());
        pairs("insecure_build_args", &build.secret_args, &mut line);
        let all: Vec<_> = build.secret_args.iter().map(|(name, _)| format!("`{name}`")).collect();
        written.looks.push(format!("{} stays in the history of the image; mount it with `RUN --mount=type=secret` and `secrets:`", all.join(", ")));
    }
    if !build.secrets.is_empty() {
        line("secrets:".into());
        for (id, name) in &build.secrets {
            names.read.borrow_mut().insert(name.clone());
            line(format!("  {}: {}", scalar(id, false), scalar(name, false)));
        }
    }
    pairs("labels", &build.labels, &mut line);
    pairs("extra_hosts", &build.hosts, &mut line);
    if build.no_cache {
        line("no_cache: true".into());
    }
    if build.pull {
        line("pull: true".into());
    }
    for (key, texts) in [("cache_from", &build.cache_from), ("ssh", &build.ssh)] {
        if !texts.is_empty() {
            let all: Vec<_> = texts.iter().map(|text| names.write(text)).collect();
            line(format!("{key}: {}", list(&all)));
        }
    }
    let setting = |key: &str| {
        build.cache_to.iter().find(|(name, _)| name == key).map(|(_, text)| names.write(text))
    };
    match (setting("type").as_deref(), setting("ref")) {
        (Some("inline"), _) => line("cache_to: inline".into()),
        (Some("registry"), Some(reference)) => {
            line("cache_to:".into());
            line(format!("  registry: {}", scalar(&reference, false)));
            if let Some(mode) = setting("mode") {
                line(format!("  mode: {}", scalar(&mode, false)));
            }
        }
        _ => {}
    }
    body.push_str(&format!("  {}:\n{lines}", image.name));
}

fn write_variables(walk: &Walk<'_>, names: &Names<'_>, globals: Vec<(String, String)>) -> String {
    let mut lines: BTreeMap<usize, String> = BTreeMap::new();
    loop {
        let open: Vec<_> =
            names.used.borrow().iter().copied().filter(|it| !lines.contains_key(it)).collect();
        if open.is_empty() {
            break;
        }
        for number in open {
            let text = names.definition(number);
            lines.insert(
                number,
                format!("  {}: {}\n", walk.variables.0[number].name, scalar(&text, false)),
            );
        }
    }
    let own: BTreeSet<_> =
        lines.keys().map(|number| walk.variables.0[*number].name.clone()).collect();
    let mut text: String = lines.into_values().collect();
    let mut told = own;
    for (name, value) in globals {
        if told.insert(name.clone()) {
            text.push_str(&format!("  {name}: {}\n", scalar(&value, false)));
        }
    }
    text
}

fn write_parameters(
    walk: &Walk<'_>,
    names: &Names<'_>,
    may_move: &dyn Fn(&str) -> bool,
    written: &mut Written,
) -> String {
    let mut text = String::new();
    let mut told = BTreeSet::new();
    for variable in &walk.variables.0 {
        let Meaning::Parameter { from, region, is_secret } = &variable.meaning else { continue };
        let is_of_env = variable.step.is_none();
        let is_read = written.read.contains(&variable.name);
        // A secret in a file or a name is refused where its store is known.
        let is_hidden = !written.read_by_files.contains(&variable.name);
        if !is_read
            || is_of_env && (!may_move(&variable.name) || *is_secret && !is_hidden)
            || !told.insert(variable.name.clone())
        {
            continue;
        }
        if is_of_env {
            written.moved.insert(variable.name.clone());
        }
        let from = names.write(from);
        match region {
            None => text.push_str(&format!("  {}: {}\n", variable.name, scalar(&from, false))),
            Some(region) => text.push_str(&format!(
                "  {}:\n    from: {}\n    region: {}\n",
                variable.name,
                scalar(&from, false),
                scalar(&names.write(region), false)
            )),
        }
    }
    text
}

/// Entries of `env: variables:` that nothing else needs.
fn moved_variables(
    walk: &Walk<'_>,
    may_move: &dyn Fn(&str) -> bool,
    written: &mut Written,
) -> String {
    let mut text = String::new();
    for variable in &walk.variables.0 {
        let Meaning::Buildspec(value) = &variable.meaning else { continue };
        let name = &variable.name;
        let is_plain = !value.contains(['$', '}', '\n']) && !is_made(name);
        if written.read.contains(name)
            && may_move(name)
            && is_plain
            && !shipspec_spec::scope::sounds_secret(name)
        {
            // What the project or the start of a build sets still wins.
            text.push_str(&format!(
                "  {name}: {}\n",
                scalar(&format!("${{{name}:-{value}}}"), false)
            ));
            written.moved.insert(name.clone());
        }
    }
    text
}

fn write_artifact(
    walk: &Walk<'_>,
    images: &[Image],
    artifact: &Artifact<'_>,
    names: &Names<'_>,
    lines: &mut String,
    globals: &mut Vec<(String, String)>,
    written: &mut Written,
) {
    names.read_in(&artifact.file.path);
    let path = scalar(&artifact.file.path, false);
    let mut write =
        |text: &Text| artifact.image_name(walk, images, text).unwrap_or_else(|| names.write(text));
    match &artifact.file.content {
        Content::Json(json) => match artifact.made(walk, images) {
            Some(made) => lines.push_str(&format!("  {path}:\n    {made}\n")),
            None => {
                lines.push_str(&format!("  {path}:\n    json:\n"));
                write_json(json, 6, &mut write, lines);
            }
        },
        Content::Template(template) => {
            let (source, text) = match &template.source {
                Source::Path(source) => {
                    names.read_in(source);
                    let text = (walk.read)(source);
                    if *source == artifact.file.path {
                        let copy = template_path(source);
                        written.templates.push((copy.clone(), text.clone().unwrap_or_default()));
                        written.looks.push(format!("`{source}` was changed in place; `{copy}` is its template now, and `{source}` can go"));
                        (copy, text)
                    } else {
                        (source.clone(), text)
                    }
                }
                Source::Text(text) => {
                    let copy = template_path(&artifact.file.path);
                    let piece = |piece: &Piece| match piece {
                        Piece::Literal(text) => text.replace('$', "$$"),
                        piece => write(&Text::of(piece.clone())),
                    };
                    let text: String = text.0.iter().map(piece).collect();
                    written.templates.push((copy.clone(), text.clone()));
                    (copy, None)
                }
            };
            let mut keys = String::new();
            let placeholders: Vec<_> = template
                .placeholders
                .iter()
                .filter(|(pattern, _)| {
                    let occurs = text.as_ref().is_none_or(|text| text.contains(pattern));
                    if !occurs {
                        written.looks.push(format!(
                            "`{pattern}` does not occur in `{source}`; nothing was replaced there"
                        ));
                    }
                    occurs
                })
                .collect();
            match &template.fills {
                Some(Some(only)) if !only.is_empty() => {
                    keys.push_str(&format!("    only: {}\n", list(only)))
                }
                // What `sed` does not name, it leaves.
                None if text.as_ref().is_some_and(|text| text.contains('$'))
                    && !matches!(template.source, Source::Text(_)) =>
                {
                    keys.push_str("    only: []\n");
                }
                _ => {}
            }
            if !placeholders.is_empty() {
                keys.push_str("    placeholders:\n");
                for (pattern, value) in placeholders {
                    keys.push_str(&format!(
                        "      {}: {}\n",
                        quoted(pattern),
                        scalar(&write(value), false)
                    ));
                }
            }
            let mut own = String::new();
            if template.fills.is_some() {
                for (name, value, is_global) in
                    template_names(walk, images, artifact, text.as_deref(), names, written)
                {
                    if is_global {
                        globals.push((name, value));
                    } else {
                        own.push_str(&format!("      {name}: {}\n", scalar(&value, false)));
                    }
                }
            }
            if !own.is_empty() {
                keys.push_str(&format!("    variables:\n{own}"));
            }
            if text.is_none() && matches!(template.source, Source::Path(_)) {
                written.looks.push(format!(
                    "`{source}` is not here, so nobody looked which names it asks for"
                ));
            }
            if keys.is_empty() {
                lines.push_str(&format!("  {path}: {}\n", scalar(&source, false)));
            } else {
                lines.push_str(&format!(
                    "  {path}:\n    template: {}\n{keys}",
                    scalar(&source, false)
                ));
            }
        }
    }
}

/// Names that a template asks for and the shell had given, with their values; whether all of the file
/// may have them.
fn template_names(
    walk: &Walk<'_>,
    images: &[Image],
    artifact: &Artifact<'_>,
    text: Option<&str>,
    names: &Names<'_>,
    written: &mut Written,
) -> Vec<(String, String, bool)> {
    let file = artifact.file;
    let asked: BTreeSet<String> = match text {
        Some(text) => used_in(text).into_iter().map(|(name, _)| name.to_owned()).collect(),
        None => file.names.keys().filter(|name| file.exported.contains(*name)).cloned().collect(),
    };
    let mut found = Vec::new();
    for name in asked {
        let Some(number) = file.names.get(&name) else {
            names.read.borrow_mut().insert(name);
            continue;
        };
        let variable = Text::of(Piece::Variable(*number));
        match &walk.variables.0[*number].meaning {
            Meaning::Text(text) => {
                if !file.exported.contains(&name) {
                    written.looks.push(format!("`{name}` was not exported, so that `envsubst` made nothing of it in `{}`; now it has its value", file.path));
                }
                if artifact.is_made_anyway(walk, images, &name, &variable, names) {
                    continue;
                }
                let value = artifact
                    .image_name(walk, images, &variable)
                    .unwrap_or_else(|| names.write(text));
                found.push((name.clone(), value, is_alone(walk, *number)));
            }
            _ => {
                names.read.borrow_mut().insert(name);
            }
        }
    }
    found
}

fn write_json(
    json: &Json,
    indent: usize,
    write: &mut dyn FnMut(&Text) -> String,
    lines: &mut String,
) {
    let space = " ".repeat(indent);
    match json {
        Json::List(items) if !items.is_empty() => {
            for item in items {
                let mut inner = String::new();
                write_json(item, indent + 2, write, &mut inner);
                let inner =
                    inner.strip_prefix(&" ".repeat(indent + 2)).unwrap_or(&inner).to_owned();
                lines.push_str(&format!("{space}- {inner}"));
            }
        }
        Json::Map(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                let key = scalar(key, false);
                if is_scalar(value) {
                    let mut inner = String::new();
                    write_json(value, 0, write, &mut inner);
                    lines.push_str(&format!("{space}{key}: {inner}"));
                } else {
                    lines.push_str(&format!("{space}{key}:\n"));
                    write_json(value, indent + 2, write, lines);
                }
            }
        }
        Json::List(_) => lines.push_str(&format!("{space}[]\n")),
        Json::Map(_) => lines.push_str(&format!("{space}{{}}\n")),
        Json::Bare(text) => lines.push_str(&format!("{space}{text}\n")),
        Json::Text(text) => lines.push_str(&format!("{space}{}\n", scalar(&write(text), false))),
    }
}

fn is_scalar(json: &Json) -> bool {
    match json {
        Json::List(items) => items.is_empty(),
        Json::Map(entries) => entries.is_empty(),
        _ => true,
    }
}

/// `taskdef.json` has its template in `taskdef.template.json`.
fn template_path(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let name = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => format!("{stem}.template.{ending}"),
        _ => format!("{name}.template"),
    };
    if folder.is_empty() { name } else { format!("{folder}/{name}") }
}
