//! Artifacts for CodePipeline, from templates and values.
//!
//! Only [`ssm`] knows the AWS SDK of Parameter Store.

pub mod artifact;
pub mod image_files;
mod parallel;
pub mod plan;
pub mod ssm;
pub mod template;
