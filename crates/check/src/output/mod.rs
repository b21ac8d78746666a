//! Findings for programs.

mod json;
mod junit;
mod sarif;

pub use json::{Report, json};
pub use junit::junit;
pub use sarif::sarif;
