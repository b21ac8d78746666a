//! The base images that an engine built with, and those that it was to build with.

use std::collections::BTreeSet;

use shipspec_spec::image::{Digest, ImageReference};

use crate::docker::BuildError;
use crate::reuse::BaseDigests;

/// The base image in a step's name, if its digest stands there: `[1/3] FROM docker.io/library/alpine:3@sha256:…`.
/// One that is only copied from has no number in front, one that stands for a context has its name.
pub(crate) fn in_step(name: &str) -> Option<&str> {
    let bare = name.strip_prefix("FROM ");
    let numbered = || name.split_once("] FROM ").map(|(_, rest)| rest);
    let context = || name.strip_prefix("[context ")?.split_once("] ").map(|(_, rest)| rest);
    let rest = bare.or_else(numbered).or_else(context)?;
    rest.split_whitespace().next().filter(|reference| reference.contains("@sha256:"))
}

/// How the base images of a build differ from those that it was to have.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Those of which nothing was known.
    pub(crate) unknown: BTreeSet<String>,
    /// Those of which the engine has not told which image it took: older ones tell it only of `FROM`.
    pub(crate) untold: BTreeSet<ImageReference>,
}

/// Compares what an engine told with what it was to build with.
pub(crate) fn compare(
    known: &BaseDigests,
    reported: BTreeSet<String>,
) -> Result<Difference, BuildError> {
    let mut unknown = BTreeSet::new();
    let mut told = BTreeSet::new();
    for base in reported {
        let Ok(ImageReference { repository, tag, digest }) = base.parse() else { continue };
        let Some(found) = digest else { continue };
        if known.values().any(|known| known.contains(&found)) {
            told.insert(found);
            continue;
        }
        let wanted = known.get(&ImageReference { repository, tag, digest: None });
        match wanted.and_then(|wanted| wanted.first()) {
            None => drop(unknown.insert(base)),
            Some(wanted) => {
                return Err(BuildError::BaseMoved { image: base, wanted: wanted.clone() });
            }
        }
    }
    let is_untold = |digests: &BTreeSet<Digest>| digests.is_disjoint(&told);
    let untold = known.iter().filter(|(_, digests)| is_untold(digests));
    Ok(Difference { unknown, untold: untold.map(|(base, _)| base.clone()).collect() })
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
        let copied = pinned("r.example/tool:1", "2");
        assert_eq!(in_step(&format!("FROM {copied}")), Some(&*copied));
        assert_eq!(in_step(&format!("[context tool] {copied}")), Some(&*copied));
        assert_eq!(in_step("[1/3] FROM scratch"), None);
        assert_eq!(in_step("[2/3] RUN echo FROM a@sha256:1"), None);
        let known = |digit: &str| {
            BaseDigests::from([(
                "alpine:3".parse().unwrap(),
                BTreeSet::from([pinned("", digit)[1..].parse().unwrap()]),
            )])
        };
        let reported = || BTreeSet::from([reported.to_owned()]);
        assert_eq!(compare(&known("1"), reported()).unwrap(), Difference::default());
        assert!(compare(&known("2"), reported()).is_err());
        assert_eq!(compare(&BaseDigests::new(), reported()).unwrap().unknown, reported());
        let untold = compare(&known("1"), BTreeSet::new()).unwrap().untold;
        assert_eq!(untold, known("1").into_keys().collect());
    }
}
