//! For tests: the inside of `scripts/testbed run`.
//!
//! A test asks [`Testbed::current`] for the running testbed, makes itself a repository and, if it
//! needs one, a role, and then runs the program under test with their environment. Nothing in
//! that environment names an endpoint: host names and the trust store are the testbed's own, so
//! the program speaks to `<account>.dkr.ecr.<region>.amazonaws.com` as it would in AWS.
//!
//! Everything here blocks, and panics where the testbed itself fails: a test has no use for such
//! an error but to stop.

pub mod control;
mod fault;
mod layout;
mod mutability;
pub mod pipeline;
mod record;
mod repository;
mod role;
mod testbed;
mod watched_engine;

pub use fault::{Effect, Fault};
pub use layout::{
    ACCOUNTS, Layout, OTHER_ACCOUNT, OTHER_REGION, PRIMARY_ACCOUNT, PRIMARY_REGION, REGIONS, ports,
};
pub use mutability::Mutability;
pub use record::Request;
pub use repository::{RepositoryBuilder, TestRepository};
pub use role::{Role, RoleBuilder};
pub use testbed::Testbed;
pub use watched_engine::{EngineRequest, WatchedEngine};
