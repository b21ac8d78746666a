//! Puts BuildKit's reports together: it tells of a step several times, and of its output in pieces.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bollard_buildkit_proto::moby::buildkit::v1::{StatusResponse, Vertex};

use crate::bases::in_step;
use crate::dockerfile::without_versions;
use crate::progress::{Event, Reporter};

/// Lines of a step's output that are kept for the error, should it fail.
const LAST_LINES: usize = 30;

/// The steps of one build.
pub(crate) struct Vertices<'a> {
    image: &'a str,
    reporter: &'a dyn Reporter,
    steps: BTreeMap<String, Step>,
}

#[derive(Default)]
struct Step {
    name: String,
    cached: bool,
    done: bool,
    /// Why it failed; empty if it did not.
    error: String,
    /// What was said since the last newline.
    partial: Vec<u8>,
    lines: VecDeque<String>,
}

/// The step that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedStep {
    /// As BuildKit names it: `[2/3] RUN make`.
    pub name: String,
    /// The end of what it said.
    pub lines: Vec<String>,
    /// Where it stands, such as `Dockerfile:7`, if that could be found.
    pub place: Option<String>,
}

impl std::fmt::Display for FailedStep {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "`{}`", self.name)?;
        match &self.place {
            Some(place) => write!(formatter, " ({place})"),
            None => Ok(()),
        }
    }
}

impl<'a> Vertices<'a> {
    pub(crate) fn new(image: &'a str, reporter: &'a dyn Reporter) -> Self {
        Self { image, reporter, steps: BTreeMap::new() }
    }

    /// Takes one message of the stream.
    pub(crate) fn take(&mut self, status: &StatusResponse) {
        // Output comes before the news that its step is done.
        for vertex in &status.vertexes {
            self.step(&vertex.digest).name = without_versions(&vertex.name).into_owned();
        }
        for log in &status.logs {
            self.take_output(&log.vertex, &log.msg);
        }
        for vertex in &status.vertexes {
            self.take_vertex(vertex);
        }
    }

    fn step(&mut self, digest: &str) -> &mut Step {
        self.steps.entry(digest.to_owned()).or_default()
    }

    fn take_output(&mut self, digest: &str, bytes: &[u8]) {
        let (image, reporter) = (self.image, self.reporter);
        let step = self.step(digest);
        let mut looked_at = step.partial.len();
        step.partial.extend_from_slice(bytes);
        while let Some(end) = line_end(&step.partial, looked_at) {
            let line: Vec<u8> = step.partial.drain(..=end).collect();
            step.say(image, reporter, line.strip_suffix(b"\n").unwrap_or(&line));
            looked_at = 0;
        }
    }

    fn take_vertex(&mut self, vertex: &Vertex) {
        let (image, reporter) = (self.image, self.reporter);
        let step = self.step(&vertex.digest);
        step.cached |= vertex.cached;
        if !vertex.error.is_empty() {
            step.error.clone_from(&vertex.error);
        }
        if vertex.completed.is_none() || step.done {
            return;
        }
        step.done = true;
        let rest = std::mem::take(&mut step.partial);
        if !rest.is_empty() {
            step.say(image, reporter, &rest);
        }
        if step.error.is_empty() && is_of_dockerfile(&step.name) {
            let (step, cached, duration) = (&*step.name, step.cached, duration(vertex));
            reporter.report(Event::StepDone { image, step, cached, duration });
        }
    }

    /// The base images that were taken, with their digests.
    pub(crate) fn bases(&self) -> BTreeSet<String> {
        let steps = self.steps.values();
        steps.filter_map(|step| in_step(&step.name)).map(str::to_owned).collect()
    }

    /// The step that failed by itself, not one that was cancelled because another failed.
    pub(crate) fn failed(&self) -> Option<FailedStep> {
        let failed = self.steps.values().filter(|step| !step.error.is_empty());
        let step = failed.min_by_key(|step| {
            (!step.error.contains("exit code:"), step.error.contains("context canceled"))
        })?;
        Some(FailedStep {
            name: step.name.clone(),
            lines: step.lines.iter().cloned().collect(),
            place: None,
        })
    }
}

impl Step {
    fn say(&mut self, image: &str, reporter: &dyn Reporter, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let line = drawn_last(&text);
        keep(&mut self.lines, line);
        reporter.report(Event::StepOutput { image, step: &self.name, line });
    }
}

/// The longest line that is waited for, in bytes.
const LONGEST_LINE: usize = 1 << 20;

/// Where the first line ends, of which `looked_at` bytes are known to have no end. One that is too
/// long ends where it has come to.
pub(crate) fn line_end(partial: &[u8], looked_at: usize) -> Option<usize> {
    let found = partial[looked_at..].iter().position(|byte| *byte == b'\n');
    let too_long = (partial.len() > LONGEST_LINE).then(|| partial.len() - 1);
    found.map(|end| looked_at + end).or(too_long)
}

/// Of a line that was drawn over itself, what was drawn last.
pub(crate) fn drawn_last(text: &str) -> &str {
    let line = text.trim_end_matches('\r');
    line.rsplit('\r').next().unwrap_or(line)
}

/// Keeps a line for the error, and lets the oldest go.
pub(crate) fn keep(lines: &mut VecDeque<String>, line: &str) {
    if lines.len() == LAST_LINES {
        lines.pop_front();
    }
    lines.push_back(line.to_owned());
}

/// The step stands in the Dockerfile; the others are BuildKit's own house-keeping.
fn is_of_dockerfile(name: &str) -> bool {
    name.starts_with('[') && !name.starts_with("[internal]")
}

fn duration(vertex: &Vertex) -> Duration {
    let (Some(started), Some(completed)) = (&vertex.started, &vertex.completed) else {
        return Duration::ZERO;
    };
    let seconds = completed.seconds - started.seconds;
    let nanoseconds = seconds * 1_000_000_000 + i64::from(completed.nanos - started.nanos);
    Duration::from_nanos(nanoseconds.try_into().unwrap_or(0))
}
