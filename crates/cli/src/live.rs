//! Progress in a terminal: one line for each image that is under way.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Between two drawings of the sign that something is under way.
const TICK: Duration = Duration::from_millis(120);

/// A line for each image that is under way; what is done is told above them.
#[derive(Debug)]
pub(crate) struct Live {
    lines: MultiProgress,
    images: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Live {
    pub(crate) fn new() -> Self {
        Self { lines: MultiProgress::new(), images: Mutex::default() }
    }

    /// Says what an image is at.
    pub(crate) fn say(&self, image: &str, what: impl Into<Cow<'static, str>>) {
        let Ok(mut images) = self.images.lock() else { return };
        let line = images.entry(image.to_owned()).or_insert_with(|| {
            let line = self.lines.add(ProgressBar::new_spinner());
            // A template that cannot be read is one that was written wrong here.
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {wide_msg}") {
                line.set_style(style);
            }
            line.set_prefix(image.to_owned());
            line.enable_steady_tick(TICK);
            line
        });
        line.set_message(what);
    }

    /// Takes the line of an image away.
    pub(crate) fn end(&self, image: &str) {
        let line = self.images.lock().ok().and_then(|mut images| images.remove(image));
        if let Some(line) = line {
            line.finish_and_clear();
            self.lines.remove(&line);
        }
    }

    /// Takes all lines away.
    pub(crate) fn end_all(&self) {
        let images = self.images.lock().map(|images| images.keys().cloned().collect::<Vec<_>>());
        for image in images.unwrap_or_default() {
            self.end(&image);
        }
    }

    /// Writes above the lines.
    pub(crate) fn above(&self, write: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.lines.suspend(write)
    }
}
