//! What happens during a build or a push, for whoever wants to show it.

use std::time::Duration;

use shipspec_spec::image::Digest;
use shipspec_spec::published::Published;

pub use shipspec_registry::tagging::TagChange;

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// The engine does not answer yet; it is asked again until `limit` has passed.
    Waiting {
        /// The address of the engine.
        host: &'a str,
        /// Why it does not answer.
        reason: &'a str,
        /// How long it is waited for in all.
        limit: Duration,
    },
    /// dockerd was started, and does not answer yet.
    DaemonStarting {
        /// The file with what it says.
        log: &'a str,
    },
    /// A file that named the process of a dockerd that does not run any more was removed.
    ProcessFileRemoved {
        /// Its path.
        path: &'a str,
    },
    /// The build of an image began.
    BuildStarted {
        /// The image's name in shipspec.yml.
        image: &'a str,
    },
    /// A step of the Dockerfile began to say something.
    StepOutput {
        /// The image's name in shipspec.yml.
        image: &'a str,
        /// The step, as BuildKit names it: `[2/3] RUN make`.
        step: &'a str,
        /// One line, without its newline.
        line: &'a str,
    },
    /// A step is done.
    StepDone {
        /// The image's name in shipspec.yml.
        image: &'a str,
        /// The step, as BuildKit names it.
        step: &'a str,
        /// The engine had its result already.
        cached: bool,
        /// How long it took.
        duration: Duration,
    },
    /// The image is in the engine.
    Built {
        /// The image's name in shipspec.yml.
        image: &'a str,
        /// How long the build took.
        duration: Duration,
    },
    /// The test of an image began.
    TestStarted {
        /// The image's name in shipspec.yml.
        image: &'a str,
    },
    /// The test of an image said something.
    TestOutput {
        /// The image's name in shipspec.yml.
        image: &'a str,
        /// One line, without its newline.
        line: &'a str,
    },
    /// The test of an image succeeded.
    Tested {
        /// The image's name in shipspec.yml.
        image: &'a str,
        /// How long it took.
        duration: Duration,
    },
    /// The push of an image began.
    PushStarted {
        /// The image's name in shipspec.yml.
        image: &'a str,
        /// What is pushed.
        reference: &'a str,
    },
    /// The engine tells how the push goes on: once per layer and state, not per chunk.
    PushLine {
        /// The image's name in shipspec.yml.
        image: &'a str,
        /// The engine's own words.
        line: &'a str,
    },
    /// The registry broke off, and the engine sends a layer again by itself.
    PushRetrying {
        /// The image's name in shipspec.yml.
        image: &'a str,
        /// How long the engine waits before that.
        wait: Duration,
    },
    /// The push failed, and is made again as a whole; layers that are up are not sent again.
    PushAgain {
        /// The image's name in shipspec.yml.
        image: &'a str,
        /// Why.
        reason: &'a str,
        /// How long is waited before that.
        wait: Duration,
        /// Which attempt it will be; the first was 1.
        attempt: u32,
        /// How many attempts there are at the most.
        attempts: u32,
    },
    /// The registry holds the image, as it confirmed itself.
    Pushed {
        /// The image's name in shipspec.yml.
        image: &'a str,
        /// What it holds.
        published: &'a Published,
    },
    /// A tag names the image now.
    Tagged {
        /// The image's name in shipspec.yml.
        image: &'a str,
        /// The reference by that tag.
        reference: &'a str,
        /// What the tag did.
        change: TagChange,
    },
    /// A tag that was moved names again what it named before, because the run failed.
    PutBack {
        /// The image's name in shipspec.yml.
        image: &'a str,
        /// The reference by that tag.
        reference: &'a str,
        /// What it names again.
        digest: &'a Digest,
    },
}

/// Hears of events as they happen.
pub trait Reporter: Send + Sync {
    /// Takes one event. It is called from the task that does the work, so it returns at once.
    fn report(&self, event: Event<'_>);
}
