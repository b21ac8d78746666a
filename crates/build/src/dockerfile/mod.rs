//! What a Dockerfile asks for: base images, secrets, ssh agents. Nothing is built or asked here.

mod arguments;
mod mounts;
mod place;
mod read;
mod versions;
mod words;

use std::collections::BTreeSet;

use indexmap::IndexMap;
use shipspec_spec::image::{Registry, Repository};
use shipspec_spec::platform::Platform;

use arguments::Arguments;
pub use mounts::{SecretMount, SshMount};
pub(crate) use place::line_of_step;
pub(crate) use versions::{with_versions, without_versions};

/// A Dockerfile, as far as what is asked of others goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    syntax: Option<String>,
    escape: char,
    /// `ARG`s before the first stage, each `NAME` or `NAME=default`.
    arguments: Vec<String>,
    stages: Vec<Stage>,
}

/// What one stage asks for, in its words.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stage {
    name: Option<String>,
    base: String,
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// `NAME` or `NAME=default`.
    Argument(String),
    /// `COPY --from` or `RUN --mount=from=`.
    From(String),
    /// The options of a `RUN --mount`.
    Mount { text: String, line: usize },
    /// A step that may use the network.
    Online(OnlineStep),
}

/// A step whose result may depend on what the network answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OnlineStep {
    /// The line of the step, from 1.
    pub line: usize,
    /// It is a `RUN` without `--network=none`; else an `ADD` of an address without `--checksum`.
    pub is_run: bool,
}

/// A text is no Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct DockerfileError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

/// There is no such stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the Dockerfile has no stage `{target}`{}", listed(.stages))]
pub struct TargetError {
    /// The stage that was asked for.
    pub target: String,
    /// The names that there are.
    pub stages: Vec<String>,
}

fn listed(stages: &[String]) -> String {
    if stages.is_empty() {
        return ": none has a name".into();
    }
    let names: Vec<_> = stages.iter().map(|name| format!("`{name}`")).collect();
    format!(", only {}", names.join(", "))
}

/// What the stages that a target is made from ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Images of `FROM`, `COPY --from` and `RUN --mount=from=`, as references.
    pub base_images: BTreeSet<String>,
    /// Base images whose names cannot be known here, as written.
    pub unknown_bases: BTreeSet<String>,
    /// Each `RUN --mount=type=secret`.
    pub secrets: Vec<SecretMount>,
    /// Each `RUN --mount=type=ssh`.
    pub ssh: Vec<SshMount>,
    /// The names of contexts that stand for stages or images.
    pub contexts: BTreeSet<String>,
    /// Steps that may use the network, in the order of their lines.
    pub online: Vec<OnlineStep>,
}

impl Needs {
    /// The registries of the base images.
    #[must_use]
    pub fn registries(&self) -> BTreeSet<Registry> {
        self.base_images.iter().filter_map(|base| registry(base)).collect()
    }
}

/// A reference as contexts are looked up by: `alpine` for `docker.io/library/alpine:latest`.
fn familiar(reference: &str) -> &str {
    let name = reference.strip_prefix("docker.io/").unwrap_or(reference);
    let name = name.strip_prefix("library/").unwrap_or(name);
    name.strip_suffix(":latest").unwrap_or(name)
}

fn registry(reference: &str) -> Option<Registry> {
    let (name, _) = reference.split_once('@').unwrap_or((reference, ""));
    let name = match name.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => before,
        _ => name,
    };
    name.parse().ok().map(|repository: Repository| repository.registry)
}

impl Dockerfile {
    /// Reads a Dockerfile.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong in it.
    pub fn parse(text: &str) -> Result<Self, DockerfileError> {
        read::read(text)
    }

    /// The image of the frontend that `# syntax=` names.
    #[must_use]
    pub fn syntax(&self) -> Option<&str> {
        self.syntax.as_deref()
    }

    /// The names of the stages that have one.
    pub fn stage_names(&self) -> impl Iterator<Item = &str> {
        self.stages.iter().filter_map(|stage| stage.name.as_deref())
    }

    /// What a build of `target` asks for, or of the last stage; other stages do not count. `platform` is
    /// that of the image.
    ///
    /// # Errors
    ///
    /// [`TargetError`].
    pub fn needs(
        &self,
        target: Option<&str>,
        build_args: &IndexMap<String, String>,
        platform: &Platform,
    ) -> Result<Needs, TargetError> {
        self.needs_with(target, build_args, platform, &BTreeSet::new())
    }

    /// As [`Dockerfile::needs`], where contexts have these names: a stage or an image of such a name is
    /// not what is used ([BuildKit]).
    ///
    /// # Errors
    ///
    /// [`TargetError`].
    ///
    /// [BuildKit]: https://github.com/moby/buildkit/blob/master/frontend/dockerui/namedcontext.go
    pub fn needs_with(
        &self,
        target: Option<&str>,
        build_args: &IndexMap<String, String>,
        platform: &Platform,
        contexts: &BTreeSet<&str>,
    ) -> Result<Needs, TargetError> {
        let last = self.stages.len().saturating_sub(1);
        let first = match target {
            None => last,
            Some(target) => self.find(target, self.stages.len()).ok_or_else(|| TargetError {
                target: target.into(),
                stages: self.stage_names().map(str::to_owned).collect(),
            })?,
        };
        let global = Arguments::global(self, build_args, platform);
        let (seen, needs) = (BTreeSet::new(), Needs::default());
        let mut search = Search { dockerfile: self, global, contexts, seen, needs };
        search.visit(first);
        search.needs.secrets.sort_by_key(|mount| mount.line);
        search.needs.ssh.sort_by_key(|mount| mount.line);
        search.needs.online.sort_unstable();
        Ok(search.needs)
    }

    /// The stage with a name or a number, among the first `count`. Of equal names the last counts.
    fn find(&self, name: &str, count: usize) -> Option<usize> {
        let is_named = |stage: &Stage| {
            stage.name.as_deref().is_some_and(|other| other.eq_ignore_ascii_case(name))
        };
        self.stages[..count]
            .iter()
            .rposition(is_named)
            .or_else(|| name.parse().ok().filter(|number| *number < count))
    }
}

/// Goes from stage to stage.
struct Search<'a> {
    dockerfile: &'a Dockerfile,
    global: Arguments,
    contexts: &'a BTreeSet<&'a str>,
    seen: BTreeSet<usize>,
    needs: Needs,
}

impl Search<'_> {
    fn visit(&mut self, index: usize) {
        if !self.seen.insert(index) {
            return;
        }
        let stage = &self.dockerfile.stages[index];
        if stage.name.as_deref().is_some_and(|name| self.use_context(name)) {
            return;
        }
        match self.global.expand(&stage.base) {
            // A name that is not known yet is that of an image, even if a later stage has it.
            Some(base) => self.refer(&base, index, false),
            None => drop(self.needs.unknown_bases.insert(stage.base.clone())),
        }
        let mut scope = self.global.of_stage();
        for item in &stage.items {
            match item {
                Item::Argument(text) => scope.declare(text),
                Item::From(text) => self.refer(text, index, true),
                Item::Mount { text, line } => self.mount(text, *line, index, &scope),
                Item::Online(step) => self.needs.online.push(*step),
            }
        }
    }

    fn mount(&mut self, text: &str, line: usize, index: usize, scope: &Arguments) {
        // What is not known here, such as a variable of `ENV`, stays as it is written.
        let expand = |word: &str| scope.expand(word).filter(|text| !text.is_empty());
        let mount = mounts::Mount::read(text, line, expand);
        match mount {
            mounts::Mount::Secret(mount) => self.needs.secrets.push(mount),
            mounts::Mount::Ssh(mount) => self.needs.ssh.push(mount),
            mounts::Mount::From(name) => self.refer(&name, index, true),
            mounts::Mount::Other => {}
        }
    }

    /// A context stands for the stage or image of this name; it is noted.
    fn use_context(&mut self, name: &str) -> bool {
        let name = familiar(name);
        let context = self.contexts.iter().find(|context| context.eq_ignore_ascii_case(name));
        context.is_some_and(|context| {
            self.needs.contexts.insert((*context).to_owned());
            true
        })
    }

    /// Something is taken from an earlier stage, or else from an image.
    fn refer(&mut self, name: &str, index: usize, may_be_number: bool) {
        let stage = self.dockerfile.find(name, index);
        let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
        match stage {
            Some(stage) if may_be_number || !is_number => self.visit(stage),
            _ if self.use_context(name) => {}
            _ if name == "scratch" => {}
            _ if name.is_empty() || name.contains('$') => {
                self.needs.unknown_bases.insert(name.into());
            }
            _ => drop(self.needs.base_images.insert(name.into())),
        }
    }
}

#[cfg(test)]
mod tests;
