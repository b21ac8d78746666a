//! Registries: who may speak to them, what they hold, and tags put by manifest.
//!
//! Only [`ecr`] knows the AWS SDK of ECR, and only [`client`] knows HTTP.

pub mod access;
pub mod challenge;
pub mod client;
pub mod credentials;
pub mod ecr;
pub mod error;
pub mod manifest;
pub mod repository;
pub mod retry;
