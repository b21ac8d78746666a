//! The engine, and the room that it has.

use std::path::Path;

use shipspec_build::docker::{Engine, EngineFacts};

use super::{Check, bad, good, not_checked};
use crate::arguments::EngineFlags;
use crate::console::Bytes;
use crate::context::Context;
use crate::{failure, pipeline};

/// Free space below which an engine cannot be expected to build anything.
const LEAST_SPACE: u64 = 256_000_000;

pub(super) async fn check_engine(
    context: &Context<'_>,
    flags: &EngineFlags,
    is_needed: bool,
) -> (Vec<Check>, Option<Engine>) {
    if !is_needed {
        return (Vec::new(), None);
    }
    let engine = match pipeline::connect(context, flags).await {
        Ok(engine) => engine,
        Err(error) => return (vec![bad("engine", error)], None),
    };
    let checks = match engine.facts().await {
        Ok(facts) => vec![check_facts(&facts), check_space(&facts)],
        Err(error) => vec![bad("engine", error)],
    };
    (checks, Some(engine))
}

fn check_facts(facts: &EngineFacts) -> Check {
    if facts.os != "linux" {
        let message = format!("the engine builds for `{}`, not for linux", facts.os);
        return bad("engine", failure::engine(message));
    }
    let name = if facts.is_podman { "Podman" } else { "Docker" };
    good("engine", format_args!("{name} {} on {}/{}", facts.version, facts.os, facts.architecture))
}

/// The space where the engine keeps images, if that is on this machine.
fn check_space(facts: &EngineFacts) -> Check {
    let subject = "disk";
    match free_space(&facts.data_folder) {
        Some(free) if free < LEAST_SPACE => {
            let message = format!(
                "only {} are free in `{}`, where the engine keeps images",
                Bytes(free),
                facts.data_folder.display()
            );
            bad(subject, failure::engine(message))
        }
        Some(free) => good(subject, format_args!("{} free for images", Bytes(free))),
        None => not_checked(subject, "the engine keeps images where this process cannot look"),
    }
}

fn free_space(folder: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(folder).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}
