//! Artifacts into SSM Parameter Store and S3: what is there, and what is to be.

pub mod error;
mod s3;
mod signed;
mod ssm;
pub mod target;
