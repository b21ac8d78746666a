//! Signals that end a run.

use tokio::signal::unix::{SignalKind, signal};

/// A signal that ends a run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signal {
    /// Ctrl-C in a terminal.
    Interrupt,
    /// What CodeBuild sends when a build is stopped.
    Terminate,
}

impl Signal {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }

    /// 128 and the number of the signal, as a shell tells it.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Waits for a signal. What is under way is dropped then, which ends a build in the engine.
pub(crate) async fn received() -> Signal {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => Signal::Interrupt,
        _ = terminate.recv() => Signal::Terminate,
    }
}
