//! What a store holds.

use serde_json::Value as Json;

/// What a store holds under a name.
#[derive(Clone)]
pub(crate) struct Answer {
    /// Text, or a list of texts.
    pub(crate) content: Json,
    /// Its store keeps it secret.
    pub(crate) is_secret: bool,
    /// Its whole name.
    pub(crate) arn: String,
    /// Which version of it this is; another one is another value.
    pub(crate) version: String,
}
