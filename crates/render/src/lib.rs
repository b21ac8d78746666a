//! Artifacts for CodePipeline, from templates and values.

pub mod artifact;
pub mod draft;
mod made;
mod parallel;
pub mod plan;
pub mod taskdef;
pub mod template;
