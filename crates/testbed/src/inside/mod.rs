//! The namespaces: what is mounted, which processes run, how a command gets in.

pub(crate) mod authority;
pub(crate) mod engine;
pub(crate) mod enter;
pub(crate) mod health;
pub(crate) mod init;
pub(crate) mod name_server;
pub(crate) mod serve;
pub(crate) mod service;
pub(crate) mod status;
pub(crate) mod world;

/// An error that ends this program; it is told with its causes.
pub(crate) type Fatal = Box<dyn std::error::Error + Send + Sync>;
