//! What ECS runs now, what a task definition names, and how two of them differ.
//!
//! Each service's SDK is known to one module: ECS to `client`, IAM to `roles`, `CloudWatch` Logs to
//! `log_groups`. [`compare`] asks nobody.

mod body;
mod client;
pub mod compare;
pub mod error;
pub mod log_groups;
pub mod roles;
pub mod running;
