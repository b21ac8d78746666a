//! Versions of secrets into the steps that mount them.
//!
//! BuildKit knows a step by its command and its mounts, and not by what a secret holds: a step that
//! has run keeps its result, whichever password it ran with. So a step gets one more mount whose path
//! names the versions: an empty file system in memory below `/dev`, which is one itself and stays out
//! of the image.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use parse_dockerfile::Instruction;
use sha2::{Digest as _, Sha256};

use super::mounts::Mount;
use super::read::values;

/// Where the mount begins that was put in.
const MARK: &str = " --mount=type=tmpfs,target=/dev/shipspec-";

/// Digits of the hash behind it.
const DIGITS: usize = 16;

/// The Dockerfile with the versions of secrets in its steps; nothing if no step mounts one of them.
pub(crate) fn with_versions(text: &str, versions: &BTreeMap<&str, &str>) -> Option<String> {
    // The parser counts places from behind it.
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let shift = text.len() - body.len();
    let parsed = parse_dockerfile::parse(body).ok()?;
    let mut places = Vec::new();
    for stage in parsed.stages() {
        for instruction in stage.instructions {
            let Instruction::Run(run) = instruction else { continue };
            let mounted = values(&run.options, "mount")
                .filter_map(|mount| match Mount::read(&mount, 0, |word| Some(word.to_owned())) {
                    Mount::Secret(secret) => versions.get_key_value(&*secret.id),
                    _ => None,
                })
                .collect();
            places.extend(mark(mounted).map(|mark| (run.run.span.end + shift, mark)));
        }
    }
    if places.is_empty() {
        return None;
    }
    let mut marked = text.to_owned();
    for (place, mark) in places.into_iter().rev() {
        marked.insert_str(place, &mark);
    }
    Some(marked)
}

fn mark(mounted: BTreeMap<&&str, &&str>) -> Option<String> {
    if mounted.is_empty() {
        return None;
    }
    let mut hash = Sha256::new();
    for (id, version) in mounted {
        hash.update(format!("{id}\n{version}\n"));
    }
    let mut mark = MARK.to_owned();
    for byte in &hash.finalize()[..DIGITS / 2] {
        let _ = write!(mark, "{byte:02x}");
    }
    Some(mark)
}

/// A step's name as the Dockerfile has it.
pub(crate) fn without_versions(name: &str) -> Cow<'_, str> {
    match name.split_once(MARK) {
        Some((before, behind)) => {
            let behind = behind.get(DIGITS..).unwrap_or_default();
            format!("{before}{behind}").into()
        }
        None => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKERFILE: &str = "FROM a\nRUN --mount=type=secret,id=token \\\n  npm ci\nrun x\nRUN --network=none --mount=type=secret,id=other y\n";

    #[test]
    fn a_step_names_the_versions_of_its_own_secrets() {
        let with = |version: &str| {
            with_versions(DOCKERFILE, &BTreeMap::from([("token", version)])).unwrap()
        };
        let (one, two) = (with("1"), with("2"));
        assert_ne!(one, two);
        let lines: Vec<_> = one.lines().collect();
        assert!(lines[1].starts_with(&format!("RUN{MARK}")), "{one}");
        assert_eq!(without_versions(lines[1]), "RUN --mount=type=secret,id=token \\");
        assert_eq!(lines[2..], DOCKERFILE.lines().collect::<Vec<_>>()[2..]);
        assert_eq!(with_versions(DOCKERFILE, &BTreeMap::from([("none", "1")])), None);
    }
}
