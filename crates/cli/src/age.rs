//! Which of two runs is the newer one: by their commits, else by when their builds began.

use serde::{Deserialize, Serialize};
use shipspec_spec::codebuild::{BUILD_ID, BUILD_NUMBER, START_TIME};
use shipspec_spec::expression::Names as _;

use crate::commit;
use crate::context::Context;
use crate::project::Project;

/// When a run is from, as far as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Age {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) commit: Option<String>,
    /// When the commit was made, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) committed: Option<u64>,
    /// When the build began, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) started: Option<u64>,
    /// The project of CodeBuild, and which of its builds it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) build: Option<(String, u64)>,
}

impl Age {
    /// That of this run. git is asked for the time of the commit, if the sources are in a repository.
    pub(crate) fn of_run(context: &Context<'_>, project: &Project) -> Self {
        let commit = project.scope.resolve("COMMIT").ok().and_then(|value| value.text());
        let number = |name: &str| context.variable(name).and_then(|text| text.parse().ok());
        let project_name = context.variable(BUILD_ID).and_then(|id| id.split_once(':'));
        Self {
            // What is not committed yet is newer than its commit.
            committed: commit.as_deref().and_then(|id| commit::time(&context.folder, id)),
            commit,
            started: number(START_TIME),
            build: project_name
                .and_then(|(name, _)| Some((name.to_owned(), number(BUILD_NUMBER)?))),
        }
    }

    /// It is older than another: what is known of both tells, the commit first. What is not known is not
    /// older.
    pub(crate) fn is_older_than(&self, other: &Self) -> bool {
        if let (Some(own), Some(other)) = (self.committed, other.committed) {
            return own < other;
        }
        if let (Some(own), Some(other)) = (self.started, other.started) {
            return own < other;
        }
        match (&self.build, &other.build) {
            (Some((project, own)), Some((same, other))) if project == same => own < other,
            _ => false,
        }
    }

    /// In words: `commit 0123456`, or `build 7`.
    pub(crate) fn name(&self) -> String {
        match (&self.commit, &self.build) {
            (Some(commit), _) => format!("commit {}", shipspec_spec::tag::short(commit, 7)),
            (None, Some((_, number))) => format!("build {number}"),
            (None, None) => "a run without a name".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(committed: Option<u64>, started: Option<u64>, number: Option<u64>) -> Age {
        let build = number.map(|number| ("shop".to_owned(), number));
        Age { commit: None, committed, started, build }
    }

    #[test]
    fn the_commit_counts_before_the_build_and_what_is_unknown_is_not_older() {
        let is_older = |one: Age, other: Age| one.is_older_than(&other);
        assert!(is_older(age(Some(1), Some(9), None), age(Some(2), Some(8), None)));
        assert!(!is_older(age(Some(1), Some(8), None), age(Some(1), Some(9), None)));
        assert!(is_older(age(None, Some(1), Some(9)), age(Some(1), Some(2), Some(8))));
        assert!(is_older(age(None, None, Some(1)), age(None, None, Some(2))));
        assert!(!is_older(age(Some(1), None, None), age(None, Some(2), None)));
        let other = Age { build: Some(("other".into(), 2)), ..Age::default() };
        assert!(!is_older(age(None, None, Some(1)), other));
        assert!(!is_older(Age::default(), Age::default()));
    }
}
