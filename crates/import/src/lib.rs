//! Makes a shipspec.yml and a short buildspec of a buildspec that builds images with a shell. No network,
//! no files: texts go in, texts and remarks come out.
//!
//! The commands are gone through in the order in which CodeBuild runs them. What each comes to is kept as
//! a text with names in it, so that a tag, a path or the content of a file is known before any of them
//! has a value. What is not understood stays where it is, and everything that it needs stays with it.

mod artifacts;
mod buildspec;
mod config;
mod evaluate;
mod files;
mod images;
mod items;
mod json;
mod logins;
mod marks;
mod names;
mod noise;
mod order;
mod output;
mod outside;
mod overwritten;
mod place;
mod refuse;
mod remark;
mod sed;
mod settle;
mod text;
mod walk;
mod yaml;

use std::collections::BTreeSet;
use std::sync::Arc;

use shipspec_check::buildspec::{Command, commands};
use shipspec_check::read::{Format, read_source};
use shipspec_check::value::Value;
use shipspec_check::{Allowed, File, Surroundings, check};
use shipspec_spec::config::Config;
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::source::{Position, Source, Span};

pub use remark::{Kind, Remark};
use walk::{Step, Walk, What};

/// What came of a buildspec.
#[derive(Debug)]
pub struct Import {
    /// shipspec.yml.
    pub config: String,
    /// The buildspec.
    pub buildspec: String,
    /// Templates that have to be written: path, from the source's own folder on, and text.
    pub templates: Vec<(String, String)>,
    /// What became of each command, and what is worth a look.
    pub remarks: Vec<Remark>,
    /// Commands that stay.
    pub kept: usize,
    /// One `shipspec run` does it all.
    pub is_one_line: bool,
}

/// Why nothing came of a buildspec.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Diagnostics),
    /// No image is built in it in a way that is understood; why, command by command.
    #[error("`{name}` builds no image that shipspec could build")]
    NoImage {
        /// The buildspec.
        name: String,
        /// The commands that have to do with images, and why they are not taken over.
        remarks: Vec<Remark>,
    },
}

/// Makes a shipspec.yml of a buildspec. `read` gives the text of a file of the source, by its path from the
/// source's own folder on.
///
/// # Errors
///
/// [`ImportError`].
pub fn import(
    source: &Arc<Source>,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<Import, ImportError> {
    let root = read_source(source, Format::Yaml).map_err(|error| {
        let span = Span::new(source, error.offset..error.offset);
        Diagnostics::from(Diagnostic::at(span, format!("this is no YAML: {}", error.message)))
    })?;
    if root.get("phases").is_none() {
        let hint = "a buildspec has `version: 0.2` and `phases:`";
        let message = format!("`{}` is no buildspec: it has no `phases`", source.name);
        return Err(Diagnostics::from(Diagnostic::new(message).with_hint(hint)).into());
    }
    refuse::unreadable(&root, source)?;
    let mut commands = commands(&root);
    commands.sort_by_key(|command| (phase_number(command.phase), command.list == "finally"));
    let mut walk = Walk::new(&root, &commands, read);
    walk.settle();
    let images = config::images(&walk);
    if images.is_empty() {
        let mut remarks = remarks(&walk, source);
        remarks.retain(|remark| remark.kind == Kind::Kept && remark.subject.contains("docker"));
        return Err(ImportError::NoImage { name: source.name.clone(), remarks });
    }
    let may_move = |name: &str| may_move(&walk, &root, name);
    let written = config::write(&walk, &images, &source.name, &may_move);
    let config = Source::new("shipspec.yml", &*written.text);
    Config::parse(&config)?;
    let lines = place::lines(&walk, &written.read);
    let exports = exports(&walk, &written.read);
    let lists = buildspec::lists(&walk, &source.text, &lines, &exports);
    let buildspec = buildspec::write(&root, &source.text, &lists, &written.moved);
    verify(&buildspec, &lists)?;
    let mut remarks = remarks(&walk, source);
    let looks = written.looks.into_iter().map(look);
    remarks.extend(looks);
    remarks.extend(findings(source));
    remarks.sort();
    remarks.dedup();
    let kept = walk.steps.iter().filter(|step| step.is_kept()).count();
    let is_one_line = kept == 0 && lines.len() == 1;
    Ok(Import {
        config: written.text,
        buildspec,
        templates: written.templates,
        remarks,
        kept,
        is_one_line,
    })
}

fn phase_number(phase: &str) -> usize {
    ["install", "pre_build", "build", "post_build"].iter().position(|it| *it == phase).unwrap_or(4)
}

fn look(message: String) -> Remark {
    Remark { line: None, kind: Kind::Look, subject: String::new(), message }
}

/// An entry of `env:` may go to shipspec.yml if nothing that stays could read it.
fn may_move(walk: &Walk<'_>, root: &Value, name: &str) -> bool {
    let is_read = walk
        .steps
        .iter()
        .any(|step| step.is_kept() && (step.reads.contains(name) || walk.sees_environment(step)));
    let is_needed = walk.outside.contains(name) || outside::is_of_tools(name);
    let is_of_other = root.get("env").is_some_and(|env| {
        ["variables", "parameter-store", "secrets-manager"]
            .iter()
            .filter_map(|key| env.get(key))
            .flat_map(Value::entries)
            .any(|entry| {
                entry.key != name
                    && entry.value.written().is_some_and(|it| it.contains(&format!("${name}")))
            })
    });
    // A command gives it another value, which reaches shipspec because the entry exports it.
    let is_given = walk.variables.0.iter().any(|it| it.name == name && it.step.is_some());
    !is_read && !is_needed && !is_of_other && !is_given
}

/// Names that shipspec needs and that are only in the shell.
fn exports(walk: &Walk<'_>, read: &BTreeSet<String>) -> Vec<String> {
    let names = walk.shell_names(read).into_iter().map(|(name, _)| name);
    names.filter(|name| !walk.exported.contains(name)).collect()
}

/// The new buildspec has the commands that it should have, whatever YAML makes of them.
fn verify(text: &str, lists: &[buildspec::List]) -> Result<(), Diagnostics> {
    let source = Source::new("the new buildspec", text);
    let wrong = |message: &str| {
        Diagnostics::from(Diagnostic::new(format!(
            "the new buildspec cannot be written: {message}"
        )))
    };
    let root = read_source(&source, Format::Yaml).map_err(|error| wrong(&error.message))?;
    let found = commands(&root);
    for list in lists {
        let is_of_it =
            |command: &&Command<'_>| command.phase == list.phase && command.list == list.key;
        let texts: Vec<_> = found.iter().filter(is_of_it).map(|command| command.text).collect();
        if texts != list.items.iter().map(|item| &*item.text).collect::<Vec<_>>() {
            return Err(wrong("a command would be another one in YAML"));
        }
    }
    Ok(())
}

/// What became of each command.
fn remarks(walk: &Walk<'_>, source: &Source) -> Vec<Remark> {
    let remark = |(index, step): (usize, &Step)| {
        let place = walk.commands[step.command].place(&source.text, &step.range);
        let line = Some(Position::of(&source.text, place.start).line);
        let (kind, message) = match &step.what {
            What::Kept(why) => (Kind::Kept, why.clone()),
            What::Dropped(why) => (Kind::Dropped, (*why).to_owned()),
            What::SignsInAt(_) => (Kind::Replaced, "`registries:`".to_owned()),
            What::SignsIn => (Kind::Dropped, "shipspec signs in at ECR by itself".to_owned()),
            What::Guards => {
                (Kind::Dropped, "shipspec publishes nothing after a failed build".to_owned())
            }
            What::Daemon => (
                Kind::Replaced,
                "`shipspec daemon ensure` starts the engine, and waits for it".to_owned(),
            ),
            What::Makes(_) => (Kind::Dropped, "shipspec makes the folders of its files".to_owned()),
            What::Goes => {
                (Kind::Dropped, "paths in shipspec.yml begin at its own folder".to_owned())
            }
            What::Assigns => (Kind::Replaced, String::new()),
            What::Builds(_) | What::Tags(_) | What::Pushes(_) => {
                (Kind::Replaced, "`images:`".to_owned())
            }
            What::Removes(_) => (Kind::Dropped, "nothing is left to take away".to_owned()),
            What::Writes(number) => {
                (Kind::Replaced, format!("the artifact `{}`", walk.files[*number].path))
            }
        };
        let mut all =
            vec![Remark { line, kind, subject: remark::subject(walk.text_of(step)), message }];
        let looks = walk.looks.iter().filter(|(step, _)| *step == index);
        all.extend(looks.map(|(_, message)| Remark { line, ..look(message.clone()) }));
        all
    };
    walk.steps.iter().enumerate().flat_map(remark).collect()
}

/// What was wrong in the old buildspec.
fn findings(source: &Arc<Source>) -> Vec<Remark> {
    let file = File::source("buildspec.yml", source, Format::Yaml);
    let surroundings =
        Surroundings { outputs: Vec::new(), published: Vec::new(), has_file: &|_| true };
    let found = check(&[file], &surroundings, &Allowed::default());
    let remark = |finding: shipspec_check::Finding| {
        let line = Some(finding.span.position().line);
        Remark { line, ..look(format!("{} ({})", finding.message, finding.code)) }
    };
    found.into_iter().map(remark).collect()
}
