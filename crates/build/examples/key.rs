//! Reads a folder as a content key does, and prints what it took: `benches/key` runs it.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use shipspec_build::key::Snapshot;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("which folder?")?;
    let start = Instant::now();
    let snapshot = Snapshot::of_folder(Path::new(&folder))?;
    let seconds = start.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|text| text.split_whitespace().next()).unwrap_or("0");
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{} {seconds:.3} {peak}", snapshot.len())?;
    Ok(())
}
