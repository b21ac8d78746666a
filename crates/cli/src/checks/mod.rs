//! What the checks are given: the artifacts as far as they are known, and the files of the source.

mod discover;
mod project;
mod run;
mod show;
mod sources;

pub(crate) use project::Look;
pub(crate) use run::{before_run, of_rendered};
pub(crate) use show::{show, summary};
