//! What images are built from, as far as shipspec.yml names it without asking anybody.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use shipspec_build::dockerfile::{Dockerfile, Needs, TargetError};
use shipspec_check::{Finding, dockerfile_mismatch, dockerfile_missing};
use shipspec_spec::config::{ImageConfig, Text};
use shipspec_spec::diagnostic::Diagnostic;
use shipspec_spec::nearest::nearest;
use shipspec_spec::platform::Platform;
use shipspec_spec::scope::Scope;
use shipspec_spec::source::{Source, Span};

use super::Look;
use crate::dockerfiles::secrets_nobody_gives;
use crate::project::Project;

/// Looks for contexts and Dockerfiles that are not there, and for Dockerfiles that shipspec.yml asks for
/// something that they do not have. What depends on a value that is not known is left out.
pub(super) fn look(project: &Project, folder: &Path, look: &mut Look) {
    for (name, image) in &project.config.images {
        Sources { name, image, scope: &project.scope, folder }.look(look);
    }
}

/// One image, and where its paths begin.
struct Sources<'a> {
    name: &'a str,
    image: &'a ImageConfig,
    scope: &'a Scope,
    folder: &'a Path,
}

impl Sources<'_> {
    fn look(&self, look: &mut Look) {
        let image = self.image;
        let context = self.text(image.context.as_ref(), ".");
        let dockerfile = self.text(image.dockerfile.as_ref(), "Dockerfile");
        let (Some(context), Some(dockerfile)) = (context, dockerfile) else { return };
        let folder = self.folder.join(&context);
        if !folder.is_dir() {
            let problem = if folder.exists() { "is no folder" } else { "is not there" };
            let message = format!("`{context}`, the context of `{}`, {problem}", self.name);
            return look.findings.push(self.missing(image.context.as_ref(), message));
        }
        let path = folder.join(&dockerfile);
        let shown = path.strip_prefix(self.folder).unwrap_or(&path).display().to_string();
        if dockerfile.is_empty() || !path.is_file() {
            let problem = if path.exists() { "is no file" } else { "is not there" };
            let message = format!("`{shown}`, the Dockerfile of `{}`, {problem}", self.name);
            let place = image.dockerfile.as_ref().or(image.context.as_ref());
            return look.findings.push(self.missing(place, message));
        }
        let read = std::fs::read_to_string(&path).map_err(|error| error.to_string());
        let read = read.and_then(|text| match Dockerfile::parse(&text) {
            Ok(dockerfile) => Ok((dockerfile, text)),
            // A frontend of its own may read it.
            Err(error) => Err(error.to_string()),
        });
        match read {
            Ok((dockerfile, text)) => self.hold(&dockerfile, &Source::new(shown, text), look),
            Err(reason) => look.not_checked.push(format!("`{shown}`: {reason}")),
        }
    }

    /// Holds the Dockerfile against what the image and its test ask of it.
    fn hold(&self, dockerfile: &Dockerfile, source: &Arc<Source>, look: &mut Look) {
        let test = self.image.test.as_ref().and_then(|test| test.target.as_ref());
        let mut mounts = Vec::new();
        for target in [self.image.target.as_ref()].into_iter().chain(test.map(Some)) {
            let Some(stage) = self.text(target, "") else { continue };
            match self.needs(dockerfile, Some(&*stage).filter(|stage| !stage.is_empty())) {
                Ok(needs) => mounts.extend(needs.secrets),
                Err(error) => look.findings.push(self.no_stage(target, &error)),
            }
        }
        if mounts.is_empty() {
            return;
        }
        if self.build_args().is_none() || self.platform().is_none() {
            let what = "its secrets depend on values that are not known here";
            return look.not_checked.push(format!("`{}`: {what}", source.name));
        }
        let given: Vec<_> = self.image.secrets.keys().map(String::as_str).collect();
        let found = secrets_nobody_gives(self.name, &given, &mounts, source);
        look.findings.extend(found.as_slice().iter().cloned().map(dockerfile_mismatch));
    }

    fn needs(&self, dockerfile: &Dockerfile, target: Option<&str>) -> Result<Needs, TargetError> {
        let contexts = self.image.options.contexts.keys().map(String::as_str).collect();
        let platform = self.platform().unwrap_or_else(Platform::host);
        dockerfile.needs_with(target, &self.build_args().unwrap_or_default(), &platform, &contexts)
    }

    /// The arguments of the build, if all of them are known.
    fn build_args(&self) -> Option<IndexMap<String, String>> {
        let all = self.image.build_args.iter().chain(&self.image.insecure_build_args);
        all.map(|(name, text)| Some((name.clone(), self.text(Some(text), "")?))).collect()
    }

    /// The platform, if it is known.
    fn platform(&self) -> Option<Platform> {
        match &self.image.platform {
            Some(text) => self.text(Some(text), "")?.parse().ok(),
            None => Some(Platform::host()),
        }
    }

    fn no_stage(&self, target: Option<&Text>, error: &TargetError) -> Finding {
        let near = nearest(&error.target, error.stages.iter().map(String::as_str));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "name a stage: `FROM … AS NAME`".into(),
        };
        let mistake = Diagnostic::at(self.place(target), error.to_string());
        dockerfile_mismatch(mistake.with_hint(hint))
    }

    fn missing(&self, text: Option<&Text>, message: String) -> Finding {
        dockerfile_missing(message, self.place(text))
    }

    /// Where shipspec.yml says so; what it does not say, it means where it names the image's repository.
    fn place(&self, text: Option<&Text>) -> Span {
        text.unwrap_or(&self.image.repository).span().clone()
    }

    /// What a text comes to, if that is known here.
    fn text(&self, text: Option<&Text>, usual: &str) -> Option<String> {
        match text {
            Some(text) => Some(text.evaluate_text(self.scope).ok()?.0),
            None => Some(usual.to_owned()),
        }
    }
}
