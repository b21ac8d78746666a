//! Registries: who may speak to them, what they hold, and tags put by manifest.
//!
//! Only [`ecr`] and [`ecr_public`] know the AWS SDKs of ECR, and only [`client`] knows HTTP.

pub mod access;
pub mod challenge;
pub mod client;
pub mod credentials;
pub mod ecr;
pub mod ecr_public;
pub mod error;
pub mod manifest;
pub mod repository;
pub mod retry;
