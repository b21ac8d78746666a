//! The base images that an engine built with, and those that it was to build with.

use std::collections::BTreeSet;

use shipspec_spec::image::ImageReference;

use crate::docker::BuildError;
use crate::reuse::BaseDigests;

/// The base image in a step's name, if its digest stands there: `[1/3] FROM docker.io/library/alpine:3@sha256:…`.
pub(crate) fn in_step(name: &str) -> Option<&str> {
    let (_, rest) = name.split_once("] FROM ")?;
    rest.split_whitespace().next().filter(|reference| reference.contains("@sha256:"))
}

/// Those of which nothing was known.
pub(crate) fn compare(
    known: &BaseDigests,
    reported: BTreeSet<String>,
) -> Result<BTreeSet<String>, BuildError> {
    let mut unknown = BTreeSet::new();
    for base in reported {
        let Ok(ImageReference { repository, tag, digest }) = base.parse() else { continue };
        let Some(found) = digest else { continue };
        if known.values().any(|known| *known == found) {
            continue;
        }
        match known.get(&ImageReference { repository, tag, digest: None }) {
            None => drop(unknown.insert(base)),
            Some(wanted) => {
                return Err(BuildError::BaseMoved { image: base, wanted: wanted.clone() });
            }
        }
    }
    Ok(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_image_that_moved_is_found_in_the_steps() {
        let pinned = |name: &str, digit: &str| format!("{name}@sha256:{}", digit.repeat(64));
        let step =
            format!("[linux/amd64 build 1/3] FROM {}", pinned("docker.io/library/alpine:3", "1"));
        let reported = in_step(&step).unwrap();
        assert_eq!(reported, pinned("docker.io/library/alpine:3", "1"));
        assert_eq!(in_step("[1/3] FROM scratch"), None);
        assert_eq!(in_step("[2/3] RUN echo FROM a@sha256:1"), None);
        let known = |digit: &str| {
            BaseDigests::from([(
                "alpine:3".parse().unwrap(),
                pinned("", digit)[1..].parse().unwrap(),
            )])
        };
        let reported = || BTreeSet::from([reported.to_owned()]);
        assert_eq!(compare(&known("1"), reported()).unwrap(), BTreeSet::new());
        assert!(compare(&known("2"), reported()).is_err());
        assert_eq!(compare(&BaseDigests::new(), reported()).unwrap(), reported());
    }
}
