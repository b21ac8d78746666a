//! Commands that write files for a deploy action.

use std::collections::{BTreeMap, BTreeSet};

use shipspec_check::{Kind, kind_of_name};
use shipspec_shell::{Body, Command, Direction, Script, Target, Word};

use crate::json::Json;
use crate::remark::NOTHING;
use crate::sed::ONLY_ONCE;
use crate::text::{Meaning, Text};
use crate::walk::{DECLARES, Walk, What};

/// A file that is written.
#[derive(Debug)]
pub(crate) struct FileStep {
    /// Its path, from the source's own folder on.
    pub(crate) path: String,
    pub(crate) content: Content,
    /// What names stood for when it was written, and which of them a program could see.
    pub(crate) names: BTreeMap<String, usize>,
    pub(crate) exported: BTreeSet<String>,
}

/// What is in a file.
#[derive(Debug)]
pub(crate) enum Content {
    Json(Json),
    Template(Template),
}

/// A file that is filled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Template {
    pub(crate) source: Source,
    pub(crate) fills: Fills,
    /// What `sed` replaces.
    pub(crate) placeholders: Vec<(String, Text)>,
    /// Those of them that it replaces once in a line only.
    pub(crate) once: Vec<String>,
}

/// What `envsubst` fills.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Fills {
    /// It has no part in this.
    #[default]
    Nothing,
    Everything,
    /// These names and no others.
    Only(Vec<String>),
}

/// Where the text of a template is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// In a file of the source.
    Path(String),
    /// In the buildspec, so that a file has to be written.
    Text(Text),
}

impl Default for Source {
    fn default() -> Self {
        Self::Path(String::new())
    }
}

impl Walk<'_> {
    /// One program, with its words and redirections.
    pub(crate) fn simple(&mut self, command: &Command, script: &Script) -> What {
        let (assignments, words) = command.split();
        let words = match words {
            [sudo, rest @ ..] if sudo.text == "sudo" => rest,
            words => words,
        };
        let Some(program) = words.first() else { return self.assign(assignments) };
        let names = assignments.iter().filter_map(Word::assignment).map(|(name, _)| name);
        let is_builder = program.text == "docker";
        if names.into_iter().any(|name| !is_builder || name != "DOCKER_BUILDKIT") {
            return What::Kept("it has an environment of its own".into());
        }
        match &*program.text {
            name if DECLARES.contains(&name) => self.declare(&words[1..]),
            "cd" => self.go(&words[1..]),
            "mkdir" => self.make(&words[1..]),
            "docker" if goes_into_a_file(command) => {
                What::Kept("its output goes into a file".into())
            }
            "docker" => self.docker(&words[1..]),
            "printf" | "echo" | "cat" | "envsubst" | "sed" => {
                let pipe = [Body::Simple(Command {
                    words: words.to_vec(),
                    redirects: command.redirects.clone(),
                })];
                self.pipe(&pipe, script)
            }
            "cp" | "mv" => self.move_file(words),
            _ => What::Kept(NOTHING.into()),
        }
    }

    fn assign(&mut self, words: &[Word]) -> What {
        let mut found = Vec::new();
        for word in words {
            let fetched = self.fetched(word);
            let meaning = match (fetched, word.assignment()) {
                (Some(meaning), Some((name, _))) => Some((name.to_owned(), meaning)),
                _ => self.evaluate_value(word).map(|(name, text)| (name, Meaning::Text(text))),
            };
            match meaning {
                Some(meaning) => found.push(meaning),
                None => return What::Kept("only a shell knows what it comes to".into()),
            }
        }
        for (name, meaning) in found {
            let number = self.variables.add(&name, meaning, Some(self.steps.len()));
            self.current.insert(name, number);
        }
        What::Assigns
    }

    fn declare(&mut self, words: &[Word]) -> What {
        let (values, names): (Vec<_>, Vec<_>) = words
            .iter()
            .filter(|word| !word.text.starts_with('-'))
            .partition(|word| word.assignment().is_some());
        let values: Vec<_> = values.into_iter().cloned().collect();
        let what = self.assign(&values);
        let given = values.iter().filter_map(Word::assignment).map(|(name, _)| name.to_owned());
        self.exported.extend(given);
        self.exported.extend(names.iter().map(|word| word.text.clone()));
        what
    }

    fn go(&mut self, words: &[Word]) -> What {
        let text = match words {
            [word] if word.text != "-" => self.evaluate(word),
            _ => None,
        };
        self.folder = text.and_then(|text| self.path(&text));
        What::Goes
    }

    fn make(&mut self, words: &[Word]) -> What {
        let mut paths = Vec::new();
        for word in words.iter().filter(|word| !word.text.starts_with('-')) {
            match self.evaluate(word).and_then(|text| self.path(&text)) {
                Some(path) => paths.push(path),
                None => return What::Kept("only a shell knows the folder".into()),
            }
        }
        What::Makes(paths)
    }

    /// Programs whose output goes into a file.
    pub(crate) fn pipe(&mut self, pipe: &[Body], script: &Script) -> What {
        self.written(pipe, script).unwrap_or_else(|why| What::Kept(why.to_owned()))
    }

    fn written(&mut self, pipe: &[Body], script: &Script) -> Result<What, &'static str> {
        let commands: Option<Vec<_>> = pipe
            .iter()
            .map(|body| match body {
                Body::Simple(command) => Some(command),
                Body::Compound { .. } => None,
            })
            .collect();
        let commands = commands.ok_or(NOTHING)?;
        if commands.iter().any(|command| !command.split().0.is_empty()) {
            return Err("it has an environment of its own");
        }
        let (last, before) = commands.split_last().ok_or(NOTHING)?;
        let is_tee = last.words.len() == 2 && last.words[0].text == "tee" && !before.is_empty();
        let stages = if is_tee { before } else { &commands[..] };
        let program = stages[0].words.first().map_or("", |word| &*word.text);
        if program == "sed"
            && let Some(target) = in_place(stages[0])
        {
            return if stages.len() == 1 { self.edit(stages[0], &target) } else { Err(NOTHING) };
        }
        let target = if is_tee { Some(&last.words[1]) } else { written_to(last) };
        let target = target.ok_or(NOTHING)?;
        let path = self.evaluate(target).and_then(|text| self.path(&text));
        let path = path.ok_or("it writes a file outside of the source")?;
        match program {
            "printf" | "echo" => {
                let [command] = stages else { return Err(NOTHING) };
                let text = self.said(command).ok_or("only a shell knows what it writes")?;
                self.write_text(path, text)
            }
            "cat" if stages.len() == 1 && document(stages[0]).is_some() => {
                let text =
                    self.document(stages[0], script).ok_or("only a shell knows what it writes")?;
                self.write_text(path, text)
            }
            "cat" | "envsubst" | "sed" => {
                let template =
                    self.filled(stages).ok_or("what it makes of the file is not clear")?;
                self.write_template(path, template)
            }
            _ => Err(NOTHING),
        }
    }

    /// What `printf` or `echo` prints.
    fn said(&mut self, command: &Command) -> Option<Text> {
        let (_, words) = command.split();
        let mut texts = Vec::new();
        for word in &words[1..] {
            texts.push(self.evaluate(word)?);
        }
        if words[0].text == "printf" {
            let (format, values) = texts.split_first()?;
            return crate::json::printf(format, values);
        }
        let is_flag = |text: &Text| matches!(text.known().as_deref(), Some("-n" | "-e" | "-ne"));
        let flags = texts.iter().take_while(|text| is_flag(text)).count();
        let ends =
            !texts[..flags].iter().any(|flag| flag.known().is_some_and(|it| it.contains('n')));
        let mut text = Text::default();
        for (index, part) in texts.into_iter().skip(flags).enumerate() {
            text.append(Text::literal(if index > 0 { " " } else { "" }));
            text.append(part);
        }
        text.append(Text::literal(if ends { "\n" } else { "" }));
        Some(text)
    }

    /// The text of a here-document.
    fn document(&mut self, command: &Command, script: &Script) -> Option<Text> {
        let (index, is_literal) = document(command)?;
        let text = script.documents.get(index)?;
        if is_literal {
            return Some(Text::literal(text.clone()));
        }
        if text.contains("\\\"") {
            return None;
        }
        let quoted = format!("x \"{}\"", text.replace('"', "\\\""));
        let word =
            shipspec_shell::parse(&quoted).statements.first()?.command()?.words.get(1)?.clone();
        self.evaluate(&word)
    }

    /// What `cat`, `envsubst` and `sed` make of a file, one after the other.
    fn filled(&mut self, stages: &[&Command]) -> Option<Template> {
        let mut template = Template::default();
        for (index, command) in stages.iter().enumerate() {
            let (_, words) = command.split();
            let mut operands = Vec::new();
            match &*words.first()?.text {
                "cat" => operands.extend(words[1..].iter().cloned()),
                "envsubst" => {
                    let only = match &words[1..] {
                        [] => Fills::Everything,
                        // The names are in single quotes, or the shell fills them first.
                        [word] => Fills::Only(names_in(&word.literal()?)),
                        _ => return None,
                    };
                    template.fills = only;
                }
                "sed" => {
                    let (scripts, files) = sed_words(&words[1..])?;
                    self.substitutions(&scripts)?.add_to(&mut template);
                    operands.extend(files);
                }
                _ => return None,
            }
            let read = command.redirects.iter().find_map(|redirect| match &redirect.target {
                Target::Word(word) if redirect.direction == Direction::In => Some(word.clone()),
                _ => None,
            });
            operands.extend(read);
            match (index, operands.as_slice()) {
                (0, [file]) => template.source = Source::Path(self.file(file)?),
                (1.., []) => {}
                _ => return None,
            }
        }
        Some(template)
    }

    fn file(&mut self, word: &Word) -> Option<String> {
        let text = self.evaluate(word)?;
        self.path(&text)
    }

    /// `sed -i`.
    fn edit(&mut self, command: &Command, file: &(Vec<Word>, Word)) -> Result<What, &'static str> {
        if !command.redirects.is_empty() {
            return Err("its output goes elsewhere as well");
        }
        let (scripts, file) = file;
        let path = self.file(file).ok_or("it changes a file outside of the source")?;
        let substitutions =
            self.substitutions(scripts).ok_or("its patterns are more than plain text")?;
        if let Some(number) = self.files.iter().position(|file| file.path == path) {
            let names = self.current.clone();
            let Content::Template(template) = &self.files[number].content else {
                return Err("it changes a file that was just written");
            };
            let mut edited = template.clone();
            substitutions.add_to(&mut edited);
            if self.replaces_more(&edited) {
                return Err(ONLY_ONCE);
            }
            self.files[number].content = Content::Template(edited);
            self.files[number].names = names;
            return Ok(What::Writes(number));
        }
        let mut template = Template { source: Source::Path(path.clone()), ..Template::default() };
        substitutions.add_to(&mut template);
        self.write_template(path, template)
    }

    /// A file that is copied or renamed; it matters if it is a template or an artifact.
    fn move_file(&mut self, words: &[Word]) -> What {
        let kept = What::Kept("shipspec copies no files".into());
        let [_, from, to] = words else { return kept };
        let (Some(from), Some(to)) = (self.file(from), self.file(to)) else { return kept };
        if let Some(number) = self.files.iter().position(|file| file.path == from)
            && words[0].text == "mv"
        {
            self.files[number].path = to;
            return What::Writes(number);
        }
        let is_template = words[0].text == "cp" && self.is_for_deploy(&to);
        if !is_template || (self.read)(&from).is_none() {
            return kept;
        }
        let template = Template { source: Source::Path(from), ..Template::default() };
        self.write_template(to, template).unwrap_or(kept)
    }

    fn write_template(&mut self, path: String, template: Template) -> Result<What, &'static str> {
        if !self.is_for_deploy(&path) && !self.has_later_use(&path) {
            return Err("nothing says that its file is for a deploy action");
        }
        if self.replaces_more(&template) {
            return Err(ONLY_ONCE);
        }
        if let Source::Path(source) = &template.source {
            if *source != path && self.files.iter().any(|file| file.path == *source) {
                return Err("its template is a file that another command writes");
            }
            let is_made = self.steps.iter().any(|step| {
                let name = source.rsplit('/').next().unwrap_or(source);
                matches!(step.what, What::Kept(_)) && self.text_of(step).contains(name)
            });
            let text = (self.read)(source);
            if is_made && (text.is_none() || *source == path) {
                return Err("its template is made by a command that stays");
            }
            if text.is_none() && *source == path {
                return Err("the file that it changes is not in the source");
            }
        }
        Ok(self.add_file(path, Content::Template(template)))
    }

    fn write_text(&mut self, path: String, text: Text) -> Result<What, &'static str> {
        let json = Json::parse(&text);
        let names_images = json.as_ref().is_some_and(Json::names_images);
        if !self.is_for_deploy(&path) && !names_images {
            return Err("nothing says that its file is for a deploy action");
        }
        let content = json.map_or_else(
            || Content::Template(Template { source: Source::Text(text), ..Template::default() }),
            Content::Json,
        );
        Ok(self.add_file(path, content))
    }

    fn add_file(&mut self, path: String, content: Content) -> What {
        let (names, exported) = (self.current.clone(), self.exported.clone());
        let file = FileStep { path, content, names, exported };
        // Of two that are written to one path, the later one stays.
        match self.files.iter().position(|other| other.path == file.path) {
            Some(number) => {
                self.files[number] = file;
                What::Writes(number)
            }
            None => {
                self.files.push(file);
                What::Writes(self.files.len() - 1)
            }
        }
    }

    /// The file is handed on, or its name says what it is for.
    fn is_for_deploy(&self, path: &str) -> bool {
        let is_handed_on = self.handed_on.iter().any(|file| {
            let file = match file.strip_prefix('$') {
                Some(name) if shipspec_shell::is_name(name) => format!("${{{name}}}"),
                _ => file.clone(),
            };
            let folder = path.rsplit_once('/').map(|(folder, _)| folder);
            file == path || file.strip_suffix("/*").is_some_and(|it| Some(it) == folder)
        });
        is_handed_on || kind_of_name(path).is_some_and(|kind| kind != Kind::Buildspec)
    }

    /// A later command deploys from it.
    fn has_later_use(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let now = self.steps.last().map_or(0, |step| step.command);
        let deploys = ["kubectl", "aws ", "helm", "terraform"];
        self.commands.iter().skip(now).any(|command| {
            command.text.contains(name)
                && deploys.iter().any(|program| command.text.contains(program))
        })
    }

    pub(crate) fn text_of(&self, step: &crate::walk::Step) -> &str {
        self.commands[step.command].text.get(step.range.clone()).unwrap_or_default()
    }
}

/// The here-document that a program reads.
fn document(command: &Command) -> Option<(usize, bool)> {
    command.redirects.iter().find_map(|redirect| match redirect.target {
        Target::Document { index, is_literal } => Some((index, is_literal)),
        _ => None,
    })
}

/// The file that a program writes.
fn written_to(command: &Command) -> Option<&Word> {
    command.redirects.iter().find_map(|redirect| match &redirect.target {
        Target::Word(word)
            if redirect.direction == Direction::Out && redirect.descriptor.unwrap_or(1) == 1 =>
        {
            Some(word)
        }
        _ => None,
    })
}

/// What it prints is in a file afterwards, which something may read.
fn goes_into_a_file(command: &Command) -> bool {
    command.redirects.iter().any(|redirect| match &redirect.target {
        Target::Word(word) if redirect.direction != Direction::In => {
            let is_stream = word.text.bytes().all(|it| it.is_ascii_digit() || it == b'-');
            let is_joined = redirect.direction == Direction::Joined;
            word.text != "/dev/null" && !(is_joined && is_stream)
        }
        _ => false,
    })
}

/// Scripts and files of sed; nothing if it has options that change what patterns mean.
fn sed_words(words: &[Word]) -> Option<(Vec<Word>, Vec<Word>)> {
    let (mut scripts, mut rest) = (Vec::new(), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match &*word.text {
            "-e" | "--expression" => scripts.push(words.next()?.clone()),
            text if text.starts_with('-') => return None,
            _ => rest.push(word.clone()),
        }
    }
    if scripts.is_empty() && !rest.is_empty() {
        scripts.push(rest.remove(0));
    }
    Some((scripts, rest))
}

/// The scripts and the file of `sed -i`.
fn in_place(command: &Command) -> Option<(Vec<Word>, Word)> {
    let (_, words) = command.split();
    let is_flag = |word: &Word| word.text.starts_with("-i") || word.text.starts_with("--in-place");
    let flag = words.iter().position(is_flag)?;
    let mut rest = words[1..].to_vec();
    rest.remove(flag - 1);
    // Of BSD: an empty ending for the copy.
    if rest.get(flag - 1).is_some_and(|word| word.bare().is_empty()) {
        rest.remove(flag - 1);
    }
    let (scripts, files) = sed_words(&rest)?;
    match files.as_slice() {
        [file] => Some((scripts, file.clone())),
        _ => None,
    }
}

/// The names of envsubst's list: `'$A ${B}'`.
fn names_in(list: &str) -> Vec<String> {
    let found = shipspec_check::buildspec::used_in(list);
    found.into_iter().map(|(name, _)| name.to_owned()).collect()
}
