//! Artifacts for CodePipeline, from templates and values.

mod archive;
pub mod artifact;
pub mod draft;
mod inputs;
mod made;
mod parallel;
pub mod plan;
mod publishing;
pub mod taskdef;
pub mod template;
