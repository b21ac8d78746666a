//! stdout for data, stderr for words.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, RwLock};
use std::time::Duration;

use shipspec_build::progress::{Event, Reporter};
use shipspec_registry::retry::{Retry, RetryObserver};
use shipspec_spec::aws::causes;
use shipspec_spec::mask::Mask;
use shipspec_spec::secret::Secret;

use crate::live::Live;
use crate::report;

/// Where a run speaks. In a log, lines are whole and nothing is drawn over; in a terminal, images that
/// are under way have a line each.
#[derive(Debug)]
pub(crate) struct Console {
    stdout: io::Stdout,
    stderr: io::Stderr,
    /// The step whose output was shown last, so that its name is shown once.
    step: Mutex<String>,
    /// What must not be shown, whoever says it.
    mask: RwLock<Option<Mask>>,
    /// Progress that is drawn over itself, where somebody watches.
    live: Option<Live>,
}

impl Console {
    pub(crate) fn new() -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let is_watched = stderr.is_terminal()
            && std::env::var_os("TERM").is_some_and(|terminal| terminal != "dumb");
        let live = is_watched.then(Live::new);
        Self { stdout, stderr, step: Mutex::default(), mask: RwLock::default(), live }
    }

    /// Takes away what is drawn over itself: the run has come to its end.
    pub(crate) fn settle(&self) {
        if let Some(live) = &self.live {
            live.end_all();
        }
    }

    /// Hides these secrets from here on, and no others.
    pub(crate) fn hide<'a>(&self, secrets: impl IntoIterator<Item = &'a Secret>) {
        if let Ok(mut mask) = self.mask.write() {
            *mask = Mask::new(secrets);
        }
    }

    /// The text with all secrets in it hidden.
    pub(crate) fn masked(&self, text: String) -> String {
        // Without a lock nobody knows what is secret.
        let Ok(mask) = self.mask.read() else { return "****".into() };
        match mask.as_ref().map(|mask| mask.apply(&text)) {
            Some(Cow::Owned(masked)) => masked,
            Some(Cow::Borrowed(_)) | None => text,
        }
    }

    /// stderr is a terminal, so that colour is welcome.
    pub(crate) fn is_terminal(&self) -> bool {
        self.stderr.is_terminal()
    }

    /// A line for people.
    pub(crate) fn note(&self, line: impl fmt::Display) {
        // In one piece, so that lines of several processes do not mix. Nobody can be told that nobody
        // listens.
        let line = self.masked(format!("{line}\n"));
        let write = || self.stderr.lock().write_all(line.as_bytes());
        let _ = self.live.as_ref().map_or_else(write, |progress| progress.above(write));
    }

    /// What an image is at, for those who watch; a log has lines of its own.
    pub(crate) fn say(&self, image: &str, what: String) {
        if let Some(live) = &self.live {
            live.say(image, self.masked(what));
        }
    }

    /// Nothing more is to be said of what an image is at.
    pub(crate) fn end(&self, image: &str) {
        if let Some(live) = &self.live {
            live.end(image);
        }
    }

    /// Data for whoever reads stdout, as it is. It is of our own making, so there is no secret in it;
    /// words of others go through [`Console::masked`] first.
    pub(crate) fn data(&self, text: &str) -> io::Result<()> {
        let mut stdout = self.stdout.lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }

    /// Names the step when its output begins, or begins again after another's.
    fn begin_output(&self, image: &str, step: &str) {
        let Ok(mut shown) = self.step.lock() else { return };
        let begins = format!("{image}: {step}");
        if *shown != begins {
            self.note(&begins);
            *shown = begins;
        }
    }
}

impl Console {
    /// Shows an event in the line of its image; false if it is to be told as in a log.
    fn show_live(&self, live: &Live, event: Event<'_>) -> bool {
        let say = |image: &str, what: String| live.say(image, self.masked(what));
        match event {
            Event::BuildStarted { image } => say(image, "building".into()),
            Event::StepOutput { image, step, line } => {
                say(image, format!("{} | {line}", brief(step)));
            }
            Event::StepDone { image, step, .. } => say(image, step.to_owned()),
            Event::TestStarted { image } => say(image, "testing".into()),
            Event::TestOutput { image, line } => say(image, format!("testing | {line}")),
            Event::PushStarted { image, reference } => say(image, format!("pushing {reference}")),
            Event::PushLine { image, line } => {
                say(image, format!("pushing | {line}"));
            }
            Event::Pushed { image, .. } => {
                live.end(image);
                return false;
            }
            Event::Waiting { .. }
            | Event::DaemonStarting { .. }
            | Event::ProcessFileRemoved { .. }
            | Event::Built { .. }
            | Event::Tested { .. }
            | Event::PushRetrying { .. }
            | Event::PushAgain { .. }
            | Event::Tagged { .. }
            | Event::PutBack { .. } => return false,
        }
        true
    }
}

impl Reporter for Console {
    fn report(&self, event: Event<'_>) {
        if self.live.as_ref().is_some_and(|live| self.show_live(live, event)) {
            return;
        }
        match event {
            Event::Waiting { host, reason, limit } => self.note(format_args!(
                "waiting up to {} for a Docker engine at {host} ({reason})",
                Seconds(limit)
            )),
            Event::DaemonStarting { log } => {
                self.note(format_args!("starting dockerd, which writes to {log}"));
            }
            Event::ProcessFileRemoved { path } => {
                self.note(format_args!("removed {path}: it named no dockerd that runs"));
            }
            Event::BuildStarted { image } => self.note(format_args!("{image}: building")),
            Event::StepOutput { image, step, line } => {
                self.begin_output(image, step);
                self.note(format_args!("{image}:   | {line}"));
            }
            Event::StepDone { image, step, cached, duration } => {
                let how = if cached { "CACHED".into() } else { Seconds(duration).to_string() };
                self.note(format_args!("{image}: {step}  {how}"));
            }
            Event::Built { image, duration } => {
                self.note(format_args!("{image}: built in {}", Seconds(duration)));
            }
            Event::TestStarted { image } => self.note(format_args!("{image}: testing")),
            Event::TestOutput { image, line } => {
                self.begin_output(image, "test");
                self.note(format_args!("{image}:   | {line}"));
            }
            Event::Tested { image, duration } => {
                self.note(format_args!("{image}: tested in {}", Seconds(duration)));
            }
            Event::PushStarted { image, reference } => {
                self.note(format_args!("{image}: pushing {reference}"));
            }
            Event::PushLine { .. } => {}
            Event::PushRetrying { image, wait } => self.note(format_args!(
                "{image}: the registry broke off; the engine sends a layer again in {}",
                Seconds(wait)
            )),
            Event::PushAgain { image, reason, wait, attempt, attempts } => self.note(format_args!(
                "{image}: {reason}; pushing again in {} (attempt {attempt} of {attempts})",
                Seconds(wait)
            )),
            Event::Pushed { image, published } => self.note(format_args!(
                "{image}: the registry holds {} ({})",
                published.digest,
                Bytes(published.size)
            )),
            Event::Tagged { image, reference, change } => {
                let what = report::word(change);
                self.note(format_args!("{image}: tagged {reference} ({what})"));
            }
            Event::PutBack { image, reference, digest } => self.note(format_args!(
                "{image}: put {reference} back to {digest}, because the run failed"
            )),
        }
    }
}

impl RetryObserver for Console {
    fn retrying(&self, retry: &Retry<'_>) {
        let Retry { repository, reason, wait, attempt, attempts } = retry;
        self.note(format_args!(
            "{repository}: {}; asking again in {} (attempt {attempt} of {attempts})",
            causes(reason),
            Seconds(*wait)
        ));
    }
}

/// The beginning of a step's name, so that its output has room behind it.
fn brief(step: &str) -> Cow<'_, str> {
    const MOST: usize = 40;
    match step.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &step[..end]).into(),
        None => step.into(),
    }
}

/// A length of time as people read it.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if seconds >= 60 {
            return formatter.pad(&format!("{}m{:02}s", seconds / 60, seconds % 60));
        }
        formatter.pad(&format!("{:.1}s", self.0.as_secs_f64()))
    }
}

/// A size as people read it, in units of 1000.
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
        match units.iter().find(|(_, size)| self.0 >= *size) {
            Some((unit, size)) => {
                let tenths = self.0 / (size / 10);
                formatter.pad(&format!("{}.{} {unit}", tenths / 10, tenths % 10))
            }
            None => formatter.pad(&format!("{} B", self.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_short() {
        assert_eq!(Seconds(Duration::from_millis(340)).to_string(), "0.3s");
        assert_eq!(Seconds(Duration::from_secs(125)).to_string(), "2m05s");
        assert_eq!(Bytes(999).to_string(), "999 B");
        assert_eq!(Bytes(12_345_678).to_string(), "12.3 MB");
    }
}
