//! Texts in the words of shipspec.yml: which variable keeps its name, and which tag is the run's.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::text::{Meaning, Piece, Text};
use crate::walk::Walk;

/// Names that shipspec makes itself.
const MADE: [&str; 9] = [
    "COMMIT",
    "COMMIT_HASH",
    "IMAGE_TAG",
    "IMAGE_URI",
    "IMAGE_DIGEST",
    "IMAGE_CURRENT",
    "IMAGE_LATEST",
    "REPOSITORY_URI",
    "images",
];

/// Writes texts, and knows what was needed for them.
pub(crate) struct Names<'a> {
    walk: &'a Walk<'a>,
    /// The run's tag, if it is another one than the first seven digits of the commit.
    pub(crate) tag: Option<Text>,
    canon: String,
    /// Variables that keep their names.
    shared: BTreeSet<usize>,
    /// Variables that were written by their names.
    pub(crate) used: RefCell<BTreeSet<usize>>,
    /// Names that come from elsewhere.
    pub(crate) read: RefCell<BTreeSet<String>>,
}

/// `${COMMIT | short(7)}`, what a run's tag is where nothing else is said.
fn default_tag() -> Text {
    Text::of(Piece::Expression { name: "COMMIT".into(), filters: " | short(7)".into() })
}

impl<'a> Names<'a> {
    /// `texts` are all that will be written.
    pub(crate) fn new(walk: &'a Walk<'a>, tags: &[&Text], texts: &[&Text]) -> Self {
        let tag = run_tag(walk, tags, texts).unwrap_or_else(default_tag);
        let canon = walk.variables.canon(&tag);
        let is_default = canon == walk.variables.canon(&default_tag());
        let mut counts = vec![0_usize; walk.variables.0.len()];
        for text in tags.iter().chain(texts) {
            count(walk, text, &mut counts);
        }
        let is_shared = |number: &usize| {
            let variable = &walk.variables.0[*number];
            counts[*number] > 1 && is_alone(walk, *number) && !MADE.contains(&&*variable.name)
        };
        let shared = (0..counts.len()).filter(is_shared).collect();
        let tag = (!is_default).then_some(tag);
        Self { walk, tag, canon, shared, used: RefCell::default(), read: RefCell::default() }
    }

    /// The text as shipspec.yml has it.
    pub(crate) fn write(&self, text: &Text) -> String {
        if self.is_run_tag(text) {
            return "${IMAGE_TAG}".into();
        }
        text.0.iter().map(|piece| self.piece(piece)).collect()
    }

    /// Takes note of the names in a path.
    pub(crate) fn read_in(&self, path: &str) {
        let found = shipspec_check::buildspec::used_in(path);
        self.read.borrow_mut().extend(found.into_iter().map(|(name, _)| name.to_owned()));
    }

    pub(crate) fn is_run_tag(&self, text: &Text) -> bool {
        self.walk.variables.canon(text) == self.canon
    }

    /// The entries of `tag:`.
    pub(crate) fn tag_entries(&self) -> Vec<String> {
        let Some(tag) = &self.tag else { return Vec::new() };
        let expanded = self.walk.variables.expand(tag);
        let alternatives = match expanded.only() {
            Some(Piece::Either(commit, other)) => vec![commit.clone(), other.clone()],
            _ => vec![expanded],
        };
        alternatives
            .iter()
            .map(|text| text.0.iter().map(|piece| self.open(piece)).collect())
            .collect()
    }

    fn piece(&self, piece: &Piece) -> String {
        if self.is_run_tag(&Text::of(piece.clone())) {
            return "${IMAGE_TAG}".into();
        }
        self.open(piece)
    }

    fn open(&self, piece: &Piece) -> String {
        let known = |name: &str| {
            self.read.borrow_mut().insert(name.to_owned());
        };
        match piece {
            Piece::Literal(text) => text.replace("${", "$${"),
            Piece::Environment(name) => {
                known(name);
                format!("${{{name}}}")
            }
            Piece::Expression { name, filters } => {
                known(name);
                format!("${{{name}{filters}}}")
            }
            Piece::Default { name, sign, text } => {
                known(name);
                format!("${{{name}{sign}{}}}", self.write(text))
            }
            Piece::Either(commit, _) => self.write(commit),
            Piece::Variable(number) => self.variable(*number),
        }
    }

    fn variable(&self, number: usize) -> String {
        let variable = &self.walk.variables.0[number];
        match &variable.meaning {
            Meaning::Text(_) if self.shared.contains(&number) => {
                self.used.borrow_mut().insert(number);
                format!("${{{}}}", variable.name)
            }
            Meaning::Text(text) => self.write(text),
            _ => {
                self.read.borrow_mut().insert(variable.name.clone());
                format!("${{{}}}", variable.name)
            }
        }
    }

    /// What a variable is made from, as `variables:` has it.
    pub(crate) fn definition(&self, number: usize) -> String {
        match &self.walk.variables.0[number].meaning {
            Meaning::Text(text) => self.write(text),
            _ => String::new(),
        }
    }
}

/// The name means this and nothing else in the whole buildspec.
pub(crate) fn is_alone(walk: &Walk<'_>, number: usize) -> bool {
    let name = &walk.variables.0[number].name;
    walk.variables.count(name) == 1 && !walk.foreign.contains(name)
}

/// It is one of the names that shipspec makes.
pub(crate) fn is_made(name: &str) -> bool {
    MADE.contains(&name)
}

fn count(walk: &Walk<'_>, text: &Text, counts: &mut [usize]) {
    for piece in &text.0 {
        match piece {
            Piece::Variable(number) => {
                counts[*number] += 1;
                // What stands in a variable stands there once, however often that is used.
                if counts[*number] == 1
                    && let Meaning::Text(text) = &walk.variables.0[*number].meaning
                {
                    count(walk, text, counts);
                }
            }
            Piece::Default { text, .. } => count(walk, text, counts),
            _ => {}
        }
    }
}

/// The tag that makes a run's images others than those of another run.
fn run_tag(walk: &Walk<'_>, tags: &[&Text], texts: &[&Text]) -> Option<Text> {
    let environment = Piece::Environment("IMAGE_TAG".into());
    let asks = |text: &&Text| walk.variables.expand(text).0.contains(&environment);
    if tags.iter().chain(texts).any(asks) {
        return Some(Text::of(environment));
    }
    let open = |piece: &Piece| {
        let text = walk.variables.expand(&Text::of(piece.clone()));
        text.known().is_none().then_some(text)
    };
    let is_named = |piece: &&Piece| match piece {
        Piece::Variable(number) => walk.variables.0[*number].name == "IMAGE_TAG",
        _ => false,
    };
    let pieces = || tags.iter().flat_map(|tag| &tag.0);
    let named = pieces().filter(is_named).find_map(open);
    // A whole tag, or a part that comes from the commit or the build.
    let whole = || tags.iter().find_map(|tag| tag.only().and_then(open));
    let of_build = |text: &Text| {
        text.0.iter().any(|piece| match piece {
            Piece::Expression { name, .. } | Piece::Environment(name) => {
                name == "COMMIT" || name.starts_with("CODEBUILD_")
            }
            Piece::Either(..) => true,
            _ => false,
        })
    };
    let part = || pieces().filter_map(open).find(of_build);
    named.or_else(whole).or_else(part)
}
