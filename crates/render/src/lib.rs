//! Artifacts for CodePipeline, from templates and values.

pub mod artifact;
pub mod draft;
pub mod image_files;
mod parallel;
pub mod plan;
pub mod template;
mod terraform;
