//! The variables of CodeBuild that are read ([list]).
//!
//! [list]: https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html

/// What CodeBuild resolved the source to: a commit id, or for other sources an S3 version id or an
/// image digest; unset outside CodeBuild and for unversioned sources.
pub const RESOLVED_SOURCE_VERSION: &str = "CODEBUILD_RESOLVED_SOURCE_VERSION";

/// What `CodeBuild` calls the build: the project's name, a colon, and an id of its own.
pub const BUILD_ID: &str = "CODEBUILD_BUILD_ID";

/// When the build began, in milliseconds since 1970.
pub const START_TIME: &str = "CODEBUILD_START_TIME";

/// Which build of its project it is, counted from 1.
pub const BUILD_NUMBER: &str = "CODEBUILD_BUILD_NUMBER";

/// Who started the build: `codepipeline/NAME` if a pipeline did.
pub const INITIATOR: &str = "CODEBUILD_INITIATOR";

/// The branch that a webhook told of: `refs/heads/NAME`.
pub const WEBHOOK_HEAD_REF: &str = "CODEBUILD_WEBHOOK_HEAD_REF";

/// `1` while all phases so far have succeeded, `0` after one has failed. `post_build` runs all the
/// same after a failed `build`.
pub const BUILD_SUCCEEDING: &str = "CODEBUILD_BUILD_SUCCEEDING";
