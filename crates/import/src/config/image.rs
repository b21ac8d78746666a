//! One image.

use std::fmt::Write as _;

use super::{Image, Writer, list};
use crate::images::Build;
use crate::names::Names;
use crate::text::Text;
use crate::yaml::scalar;

/// The lines of an image.
struct Lines<'a> {
    names: &'a Names<'a>,
    text: String,
}

impl Lines<'_> {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "    {line}");
    }

    fn key(&mut self, key: &str, value: &str) {
        self.line(&format!("{key}: {}", scalar(value, false)));
    }

    fn text(&mut self, key: &str, text: Option<&Text>) {
        if let Some(text) = text {
            self.key(key, &self.names.write(text));
        }
    }

    fn texts(&mut self, key: &str, texts: &[Text]) {
        if !texts.is_empty() {
            let texts: Vec<_> = texts.iter().map(|text| self.names.write(text)).collect();
            self.line(&format!("{key}: {}", list(&texts)));
        }
    }

    fn pairs(&mut self, key: &str, pairs: &[(String, Text)]) {
        if !pairs.is_empty() {
            self.line(&format!("{key}:"));
        }
        for (name, text) in pairs {
            let value = scalar(&self.names.write(text), false);
            self.line(&format!("  {}: {value}", scalar(name, false)));
        }
    }
}

impl Writer<'_> {
    pub(super) fn image(&mut self, image: &Image, text: &mut String) {
        let build = &self.walk.builds[image.build];
        let names = &self.names;
        names.read_in(&build.context);
        names.read_in(build.dockerfile.as_deref().unwrap_or_default());
        let mut lines = Lines { names, text: String::new() };
        lines.text("repository", Some(&image.repository));
        if !build.context.is_empty() {
            lines.key("context", &build.context);
        }
        if let Some(dockerfile) = &build.dockerfile {
            lines.key("dockerfile", dockerfile);
        }
        lines.text("target", build.target.as_ref());
        lines.text("platform", build.platform.as_ref());
        lines.text("network", build.network.as_ref());
        if !matches!(image.tags.as_slice(), [tag] if names.is_run_tag(tag)) {
            lines.texts("tags", &image.tags);
        }
        arguments(build, &mut lines);
        options(build, &mut lines);
        let _ = write!(text, "  {}:\n{}", image.name, lines.text);
        if !build.secret_args.is_empty() {
            let all: Vec<_> =
                build.secret_args.iter().map(|(name, _)| format!("`{name}`")).collect();
            let all = all.join(", ");
            self.written.looks.push(format!(
                "{all}: a secret that stays in the history of the image; mount it with `RUN --mount=type=secret` and `secrets:`"
            ));
        }
    }
}

fn arguments(build: &Build, lines: &mut Lines<'_>) {
    lines.pairs("build_args", &build.args);
    if !build.secret_args.is_empty() {
        lines.line("# Everybody who can pull the image can read these. Mount them with `secrets:` instead.");
        lines.pairs("insecure_build_args", &build.secret_args);
    }
    if !build.secrets.is_empty() {
        lines.line("secrets:");
    }
    for (id, name) in &build.secrets {
        lines.names.read.borrow_mut().insert(name.clone());
        lines.key(&format!("  {}", scalar(id, false)), name);
    }
    lines.pairs("labels", &build.labels);
}

fn options(build: &Build, lines: &mut Lines<'_>) {
    lines.pairs("extra_hosts", &build.hosts);
    if build.no_cache {
        lines.line("no_cache: true");
    }
    if build.pull {
        lines.line("pull: true");
    }
    lines.texts("cache_from", &build.cache_from);
    lines.texts("ssh", &build.ssh);
    let names = lines.names;
    let setting = |key: &str| {
        let setting = build.cache_to.iter().find(|(name, _)| name == key);
        setting.map(|(_, text)| names.write(text))
    };
    match (setting("type").as_deref(), setting("ref")) {
        (Some("inline"), _) => lines.line("cache_to: inline"),
        (Some("registry"), Some(reference)) => {
            lines.line("cache_to:");
            lines.key("  registry", &reference);
            if let Some(mode) = setting("mode") {
                lines.key("  mode", &mode);
            }
        }
        _ => {}
    }
}
