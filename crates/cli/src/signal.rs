//! Signals that end a run.

use std::time::Duration;

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

/// How long a run may take to stop by itself. What it does without waiting, such as reading a file
/// that never ends, cannot be interrupted otherwise.
const GRACE: Duration = Duration::from_secs(2);

/// Waits for a signal, and ends the process if nobody has when some time has passed since.
pub(crate) async fn watch() -> Signal {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let signal = received().await;
        // Whoever listens is told; who does not listen is why the time is limited.
        let _ = sender.send(signal);
        tokio::time::sleep(GRACE).await;
        std::process::exit(signal.exit_code().into());
    });
    match receiver.await {
        Ok(signal) => signal,
        Err(_) => std::future::pending().await,
    }
}

/// Waits for a signal. What is under way is dropped then, which ends a build in the engine.
async fn received() -> Signal {
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
