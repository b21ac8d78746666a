//! What `shipspec init` knows: pipelines, what has to be said of each, and the files that it gets.

mod answers;
mod pipelines;
mod questions;
mod repository;

pub(crate) use answers::{Answer, Answers};
pub(crate) use pipelines::Pipeline;
pub(crate) use questions::{Terminal, complete};
