//! Which files of a source the engine wants.

use std::path::Path;

use tonic::metadata::MetadataMap;

use super::links;
use crate::context::ContextError;
use crate::ignore::{Ignore, PatternError, Verdict};

/// What the engine says in the head of its request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wish {
    /// Which of our sources.
    pub(super) source: String,
    include: Vec<String>,
    exclude: Vec<String>,
    /// Like `include`, but links that they lead through come along.
    follow: Vec<String>,
}

impl Wish {
    pub(super) fn read(metadata: &MetadataMap) -> Self {
        Self {
            source: values(metadata, "dir-name").pop().unwrap_or_default(),
            include: values(metadata, "include-patterns"),
            exclude: values(metadata, "exclude-patterns"),
            follow: values(metadata, "followpaths"),
        }
    }

    /// What it means in this folder.
    pub(super) fn filter(&self, root: &Path) -> Result<Filter, ContextError> {
        let mut include: Vec<_> = self.include.iter().map(String::as_str).collect();
        let followed =
            if self.follow.is_empty() { None } else { links::follow(root, &self.follow)? };
        include.extend(followed.iter().flatten().map(String::as_str));
        let read = |patterns: Result<Ignore, PatternError>| {
            patterns.map_err(|source| ContextError::Pattern { path: root.into(), source })
        };
        Ok(Filter {
            include: read(Ignore::from_patterns(include))?,
            exclude: read(Ignore::from_patterns(self.exclude.iter().map(String::as_str)))?,
        })
    }
}

/// All values of a key. What is not ASCII comes as it is from old engines, and encoded as in a URL
/// from newer ones.
fn values(metadata: &MetadataMap, key: &str) -> Vec<String> {
    let is_encoded = metadata.get(format!("{key}-encoded")).is_some_and(|value| value == "1");
    let texts = metadata.get_all(key).iter().map(|value| value.as_encoded_bytes().to_vec());
    texts
        .map(|bytes| {
            let bytes = if is_encoded { decoded(&bytes) } else { bytes };
            String::from_utf8_lossy(&bytes).into_owned()
        })
        .collect()
}

fn decoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let meant;
        (meant, rest) = match (first, byte) {
            (b'%', Some(byte)) => (byte, &behind[2..]),
            (b'+', _) => (b' ', behind),
            (other, _) => (*other, behind),
        };
        out.push(meant);
    }
    out
}

/// Patterns of what is wanted and of what is not.
#[derive(Debug)]
pub(crate) struct Filter {
    include: Ignore,
    exclude: Ignore,
}

/// What the patterns say of a path; what is inside of it is judged from there.
#[derive(Debug, Default)]
pub(crate) struct Place {
    include: Verdict,
    exclude: Verdict,
    pub(super) is_wanted: bool,
}

impl Filter {
    /// Everything is wanted that is not left out.
    pub(crate) fn without(exclude: Ignore) -> Self {
        Self { include: Ignore::default(), exclude }
    }

    pub(super) fn judge(&self, parent: &Place, path: &str) -> Place {
        // A pattern that leaves out what it fits also tells what it fits.
        let include = self.include.judge(&parent.include, path);
        let exclude = self.exclude.judge(&parent.exclude, path);
        let is_wanted = (self.include.is_empty() || include.excluded) && !exclude.excluded;
        Place { include, exclude, is_wanted }
    }

    /// Something in a folder could be wanted, even if the folder itself is not.
    pub(super) fn can_want_below(&self, folder: &str, place: &Place) -> bool {
        (self.include.is_empty()
            || place.include.excluded
            || self.include.can_exclude_below(folder))
            && (!place.exclude.excluded || self.exclude.can_bring_back_below(folder))
    }
}

#[cfg(test)]
mod tests {
    use tonic::metadata::MetadataValue;

    use super::*;

    #[test]
    fn values_are_read_as_old_and_new_engines_send_them() {
        let mut metadata = MetadataMap::new();
        metadata.insert("dir-name", "context".parse().unwrap());
        let raw = MetadataValue::try_from("*.ö".as_bytes()).unwrap();
        metadata.append("exclude-patterns", raw);
        metadata.append("followpaths", "a+b%2F%C3%B6".parse().unwrap());
        metadata.append("followpaths", "%".parse().unwrap());
        metadata.append("followpaths-encoded", "1".parse().unwrap());
        let wish = Wish::read(&metadata);
        assert_eq!(wish.source, "context");
        assert_eq!(wish.exclude, ["*.ö"]);
        assert_eq!(wish.follow, ["a b/ö", "%"]);
    }
}
