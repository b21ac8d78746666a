//! An image, from a build context to a registry.
//!
//! Only [`docker`] knows the engine's API. What happens is reported, never printed.

pub mod context;
pub mod docker;
pub mod ignore;
pub mod plan;
pub mod progress;
pub mod publish;
pub mod vertices;
