//! The bytes that a key is the hash of: each value with its length, so that no two lists of values are
//! the same bytes. `docs/reference/content-key.md` has the encoding.

use blake3::{Hash, Hasher};

/// Takes values, one after the other.
#[derive(Debug, Default)]
pub(super) struct Encoder(Hasher);

impl Encoder {
    /// Begins with the name of what is encoded.
    pub(super) fn new(name: &str) -> Self {
        let mut encoder = Self::default();
        encoder.text(name);
        encoder
    }

    /// Eight bytes, the lowest first.
    pub(super) fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    /// How many; of what, or of bytes.
    pub(super) fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    /// How many bytes, then the bytes.
    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text.as_bytes());
    }

    /// 0, or 1 and the text.
    pub(super) fn optional(&mut self, text: Option<&str>) {
        self.count(text.iter().len());
        if let Some(text) = text {
            self.text(text);
        }
    }

    /// How many, then each.
    pub(super) fn texts<'a>(&mut self, texts: impl ExactSizeIterator<Item = &'a String>) {
        self.count(texts.len());
        texts.for_each(|text| self.text(text));
    }

    /// How many, then the name and the value of each.
    pub(super) fn map<'a, V: 'a>(
        &mut self,
        pairs: impl IntoIterator<Item = (&'a String, V), IntoIter: ExactSizeIterator>,
        mut value: impl FnMut(&mut Self, V),
    ) {
        let pairs = pairs.into_iter();
        self.count(pairs.len());
        for (name, one) in pairs {
            self.text(name);
            value(self, one);
        }
    }

    /// The hash of all of it.
    pub(super) fn hash(&self) -> Hash {
        self.0.finalize()
    }
}
