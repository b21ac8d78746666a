//! Values from SSM Parameter Store and Secrets Manager.
//!
//! Each service's SDK is known to one module: `ssm`, `secrets_manager`, and STS to `account`.

pub mod account;
mod answer;
pub mod arn;
mod assemble;
pub mod error;
pub mod existence;
pub mod fetch;
pub mod offline;
pub mod refusal;
pub mod request;
mod secrets_manager;
mod ssm;
