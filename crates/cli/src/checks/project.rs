//! A look at a project, as far as it can be known without asking anybody.

use std::collections::BTreeSet;
use std::path::PathBuf;

use shipspec_build::plan::plan;
use shipspec_check::codes::Code;
use shipspec_check::read::{Filling, Format as CheckFormat, Slot};
use shipspec_check::{
    Allowed, File, Finding, Surroundings, UnknownCode, check, configuration, name_without_value,
    slip,
};
use shipspec_parameters::request::Requests;
use shipspec_render::draft::{Draft, DraftContent, DraftSlot, Drafts, is_unknown};
use shipspec_render::template::Format;
use shipspec_spec::config::{
    CheckConfig, Config, ForeignImage, ImageConfig, ParameterConfig, Text,
};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::expression::Names as _;
use shipspec_spec::scope::{DigestState, Scope};
use shipspec_spec::source::Source;

use super::discover::{DEPTH, RUN_DEPTH, discover, read_all, read_named};
use super::sources;
use crate::arguments::{ProjectFlags, RenderFlags};
use crate::context::Context;
use crate::project::Project;
use crate::{failure, parameters};

/// What was looked at, and what came of it.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// The names of the files.
    pub(crate) files: Vec<String>,
    pub(crate) findings: Vec<Finding>,
    /// What could not be looked at, and why.
    pub(crate) not_checked: Vec<String>,
}

impl Look {
    /// Looks at files that somebody names, and at nothing else.
    ///
    /// # Errors
    ///
    /// Those that cannot be read.
    pub(crate) fn at_files(context: &Context<'_>, paths: &[PathBuf]) -> anyhow::Result<Self> {
        let paths: Vec<_> = paths.iter().map(|path| context.current.join(path)).collect();
        let (files, unread) = read_named(&context.current, &paths).map_err(|unread| {
            let hint =
                "name files and folders that are there, or none to look at the whole project";
            failure::input(unread.join("\n"), Some(hint))
        })?;
        let has_file = |path: &str| context.current.join(path).exists();
        let (outputs, published) = (Vec::new(), Vec::new());
        let surroundings = Surroundings { outputs, published, has_file: &has_file };
        let mut look = Self { not_checked: unread, ..Self::default() };
        look.finish(&files, &surroundings, &Allowed::default());
        Ok(look)
    }

    /// Looks at shipspec.yml, its templates, and the files beside it.
    pub(crate) async fn at_project(
        context: &Context<'_>,
        flags: &ProjectFlags,
        render: &RenderFlags,
    ) -> anyhow::Result<Self> {
        let mut look = Self::default();
        let project = match read(context, flags, render, &mut look).await {
            Ok(project) => Some(project),
            Err(error) => {
                look.mistakes(&error.downcast::<Diagnostics>()?);
                None
            }
        };
        look.look(context, project.as_ref(), false);
        Ok(look)
    }

    /// Looks at a project whose values are known as far as they ever will be before a build.
    pub(crate) fn at_values(context: &Context<'_>, project: &Project) -> Self {
        let mut look = Self::default();
        look.look(context, Some(project), true);
        look
    }

    fn look(&mut self, context: &Context<'_>, project: Option<&Project>, is_run: bool) {
        let config = project.map(|project| &project.config);
        let drafts =
            project.map(|project| Drafts::read(&project.config, &project.scope, &context.folder));
        let drafts = drafts.unwrap_or_default();
        // A run tells these itself, as they stop it.
        if !is_run {
            self.mistakes(&drafts.mistakes);
            self.unset(&drafts.unset, project.map(|project| &project.scope));
            if let Some(project) = project {
                sources::look(project, &context.folder, self);
            }
        }
        self.not_checked.extend(drafts.unclear);
        let mut own: BTreeSet<_> = drafts.drafts.iter().map(|draft| draft.path.clone()).collect();
        let outputs = own.iter().cloned().collect();
        let published = drafts.drafts.iter().filter(|draft| draft.is_published);
        let published = published.map(|draft| draft.path.clone()).collect();
        own.extend(drafts.drafts.iter().filter_map(|draft| draft.template.clone()));
        let mut files: Vec<_> = drafts.drafts.iter().filter_map(|draft| self.file(draft)).collect();
        let depth = if is_run { RUN_DEPTH } else { DEPTH };
        let (sources, unread) = read_all(&context.folder, &discover(&context.folder, depth, &own));
        self.not_checked.extend(unread);
        files.extend(sources);
        let has_file = |path: &str| context.folder.join(path).exists();
        let allowed = Allowed::everywhere(config.iter().flat_map(|config| config.check.codes()));
        // What stops a run cannot be allowed.
        let is_mistake = |code: Code| code.as_str() == "shipspec-yml";
        self.findings.retain(|it| is_mistake(it.code) || !allowed.silences(it));
        self.codes(config);
        self.finish(&files, &Surroundings { outputs, published, has_file: &has_file }, &allowed);
    }

    /// Codes in shipspec.yml that there are not.
    fn codes(&mut self, config: Option<&Config>) {
        let Some(config) = config else { return };
        let artifacts = config.artifacts.iter().map(|artifact| &artifact.check);
        let all = artifacts.chain([&config.check]).flat_map(|check: &CheckConfig| &check.allow);
        let mut found = Diagnostics::default();
        for (code, span) in all {
            if let Some(unknown) = UnknownCode::check(code) {
                let mistake = Diagnostic::at(span.clone(), unknown.message());
                found.push(mistake.with_hint(unknown.fix()));
            }
        }
        self.mistakes(&found);
    }

    fn mistakes(&mut self, mistakes: &Diagnostics) {
        self.findings.extend(mistakes.as_slice().iter().cloned().map(configuration));
    }

    fn unset(&mut self, unset: &[(String, shipspec_spec::source::Span)], scope: Option<&Scope>) {
        let Some(scope) = scope.filter(|_| !unset.is_empty()) else { return };
        let known = scope.known();
        let mut names = BTreeSet::new();
        for (name, span) in unset {
            names.insert(format!("`{name}`"));
            if let Some(near) = slip(name, known.iter().map(String::as_str)) {
                self.findings.push(name_without_value(name, near, span.clone()));
            }
        }
        let names: Vec<_> = names.into_iter().collect();
        self.not_checked
            .push(format!("what depends on {}, without a value here", names.join(", ")));
    }

    /// An artifact as the checks want it.
    fn file(&mut self, draft: &Draft) -> Option<File> {
        let file = match &draft.content {
            DraftContent::Template { source, format, slots } => {
                let slots: Vec<_> = slots.iter().map(slot).collect();
                File::artifact(&draft.path, source, known(*format)?, &slots)
            }
            DraftContent::Made { text, format } => {
                let source = Source::new(&*draft.path, &**text);
                let file = File::artifact(&draft.path, &source, known(*format)?, &[]);
                // Without a template, shipspec.yml is where the text comes from.
                if draft.template.is_none() { file.told_at(draft.place.clone()) } else { file }
            }
            DraftContent::Unclear(reason) => {
                self.not_checked.push(format!("`{}`: {reason}", draft.path));
                return None;
            }
        };
        Some(file.allowing(&draft.allow))
    }

    fn finish(&mut self, files: &[File], surroundings: &Surroundings<'_>, allowed: &Allowed) {
        self.files.extend(files.iter().map(|file| file.name().to_owned()));
        self.files.sort();
        self.files.dedup();
        let unread = files.iter().filter_map(|file| Some((file, file.not_checked()?)));
        let unread = unread.map(|(file, reason)| {
            format!("`{}`: without its values it cannot be read ({reason})", file.name())
        });
        self.not_checked.extend(unread);
        self.findings.extend(check(files, surroundings, allowed));
    }
}

fn known(format: Format) -> Option<CheckFormat> {
    match format {
        Format::Json => Some(CheckFormat::Json),
        Format::Yaml => Some(CheckFormat::Yaml),
        Format::Text => None,
    }
}

fn slot(slot: &DraftSlot) -> Slot {
    let value = slot.value.as_ref();
    let value = value.map(|(text, is_text)| Filling { text: text.clone(), is_text: *is_text });
    Slot { range: slot.range.clone(), value }
}

/// The project, with the values that are to be had without asking anybody.
async fn read(
    context: &Context<'_>,
    flags: &ProjectFlags,
    render: &RenderFlags,
    look: &mut Look,
) -> anyhow::Result<Project> {
    let (config, scope) = Project::begin(context, flags, render)?;
    let requests = parameters::requests(&config, &scope).unwrap_or_else(|errors| {
        let texts = config.parameters.values().flat_map(ParameterConfig::texts);
        look.unless_unknown("parameters", &errors, texts, &scope);
        Requests::new()
    });
    let mut project = Project::new(context, flags, config, scope, requests)?;
    if project.offline.is_some() {
        project.fetch_parameters(context).await?;
    }
    let images = plan(&project.config, &mut project.scope, &context.folder, &DigestState::Later);
    if let Err(errors) = images {
        let built = project.config.images.values().flat_map(ImageConfig::texts);
        let foreign = project.config.foreign.values().flat_map(ForeignImage::texts);
        let texts = built.chain(foreign);
        look.unless_unknown("images", &errors, texts, &project.scope);
    }
    Ok(project)
}

impl Look {
    /// Mistakes, unless values are missing that a build may have.
    fn unless_unknown<'a>(
        &mut self,
        what: &str,
        errors: &Diagnostics,
        texts: impl Iterator<Item = &'a Text>,
        scope: &Scope,
    ) {
        let names = scope.names(texts.flat_map(Text::references).collect());
        let is_open = |name: &&String| {
            !name.starts_with("images")
                && scope.resolve(name).is_err_and(|error| is_unknown(&error.into()))
        };
        let open: Vec<_> = names.iter().filter(is_open).map(|name| format!("`{name}`")).collect();
        if open.is_empty() {
            self.mistakes(errors);
        } else {
            self.not_checked.push(format!("{what}: no value here for {}", open.join(", ")));
        }
    }
}
