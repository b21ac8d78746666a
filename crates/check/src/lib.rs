//! Knows what ECS, CodeDeploy and CodePipeline take, and tells what they would refuse, with its place
//! and what to write instead. No network, no files: texts go in, findings come out.

mod agree;
mod allow;
mod appspec;
pub mod buildspec;
mod check;
pub mod codes;
mod file;
mod finding;
mod images;
mod left_over;
mod model;
mod nearest;
pub mod output;
pub mod read;
mod secret_name;
mod task;
pub mod value;

pub use allow::{Allowed, UnknownCode};
pub use check::{Surroundings, check};
pub use file::{File, Kind, Role, kind_of_name};
pub use finding::{
    Finding, configuration, dockerfile_mismatch, dockerfile_missing, name_without_value,
};
pub use model::{Registrable, registrable};
pub use nearest::slip;
pub use secret_name::is_of_secret;
pub use task::{cpu_units, mebibytes};
