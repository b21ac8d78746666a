//! From what is to be made and the values to a finished artifact.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use shipspec_spec::config::ReferenceForm;
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::expression::Names;

use super::secrets::Searches;
use super::{ArtifactPlan, Content};
use crate::archive::Archive;
use crate::artifact::{self, Artifact};
use crate::publishing;
use crate::taskdef::{edit_text, evaluate};
use crate::template::Filled;

impl ArtifactPlan {
    pub(super) fn fill(
        &self,
        names: &dyn Names,
        form: ReferenceForm,
        searches: &Searches,
    ) -> Result<Artifact, Diagnostics> {
        let filled = match &self.content {
            Content::Template(template) => {
                self.edited(template.fill(&self.path, names), names, form)?
            }
            Content::Base(base) => self.edited(self.base_text(base.as_ref()), names, form)?,
            Content::Made(content) => self.making(names, form).make(content, None)?,
            Content::Zip(archive) => return self.pack(archive, &BTreeMap::new(), searches),
        };
        self.check_secrets(&filled.secrets)?;
        let mut secrets = filled.secrets;
        secrets.extend(self.search(&filled.text, searches)?);
        self.finish(artifact::Content::Text(filled.text), secrets, filled.notes)
    }

    /// The archive of artifacts that are filled, and of files of the project.
    pub(super) fn pack(
        &self,
        archive: &Archive,
        filled: &BTreeMap<&str, Result<Artifact, Diagnostics>>,
        searches: &Searches,
    ) -> Result<Artifact, Diagnostics> {
        let (mut contents, mut secrets) = (BTreeMap::new(), BTreeSet::new());
        for member in &archive.members {
            let bytes = match (&member.file, filled.get(&*member.path)) {
                (Some(bytes), _) => {
                    secrets.extend(self.search(&String::from_utf8_lossy(bytes), searches)?);
                    &**bytes
                }
                (None, Some(Ok(artifact))) => {
                    secrets.extend(artifact.secrets.iter().cloned());
                    artifact.content.bytes()
                }
                (None, Some(Err(errors))) => return Err(errors.clone()),
                (None, None) => {
                    let message = format!("`{}` is not made in this run", member.path);
                    return Err(Diagnostic::at(member.place.clone(), message).into());
                }
            };
            contents.insert(&*member.path, bytes);
        }
        self.check_secrets(&secrets)?;
        let packed = archive.pack(|member| contents[&*member.path]).map_err(|error| {
            let message = format!("`{}` cannot be packed: {error}", self.path);
            Diagnostic::at(self.place.clone(), message)
        })?;
        self.finish(artifact::Content::Archive(packed), secrets, Vec::new())
    }

    fn finish(
        &self,
        content: artifact::Content,
        secrets: BTreeSet<String>,
        notes: Vec<String>,
    ) -> Result<Artifact, Diagnostics> {
        let (path, publish) = ((&self.path).into(), self.publish.clone());
        let allow = self.allow.clone();
        let artifact = Artifact { path, content, secrets, notes, publish, allow };
        publishing::check(&artifact, &self.place)?;
        Ok(artifact)
    }

    /// The task definition of ECS as a file for people.
    fn base_text(&self, base: Option<&Json>) -> Result<Filled, Diagnostics> {
        let Some(task) = base else {
            let message =
                "what ECS has as its `base` is not known here: it is asked for before a build";
            let unknown = Diagnostic::at(self.place.clone(), message);
            return Err(Diagnostic { is_premature: true, ..unknown }.into());
        };
        let text = serde_json::to_string_pretty(task);
        let text = text.map_err(|error| Diagnostic::at(self.place.clone(), error.to_string()))?;
        Ok(Filled { text: format!("{text}\n"), secrets: BTreeSet::new(), notes: Vec::new() })
    }

    /// What was filled, and the changes to the task definition that it is then.
    fn edited(
        &self,
        filled: Result<Filled, Diagnostics>,
        names: &dyn Names,
        form: ReferenceForm,
    ) -> Result<Filled, Diagnostics> {
        if self.edits.is_empty() {
            return filled;
        }
        let edits = evaluate(&self.edits, &self.making(names, form));
        let (mut filled, (edits, secrets)) = both(filled, edits)?;
        // What is wrong with the task definition is told with the names in it.
        self.check_secrets(&filled.secrets)?;
        let (text, notes) = edit_text(&filled.text, &edits, &self.path, &self.place)?;
        filled.text = text;
        filled.notes.extend(notes);
        filled.secrets.extend(secrets);
        Ok(filled)
    }
}

/// Both, or what is wrong with either.
fn both<A, B>(
    first: Result<A, Diagnostics>,
    second: Result<B, Diagnostics>,
) -> Result<(A, B), Diagnostics> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(mut errors), Err(more)) => {
            errors.extend(more);
            Err(errors)
        }
        (Err(errors), Ok(_)) | (Ok(_), Err(errors)) => Err(errors),
    }
}
