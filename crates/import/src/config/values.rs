//! `parameters:` and `variables:`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Writer;
use crate::names::is_made;
use crate::text::Meaning;
use crate::walk::What;
use crate::yaml::scalar;

impl Writer<'_> {
    /// Variables that keep their names.
    pub(super) fn variables(&self) -> String {
        let mut lines: BTreeMap<usize, String> = BTreeMap::new();
        loop {
            let used = self.names.used.borrow().clone();
            let open: Vec<_> = used.into_iter().filter(|it| !lines.contains_key(it)).collect();
            if open.is_empty() {
                break;
            }
            for number in open {
                let name = &self.walk.variables.0[number].name;
                let text = scalar(&self.names.definition(number), false);
                lines.insert(number, format!("  {name}: {text}\n"));
            }
        }
        let name = |number: &usize| self.walk.variables.0[*number].name.clone();
        let mut told: BTreeSet<_> = lines.keys().map(name).collect();
        let mut text: String = lines.into_values().collect();
        for (name, value) in &self.globals {
            if told.insert(name.clone()) {
                let _ = writeln!(text, "  {name}: {}", scalar(value, false));
            }
        }
        text
    }

    /// Who signs in elsewhere than at ECR.
    pub(super) fn registries(&self) -> String {
        let mut text = String::new();
        let mut told = BTreeSet::new();
        for (number, login) in self.walk.logins.iter().enumerate() {
            let is_live = self.walk.steps.iter().any(|step| step.what == What::SignsInAt(number));
            if is_live && told.insert(&login.host) {
                let user = scalar(&self.names.write(&login.user), false);
                self.names.read.borrow_mut().insert(login.password.clone());
                let (host, password) = (&login.host, &login.password);
                let _ = write!(text, "  {host}:\n    username: {user}\n    password: {password}\n");
            }
        }
        text
    }

    pub(super) fn parameters(&mut self) -> String {
        let (mut text, mut told) = (String::new(), BTreeSet::new());
        for variable in &self.walk.variables.0 {
            let Meaning::Parameter { from, region, is_secret } = &variable.meaning else {
                continue;
            };
            let name = &variable.name;
            let is_of_env = variable.step.is_none();
            // A secret in a file is refused where its store is known.
            let is_shown = self.written.read_by_files.contains(name);
            let stays = is_of_env && (!(self.may_move)(name) || *is_secret && is_shown);
            if !self.written.read.contains(name) || stays || !told.insert(name.clone()) {
                continue;
            }
            if is_of_env {
                self.written.moved.insert(name.clone());
            }
            if *is_secret && is_shown {
                self.written.looks.push(format!(
                    "`{name}` may be a secret; a file that it would stand in is refused unless `allow_secrets` names it there"
                ));
            }
            let from = scalar(&self.names.write(from), false);
            match region.as_ref().map(|region| scalar(&self.names.write(region), false)) {
                None => {
                    let _ = writeln!(text, "  {name}: {from}");
                }
                Some(region) => {
                    let _ = writeln!(text, "  {name}:\n    from: {from}\n    region: {region}");
                }
            }
        }
        text
    }

    /// Entries of `env: variables:` that nothing else needs.
    pub(super) fn moved_variables(&mut self) -> String {
        let mut text = String::new();
        for variable in &self.walk.variables.0 {
            let Meaning::Buildspec(value) = &variable.meaning else { continue };
            let name = &variable.name;
            let is_plain = !value.contains(['$', '}', '\n']) && !is_made(name);
            let is_secret = shipspec_spec::scope::sounds_secret(name);
            if self.written.read.contains(name) && (self.may_move)(name) && is_plain && !is_secret {
                // What the project or the start of a build sets still wins.
                let value = scalar(&format!("${{{name}:-{value}}}"), false);
                let _ = writeln!(text, "  {name}: {value}");
                self.written.moved.insert(name.clone());
            }
        }
        text
    }
}
