//! Signals that end a run.

use std::sync::Arc;
use std::time::Duration;

use shipspec_spec::hint::Hint;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::console::Console;

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
    pub(crate) const fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// How long a run may take to stop by itself. What it does without waiting, such as reading a file
/// that never ends, cannot be interrupted otherwise.
const GRACE: Duration = Duration::from_secs(2);

/// How long what must not be left half-done may take to end: a request to a registry, and putting back what
/// it has moved. Whoever stops a run kills it some time later.
const LONGEST_HOLD: Duration = Duration::from_secs(30);

/// How long after a signal another one is no second wish.
const SAME_SIGNAL: Duration = Duration::from_secs(1);

/// The run was told to end before it had done what it was to do.
#[derive(Debug, thiserror::Error)]
#[error("interrupted by {}", signal.name())]
pub(crate) struct Interrupted {
    pub(crate) signal: Signal,
    /// Nobody waited for what was under way.
    pub(crate) is_broken_off: bool,
}

impl Hint for Interrupted {
    fn hint(&self) -> Option<String> {
        self.is_broken_off.then(|| {
            "tags, files and what is published are as they were left in the middle; the next run completes them"
                .into()
        })
    }
}

/// Whether the run was told to end, and whether it may be dropped where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    asked: watch::Sender<Option<Signal>>,
    holds: watch::Sender<usize>,
}

/// As long as it lives, a signal is only noted.
#[derive(Debug)]
pub(crate) struct Hold<'a>(&'a Stop);

impl Stop {
    pub(crate) fn new() -> Self {
        Self { asked: watch::Sender::new(None), holds: watch::Sender::new(0) }
    }

    /// From here on the run ends by itself, and leaves nothing half-done.
    pub(crate) fn hold(&self) -> Hold<'_> {
        self.holds.send_modify(|holds| *holds += 1);
        Hold(self)
    }

    /// Nothing more is begun once the run was told to end.
    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        let asked = *self.asked.borrow();
        asked.map_or(Ok(()), |signal| Err(Interrupted { signal, is_broken_off: false }))
    }

    /// Waits for a signal from now on, and until the run may be dropped. Ends the process if nobody has when
    /// some time has passed since.
    pub(crate) fn watch(
        &self,
        console: &Arc<Console>,
    ) -> impl Future<Output = Interrupted> + use<> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let (stop, console) = (self.clone(), Arc::clone(console));
        tokio::spawn(async move {
            let signal = received().await;
            stop.asked.send_replace(Some(signal));
            if stop.is_held() {
                // On a thread of its own: nobody may be there who reads it, and the time is limited.
                let note = format!("{}: it ends after this step", signal.name());
                std::thread::spawn(move || console.note(note));
                stop.released().await;
            }
            // Whoever listens is told; who does not listen is why the time is limited.
            let _ = sender.send(Interrupted { signal, is_broken_off: stop.is_held() });
            tokio::time::sleep(GRACE).await;
            std::process::exit(signal.exit_code().into());
        });
        async {
            match receiver.await {
                Ok(interrupted) => interrupted,
                Err(_) => std::future::pending().await,
            }
        }
    }

    fn is_held(&self) -> bool {
        *self.holds.borrow() > 0
    }

    /// Waits until nobody holds it any more, for so long, or until a second signal. What comes right after
    /// the first is the same: a terminal and a program between send it twice.
    async fn released(&self) {
        let mut holds = self.holds.subscribe();
        let second = async {
            tokio::time::sleep(SAME_SIGNAL).await;
            received().await
        };
        tokio::select! {
            _ = holds.wait_for(|holds| *holds == 0) => {}
            _ = second => {}
            () = tokio::time::sleep(LONGEST_HOLD) => {}
        }
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.holds.send_modify(|holds| *holds -= 1);
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
