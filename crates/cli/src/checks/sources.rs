//! What images are built from, as far as shipspec.yml names it without asking anybody.

use std::path::Path;
use std::sync::Arc;

use shipspec_build::dockerfile::Dockerfile;
use shipspec_check::{Finding, dockerfile_mismatch, dockerfile_missing};
use shipspec_spec::config::{Config, ImageConfig, Text};
use shipspec_spec::diagnostic::Diagnostic;
use shipspec_spec::nearest::nearest;
use shipspec_spec::platform::Platform;
use shipspec_spec::scope::Scope;
use shipspec_spec::source::{Source, Span};

use crate::dockerfiles::secrets_nobody_gives;

/// Contexts and Dockerfiles that are not there, and Dockerfiles that shipspec.yml asks for something that
/// they do not have. What depends on a value that is not known is left out.
pub(super) fn look(config: &Config, scope: &Scope, folder: &Path) -> Vec<Finding> {
    let images = config.images.iter();
    images.flat_map(|(name, image)| Sources { name, image, scope, folder }.look()).collect()
}

/// One image, and where its paths begin.
struct Sources<'a> {
    name: &'a str,
    image: &'a ImageConfig,
    scope: &'a Scope,
    folder: &'a Path,
}

impl Sources<'_> {
    fn look(&self) -> Vec<Finding> {
        let image = self.image;
        let (Some(context), Some(dockerfile)) = (
            self.text(image.context.as_ref(), "."),
            self.text(image.dockerfile.as_ref(), "Dockerfile"),
        ) else {
            return Vec::new();
        };
        let folder = self.folder.join(&context);
        if !folder.is_dir() {
            let message = format!("there is no folder `{context}`, the context of `{}`", self.name);
            return vec![self.missing(image.context.as_ref(), message)];
        }
        let path = folder.join(dockerfile);
        let shown = path.strip_prefix(self.folder).unwrap_or(&path).display().to_string();
        if !path.is_file() {
            let message = format!("there is no `{shown}`, from which `{}` is built", self.name);
            let text = image.dockerfile.as_ref().or(image.context.as_ref());
            return vec![self.missing(text, message)];
        }
        // What cannot be read here, a frontend of its own may read.
        let Ok(text) = std::fs::read_to_string(&path) else { return Vec::new() };
        let Ok(dockerfile) = Dockerfile::parse(&text) else { return Vec::new() };
        self.mismatches(&dockerfile, &Source::new(shown, text))
    }

    /// What the Dockerfile does not have, for the image and for its test.
    fn mismatches(&self, dockerfile: &Dockerfile, source: &Arc<Source>) -> Vec<Finding> {
        let build_args = self.image.build_args.iter();
        let build_args = build_args
            .filter_map(|(name, text)| Some((name.clone(), text.evaluate_text(self.scope).ok()?.0)))
            .collect();
        let platform = self.text(self.image.platform.as_ref(), "");
        let platform = platform.and_then(|text| text.parse().ok()).unwrap_or_else(Platform::host);
        let test = self.image.test.as_ref().and_then(|test| test.target.as_ref());
        let mut found = Vec::new();
        for target in [self.image.target.as_ref()].into_iter().chain(test.map(Some)) {
            let name = match target.map(|text| text.evaluate_text(self.scope)) {
                None => None,
                Some(Ok((name, _))) => Some(name),
                Some(Err(_)) => continue,
            };
            match dockerfile.needs(name.as_deref(), &build_args, &platform) {
                Ok(needs) => {
                    let given = self.image.secrets.keys().map(String::as_str);
                    let given: Vec<_> = given.collect();
                    let mistakes = secrets_nobody_gives(self.name, &given, &needs.secrets, source);
                    found.extend(mistakes.as_slice().iter().cloned().map(dockerfile_mismatch));
                }
                Err(error) => {
                    let near = nearest(&error.target, error.stages.iter().map(String::as_str));
                    let mistake = Diagnostic::at(self.place(target), error.to_string());
                    found.push(dockerfile_mismatch(match near {
                        Some(near) => mistake.with_hint(format!("did you mean `{near}`?")),
                        None => mistake.with_hint("name a stage: `FROM … AS NAME`"),
                    }));
                }
            }
        }
        found.dedup();
        found
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
