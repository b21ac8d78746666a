//! Images from one repository to another, by digest, without an engine. Nothing is kept on this
//! machine: what comes in goes out.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use shipspec_spec::image::Digest;

use crate::blob::Blob;
use crate::client::Client;
use crate::error::RegistryError;
use crate::manifest::{Manifest, Part};
use crate::observer::{Event, Observer, Way};
use crate::upload;

/// Layers that are under way at the same time.
const AT_ONCE: usize = 6;

/// How deep indexes may stand in indexes.
const DEEPEST: usize = 4;

/// What copying an image came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The image, as the target holds it.
    pub manifest: Manifest,
    /// All that belongs to it weighs so many bytes, as far as it had to be looked at.
    pub size: u64,
    /// Layers and configurations that were sent.
    pub copied: Amount,
    /// Those that the registry took from another of its repositories.
    pub mounted: Amount,
    /// Those that were there already, or that no registry holds.
    pub skipped: Amount,
}

/// So many of something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub count: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Amount {
    fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes += bytes;
    }
}

/// Copies an image to another repository: with all its platforms if it is an index, and with the very
/// bytes of every manifest, so that its digest stays. No tag is put. What the target has is not sent;
/// where both repositories are in one registry, it is asked to take layers from there.
///
/// The target is asked for the image at the end: only then is it there.
///
/// # Errors
///
/// [`RegistryError::NoManifest`] if the source does not have it, [`RegistryError::WrongDigest`] if
/// either side holds other bytes than it should, and whatever either refuses. What is in the target
/// by then has no tag, and shortens the next attempt.
pub async fn copy(
    from: &Client,
    to: &Client,
    digest: &Digest,
    observer: &dyn Observer,
) -> Result<Copied, RegistryError> {
    if let Some(manifest) = to.manifest(digest.as_str()).await? {
        return Ok(Copied::unneeded(manifest));
    }
    let found = collect(from, to, digest).await?;
    // The largest first, so that none of them is left for the end alone.
    let mut blobs: Vec<_> = found.blobs.iter().collect();
    blobs.sort_by_key(|blob| std::cmp::Reverse(blob.size));
    let ways: Vec<_> = stream::iter(blobs)
        .map(|blob| async move {
            let way = upload::transfer(from, to, blob, observer).await?;
            observer.observe(Event::Done { digest: &blob.digest, size: blob.size, way });
            Ok::<_, RegistryError>((way, blob.size))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    for manifest in &found.manifests {
        to.put_by_digest(manifest).await?;
    }
    let confirmed = to.manifest(digest.as_str()).await?;
    let manifest = confirmed.ok_or_else(|| missing(to, digest))?;
    let mut copied = Copied { skipped: found.absent, ..Copied::unneeded(manifest) };
    for (way, bytes) in ways {
        match way {
            Way::Copied => copied.copied.add(bytes),
            Way::Mounted => copied.mounted.add(bytes),
            Way::Skipped => copied.skipped.add(bytes),
        }
    }
    let parts = [copied.copied, copied.mounted, copied.skipped];
    let manifests: u64 = found.manifests.iter().map(|manifest| manifest.bytes.len() as u64).sum();
    copied.size = manifests + parts.iter().map(|amount| amount.bytes).sum::<u64>();
    Ok(copied)
}

impl Copied {
    /// The target had the image.
    fn unneeded(manifest: Manifest) -> Self {
        let none = Amount::default();
        Self { size: manifest.size(), manifest, copied: none, mounted: none, skipped: none }
    }
}

/// What has to be in the target: blobs, then manifests in this order.
#[derive(Default)]
struct Found {
    blobs: BTreeSet<Blob>,
    manifests: Vec<Manifest>,
    /// Layers that no registry holds.
    absent: Amount,
}

/// Finds all that an image is made of. What the target has is not followed: a registry takes a manifest
/// only if it has all that the manifest names.
async fn collect(from: &Client, to: &Client, digest: &Digest) -> Result<Found, RegistryError> {
    let mut found = Found::default();
    let mut order = Vec::new();
    let mut level = vec![digest.clone()];
    for _ in 0..=DEEPEST {
        let mut below = Vec::new();
        for digest in level {
            let manifest = from.manifest(digest.as_str()).await?;
            let manifest = manifest.ok_or_else(|| missing(from, &digest))?;
            for part in parts(from, &manifest)? {
                match part {
                    Part::Blob(blob) => drop(found.blobs.insert(blob)),
                    Part::Absent(bytes) => found.absent.add(bytes),
                    Part::Manifest(child) if to.manifest(child.as_str()).await?.is_some() => {}
                    Part::Manifest(child) => below.push(child),
                }
            }
            order.push(manifest);
        }
        level = below;
    }
    if let Some(digest) = level.first() {
        return Err(unfit(from, digest, "stands in too many indexes".into()));
    }
    // Whoever names others comes after them, also if it names them at different depths.
    while let Some(manifest) = order.pop() {
        if !found.manifests.contains(&manifest) {
            found.manifests.push(manifest);
        }
    }
    Ok(found)
}

fn parts(from: &Client, manifest: &Manifest) -> Result<Vec<Part>, RegistryError> {
    manifest.all_parts().map_err(|problem| unfit(from, &manifest.digest, problem))
}

fn unfit(from: &Client, digest: &Digest, problem: String) -> RegistryError {
    let (repository, reference) = (from.repository().clone(), digest.to_string());
    RegistryError::Manifest { repository, reference, problem }
}

fn missing(client: &Client, digest: &Digest) -> RegistryError {
    let repository = client.repository().clone();
    RegistryError::NoManifest { repository, reference: digest.to_string() }
}
