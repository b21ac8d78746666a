//! The words of shipspec: its file, references, tags, values and expressions. No network.

pub mod age;
pub mod aws;
pub mod codebuild;
pub mod config;
pub mod destination;
pub mod diagnostic;
pub mod document;
pub mod ecr_host;
pub mod escape;
pub mod expression;
pub mod hint;
pub mod image;
pub mod mask;
pub mod nearest;
pub mod parameter;
pub mod place;
pub mod platform;
pub mod published;
pub mod schema;
pub mod scope;
pub mod secret;
pub mod source;
pub mod tag;
pub mod value;
