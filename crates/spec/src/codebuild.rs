//! The variables of CodeBuild that are read ([list]).
//!
//! [list]: https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html

/// What CodeBuild resolved the source to: a commit id, or for other sources an S3 version id or an
/// image digest; unset outside CodeBuild and for unversioned sources.
pub const RESOLVED_SOURCE_VERSION: &str = "CODEBUILD_RESOLVED_SOURCE_VERSION";

/// `1` while all phases so far have succeeded, `0` after one has failed. `post_build` runs all the
/// same after a failed `build`.
pub const BUILD_SUCCEEDING: &str = "CODEBUILD_BUILD_SUCCEEDING";
