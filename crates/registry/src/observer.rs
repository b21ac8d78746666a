//! What happens while layers move, for whoever wants to show it.

use shipspec_spec::image::Digest;

/// Something that happened.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// Bytes of a layer are on their way to the target.
    Moved {
        /// Which layer.
        digest: &'a Digest,
        /// How many bytes since the last time.
        bytes: u64,
    },
    /// The target has a layer now, or had it before.
    Done {
        /// Which layer, or configuration.
        digest: &'a Digest,
        /// What it weighs, in bytes.
        size: u64,
        /// How it got there.
        way: Way,
    },
}

/// How a layer got to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It was sent.
    Copied,
    /// The registry took it from another of its repositories.
    Mounted,
    /// It was there already, or the manifest says that no registry holds it.
    Skipped,
}

/// Hears of events as they happen.
pub trait Observer: Send + Sync {
    /// Takes one event. It is called from the task that does the work, so it returns at once.
    fn observe(&self, event: Event<'_>);
}

/// Does not watch.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Observer for Unwatched {
    fn observe(&self, _: Event<'_>) {}
}
