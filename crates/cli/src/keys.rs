//! The content key of an image: what its context, its Dockerfile and its base images come to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use shipspec_build::context::Context as BuildContext;
use shipspec_build::dockerfile::{Dockerfile, OnlineStep};
use shipspec_build::ignore::Ignore;
use shipspec_build::key::{Bases, ContentKey, KeyInputs, KeyParts, Snapshot, bases_of};
use shipspec_build::plan::ImagePlan;
use shipspec_build::reuse::BaseDigests;
use shipspec_registry::access::Access;
use shipspec_spec::aws::causes;
use shipspec_spec::image::{Digest, ImageReference};
use tokio::sync::{Mutex, OnceCell};

/// Bytes that the files of one image may take in a record. A registry takes manifests of some megabytes.
const LISTING_LIMIT: usize = 64 * 1024;

/// What an image is made from, and its key.
pub(crate) struct Key {
    pub(crate) id: ContentKey,
    pub(crate) parts: KeyParts,
    /// What a build has to take for its base images.
    pub(crate) bases: BaseDigests,
    /// Steps whose result may depend on the network.
    pub(crate) online: Vec<OnlineStep>,
    /// The Dockerfile may lie outside of what the snapshots tell, and so may the list of what is left out.
    dockerfile: Vec<u8>,
    ignore: Ignore,
    plan: ImagePlan,
    context: Snapshot,
    folders: BTreeMap<String, Snapshot>,
}

/// Makes keys. Each base image is asked for once.
pub(crate) struct Keys {
    access: Access,
    /// References by tag that images of this run will have: what they name now is not what they will.
    own: BTreeSet<ImageReference>,
    digests: Mutex<BTreeMap<ImageReference, Arc<OnceCell<Resolved>>>>,
}

/// The digest of a reference, or why it is not known.
type Resolved = Result<Digest, String>;

/// What was read of an image's folders.
struct Sources {
    ignore: Ignore,
    context: Snapshot,
    folders: BTreeMap<String, Snapshot>,
}

impl Keys {
    /// Nothing is read or asked yet.
    pub(crate) fn new(access: Access, plans: &[ImagePlan]) -> Self {
        let tagged = |plan: &ImagePlan| {
            let tags = plan.tags.iter().map(|planned| planned.tag.to_string());
            let repository = plan.repository.clone();
            tags.map(move |tag| ImageReference {
                repository: repository.clone(),
                tag,
                digest: None,
            })
            .collect::<Vec<_>>()
        };
        let own = plans.iter().flat_map(tagged).collect();
        Self { access, own, digests: Mutex::default() }
    }

    /// The tags of this run's own images that an image is made from: an engine has to have these itself.
    pub(crate) fn own_bases(&self, plan: &ImagePlan) -> BTreeSet<ImageReference> {
        let Ok((_, bases)) = read_dockerfile(plan) else { return BTreeSet::new() };
        let references = bases.to_resolve.iter().filter_map(|base| base.parse().ok());
        references.filter(|reference| self.own.contains(reference)).collect()
    }

    /// The key of an image; `versions` tells its secrets from others of their names.
    ///
    /// What is in the way of a key is no error of the run: the image can be built.
    pub(crate) async fn make(
        &self,
        plan: &ImagePlan,
        versions: &BTreeMap<String, String>,
    ) -> Result<Key, String> {
        let (dockerfile, bases) = read_dockerfile(plan)?;
        let (read, named) = (plan.clone(), bases.clone());
        let sources = tokio::task::spawn_blocking(move || Sources::read(&read, &named));
        let (sources, digests) = tokio::join!(sources, self.resolve_all(&bases));
        let (sources, digests) = (sources.map_err(|error| causes(&error))??, digests?);
        let parts = KeyParts::new(&KeyInputs {
            plan,
            dockerfile: &dockerfile,
            bases: &bases,
            digests: &digests,
            context: &sources.context,
            contexts: &sources.folders,
            versions,
            limit: LISTING_LIMIT,
        });
        let parts = parts.map_err(|error| error.to_string())?;
        Ok(Key {
            id: parts.key(),
            parts,
            bases: bases.expected(&digests),
            online: bases.online,
            dockerfile,
            ignore: sources.ignore,
            plan: plan.clone(),
            context: sources.context,
            folders: sources.folders,
        })
    }

    /// The digests of base images, asked for side by side.
    async fn resolve_all(&self, bases: &Bases) -> Result<BTreeMap<String, Digest>, String> {
        let resolve = |base: &String| {
            let base = base.clone();
            async move {
                let digest = self.resolve(&base).await;
                digest
                    .map(|digest| (base.clone(), digest))
                    .map_err(|reason| format!("its base image `{base}` is not known: {reason}"))
            }
        };
        let resolved = futures_util::future::join_all(bases.to_resolve.iter().map(resolve)).await;
        resolved.into_iter().collect()
    }

    async fn resolve(&self, base: &str) -> Resolved {
        let reference: ImageReference = base.parse().map_err(|error| format!("{error}"))?;
        if self.own.contains(&reference) {
            return Err("it is one of this run, and its tag is put at the end; `….pinned` in place of `….uri` names it for good".into());
        }
        let cell = Arc::clone(self.digests.lock().await.entry(reference.clone()).or_default());
        cell.get_or_init(|| self.ask(&reference)).await.clone()
    }

    /// Why a build may have got another base image than the key says, of those that the engine does not
    /// tell: one that its registry still has under its tag is the one that the engine got, too.
    pub(crate) async fn doubt(
        &self,
        key: &Key,
        untold: &BTreeSet<ImageReference>,
    ) -> Option<String> {
        for reference in untold {
            let digests = key.bases.get(reference);
            let is_same = match self.ask(reference).await {
                Ok(digest) => digests.is_some_and(|digests| digests.contains(&digest)),
                Err(_) => false,
            };
            if !is_same {
                let ImageReference { repository, tag, .. } = reference;
                return Some(format!("its base image `{repository}:{tag}` moved during the build"));
            }
        }
        None
    }

    async fn ask(&self, reference: &ImageReference) -> Resolved {
        let client = self.access.reader(&reference.repository);
        let client = client.map_err(|error| causes(&error))?;
        match client.digest(&reference.tag).await {
            Ok(Some(digest)) => Ok(digest),
            Ok(None) => Err("its registry does not have it".into()),
            Err(error) => Err(causes(&error)),
        }
    }
}

impl Key {
    /// Why a build may have got something else than the key says; nothing if it has not.
    pub(crate) fn changed(&self) -> Option<String> {
        let context = BuildContext::open(&self.plan.context, &self.plan.dockerfile);
        let is_same = context.is_ok_and(|context| {
            *context.ignore() == self.ignore
                && std::fs::read(context.dockerfile()).is_ok_and(|bytes| bytes == self.dockerfile)
        });
        if !is_same {
            return Some("its Dockerfile or .dockerignore changed during the build".into());
        }
        let all = std::iter::once(&self.context).chain(self.folders.values());
        all.filter_map(|snapshot| snapshot.check_unchanged().err())
            .map(|error| error.to_string())
            .next()
    }

    /// Something at this path is part of what the image is made from.
    pub(crate) fn contains(&self, plan: &ImagePlan, path: &Path) -> bool {
        let inside = path.strip_prefix(&plan.context).ok().and_then(Path::to_str);
        inside.is_some_and(|inside| self.context.contains(inside))
    }
}

impl Sources {
    fn read(plan: &ImagePlan, bases: &Bases) -> Result<Self, String> {
        let context = BuildContext::open(&plan.context, &plan.dockerfile);
        let context = context.map_err(|error| causes(&error))?;
        let ignore = context.ignore().clone();
        let context = Snapshot::of_context(&context).map_err(|error| causes(&error))?;
        let folders = bases.folders().map(|(name, folder)| {
            let snapshot = Snapshot::of_folder(folder).map_err(|error| causes(&error))?;
            Ok((name.to_owned(), snapshot))
        });
        let folders = folders.collect::<Result<_, String>>()?;
        Ok(Self { ignore, context, folders })
    }
}

/// The Dockerfile's bytes, and the images that it asks for.
fn read_dockerfile(plan: &ImagePlan) -> Result<(Vec<u8>, Bases), String> {
    let path = plan.context.join(&plan.dockerfile);
    let bytes = std::fs::read(&path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "its Dockerfile is not UTF-8".to_owned())?;
    let dockerfile = Dockerfile::parse(text)
        .map_err(|error| format!("its Dockerfile cannot be read here: {error}"))?;
    let bases = bases_of(&dockerfile, plan).map_err(|error| error.to_string())?;
    Ok((bytes, bases))
}
