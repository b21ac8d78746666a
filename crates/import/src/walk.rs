//! Goes through the commands of a buildspec in the order in which CodeBuild runs them, and finds out
//! what each of them does.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use shipspec_check::buildspec::{Command, set_in, used_in};
use shipspec_check::value::Value;
use shipspec_shell::{Body, Next, Script, Statement};

use crate::files::FileStep;
use crate::images::{Build, Push};
use crate::logins::Login;
use crate::text::{Meaning, Piece, Text, Variables};

/// Programs of the shell that say what a name is.
pub(crate) const DECLARES: [&str; 4] = ["export", "declare", "typeset", "readonly"];

/// A part of the buildspec that is kept or replaced as a whole.
#[derive(Debug)]
pub(crate) struct Step {
    /// The number of its command.
    pub(crate) command: usize,
    /// Its bytes in the command's text.
    pub(crate) range: Range<usize>,
    pub(crate) what: What,
    /// The folder that it runs in, from the source's own on; none if that is not known.
    pub(crate) folder: Option<String>,
    /// Names that it could read.
    pub(crate) reads: BTreeSet<String>,
    /// Names that it could give a value.
    pub(crate) gives: BTreeSet<String>,
    /// Images that its words name, by the local name.
    pub(crate) names: Vec<String>,
    /// What leads to the next step of its command.
    pub(crate) next: Next,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// Gives names values that are understood.
    Assigns,
    /// Goes to another folder.
    Goes,
    /// Builds the image of this number.
    Builds(usize),
    /// Gives the image of this number another local name.
    Tags(usize),
    /// Pushes the images of these numbers.
    Pushes(Vec<usize>),
    /// Takes away the image of this number, which then takes no room.
    Removes(usize),
    /// Makes these folders.
    Makes(Vec<String>),
    /// Writes the file of this number.
    Writes(usize),
    /// Nothing needs it any more; why.
    Dropped(&'static str),
    /// Signs in at ECR.
    SignsIn,
    /// Signs in elsewhere, with the login of this number.
    SignsInAt(usize),
    /// A guard against a build that failed before.
    Guards,
    /// It starts an engine, or waits for one.
    Daemon,
    /// It stays; why.
    Kept(String),
}

/// What is known at one point of the buildspec.
pub(crate) struct Walk<'a> {
    pub(crate) commands: &'a [Command<'a>],
    /// The text of a file of the source.
    pub(crate) read: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) variables: Variables,
    /// What each name stands for now.
    pub(crate) current: BTreeMap<String, usize>,
    pub(crate) exported: BTreeSet<String>,
    /// The folder that commands run in.
    pub(crate) folder: Option<String>,
    pub(crate) builds: Vec<Build>,
    /// Local names of images and the builds that they are of.
    pub(crate) local: BTreeMap<String, usize>,
    pub(crate) pushes: Vec<Push>,
    pub(crate) files: Vec<FileStep>,
    pub(crate) logins: Vec<Login>,
    pub(crate) steps: Vec<Step>,
    /// What is worth a look, with the number of its step.
    pub(crate) looks: Vec<(usize, String)>,
    /// Files that are handed on, as `artifacts:` names them.
    pub(crate) handed_on: Vec<String>,
    /// Names that CodeBuild reads behind the commands.
    pub(crate) outside: BTreeSet<String>,
    /// Names that were read before anything gave them a value.
    pub(crate) foreign: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(
        root: &Value,
        commands: &'a [Command<'a>],
        read: &'a dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let mut walk = Self {
            commands,
            read,
            variables: Variables::default(),
            current: BTreeMap::new(),
            exported: BTreeSet::new(),
            folder: Some(String::new()),
            builds: Vec::new(),
            local: BTreeMap::new(),
            pushes: Vec::new(),
            files: Vec::new(),
            logins: Vec::new(),
            steps: Vec::new(),
            looks: Vec::new(),
            handed_on: handed_on(root),
            outside: crate::outside::read_by_codebuild(root),
            foreign: BTreeSet::new(),
        };
        walk.take_env(root);
        for (index, command) in commands.iter().enumerate() {
            walk.command(index, command.text);
        }
        walk
    }

    /// What `env:` gives.
    fn take_env(&mut self, root: &Value) {
        let Some(env) = root.get("env") else { return };
        for key in ["variables", "parameter-store", "secrets-manager"] {
            for entry in env.get(key).into_iter().flat_map(Value::entries) {
                let Some(text) = scalar(&entry.value) else { continue };
                let source = match key {
                    "parameter-store" => Some("ssm:"),
                    "secrets-manager" => Some("secretsmanager:"),
                    _ => None,
                };
                let meaning = match source {
                    None => Meaning::Buildspec(text),
                    Some(service) => {
                        let kept = self.env_text(&text);
                        let is_arn = text.starts_with("arn:");
                        let mut from = Text::literal(if is_arn { "" } else { service });
                        from.append(kept);
                        let is_secret = key == "secrets-manager"
                            || shipspec_spec::scope::sounds_secret(&entry.key);
                        Meaning::Parameter { from, region: None, is_secret }
                    }
                };
                let number = self.variables.add(&entry.key, meaning, None);
                self.current.insert(entry.key.clone(), number);
                self.exported.insert(entry.key.clone());
            }
        }
    }

    /// `$NAME` in a value of `env:` is one of the environment.
    fn env_text(&mut self, text: &str) -> Text {
        let script = shipspec_shell::parse(&format!("x {text}"));
        let word = script.statements.first().and_then(|it| it.command()?.words.get(1).cloned());
        let whole = word.filter(|word| word.text == text);
        whole.and_then(|word| self.evaluate(&word)).unwrap_or_else(|| Text::literal(text))
    }

    fn command(&mut self, index: usize, text: &str) {
        let script = shipspec_shell::parse(text);
        if !script.is_whole {
            let why = "this shell is not read here".to_owned();
            return self.step(index, 0..text.len(), text, What::Kept(why), &script.statements);
        }
        let mut rest = script.statements.as_slice();
        while !rest.is_empty() {
            let count = 1 + rest.iter().take_while(|it| it.next == Next::Or).count();
            let (chain, behind) = rest.split_at(count.min(rest.len()));
            let (chain, behind) = if is_condition(&chain[chain.len() - 1]) && ends_in_and(chain) {
                // `[ … ] && …`: what is behind depends on it.
                let more = behind.iter().take_while(|it| it.next == Next::And).count() + 1;
                rest.split_at((count + more).min(rest.len()))
            } else {
                (chain, behind)
            };
            let range = chain[0].range.start..chain[chain.len() - 1].range.end;
            let what = self.chain(chain, &script);
            self.step(index, range, text, what, chain);
            rest = behind;
        }
    }

    fn step(
        &mut self,
        command: usize,
        range: Range<usize>,
        text: &str,
        what: What,
        statements: &[Statement],
    ) {
        let own = text.get(range.clone()).unwrap_or_default();
        let reads = used_in(own).into_iter().map(|(name, _)| name.to_owned()).collect();
        let gives: BTreeSet<String> = set_in(own).into_iter().map(str::to_owned).collect();
        let mut names = Vec::new();
        if let What::Kept(_) = what {
            self.image_names(statements, &mut names);
            for name in &gives {
                // From here on, only the shell knows.
                let number = self.variables.add(name, Meaning::Shell, Some(self.steps.len()));
                self.current.insert(name.clone(), number);
            }
            self.follow(statements);
        }
        // `export NAME` hands on what was given before.
        let (mut reads, mut gives): (BTreeSet<String>, _) = (reads, gives);
        let exported: Vec<_> = statements.iter().flat_map(exported_names).collect();
        reads.extend(exported.iter().cloned());
        gives.extend(exported);
        let folder = self.folder.clone();
        let next = statements.last().map_or(Next::Sequence, |statement| statement.next);
        self.steps.push(Step { command, range, what, folder, reads, gives, names, next });
    }

    /// The folder after commands that stay.
    fn follow(&mut self, statements: &[Statement]) {
        let programs =
            statements.iter().flat_map(|statement| match statement.pipeline.as_slice() {
                [Body::Simple(command)] => vec![command],
                _ => Vec::new(),
            });
        for command in programs.collect::<Vec<_>>() {
            let (_, words) = command.split();
            match words.first().map(|word| &*word.text) {
                Some("cd" | "pushd" | "popd") => self.folder = None,
                Some("." | "source") => {
                    self.look("what it sets reaches shipspec only if it is exported");
                }
                _ => {}
            }
        }
    }

    /// A statement, with what is behind its `||`.
    fn chain(&mut self, chain: &[Statement], script: &Script) -> What {
        match chain {
            [one] if one.next == Next::Background && crate::noise::starts_daemon(one) => {
                What::Daemon
            }
            [one] if one.next == Next::Background => What::Kept("it runs in the background".into()),
            [one] => self.statement(one, script),
            [one, other] if one.next == Next::Or && only_fails(other) => {
                self.statement(one, script)
            }
            _ if chain.iter().any(|it| it.next == Next::Or) => {
                if crate::noise::is_wait(chain) || crate::noise::starts_missing_daemon(chain) {
                    return What::Daemon;
                }
                What::Kept("what happens depends on whether it fails".into())
            }
            _ => What::Kept("what happens depends on a condition".into()),
        }
    }

    fn statement(&mut self, statement: &Statement, script: &Script) -> What {
        if statement.is_negated {
            return What::Kept("it is negated".into());
        }
        if let Some(what) = crate::noise::look(statement) {
            return what;
        }
        if crate::logins::is_login(statement) {
            return self.sign_in(statement);
        }
        match statement.pipeline.as_slice() {
            [Body::Simple(command)] => self.simple(command, script),
            [Body::Compound { .. }] => What::Kept("`if`, loops and groups are not read".into()),
            pipe => self.pipe(pipe, script),
        }
    }

    /// The path of a file or folder, from the source's own folder on.
    pub(crate) fn path(&self, text: &Text) -> Option<String> {
        let printed = self.plain(text)?;
        let source = ["${CODEBUILD_SRC_DIR}"];
        let path = match source.iter().find_map(|name| printed.strip_prefix(name)) {
            Some(rest) => rest.trim_start_matches('/').to_owned(),
            None if printed.starts_with(['/', '~']) => return None,
            // Where CodeBuild puts a further source; the whole path is in its value.
            None if printed.starts_with("${CODEBUILD_SRC_DIR_") => printed,
            None => format!("{}/{printed}", self.folder.as_ref()?),
        };
        let mut parts = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()?),
                part => parts.push(part),
            }
        }
        Some(parts.join("/"))
    }

    /// A text with `${NAME}` in it, and nothing more difficult.
    pub(crate) fn plain(&self, text: &Text) -> Option<String> {
        let piece = |piece: &Piece| match piece {
            Piece::Literal(text) => Some(text.clone()),
            Piece::Environment(name) => Some(format!("${{{name}}}")),
            Piece::Expression { name, filters } => Some(format!("${{{name}{filters}}}")),
            _ => None,
        };
        self.variables.unfold(text).0.iter().map(piece).collect()
    }

    /// Something to tell of the step that is being read.
    pub(crate) fn look(&mut self, message: impl Into<String>) {
        self.looks.push((self.steps.len(), message.into()));
    }
}

/// The names of `export NAME`, which get no value there.
fn exported_names(statement: &Statement) -> Vec<String> {
    let words = statement.command().map(|command| command.split().1).unwrap_or_default();
    match words.split_first() {
        Some((program, names)) if DECLARES.contains(&&*program.text) => {
            let names = names.iter().filter(|word| shipspec_shell::is_name(&word.text));
            names.map(|word| word.text.clone()).collect()
        }
        _ => Vec::new(),
    }
}

/// A number or truth value as it is written, too.
fn scalar(value: &Value) -> Option<String> {
    use shipspec_check::value::Data;
    match &value.data {
        Data::Text(text) | Data::Number(text) => Some(text.clone()),
        Data::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// The files of all sections of `artifacts:`, with their base folder in front.
fn handed_on(root: &Value) -> Vec<String> {
    let Some(artifacts) = root.get("artifacts") else { return Vec::new() };
    let secondary = artifacts.get("secondary-artifacts").into_iter().flat_map(Value::entries);
    let sections = std::iter::once(artifacts).chain(secondary.map(|entry| &entry.value));
    let mut files = Vec::new();
    for section in sections {
        let Some(list) = section.get("files") else { continue };
        let items = if list.items().is_empty() { std::slice::from_ref(list) } else { list.items() };
        let base = section.text_of("base-directory");
        for file in items.iter().filter_map(Value::text) {
            let file = file.trim_start_matches("./");
            files.push(match base {
                Some(base) => format!("{}/{file}", base.trim_start_matches("./").trim_matches('/')),
                None => file.to_owned(),
            });
        }
    }
    files
}

fn is_condition(statement: &Statement) -> bool {
    let program = statement.command().and_then(|command| command.split().1.first());
    program.is_some_and(|word| matches!(&*word.text, "[" | "[[" | "test"))
}

fn ends_in_and(chain: &[Statement]) -> bool {
    chain.last().is_some_and(|last| last.next == Next::And)
}

/// `exit 1`, maybe with words before it: that is what CodeBuild does anyway.
fn only_fails(statement: &Statement) -> bool {
    let is_said = |statement: &Statement| {
        let words = statement.command().map(|command| command.split().1).unwrap_or_default();
        match words.first().map(|word| &*word.text) {
            Some("echo" | "false") => true,
            Some("exit" | "return") => words.get(1).is_some_and(|code| code.text != "0"),
            _ => false,
        }
    };
    match statement.pipeline.as_slice() {
        [Body::Compound { inner, .. }] => {
            inner.iter().all(is_said)
                && inner.last().is_some_and(|last| {
                    last.command().is_some_and(|it| it.words.iter().any(|w| w.text == "exit"))
                })
        }
        _ => {
            is_said(statement)
                && statement
                    .command()
                    .is_some_and(|it| it.words.first().is_some_and(|w| w.text != "echo"))
        }
    }
}
