//! Buildspecs for tests.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use shipspec_import::{Import, ImportError, import};
use shipspec_spec::source::Source;

pub const PUSH: &str = "docker push $REPO:$TAG";

/// A buildspec with these commands in `build`.
pub fn buildspec(commands: &[&str]) -> String {
    let lines: Vec<_> = commands.iter().map(|command| item(command)).collect();
    format!("version: 0.2\nphases:\n  build:\n    commands:\n{}", lines.concat())
}

pub fn item(command: &str) -> String {
    let lines: Vec<_> = command.lines().map(|line| format!("          {line}\n")).collect();
    format!("      - |\n{}", lines.concat())
}

pub fn read_with(text: &str, files: &[(&str, &str)]) -> Result<Import, ImportError> {
    let read = |path: &str| {
        files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned())
    };
    import(&Source::new("buildspec.yml", text), &read)
}

pub fn read(commands: &[&str]) -> Import {
    read_with(&buildspec(commands), &[]).expect("an import")
}

/// The commands of the new buildspec that are not the installation.
pub fn commands(import: &Import) -> Vec<String> {
    let lines = import.buildspec.lines().map(str::trim);
    let lines = lines.filter_map(|line| line.strip_prefix("- ").map(str::to_owned));
    lines.filter(|line| !line.contains("/usr/local/bin/shipspec")).collect()
}
