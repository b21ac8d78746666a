//! Artifacts for CodePipeline, from templates and values.

mod archive;
pub mod artifact;
pub mod draft;
pub mod image_files;
mod parallel;
pub mod plan;
mod publishing;
pub mod template;
