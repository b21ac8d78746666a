//! Names that get another value behind the place where an image or a file used them. shipspec reads the
//! environment once, so it would see the last one for all of them.

use std::collections::BTreeSet;

use shipspec_check::buildspec::used_in;

use crate::files::{Content, FileStep, Fills, Source};
use crate::images::Build;
use crate::json::Json;
use crate::text::{Meaning, Piece, Text, Variable};
use crate::walk::{Walk, What};

impl Walk<'_> {
    /// The image of this number uses a value that is another one later on.
    pub(crate) fn uses_overwritten(&self, build: usize) -> bool {
        let place = self.steps.iter().position(|step| step.what == What::Builds(build));
        let Some(place) = place else { return false };
        let mut names = BTreeSet::new();
        self.names_of_build(&self.builds[build], &mut names);
        let is_pushed_so = self.live_pushes().filter(|push| push.build == build).any(|push| {
            let mut names = BTreeSet::new();
            self.names_of(&push.repository, &mut names);
            self.names_of(&push.tag, &mut names);
            self.are_overwritten(&names, push.step)
        });
        is_pushed_so || self.are_overwritten(&names, place)
    }

    /// The image of this number is pushed by a name of which a part is given behind the build, and behind a
    /// command that stays. shipspec asks for all names before it builds, and would do so behind that command.
    pub(crate) fn is_named_late(&self, build: usize) -> bool {
        let Some(place) = self.steps.iter().position(|step| step.what == What::Builds(build))
        else {
            return false;
        };
        let given = self.shell_names(&self.names_of_image(build)).into_iter();
        let late = given.map(|(_, step)| step).filter(|step| *step > place).max();
        late.is_some_and(|step| self.steps[place + 1..=step].iter().any(|step| self.divides(step)))
    }

    /// Names that the images need which shipspec builds.
    pub(crate) fn names_of_images(&self) -> BTreeSet<String> {
        self.live_pushes().flat_map(|push| self.names_of_image(push.build)).collect()
    }

    fn names_of_image(&self, build: usize) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        self.names_of_build(&self.builds[build], &mut names);
        for push in self.live_pushes().filter(|push| push.build == build) {
            self.names_of(&push.repository, &mut names);
            self.names_of(&push.tag, &mut names);
        }
        names
    }

    /// The file of this number does, where it is written for the first time.
    pub(crate) fn file_uses_overwritten(&self, number: usize) -> bool {
        let place = self.steps.iter().position(|step| step.what == What::Writes(number));
        let mut names = BTreeSet::new();
        self.names_of_file(&self.files[number], &mut names);
        place.is_some_and(|place| self.are_overwritten(&names, place))
    }

    fn are_overwritten(&self, names: &BTreeSet<String>, place: usize) -> bool {
        names.iter().any(|name| {
            let given = || self.variables.0.iter().filter(|it| it.name == *name && self.lasts(it));
            let is_later = given().any(|variable| variable.step.is_some_and(|step| step > place));
            let is_parameter = |it: &Variable| matches!(it.meaning, Meaning::Parameter { .. });
            is_later || given().count() > 1 && given().any(is_parameter)
        })
    }

    /// The value reaches shipspec by its name.
    fn lasts(&self, variable: &Variable) -> bool {
        let Meaning::Text(text) = &variable.meaning else { return true };
        let says_the_same = match self.variables.expand(text).only() {
            // `TAG=${TAG:-dev}` comes to the same once more.
            Some(Piece::Environment(name) | Piece::Default { name, sign: ":-" | "-", .. }) => {
                *name == variable.name
            }
            _ => false,
        };
        let is_kept = variable.step.and_then(|step| self.steps.get(step));
        !says_the_same && is_kept.is_some_and(crate::walk::Step::is_kept)
    }

    fn names_of_build(&self, build: &Build, names: &mut BTreeSet<String>) {
        let pairs = [&build.args, &build.secret_args, &build.labels, &build.hosts, &build.cache_to];
        let pairs = pairs.into_iter().flatten().map(|(_, text)| text);
        let options = [&build.target, &build.platform, &build.network].into_iter().flatten();
        for text in pairs.chain(options).chain(&build.cache_from).chain(&build.ssh) {
            self.names_of(text, names);
        }
        names.extend(build.secrets.iter().map(|(_, name)| name.clone()));
        for path in [Some(&build.context), build.dockerfile.as_ref()].into_iter().flatten() {
            names.extend(used_in(path).into_iter().map(|(name, _)| name.to_owned()));
        }
    }

    fn names_of_file(&self, file: &FileStep, names: &mut BTreeSet<String>) {
        let template = match &file.content {
            Content::Json(json) => return self.names_of_json(json, names),
            Content::Template(template) => template,
        };
        for (_, text) in &template.placeholders {
            self.names_of(text, names);
        }
        match &template.source {
            Source::Text(text) => self.names_of(text, names),
            Source::Path(_) if template.fills == Fills::Nothing => {}
            Source::Path(path) => {
                let text = (self.read)(path).unwrap_or_default();
                for (name, _) in used_in(&text) {
                    match file.names.get(name).map(|number| &self.variables.0[*number].meaning) {
                        Some(Meaning::Text(text)) => self.names_of(text, names),
                        _ => drop(names.insert(name.to_owned())),
                    }
                }
            }
        }
    }

    fn names_of_json(&self, json: &Json, names: &mut BTreeSet<String>) {
        match json {
            Json::Text(text) => self.names_of(text, names),
            Json::List(items) => items.iter().for_each(|item| self.names_of_json(item, names)),
            Json::Map(entries) => {
                for (_, value) in entries {
                    self.names_of_json(value, names);
                }
            }
            Json::Bare(_) => {}
        }
    }

    /// Names of the environment that a text comes to.
    fn names_of(&self, text: &Text, names: &mut BTreeSet<String>) {
        for piece in &self.variables.expand(text).0 {
            match piece {
                Piece::Environment(name) | Piece::Expression { name, .. } => {
                    names.insert(name.clone());
                }
                Piece::Default { name, text, .. } => {
                    names.insert(name.clone());
                    self.names_of(text, names);
                }
                Piece::Either(first, second) => {
                    self.names_of(first, names);
                    self.names_of(second, names);
                }
                Piece::Literal(_) | Piece::Variable(_) => {}
            }
        }
    }
}
