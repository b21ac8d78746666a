//! Which commit is built.

use std::path::Path;
use std::process::Command;

use shipspec_spec::codebuild::RESOLVED_SOURCE_VERSION;
use shipspec_spec::scope::CommitSource;
use shipspec_spec::tag::Commit;

use crate::context::Context;

/// The commit that CodeBuild resolved, else that of the git repository that the project is in;
/// or why there is none. git is asked only when a name needs the commit.
pub(crate) fn find(context: &Context<'_>) -> CommitSource {
    match context.variable(RESOLVED_SOURCE_VERSION) {
        Some(version) => {
            let commit = Commit::parse(version).ok_or_else(|| {
                let shown: String = version.chars().take(80).collect();
                format!("the source version `{shown}` ({RESOLVED_SOURCE_VERSION}) is no commit")
            });
            commit.into()
        }
        None => {
            let folder = context.folder.clone();
            CommitSource::new(move || from_git(&folder))
        }
    }
}

fn from_git(folder: &Path) -> Result<Commit, String> {
    let none = |why: &str| format!("{RESOLVED_SOURCE_VERSION} is not set, and {why}");
    let head = git(folder, &["rev-parse", "--verify", "HEAD"]).map_err(|why| none(&why))?;
    let commit = Commit::parse(head.trim()).ok_or_else(|| none("git names no commit"))?;
    // As `git describe --dirty` sees it: files that git does not track do not count.
    let changes = git(folder, &["status", "--porcelain", "--untracked-files=no"]);
    let is_clean = changes.map_err(|why| none(&why))?.trim().is_empty();
    Ok(if is_clean { commit } else { commit.dirty() })
}

/// When a commit was made, in seconds since 1970; nothing if git does not know it. Of a work tree with
/// changes nobody can say.
pub(crate) fn time(folder: &Path, commit: &str) -> Option<u64> {
    Commit::parse(commit)?;
    git(folder, &["show", "--no-patch", "--format=%ct", commit]).ok()?.trim().parse().ok()
}

/// The branch that is checked out in the git repository that a folder is in.
pub(crate) fn branch(folder: &Path) -> Option<String> {
    let branch = git(folder, &["symbolic-ref", "--short", "HEAD"]).ok()?;
    Some(branch.trim().to_owned()).filter(|branch| !branch.is_empty())
}

/// What git prints, or why it printed nothing.
fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output();
    match output {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => {
            let words = String::from_utf8_lossy(&output.stderr);
            let line = words.lines().next().unwrap_or("git failed");
            Err(match line.trim_start_matches("fatal: ") {
                "Needed a single revision" => "the git repository has no commit yet".to_owned(),
                line => line.to_owned(),
            })
        }
        Err(error) => Err(format!("git cannot be run: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_there_is_no_commit_is_told() {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "--quiet"]).unwrap();
        let why = from_git(folder.path()).unwrap_err();
        let wanted = "CODEBUILD_RESOLVED_SOURCE_VERSION is not set, and the git repository has no commit yet";
        assert_eq!(why, wanted);
    }
}
