//! An image, from a build context to a registry.
//!
//! Only [`docker`] and what is private here know the engine's API. What happens is reported, never
//! printed.

mod bases;
mod classic;
mod connection;
pub mod context;
pub mod daemon;
pub mod docker;
pub mod dockerfile;
mod dockerfile_folder;
mod error;
mod failure;
pub mod ignore;
pub mod key;
pub mod options;
pub mod plan;
pub mod progress;
pub mod publish;
mod push;
pub mod reuse;
mod session;
mod solve;
pub mod test;
pub mod vertices;
