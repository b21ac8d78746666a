//! What every name stands for, and from when on.
//!
//! Sources, the first that has the name wins: `--set` and `--values`, an artifact's `matrix:` and its
//! own `variables:`, `variables:`, `parameters:`, names that shipspec makes itself, the process
//! environment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::json;

use crate::config::{Config, Text};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expression::{EvaluationError, NameError, Names};
use crate::image::{Digest, DigestError, Repository, RepositoryError};
use crate::source::Span;
use crate::tag::{Commit, Tag, TagError, short};
use crate::value::Value;

/// The commit of the run, or why there is none.
pub type CommitSource = Result<Commit, String>;

/// Digits of a commit in the run's tag where shipspec.yml says nothing else.
const SHORT_COMMIT: usize = 7;

/// Names whose text makes a tag that belongs to one source version, and does not move.
const STEADY: [&str; 3] = ["COMMIT", "COMMIT_HASH", "IMAGE_TAG"];

/// Names that are made for a run with exactly one image.
const OF_ONE_IMAGE: [&str; 5] =
    ["IMAGE_URI", "IMAGE_DIGEST", "REPOSITORY_URI", "IMAGE_CURRENT", "IMAGE_LATEST"];

/// What names stand for, as far as the run has come.
#[derive(Debug, Clone)]
pub struct Scope {
    folder: PathBuf,
    given: Arc<BTreeMap<String, Value>>,
    matrix: BTreeMap<String, Value>,
    local: IndexMap<String, Text>,
    tag: Vec<Text>,
    variables: Arc<IndexMap<String, Text>>,
    parameters: Arc<BTreeMap<String, Option<Value>>>,
    commit: CommitSource,
    images: IndexMap<String, Option<ImageNames>>,
    environment: Arc<BTreeMap<String, String>>,
}

/// What the names of an image stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageNames {
    /// Where it is pushed to.
    pub repository: Repository,
    /// The tag that names it: its first that does not move, else its first. An image that is only
    /// known by its digest has none.
    pub tag: Option<Tag>,
    /// The digest, as far as it is known.
    pub digest: DigestState,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `--set` or `--values`.
    Given,
    /// The artifact's place in its matrix.
    Matrix,
    /// `variables:` of shipspec.yml, at this place.
    Variable(Span),
    /// `parameters:` of shipspec.yml.
    Parameter,
    /// shipspec made it.
    ToolMade,
    /// The process environment.
    Environment,
}

/// What texts need to know of images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageNeeds {
    /// At least where they are.
    pub names: bool,
    /// The images whose digest must be known.
    pub digests: BTreeSet<String>,
}

/// Whether the digest of an image is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DigestState {
    /// It will be, when the registry has taken the image.
    Later,
    /// It will not be, for this reason.
    Never(String),
    /// The registry confirmed it.
    Known(Digest),
}

impl Scope {
    /// What is known before anything was asked or done.
    #[must_use]
    pub fn new(
        config: &Config,
        environment: BTreeMap<String, String>,
        commit: CommitSource,
    ) -> Self {
        let parameters = config.parameters.keys().map(|name| (name.clone(), None));
        Self {
            folder: PathBuf::new(),
            given: Arc::default(),
            matrix: BTreeMap::new(),
            local: IndexMap::new(),
            tag: config.tag.clone(),
            variables: Arc::new(config.variables.clone()),
            parameters: Arc::new(parameters.collect()),
            commit,
            images: config.images.keys().map(|name| (name.clone(), None)).collect(),
            environment: Arc::new(environment),
        }
    }

    /// The same scope, in which `--set` and `--values` win over everything, and expressions may read
    /// the files of `folder`.
    #[must_use]
    pub fn with_given(mut self, given: BTreeMap<String, Value>, folder: PathBuf) -> Self {
        self.given = Arc::new(given);
        self.folder = folder;
        self
    }

    /// The scope of one artifact: its place in the matrix, and its own variables.
    #[must_use]
    pub fn of_artifact(
        &self,
        matrix: BTreeMap<String, Value>,
        variables: &IndexMap<String, Text>,
    ) -> Self {
        Self { matrix, local: variables.clone(), ..self.clone() }
    }

    /// Variables that need themselves, each told once, with its place.
    #[must_use]
    pub fn cycles(&self) -> Diagnostics {
        let mut found = Diagnostics::default();
        let mut told = BTreeSet::new();
        for (name, text) in &*self.variables {
            let Err(NameError::Cycle(cycle)) = self.resolve(name) else { continue };
            if told.insert(BTreeSet::from_iter(cycle.clone())) {
                let error = NameError::Cycle(cycle);
                found.push(Diagnostic::at(text.span().clone(), error.to_string()));
            }
        }
        found
    }

    /// Takes the values of parameters, by the names that shipspec.yml gives them.
    pub fn set_parameters(&mut self, values: BTreeMap<String, Value>) {
        let parameters = Arc::make_mut(&mut self.parameters);
        parameters.extend(values.into_iter().map(|(name, value)| (name, Some(value))));
    }

    /// Takes what is known of an image.
    pub fn set_image(&mut self, name: &str, known: ImageNames) {
        self.images.insert(name.to_owned(), Some(known));
    }

    /// What is known of an image.
    #[must_use]
    pub fn image(&self, name: &str) -> Option<&ImageNames> {
        self.images.get(name)?.as_ref()
    }

    /// The tag is made from the source version, so that it names one image for good; any other tag
    /// is moving.
    #[must_use]
    pub fn is_steady(&self, tag: &Text) -> bool {
        self.closure(tag.references()).iter().any(|name| STEADY.contains(&&**name))
    }

    /// What `references` need to know of images.
    #[must_use]
    pub fn image_needs(&self, references: BTreeSet<String>) -> ImageNeeds {
        let mut needs = ImageNeeds::default();
        for name in self.closure(references) {
            let mut parts = name.split('.');
            let asked = (parts.next().unwrap_or_default(), parts.next(), parts.next());
            needs.names |= asked.0 == "images" || OF_ONE_IMAGE.contains(&asked.0);
            match asked {
                ("images", Some(image), None | Some("digest" | "pinned")) => {
                    needs.digests.insert(image.to_owned());
                }
                ("images", None, _) | ("IMAGE_DIGEST", ..) => {
                    needs.digests.extend(self.images.keys().cloned());
                }
                _ => {}
            }
        }
        needs
    }

    /// The names, and all that the texts of variables among them name in their turn. What is left
    /// are names of other sources, except that a variable may stand for itself.
    fn closure(&self, references: BTreeSet<String>) -> BTreeSet<String> {
        let (mut seen, mut open) = (BTreeSet::new(), Vec::from_iter(references));
        while let Some(name) = open.pop() {
            let root = name.split('.').next().unwrap_or(&name);
            let text = self.local.get(root).or_else(|| self.variables.get(root));
            if seen.insert(name.clone()) {
                open.extend(text.into_iter().flat_map(Text::references));
            }
        }
        seen
    }

    /// Every source that has a value for a name, the one that wins first.
    #[must_use]
    pub fn origins(&self, name: &str) -> Vec<Origin> {
        let frame = Frame { scope: self, inside: None };
        let is_made = matches!(frame.tool_made(name), Ok(Some(_)) | Err(NameError::Later { .. }));
        let variable = |texts: &IndexMap<String, Text>| {
            texts.get(name).map(|text| Origin::Variable(text.span().clone()))
        };
        let origins = [
            self.given.contains_key(name).then_some(Origin::Given),
            self.matrix.contains_key(name).then_some(Origin::Matrix),
            variable(&self.local),
            variable(&self.variables),
            self.parameters.contains_key(name).then_some(Origin::Parameter),
            is_made.then_some(Origin::ToolMade),
            self.environment.contains_key(name).then_some(Origin::Environment),
        ];
        origins.into_iter().flatten().collect()
    }

    /// Every name that `references` lead to, those inside of variables included.
    #[must_use]
    pub fn names(&self, references: BTreeSet<String>) -> BTreeSet<String> {
        self.closure(references)
    }

    /// Names of the environment that shipspec makes itself, with another value: its own is used.
    #[must_use]
    pub fn overruled(&self) -> Vec<String> {
        let made = STEADY.iter().chain(&OF_ONE_IMAGE).map(|name| (*name).to_owned());
        let differs = |name: &String| {
            let frame = Frame { scope: self, inside: None };
            let value = frame.tool_made(name).ok().flatten().and_then(|value| value.text());
            value.is_some_and(|value| {
                self.environment.get(name).is_some_and(|other| *other != value)
            })
        };
        made.filter(differs).collect()
    }
}

impl Names for Scope {
    fn resolve(&self, reference: &str) -> Result<Value, NameError> {
        Frame { scope: self, inside: None }.resolve(reference)
    }

    fn known(&self) -> Vec<String> {
        let given = self.given.keys().chain(self.matrix.keys()).chain(self.local.keys());
        let keys = given.chain(self.variables.keys()).chain(self.parameters.keys());
        let keys = keys.chain(self.environment.keys()).cloned();
        let made = STEADY.iter().chain(&OF_ONE_IMAGE).map(|name| (*name).to_owned());
        let names: BTreeSet<_> = keys.chain(made).chain(["images".to_owned()]).collect();
        names.into_iter().filter(|name| self.resolve(name).is_ok()).collect()
    }

    fn folder(&self) -> Option<&Path> {
        Some(&self.folder)
    }
}

/// The scope as it is seen from inside a name whose text is being filled.
struct Frame<'a> {
    scope: &'a Scope,
    inside: Option<(Key<'a>, &'a Frame<'a>)>,
}

/// A name whose text is being filled, and where that text is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key<'a> {
    layer: Layer,
    name: &'a str,
}

/// Sources that are texts, from the one that wins on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    Local,
    File,
    Made,
}

impl Names for Frame<'_> {
    fn resolve(&self, reference: &str) -> Result<Value, NameError> {
        let scope = self.scope;
        let name = reference.split('.').next().unwrap_or(reference);
        if let Some(value) = scope.given.get(name).or_else(|| scope.matrix.get(name)) {
            return Ok(value.clone());
        }
        // Inside a text its own name means the next source down.
        let own = self.inside.map(|(key, _)| key);
        for (layer, texts) in [(Layer::Local, &scope.local), (Layer::File, &*scope.variables)] {
            let is_own = own.is_some_and(|own| own.name == name && own.layer >= layer);
            if let Some((name, text)) = texts.get_key_value(name)
                && !is_own
            {
                let key = Key { layer, name };
                return self.fill(key, text).map_err(|error| inside(name, error));
            }
        }
        match scope.parameters.get(name) {
            Some(Some(value)) => return Ok(value.clone()),
            Some(None) => {
                let stage = "the parameters are fetched";
                return Err(NameError::Later { name: name.into(), stage });
            }
            None => {}
        }
        let missing = match self.tool_made(reference) {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => NameError::Unset(name.into()),
            Err(error @ NameError::Never { .. }) => error,
            Err(error) => return Err(error),
        };
        let value = scope.environment.get(name).map(|text| Value::plain(text.clone()));
        value.ok_or(missing)
    }

    fn known(&self) -> Vec<String> {
        self.scope.known()
    }

    fn folder(&self) -> Option<&Path> {
        self.scope.folder()
    }
}

/// A name that shipspec makes from a text of `tag:`.
fn made(name: &'static str) -> Key<'static> {
    Key { layer: Layer::Made, name }
}

fn inside(name: &str, error: EvaluationError) -> NameError {
    match error {
        EvaluationError::Name(error @ (NameError::Cycle(_) | NameError::Later { .. })) => error,
        inner => NameError::Inside { name: name.into(), inner: Box::new(inner) },
    }
}

impl Frame<'_> {
    fn fill(&self, key: Key<'_>, text: &Text) -> Result<Value, EvaluationError> {
        let open = self.open_keys();
        if let Some(start) = open.iter().position(|open| *open == key) {
            let names = open[start..].iter().chain([&key]).map(|key| key.name.to_owned());
            return Err(NameError::Cycle(names.collect()).into());
        }
        text.value(&Frame { scope: self.scope, inside: Some((key, self)) })
    }

    /// The names whose texts are being filled, the outermost first.
    fn open_keys(&self) -> Vec<Key<'_>> {
        let mut keys = Vec::new();
        let mut frame = self;
        while let Some((key, outer)) = frame.inside {
            keys.push(key);
            frame = outer;
        }
        keys.reverse();
        keys
    }

    /// The value of a name that shipspec makes itself; `None` if it makes none of that name.
    fn tool_made(&self, reference: &str) -> Result<Option<Value>, NameError> {
        let name = reference.split('.').next().unwrap_or(reference);
        match name {
            "COMMIT" => self.commit(name).map(|commit| Some(Value::tool_made(commit.as_str()))),
            "COMMIT_HASH" => self.commit_hash().map(Some),
            "IMAGE_TAG" => self.run_tag().map(Some),
            "images" => self.images(reference).map(Some),
            _ if OF_ONE_IMAGE.contains(&name) => self.of_one_image(name),
            _ => Ok(None),
        }
    }

    fn commit(&self, name: &str) -> Result<&Commit, NameError> {
        let reason =
            |reason: &String| NameError::Never { name: name.into(), reason: reason.clone() };
        self.scope.commit.as_ref().map_err(reason)
    }

    fn commit_hash(&self) -> Result<Value, NameError> {
        let commit = self.commit("COMMIT_HASH")?;
        let entry = self.scope.tag.iter().find(|entry| entry.references().contains("COMMIT"));
        match entry {
            Some(entry) => {
                self.fill(made("COMMIT_HASH"), entry).map_err(|error| inside("tag", error))
            }
            None => Ok(Value::tool_made(short(commit.as_str(), SHORT_COMMIT))),
        }
    }

    /// The first entry of `tag:` that has a value and is not empty.
    fn run_tag(&self) -> Result<Value, NameError> {
        let never = |reason: String| NameError::Never { name: "IMAGE_TAG".into(), reason };
        if self.scope.tag.is_empty() {
            let commit = self.commit("IMAGE_TAG")?;
            return Ok(Value::tool_made(short(commit.as_str(), SHORT_COMMIT)));
        }
        for entry in &self.scope.tag {
            match self.fill(made("IMAGE_TAG"), entry) {
                Ok(value) => match value.text() {
                    Some(text) if !text.is_empty() => {
                        return Ok(Value::made_from(text.into(), [&value]).into_tool_made());
                    }
                    _ => {}
                },
                Err(EvaluationError::Name(NameError::Unset(_) | NameError::Never { .. })) => {}
                Err(error) => return Err(inside("tag", error)),
            }
        }
        Err(never("no entry of `tag:` has one".into()))
    }

    fn images(&self, reference: &str) -> Result<Value, NameError> {
        let mut parts = reference.split('.').skip(1);
        let asked = (parts.next(), parts.next());
        let mut all = serde_json::Map::new();
        for (name, known) in &self.scope.images {
            let is_asked = asked.0 == Some(name);
            let Some(known) = known else {
                if is_asked {
                    let stage = "the images are planned";
                    return Err(NameError::Later { name: reference.into(), stage });
                }
                continue;
            };
            if is_asked && matches!(asked.1, Some("digest" | "pinned")) {
                known.digest(reference)?;
            }
            all.insert(name.clone(), known.values());
        }
        Ok(Value::tool_made(all))
    }

    fn of_one_image(&self, name: &str) -> Result<Option<Value>, NameError> {
        let mut images = self.scope.images.values();
        let (Some(image), None) = (images.next(), images.next()) else { return Ok(None) };
        let Some(image) = image else {
            let stage = "the images are planned";
            return Err(NameError::Later { name: name.into(), stage });
        };
        let text = match name {
            "IMAGE_DIGEST" => image.digest(name)?.to_string(),
            "REPOSITORY_URI" => image.repository.to_string(),
            "IMAGE_LATEST" => format!("{}:latest", image.repository),
            _ => image.uri(),
        };
        Ok(Some(Value::tool_made(text)))
    }
}

impl ImageNames {
    /// Reads a whole reference: `registry/repository:tag`, `…@sha256:…`, or both.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn parse(reference: &str) -> Result<Self, String> {
        let (rest, digest) = match reference.split_once('@') {
            Some((rest, digest)) => {
                let digest = digest.parse().map_err(|error: DigestError| error.to_string())?;
                (rest, DigestState::Known(digest))
            }
            None => (reference, DigestState::Never("its reference was given without one".into())),
        };
        // A colon before the last slash belongs to the port of the registry.
        let name_start = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (repository, tag) = match rest[name_start..].find(':') {
            Some(colon) => (&rest[..name_start + colon], Some(&rest[name_start + colon + 1..])),
            None => (rest, None),
        };
        let tag =
            tag.map(|tag| tag.parse().map_err(|error: TagError| error.to_string())).transpose()?;
        if tag.is_none() && !matches!(digest, DigestState::Known(_)) {
            return Err(format!("`{reference}` has neither a tag nor a digest"));
        }
        let repository = repository.parse().map_err(|error: RepositoryError| error.to_string())?;
        Ok(Self { repository, tag, digest })
    }

    /// The reference by tag, or by digest where there is no tag.
    fn uri(&self) -> String {
        match (&self.tag, &self.digest) {
            (Some(tag), _) => self.repository.tagged(tag),
            (None, DigestState::Known(digest)) => self.repository.pinned(digest),
            (None, _) => self.repository.to_string(),
        }
    }

    fn digest(&self, name: &str) -> Result<&Digest, NameError> {
        match &self.digest {
            DigestState::Known(digest) => Ok(digest),
            DigestState::Later => Err(NameError::Later {
                name: name.into(),
                stage: "the registry has taken the image",
            }),
            DigestState::Never(reason) => {
                Err(NameError::Never { name: name.into(), reason: reason.clone() })
            }
        }
    }

    fn values(&self) -> serde_json::Value {
        let mut values = json!({
            "uri": self.uri(),
            "repository": self.repository.name,
            "registry": self.repository.registry.as_str(),
        });
        if let Some(tag) = &self.tag {
            values["tag"] = tag.as_str().into();
        }
        if let DigestState::Known(digest) = &self.digest {
            values["digest"] = digest.as_str().into();
            values["pinned"] = self.repository.pinned(digest).into();
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn scope(text: &str, environment: &[(&str, &str)]) -> Scope {
        let config =
            Config::parse(&Source::new("shipspec.yml", format!("version: 1\n{text}"))).unwrap();
        let environment =
            environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Scope::new(&config, environment, Ok(Commit::parse(COMMIT).unwrap()))
    }

    fn get(scope: &Scope, text: &str) -> Result<String, String> {
        let text = Text::parse("test", text).unwrap();
        text.value(scope).map(|value| value.text().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_nearest_source_wins() {
        let scope = scope(
            "variables: { A: a, STAGE: \"${STAGE:-dev}\", B: \"${A}/${STAGE}\" }",
            &[("A", "env"), ("C", "c"), ("COMMIT", "env")],
        );
        assert_eq!(get(&scope, "${A} ${C} ${B}").as_deref(), Ok("a c a/dev"));
        assert_eq!(get(&scope, "${COMMIT}").as_deref(), Ok(COMMIT));
        assert_eq!(scope.overruled(), ["COMMIT"]);
    }

    #[test]
    fn inside_a_variable_its_own_name_is_the_next_source_down() {
        let scope = scope("variables: { STAGE: \"${STAGE:-dev}\" }", &[("STAGE", "prod")]);
        assert_eq!(get(&scope, "${STAGE}").as_deref(), Ok("prod"));
    }

    #[test]
    fn an_artifact_has_names_of_its_own_above_those_of_the_file() {
        let scope = scope("variables: { NAME: file, V: \"${NAME}!\" }", &[("NAME", "env")]);
        let own =
            IndexMap::from([("NAME".to_owned(), Text::parse("test", "${color}-${NAME}").unwrap())]);
        let matrix = BTreeMap::from([("color".to_owned(), Value::plain("blue"))]);
        let artifact = scope.of_artifact(matrix, &own);
        assert_eq!(get(&artifact, "${NAME} ${V}").as_deref(), Ok("blue-file blue-file!"));
        let given = BTreeMap::from([("NAME".to_owned(), Value::plain("set"))]);
        let given = artifact.with_given(given, PathBuf::new());
        assert_eq!(get(&given, "${NAME}").as_deref(), Ok("set"));
        assert_eq!(given.origins("NAME").len(), 4);
    }

    #[test]
    fn cycles_are_found_without_asking_for_their_names() {
        let found = scope("variables: { A: \"${B}\", B: \"${A}\", C: x }", &[]).cycles();
        assert_eq!(found.to_string(), "shipspec.yml:2:17: `A` needs itself: A → B → A");
    }

    #[test]
    fn cycles_are_named_whole() {
        let scope = scope("variables: { A: \"${B}\", B: \"${C}\", C: \"${B}\" }", &[]);
        assert_eq!(get(&scope, "${A}").unwrap_err(), "`B` needs itself: B → C → B");
        let scope = self::scope("tag: \"${IMAGE_TAG}\"", &[]);
        assert_eq!(
            get(&scope, "${IMAGE_TAG}").unwrap_err(),
            "`IMAGE_TAG` needs itself: IMAGE_TAG → IMAGE_TAG"
        );
    }

    #[test]
    fn the_runs_tag_is_the_first_entry_with_a_value() {
        let tag =
            |tag: &str, environment: &[(&str, &str)]| get(&scope(tag, environment), "${IMAGE_TAG}");
        assert_eq!(tag("", &[]).as_deref(), Ok("0123456"));
        assert_eq!(
            tag("tag: [\"${RELEASE}\", \"${COMMIT | short(8)}\"]", &[]).as_deref(),
            Ok("01234567")
        );
        assert_eq!(tag("tag: [\"${RELEASE}\", x]", &[("RELEASE", "")]).as_deref(), Ok("x"));
        assert_eq!(tag("tag: [\"${RELEASE}\", x]", &[("RELEASE", "v1")]).as_deref(), Ok("v1"));
        assert_eq!(
            tag("tag: \"${RELEASE}\"", &[]).unwrap_err(),
            "`IMAGE_TAG` has no value: no entry of `tag:` has one"
        );
        let eight = scope("tag: [\"${RELEASE}\", \"${COMMIT | short(8)}\"]", &[]);
        assert_eq!(get(&eight, "${COMMIT_HASH}").as_deref(), Ok("01234567"));
    }

    #[test]
    fn without_a_commit_the_environment_is_asked_and_the_reason_told() {
        let mut scope = scope("", &[("COMMIT_HASH", "given")]);
        scope.commit = Err("the source version `x` is no commit".into());
        assert_eq!(get(&scope, "${COMMIT_HASH}").as_deref(), Ok("given"));
        assert_eq!(
            get(&scope, "${IMAGE_TAG}").unwrap_err(),
            "`IMAGE_TAG` has no value: the source version `x` is no commit"
        );
        assert_eq!(get(&scope, "${IMAGE_TAG:-none}").as_deref(), Ok("none"));
    }

    #[test]
    fn tags_move_unless_they_are_made_from_the_commit() {
        let scope = scope("variables: { V: \"v${COMMIT_HASH}\", STAGE: dev }", &[]);
        let steady = |text: &str| scope.is_steady(&Text::parse("test", text).unwrap());
        assert!(steady("${IMAGE_TAG}") && steady("x-${V}") && steady("${COMMIT | short(9)}"));
        assert!(!steady("latest") && !steady("${STAGE}") && !steady("${RELEASE}"));
    }

    #[test]
    fn what_texts_need_of_images_is_known_before() {
        let scope = scope(
            "variables: { PIN: \"${images.app.pinned}\" }\nimages: { app: { repository: r.example/a }, b: { repository: r.example/b } }",
            &[],
        );
        let needs = |text: &str| scope.image_needs(Text::parse("test", text).unwrap().references());
        assert_eq!(needs("${HOME}"), ImageNeeds::default());
        assert!(needs("${images.app.uri}").names && needs("${images.app.uri}").digests.is_empty());
        assert_eq!(needs("${PIN}").digests.into_iter().collect::<Vec<_>>(), ["app"]);
        assert_eq!(needs("${images}").digests.len(), 2);
    }

    #[test]
    fn a_given_reference_is_taken_apart() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let read = |text: &str| ImageNames::parse(text).map(|names| names.values());
        assert_eq!(read("r.example:5000/a/b:1").unwrap()["uri"], "r.example:5000/a/b:1");
        let pinned = format!("r.example/a@{digest}");
        assert_eq!(read(&pinned).unwrap()["uri"], *pinned);
        assert_eq!(read(&pinned).unwrap()["digest"], *digest);
        assert_eq!(
            read("r.example:5000/a").unwrap_err(),
            "`r.example:5000/a` has neither a tag nor a digest"
        );
        assert!(read("r.example/a:b c").is_err() && read("r.example/a@sha256:1").is_err());
    }

    #[test]
    fn names_of_images_are_known_from_their_stage_on() {
        let mut scope = scope("images: { app: { repository: r.example/web } }", &[]);
        assert!(get(&scope, "${IMAGE_URI}").unwrap_err().contains("not known before"));
        let names = ImageNames {
            repository: "r.example/web".parse().unwrap(),
            tag: Some("1".parse().unwrap()),
            digest: DigestState::Later,
        };
        scope.set_image("app", names.clone());
        assert_eq!(
            get(&scope, "${images.app.uri} ${IMAGE_LATEST}").as_deref(),
            Ok("r.example/web:1 r.example/web:latest")
        );
        let error = get(&scope, "${images.app.pinned}").unwrap_err();
        assert_eq!(
            error,
            "`images.app.pinned` is not known before the registry has taken the image"
        );
        let digest: Digest = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
        scope.set_image("app", ImageNames { digest: DigestState::Known(digest.clone()), ..names });
        assert_eq!(get(&scope, "${images.app.pinned}"), Ok(format!("r.example/web@{digest}")));
        assert_eq!(
            get(&scope, "${images.ap.uri}").unwrap_err(),
            "`images` has no `ap`; did you mean `images.app`?"
        );
    }
}
