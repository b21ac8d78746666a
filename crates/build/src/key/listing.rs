//! The entries of a folder in few bytes, for a record that is compared with a later folder.
//!
//! A folder is an object of JSON, whatever else is in it a text: the first eight bytes of a hash in
//! base64, behind kind and mode where they are not those of an ordinary file. A listing that would be
//! too long has the hash of a folder in place of what is in it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use blake3::Hash;
use serde::{Deserialize, Serialize};

use super::encode::Encoder;
use super::entry::{Entry, Kind};

/// Bytes of a hash that are kept: enough to tell what changed, which no key depends on.
const HASH: usize = 8;

/// The mode of an ordinary file, and of an ordinary folder.
const FILE_MODE: u16 = 0o644;
const FOLDER_MODE: u16 = 0o755;

/// The key of a folder's own mode; no file has this name.
const OWN: &str = "";

/// Folders inside one another; readers of JSON have a limit. What is deeper has the rest of its path as
/// its name.
const DEPTH: usize = 64;

/// What is in a folder, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Listing(pub(super) BTreeMap<Box<str>, Node>);

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Node {
    Leaf(Leaf),
    Folder(Listing),
}

/// A file, a link, or a folder that is only known by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Leaf {
    pub(super) kind: LeafKind,
    pub(super) mode: u16,
    pub(super) hash: [u8; HASH],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeafKind {
    File,
    Link,
    Folder,
}

/// A text in a record is no entry of a folder.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no entry of a folder")]
pub(super) struct LeafError(String);

impl From<Leaf> for String {
    fn from(leaf: Leaf) -> Self {
        let hash = URL_SAFE_NO_PAD.encode(leaf.hash);
        match leaf.kind {
            LeafKind::File if leaf.mode == FILE_MODE => hash,
            LeafKind::File => format!("f{:o}.{hash}", leaf.mode),
            LeafKind::Link => format!("l.{hash}"),
            LeafKind::Folder => format!("d{:o}.{hash}", leaf.mode),
        }
    }
}

impl TryFrom<String> for Leaf {
    type Error = LeafError;

    fn try_from(text: String) -> Result<Self, LeafError> {
        let (head, hash) = text.split_once('.').unwrap_or(("f644", &text));
        let mut bytes = [0; HASH];
        let length = URL_SAFE_NO_PAD.decode_slice(hash, &mut bytes);
        let mode = || u16::from_str_radix(head.get(1..)?, 8).ok();
        let (kind, mode) = match head.as_bytes().first() {
            Some(b'f') => (LeafKind::File, mode()),
            Some(b'd') => (LeafKind::Folder, mode()),
            Some(b'l') if head.len() == 1 => (LeafKind::Link, Some(0)),
            _ => (LeafKind::File, None),
        };
        match (mode, length) {
            (Some(mode), Ok(HASH)) => Ok(Self { kind, mode, hash: bytes }),
            _ => Err(LeafError(text)),
        }
    }
}

impl Node {
    /// The node as one hash, whether it has all that is in it or not.
    pub(super) fn leaf(&self) -> Leaf {
        match self {
            Self::Leaf(leaf) => leaf.clone(),
            Self::Folder(listing) => listing.leaf(),
        }
    }

    /// Bytes of it as JSON.
    fn size(&self) -> usize {
        match self {
            Self::Leaf(leaf) => String::from(leaf.clone()).len() + 2,
            Self::Folder(listing) => listing.size(),
        }
    }
}

impl Listing {
    /// The entries, in at most so many bytes of JSON as long as that is more than one hash takes.
    pub(super) fn of(entries: &[Entry], limit: usize) -> Node {
        let mut top = Self::default();
        for entry in entries {
            top.add(entry);
        }
        top.fit(limit)
    }

    fn add(&mut self, entry: &Entry) {
        let mut folders: Vec<_> = entry.path.splitn(DEPTH, '/').collect();
        let name = folders.pop().unwrap_or_default();
        let mut listing = self;
        for folder in folders {
            let node = listing.0.entry(folder.into());
            let node = node.or_insert_with(|| Node::Folder(Self::default()));
            let Node::Folder(inner) = node else { return };
            listing = inner;
        }
        let leaf = |kind, hash| Node::Leaf(Leaf { kind, mode: entry.mode, hash: short(hash) });
        let node = match &entry.kind {
            Kind::Folder => Node::Folder(Self::of_mode(entry.mode)),
            Kind::File(hash) => leaf(LeafKind::File, *hash),
            Kind::Link(target) => leaf(LeafKind::Link, blake3::hash(target.as_bytes())),
        };
        listing.0.insert(name.into(), node);
    }

    /// An empty folder.
    fn of_mode(mode: u16) -> Self {
        let mut listing = Self::default();
        if mode != FOLDER_MODE {
            let own = Leaf { kind: LeafKind::Folder, mode, hash: [0; HASH] };
            listing.0.insert(OWN.into(), Node::Leaf(own));
        }
        listing
    }

    pub(super) fn mode(&self) -> u16 {
        match self.0.get(OWN) {
            Some(Node::Leaf(own)) => own.mode,
            _ => FOLDER_MODE,
        }
    }

    /// What is in it, without itself.
    pub(super) fn children(&self) -> impl Iterator<Item = (&str, &Node)> {
        let children = self.0.iter().filter(|(name, _)| &***name != OWN);
        children.map(|(name, node)| (&**name, node))
    }

    fn leaf(&self) -> Leaf {
        let mut encoder = Encoder::new("shipspec listing");
        for (name, node) in self.children() {
            encoder.text(name);
            encoder.text(&String::from(node.leaf()));
        }
        Leaf { kind: LeafKind::Folder, mode: self.mode(), hash: short(encoder.hash()) }
    }

    fn size(&self) -> usize {
        2 + self.0.iter().map(|(name, node)| named_size(name, node.size())).sum::<usize>()
    }

    /// Shortens what does not fit. Small folders are kept whole before large ones.
    fn fit(self, limit: usize) -> Node {
        if self.size() <= limit {
            return Node::Folder(self);
        }
        let folded = self.leaf();
        let folded_size = Node::Leaf(folded.clone()).size();
        let (mut kept, mut folders) = (BTreeMap::new(), Vec::new());
        let mut used = 2;
        for (name, node) in self.0 {
            match node {
                Node::Folder(listing) => {
                    let size = listing.size();
                    used += named_size(&name, folded_size.min(size));
                    folders.push((size, name, listing));
                }
                leaf @ Node::Leaf(_) => {
                    used += named_size(&name, leaf.size());
                    kept.insert(name, leaf);
                }
            }
        }
        if used > limit {
            return Node::Leaf(folded);
        }
        folders.sort_by_key(|(size, ..)| *size);
        let (mut left, mut count) = (limit - used, folders.len());
        for (size, name, listing) in folders {
            let own = folded_size.min(size);
            let node = listing.fit(own + left / count);
            left -= node.size().saturating_sub(own);
            count -= 1;
            kept.insert(name, node);
        }
        Node::Folder(Self(kept))
    }
}

/// Bytes of a name and a value in an object, with what stands around them.
fn named_size(name: &str, value: usize) -> usize {
    let is_escaped = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..32);
    // `\u0001` is the longest form of one; quotes, a colon and a comma come with the name.
    name.len() + 5 * name.bytes().filter(is_escaped).count() + 4 + value
}

fn short(hash: Hash) -> [u8; HASH] {
    let mut bytes = [0; HASH];
    bytes.copy_from_slice(&hash.as_bytes()[..HASH]);
    bytes
}

#[cfg(test)]
mod tests;
