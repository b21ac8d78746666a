//! Artifacts as far as they are known: for whoever looks at them before everything has a value.
//!
//! Nothing is asked. What has no value yet, or none here, is unknown, and that is no mistake.

mod stand_ins;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::de::IgnoredAny;
use shipspec_spec::config::{
    ArtifactConfig, ArtifactContent, Config, ReferenceForm, ServiceConfig, Text, describe,
};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::escape::JsonPlace;
use shipspec_spec::expression::{EvaluationError, NameError, Names, Piece, Slot, Template};
use shipspec_spec::scope::Scope;
use shipspec_spec::source::{Source, Span};

use crate::archive::find_members;
use crate::inputs::refuse_overwritten;
use crate::made::{Making, draft_format};
use crate::plan::{ArtifactPlan, Content, read_all};
use crate::publishing;
use crate::taskdef::{edit_text, evaluate};
use crate::template::{Body, Format, TemplateFile};
use stand_ins::{StandIns, unknown_values, with_stand_ins};

/// An artifact as far as it is known.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its path.
    pub path: String,
    /// Where shipspec.yml names it.
    pub place: Span,
    /// The template that it is made from, if it is.
    pub template: Option<String>,
    /// Findings of `check` that are not told of it.
    pub allow: Vec<String>,
    /// It is put elsewhere as well.
    pub is_published: bool,
    /// What it holds.
    pub content: DraftContent,
}

/// What an artifact holds.
#[derive(Debug, Clone)]
pub enum DraftContent {
    /// The text of a template, and what its slots come to.
    Template {
        /// The template.
        source: Arc<Source>,
        /// What it has to be.
        format: Format,
        /// Its slots, in their order.
        slots: Vec<DraftSlot>,
    },
    /// A whole text, with [`UNKNOWN`](shipspec_spec::value::UNKNOWN) in place of what is not known.
    Made {
        /// The text.
        text: String,
        /// What it has to be.
        format: Format,
    },
    /// Nothing can be said of it, for this reason.
    Unclear(String),
}

/// A place in a template.
#[derive(Debug, Clone)]
pub struct DraftSlot {
    /// Its bytes.
    pub range: Range<usize>,
    /// The text that it comes to, and whether that is text whatever it looks like; nothing if it is
    /// not known.
    pub value: Option<(String, bool)>,
}

/// All artifacts of a project.
#[derive(Debug, Clone, Default)]
pub struct Drafts {
    /// Those that there will be.
    pub drafts: Vec<Draft>,
    /// What is wrong, whatever the values are.
    pub mistakes: Diagnostics,
    /// Entries of `artifacts:` of which nothing is known, and why.
    pub unclear: Vec<String>,
    /// Names that have no value here, and where a template asks for them.
    pub unset: Vec<(String, Span)>,
}

impl Drafts {
    /// Reads all templates, and fills in what is known.
    #[must_use]
    pub fn read(config: &Config, scope: &Scope, folder: &Path) -> Self {
        let mut all = Self::default();
        // What a secret comes to stands in no draft, for drafts are shown.
        let scope = &scope.with_unknown_secrets();
        let mut plans = Vec::new();
        for artifact in &config.artifacts {
            match read_all(artifact, config, scope, folder) {
                Ok(of_it) => plans.extend(of_it),
                Err(errors) => match unknown_name(artifact, config, scope) {
                    Some(name) => {
                        let path = artifact.path.as_written();
                        all.unclear.push(format!("`{path}`: `{name}` has no value here"));
                    }
                    None => all.mistakes.extend(errors),
                },
            }
        }
        publishing::refuse_shared_places(&plans, scope, &mut all.mistakes);
        // One whose path is not known may be what a zip holds.
        if all.unclear.is_empty() && all.mistakes.is_empty() {
            find_members(&mut plans, config, scope, folder, &mut all.mistakes);
        }
        refuse_overwritten(&plans, config, scope, folder, &mut all.mistakes);
        for plan in &plans {
            all.add(plan, scope, config.reference);
        }
        all
    }

    fn add(&mut self, plan: &ArtifactPlan, scope: &Scope, form: ReferenceForm) {
        let scope = scope.of_artifact(plan.matrix.clone(), &plan.variables);
        let mut template = None;
        let content = match &plan.content {
            Content::Template(file) => {
                template = Some(file.source.name.clone());
                let draft = self.template(plan, file, &scope);
                self.edited(plan, draft, &scope, form)
            }
            Content::Base(Some(task)) => {
                let draft = DraftContent::Made { text: task.to_string(), format: Format::Json };
                self.edited(plan, draft, &scope, form)
            }
            Content::Base(None) => DraftContent::Unclear(BASE.into()),
            Content::Made(content) => self.made(plan, content, &scope, form),
            // Nothing is said of it that is not said of what it holds.
            Content::Zip(_) => DraftContent::Made { text: String::new(), format: Format::Text },
        };
        if let Some(mistake) = publishing::check_draft(plan, &content) {
            self.mistakes.push(mistake);
        }
        self.drafts.push(Draft {
            path: plan.path.clone(),
            place: plan.place.clone(),
            template,
            allow: plan.allow.clone(),
            is_published: !plan.publish.is_empty(),
            content,
        });
    }

    /// An artifact that has no template.
    fn made(
        &mut self,
        plan: &ArtifactPlan,
        content: &ArtifactContent,
        scope: &Scope,
        form: ReferenceForm,
    ) -> DraftContent {
        let names = StandIns::new(scope);
        let format = draft_format(content, &plan.path);
        let making =
            Making { is_open: Some(&|text| is_open(text, scope)), ..plan.making(&names, form) };
        self.note_open(content.texts(), scope);
        match making.make(content, Some(format)) {
            Ok(made) => {
                self.note_secrets(plan, &made.secrets);
                DraftContent::Made { text: made.text, format }
            }
            Err(errors) => self.mistaken(errors, content.texts(), scope),
        }
    }

    fn template(
        &mut self,
        plan: &ArtifactPlan,
        file: &TemplateFile,
        scope: &Scope,
    ) -> DraftContent {
        match &file.body {
            Body::Shell(template) => {
                let (slots, secrets) = self.slots(file, template, scope);
                self.note_secrets(plan, &secrets);
                DraftContent::Template {
                    source: Arc::clone(&file.source),
                    format: file.format,
                    slots,
                }
            }
            Body::Jinja(_) | Body::Terraform(_) => {
                self.note_unset(file, scope);
                let names = StandIns::new(scope);
                match (file.fill("", &names), names.used()) {
                    (Ok(filled), _) => {
                        self.note_secrets(plan, &filled.secrets);
                        DraftContent::Made { text: filled.text, format: file.format }
                    }
                    (Err(_), true) => {
                        let reason = "what is not known here decides what it is";
                        DraftContent::Unclear(reason.into())
                    }
                    (Err(errors), false) => {
                        self.mistakes.extend(errors);
                        DraftContent::Unclear("it cannot be filled".into())
                    }
                }
            }
        }
    }

    /// Notes where a Terraform template asks for names that have no value: it asks for all of them,
    /// whatever its conditions say.
    fn note_unset(&mut self, file: &TemplateFile, scope: &Scope) {
        let Body::Terraform(template) = &file.body else { return };
        for reference in template.references() {
            let Err(error) = scope.resolve(&reference) else { continue };
            if let Some(name) = EvaluationError::from(error).unset() {
                let places = template.places(&reference).iter();
                let spans = places.map(|place| Span::new(&file.source, place.clone()));
                self.unset.extend(spans.map(|span| (name.to_owned(), span)));
            }
        }
    }

    /// A task definition, as far as it is known, with its changes.
    fn edited(
        &mut self,
        plan: &ArtifactPlan,
        draft: DraftContent,
        scope: &Scope,
        form: ReferenceForm,
    ) -> DraftContent {
        if plan.edits.is_empty() {
            return draft;
        }
        let text = match &draft {
            DraftContent::Template { source, slots, .. } => with_stand_ins(&source.text, slots),
            DraftContent::Made { text, .. } => text.clone(),
            DraftContent::Unclear(_) => return draft,
        };
        if serde_json::from_str::<IgnoredAny>(&text).is_err() {
            // What is no JSON is told at its place in the template.
            return draft;
        }
        let names = StandIns::new(scope);
        let making =
            Making { is_open: Some(&|text| is_open(text, scope)), ..plan.making(&names, form) };
        self.note_open(plan.edits.texts(), scope);
        let edits = match evaluate(&plan.edits, &making) {
            Ok((edits, secrets)) => {
                self.note_secrets(plan, &secrets);
                edits
            }
            Err(errors) => return self.mistaken(errors, plan.edits.texts(), scope),
        };
        match edit_text(&text, &edits, &plan.path, &plan.place) {
            Ok((text, _)) => {
                let slots = unknown_values(&text);
                let source = Source::new(&*plan.path, text);
                DraftContent::Template { source, format: Format::Json, slots }
            }
            Err(errors) => self.mistaken(errors, [], scope),
        }
    }

    /// Tells what is wrong whatever the values are. What is wrong with a text that has an unknown value may
    /// come of the sign for that, and so may what is wrong with all of them together.
    fn mistaken<'t>(
        &mut self,
        errors: Diagnostics,
        texts: impl IntoIterator<Item = &'t Text>,
        scope: &Scope,
    ) -> DraftContent {
        let (open, known): (Vec<_>, Vec<_>) =
            texts.into_iter().partition(|text| has_unknown(text, scope));
        if open.is_empty() {
            self.mistakes.extend(errors);
            return DraftContent::Unclear("it cannot be made".into());
        }
        let is_in = |span: &Span, text: &Text| {
            let around = text.span();
            Arc::ptr_eq(&span.source, &around.source)
                && around.range.start <= span.range.start
                && span.range.end <= around.range.end
        };
        for error in errors.as_slice() {
            let span = error.span.as_ref();
            if span.is_some_and(|span| known.iter().any(|text| is_in(span, text))) {
                self.mistakes.push(error.clone());
            }
        }
        DraftContent::Unclear("a value in it is not known here".into())
    }

    /// A secret that shipspec.yml does not let stand there.
    fn note_secrets(&mut self, plan: &ArtifactPlan, secrets: &BTreeSet<String>) {
        if let Err(mistake) = plan.check_secrets(secrets) {
            self.mistakes.push(mistake);
        }
    }

    /// Names without a value in texts of shipspec.yml itself.
    fn note_open<'t>(&mut self, texts: impl IntoIterator<Item = &'t Text>, scope: &Scope) {
        for text in texts {
            let Err(error) = text.value(scope) else { continue };
            self.unset.extend(error.unset().map(|name| (name.to_owned(), text.span().clone())));
        }
    }

    /// The slots, and the secrets in them.
    fn slots(
        &mut self,
        file: &TemplateFile,
        template: &Template,
        scope: &Scope,
    ) -> (Vec<DraftSlot>, BTreeSet<String>) {
        let (mut slots, mut place) = (Vec::new(), JsonPlace::default());
        let mut secrets = BTreeSet::new();
        for piece in template.pieces() {
            match piece {
                Piece::Text(range) => place.pass(&file.source.text[range.clone()]),
                Piece::Slot(slot) => {
                    let value = self.slot(file, slot, place, scope, &mut secrets);
                    slots.push(DraftSlot { range: slot.range.clone(), value });
                }
            }
        }
        (slots, secrets)
    }

    fn slot(
        &mut self,
        file: &TemplateFile,
        slot: &Slot,
        place: JsonPlace,
        scope: &Scope,
        secrets: &mut BTreeSet<String>,
    ) -> Option<(String, bool)> {
        let span = || Span::new(&file.source, slot.range.clone());
        match slot.text(&file.source.text, scope) {
            Ok((value, _)) if !value.secrets().is_empty() => {
                secrets.extend(value.secrets().iter().cloned());
                None
            }
            Ok((value, text)) => {
                if file.format == Format::Json
                    && let Err(error) = place.escape(&text)
                {
                    let mistake = Diagnostic::at(span(), error.to_string());
                    self.mistakes.push(mistake.with_hint(error.hint()));
                    return None;
                }
                Some((text, value.is_tool_made()))
            }
            Err(error) => {
                if is_unknown(&error) {
                    self.unset.extend(error.unset().map(|name| (name.to_owned(), span())));
                } else {
                    self.mistakes.push(describe(span(), &error, scope));
                }
                None
            }
        }
    }
}

const BASE: &str = "it begins from what ECS has, and nobody is asked for that here";

/// A name that an artifact's path, template or condition asks for, and that has no value here.
fn unknown_name(artifact: &ArtifactConfig, config: &Config, scope: &Scope) -> Option<String> {
    let scope = scope.of_artifact(std::collections::BTreeMap::new(), &artifact.variables);
    let service = config.service.as_ref().filter(|_| artifact.service.is_none());
    let texts = artifact.outer_texts().chain(service.into_iter().flat_map(ServiceConfig::texts));
    let names = texts.flat_map(Text::references);
    let mut names = names.filter(|name| !artifact.matrix.contains_key(name));
    names.find(|name| scope.resolve(name).is_err_and(|error| is_unknown(&error.into())))
}

/// A name that the text asks for is not known here.
fn has_unknown(text: &Text, scope: &Scope) -> bool {
    text.references().iter().any(|name| match scope.resolve(name) {
        Ok(value) => !value.secrets().is_empty(),
        Err(error) => is_unknown(&error.into()),
    })
}

/// The text has no value only because a name in it is not known here.
fn is_open(text: &Text, scope: &Scope) -> bool {
    text.value(scope).is_err_and(|error| is_unknown(&error))
}

/// The value is not there now, and may be in a build.
#[must_use]
pub fn is_unknown(error: &EvaluationError) -> bool {
    match error {
        EvaluationError::Name(NameError::Inside { inner, .. }) => is_unknown(inner),
        EvaluationError::Name(NameError::Cycle(_))
        | EvaluationError::Expression(_)
        | EvaluationError::NotText(_) => false,
        EvaluationError::Name(_) | EvaluationError::Required(_) => true,
    }
}
