//! `docker build`, `tag` and `push`.

use shipspec_shell::Word;

use crate::remark::NOTHING;
use crate::text::{Meaning, Piece, Text};
use crate::walk::{Walk, What};

/// An image that is built.
#[derive(Debug, Clone, Default)]
pub(crate) struct Build {
    /// The folder of the context, from the source's own on.
    pub(crate) context: String,
    /// The Dockerfile's path, from the context on.
    pub(crate) dockerfile: Option<String>,
    pub(crate) target: Option<Text>,
    pub(crate) platform: Option<Text>,
    pub(crate) network: Option<Text>,
    pub(crate) no_cache: bool,
    pub(crate) pull: bool,
    pub(crate) args: Vec<(String, Text)>,
    /// Build arguments that are secrets.
    pub(crate) secret_args: Vec<(String, Text)>,
    pub(crate) labels: Vec<(String, Text)>,
    pub(crate) hosts: Vec<(String, Text)>,
    pub(crate) cache_from: Vec<Text>,
    pub(crate) cache_to: Vec<(String, Text)>,
    pub(crate) secrets: Vec<(String, String)>,
    pub(crate) ssh: Vec<Text>,
}

/// A name under which an image is pushed.
#[derive(Debug, Clone)]
pub(crate) struct Push {
    pub(crate) build: usize,
    pub(crate) repository: Text,
    pub(crate) tag: Text,
    /// The step that pushes it.
    pub(crate) step: usize,
}

/// Options of a build without a meaning for what is built; true if a value follows.
const IGNORED: [(&str, bool); 14] = [
    ("--rm", false),
    ("--force-rm", false),
    ("-q", false),
    ("--quiet", false),
    ("--load", false),
    ("--progress", true),
    ("--builder", true),
    ("--memory", true),
    ("-m", true),
    ("--memory-swap", true),
    ("--cpu-quota", true),
    ("--cpu-shares", true),
    ("--shm-size", true),
    ("-D", false),
];

impl Walk<'_> {
    /// A command of the Docker CLI, from the word behind `docker` on.
    pub(crate) fn docker(&mut self, words: &[Word]) -> What {
        let words = match words {
            [first, rest @ ..] if first.text == "image" => rest,
            words => words,
        };
        let texts: Vec<_> = words.iter().map(|word| &*word.text).collect();
        let result = match texts.as_slice() {
            ["build", ..] => self.build(&words[1..]),
            ["buildx", "build", ..] => self.build(&words[2..]),
            ["tag", ..] => self.tag(&words[1..]),
            ["push", ..] => self.push(&words[1..]),
            ["rmi" | "rm", ..] => self.remove(&words[1..]),
            ["logout", ..] => return What::Dropped("shipspec leaves no login behind"),
            ["manifest", ..] => Err("images of several platforms are not put together here".into()),
            ["compose", ..] => Err("`docker compose` has its images in a file of its own".into()),
            _ => Err(NOTHING.into()),
        };
        result.unwrap_or_else(What::Kept)
    }

    fn build(&mut self, words: &[Word]) -> Result<What, String> {
        let unclear = |word: &Word| format!("only a shell knows what `{}` comes to", word.text);
        let mut build = Build::default();
        let (mut names, mut places, mut pushes, mut file) = (Vec::new(), Vec::new(), false, None);
        let mut at = 0;
        while let Some(word) = words.get(at) {
            at += 1;
            if !word.text.starts_with('-') || word.text == "-" {
                places.push(word);
                continue;
            }
            let (name, inline) = match word.text.split_once('=') {
                Some((name, _)) => (name.to_owned(), true),
                None => (word.text.clone(), false),
            };
            if let Some((_, takes_value)) = IGNORED.iter().find(|(ignored, _)| *ignored == name) {
                at += usize::from(*takes_value && !inline);
                continue;
            }
            match &*name {
                "--no-cache" => build.no_cache = true,
                "--pull" => build.pull = true,
                "--push" => pushes = true,
                _ => {
                    let value = if inline {
                        let evaluated = self.evaluate(word).ok_or_else(|| unclear(word))?;
                        without_name(&evaluated).ok_or_else(|| unclear(word))?
                    } else {
                        let value = words.get(at).ok_or("an option has no value")?;
                        at += 1;
                        self.evaluate(value).ok_or_else(|| unclear(value))?
                    };
                    match &*name {
                        "-t" | "--tag" => names.push(value),
                        "-f" | "--file" => file = Some(value),
                        _ => self.option(&mut build, &name, value)?,
                    }
                }
            }
        }
        let [place] = places.as_slice() else { return Err("its context is not clear".into()) };
        let context = self.evaluate(place).ok_or_else(|| unclear(place))?;
        let is_far = context
            .known()
            .is_some_and(|it| it == "-" || it.contains("://") || it.starts_with("git@"));
        let path = if is_far { None } else { self.path(&context) };
        build.context = path.ok_or("its context is not in the source")?;
        if let Some(file) = file {
            let path = self.path(&file).ok_or("its Dockerfile is not in the source")?;
            build.dockerfile =
                Some(relative(&build.context, &path)).filter(|it| it != "Dockerfile");
        }
        if names.is_empty() {
            return Err("the image gets no name".into());
        }
        let number = self.builds.len();
        self.builds.push(build);
        for name in &names {
            let (repository, tag) = self.divide(name);
            self.local.insert(self.local_name(&repository, &tag), number);
            if pushes {
                self.pushes.push(Push { build: number, repository, tag, step: self.steps.len() });
            }
        }
        Ok(What::Builds(number))
    }

    fn option(&mut self, build: &mut Build, name: &str, value: Text) -> Result<(), String> {
        match name {
            "--target" => build.target = Some(value),
            "--network" => build.network = Some(value),
            "--platform" => {
                if value.known().is_none_or(|it| it.contains(',')) {
                    return Err("several platforms are not built at once".into());
                }
                build.platform = Some(value);
            }
            "--build-arg" => {
                let (key, value) = self.pair(&value)?;
                if self.is_secret(&key, &value) {
                    build.secret_args.push((key, value));
                } else {
                    build.args.push((key, value));
                }
            }
            "--label" => build.labels.push(self.pair(&value)?),
            "--add-host" => {
                let (host, address) = value.split_last(':').ok_or("`--add-host` is not clear")?;
                build.hosts.push((host.known().ok_or("`--add-host` is not clear")?, address));
            }
            "--cache-from" => match settings(&value) {
                Some(settings) => {
                    let find = |key: &str| {
                        settings.iter().find(|(name, _)| name == key).map(|it| it.1.clone())
                    };
                    if find("type").and_then(|it| it.known()).as_deref() != Some("registry") {
                        return Err("a cache of this kind is not read".into());
                    }
                    build.cache_from.push(find("ref").ok_or("its cache has no `ref`")?);
                }
                None => build.cache_from.push(value),
            },
            "--cache-to" => {
                let settings = settings(&value).ok_or("its cache is not clear")?;
                if !build.cache_to.is_empty() || !settings.iter().all(is_of_cache_to) {
                    return Err("a cache of this kind is not written".into());
                }
                build.cache_to = settings;
            }
            // shipspec asks for none.
            "--provenance" | "--sbom" if value.known().is_none_or(|it| it != "false") => {
                return Err("attestations are not made".into());
            }
            "--provenance" | "--sbom" => {}
            "--ssh" => build.ssh.push(value),
            "--secret" => {
                let settings = settings(&value).ok_or("its secret is not clear")?;
                let known = |key: &str| {
                    settings
                        .iter()
                        .find(|(name, _)| name == key)
                        .and_then(|(_, value)| value.known())
                };
                match (known("id"), known("env"), known("src")) {
                    (Some(id), Some(name), None) => build.secrets.push((id, name)),
                    (Some(id), None, None) => build.secrets.push((id.clone(), id)),
                    _ => return Err("a secret in a file is not taken over".into()),
                }
            }
            _ => return Err(format!("`{name}` has no word in shipspec.yml")),
        }
        Ok(())
    }

    /// `KEY=value`; without a value, that of the variable.
    fn pair(&mut self, text: &Text) -> Result<(String, Text), String> {
        match text.0.first() {
            Some(Piece::Literal(first)) => match first.split_once('=') {
                Some((key, value)) => {
                    let mut rest = Text::default();
                    rest.push(Piece::Literal(value.to_owned()));
                    rest.append(Text(text.0[1..].to_vec()));
                    Ok((key.to_owned(), rest))
                }
                None if text.0.len() == 1 => Ok((first.clone(), self.lookup(first))),
                None => Err("the name of a build argument is not clear".into()),
            },
            _ => Err("the name of a build argument is not clear".into()),
        }
    }

    /// It is made from a secret, or is called so.
    fn is_secret(&self, key: &str, value: &Text) -> bool {
        let is_of_secret = |text: &Text| {
            self.variables.expand(text).0.iter().any(|piece| match piece {
                Piece::Environment(name) | Piece::Expression { name, .. } => {
                    self.variables.0.iter().any(|variable| {
                        variable.name == *name
                            && matches!(
                                variable.meaning,
                                Meaning::Parameter { is_secret: true, .. }
                            )
                    })
                }
                _ => false,
            })
        };
        shipspec_spec::scope::sounds_secret(key) || is_of_secret(value)
    }

    fn tag(&mut self, words: &[Word]) -> Result<What, String> {
        let [from, to] = words else { return Err("it is not clear what gets which name".into()) };
        let number = self.known_image(from)?;
        let to = self.evaluate(to).ok_or("only a shell knows the new name")?;
        let (repository, tag) = self.divide(&to);
        self.local.insert(self.local_name(&repository, &tag), number);
        Ok(What::Tags(number))
    }

    fn push(&mut self, words: &[Word]) -> Result<What, String> {
        let is_option = |word: &&Word| word.text.starts_with('-');
        let pushes_all = words.iter().any(|word| matches!(&*word.text, "-a" | "--all-tags"));
        let names: Vec<_> = words.iter().filter(|word| !is_option(word)).collect();
        let [name] = names.as_slice() else { return Err("it is not clear what is pushed".into()) };
        if pushes_all {
            return Err("which tags it pushes is not clear".into());
        }
        let build = self.known_image(name)?;
        let text = self.evaluate(name).ok_or("only a shell knows its name")?;
        let (repository, tag) = self.divide(&text);
        let is_open =
            matches!(self.variables.expand(&repository).0.last(), Some(Piece::Environment(_)));
        if is_open && text == repository {
            self.look(format!("`{}` has no tag here, for which Docker takes `latest`", name.text));
        }
        self.pushes.push(Push { build, repository, tag, step: self.steps.len() });
        Ok(What::Pushes(vec![build]))
    }

    fn remove(&mut self, words: &[Word]) -> Result<What, String> {
        let names: Vec<_> = words.iter().filter(|word| !word.text.starts_with('-')).collect();
        let [name] = names.as_slice() else { return Err("it removes several images".into()) };
        self.known_image(name).map(What::Removes)
    }

    fn known_image(&mut self, word: &Word) -> Result<usize, String> {
        let text = self.evaluate(word).ok_or("only a shell knows its name")?;
        let (repository, tag) = self.divide(&text);
        let name = self.local_name(&repository, &tag);
        let number = self.local.get(&name).copied();
        number.ok_or_else(|| format!("`{}` is no image whose build is understood", word.text))
    }

    /// A repository and a tag; Docker takes `latest` where there is none.
    pub(crate) fn divide(&self, name: &Text) -> (Text, Text) {
        // What is written as one variable may be both.
        let mut shown = name.clone();
        loop {
            if let Some(divided) = shown.split_last(':') {
                return divided;
            }
            let is_open = |piece: &Piece| matches!(piece, Piece::Variable(_));
            let Some(at) = shown.0.iter().rposition(is_open) else { break };
            let mut next = Text(shown.0[..at].to_vec());
            if let Piece::Variable(number) = &shown.0[at] {
                match &self.variables.0[*number].meaning {
                    Meaning::Text(text) => next.append(text.clone()),
                    Meaning::Buildspec(value) if value.contains(':') => {
                        next.push(Piece::Literal(value.clone()));
                    }
                    _ => next.push(Piece::Environment(self.variables.0[*number].name.clone())),
                }
            }
            next.append(Text(shown.0[at + 1..].to_vec()));
            shown = next;
        }
        (name.clone(), Text::literal("latest"))
    }

    pub(crate) fn local_name(&self, repository: &Text, tag: &Text) -> String {
        format!("{}:{}", self.variables.canon(repository), self.variables.canon(tag))
    }

    /// Images that commands name which stay.
    pub(crate) fn image_names(
        &mut self,
        statements: &[shipspec_shell::Statement],
        found: &mut Vec<String>,
    ) {
        use shipspec_shell::{Body, Part};
        for body in statements.iter().flat_map(|statement| &statement.pipeline) {
            match body {
                Body::Compound { inner, .. } => self.image_names(inner, found),
                Body::Simple(command) => {
                    // They ask no engine, so that a word without a tag is a repository or a service.
                    let is_far = command.split().1.first().is_some_and(|program| {
                        matches!(&*program.text, "aws" | "kubectl" | "helm")
                    });
                    for word in &command.words {
                        for part in &word.parts {
                            if let Part::Output(script) = part {
                                self.image_names(&script.statements, found);
                            }
                        }
                        let Some(text) = self.evaluate(word) else { continue };
                        let (repository, tag) = self.divide(&text);
                        let name = self.local_name(&repository, &tag);
                        if self.local.contains_key(&name) && !(is_far && repository == text) {
                            found.push(name);
                        }
                    }
                }
            }
        }
    }
}

/// `type=registry,ref=…`.
fn settings(text: &Text) -> Option<Vec<(String, Text)>> {
    let (plain, pieces) = crate::marks::marked(text);
    let pairs = plain.split(',').map(|pair| {
        let (key, value) = pair.split_once('=')?;
        Some((key.to_owned(), crate::marks::unmarked(value, &pieces)))
    });
    pairs.collect()
}

/// A setting of `--cache-to` that shipspec has a word for, or makes by itself.
fn is_of_cache_to((name, value): &(String, Text)) -> bool {
    let value = value.known();
    match &**name {
        "type" => matches!(value.as_deref(), Some("registry" | "inline")),
        "image-manifest" | "oci-mediatypes" => value.as_deref() == Some("true"),
        name => matches!(name, "ref" | "mode"),
    }
}

/// A value behind `--name=`.
fn without_name(text: &Text) -> Option<Text> {
    let Some(Piece::Literal(first)) = text.0.first() else { return None };
    let mut value = Text::default();
    value.push(Piece::Literal(first.split_once('=')?.1.to_owned()));
    value.append(Text(text.0[1..].to_vec()));
    Some(value)
}

/// A path as it is from a folder on; both begin at the same place.
pub(crate) fn relative(folder: &str, path: &str) -> String {
    let folder: Vec<_> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let path: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    let same = folder.iter().zip(&path).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", folder.len() - same);
    up.chain(path[same..].iter().copied()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::relative;

    #[test]
    fn a_path_is_told_from_the_context_on() {
        assert_eq!(relative("", "docker/Dockerfile"), "docker/Dockerfile");
        assert_eq!(relative("app", "app/Dockerfile"), "Dockerfile");
        assert_eq!(relative("app/web", "deploy/Dockerfile"), "../../deploy/Dockerfile");
    }
}
