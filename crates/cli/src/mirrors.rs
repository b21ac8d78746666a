//! Further repositories of an image: filled from the first one, not from the engine.

use anyhow::Context as _;
use shipspec_registry::observer::Unwatched;
use shipspec_registry::transfer::{self, Amount};

use crate::console::Bytes;
use crate::images::{Made, Maker};

impl Maker<'_> {
    /// Brings an image from its registry to the further repositories that get it, by digest.
    pub(crate) async fn mirror(self, mut made: Made) -> anyhow::Result<Made> {
        let (Some(staged), plan) = (&made.staged, &made.plan) else { return Ok(made) };
        let mut clients = Vec::new();
        for repository in &plan.mirrors {
            let client = self.access.client(repository)?;
            let digest = &staged.published().digest;
            let copied = transfer::copy(staged.client(), &client, digest, &Unwatched).await;
            let copied = copied.with_context(|| {
                format!("failed to copy the image `{}` to `{repository}`", plan.name)
            })?;
            let Amount { count, bytes } = copied.copied;
            self.context.console.note(format_args!(
                "{}: {repository} holds it too ({count} layers sent, {})",
                plan.name,
                Bytes(bytes)
            ));
            clients.push(client);
        }
        made.mirrors = clients;
        Ok(made)
    }
}
