//! Registries: who may speak to them, what they hold, and tags put by manifest.
//!
//! Only [`ecr`] and [`ecr_public`] know the AWS SDKs of ECR; HTTP is known to [`client`] and to what moves
//! layers with it: [`blob`], `download` and `upload`.

pub mod access;
mod batch;
pub mod blob;
pub mod challenge;
pub mod client;
pub mod credentials;
mod download;
pub mod ecr;
pub mod ecr_public;
pub mod error;
pub mod lifecycle;
mod look_up;
pub mod manifest;
pub mod observer;
mod record;
pub mod repository;
pub mod retry;
mod sign_in;
pub mod tagging;
pub mod transfer;
mod upload;
