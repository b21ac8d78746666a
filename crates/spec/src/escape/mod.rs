//! A value into its place in a file, so that it cannot change the structure around it.

mod json;
mod yaml;

pub use json::{JsonError, JsonPlace};
pub use yaml::{Part, YamlError, fill_yaml};
