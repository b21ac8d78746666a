//! The images that an image is made from, and whose digests its key needs.

use std::collections::{BTreeMap, BTreeSet};

use shipspec_spec::config::Network;
use shipspec_spec::image::{Digest, ImageReference};

use crate::dockerfile::{Dockerfile, Needs, OnlineStep, TargetError};
use crate::options::NamedContext;
use crate::plan::ImagePlan;
use crate::reuse::BaseDigests;

/// The build argument that overrules `# syntax`.
const SYNTAX: &str = "BUILDKIT_SYNTAX";

/// What an image and its test are made from, beside the build context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bases {
    /// References of images whose digests have to be asked for: of `FROM`, `COPY --from`,
    /// `RUN --mount=from=`, of contexts that are images, and of the frontend that reads the Dockerfile.
    pub to_resolve: BTreeSet<String>,
    /// References that name a digest themselves.
    pub pinned: BTreeMap<String, Digest>,
    /// Base images whose names cannot be known here, as written. With one of them there is no key.
    pub unknown: BTreeSet<String>,
    /// The image of the frontend, if it is not the engine's own.
    pub syntax: Option<String>,
    /// The contexts that are used, by name. Folders among them need a snapshot.
    pub contexts: BTreeMap<String, NamedContext>,
    /// Steps whose result may depend on what the network answers; a key knows nothing of that.
    pub online: Vec<OnlineStep>,
}

/// What the image of `plan` is made from; only the stages count that it or its test needs.
///
/// # Errors
///
/// [`TargetError`] if the Dockerfile lacks a stage.
pub fn bases_of(dockerfile: &Dockerfile, plan: &ImagePlan) -> Result<Bases, TargetError> {
    let mut bases = Bases {
        syntax: plan.build_args.get(SYNTAX).cloned().or(dockerfile.syntax().map(str::to_owned)),
        ..Bases::default()
    };
    let names = plan.options.contexts.keys().map(String::as_str).collect();
    let test = plan.test.as_ref().and_then(|test| test.target.as_deref());
    let mut online = BTreeSet::new();
    for target in [plan.target.as_deref()].into_iter().chain(test.map(Some)) {
        let needs = dockerfile.needs_with(target, &plan.build_args, &plan.platform, &names)?;
        online.extend(needs.online.iter().copied());
        bases.take(needs, plan);
    }
    if plan.options.network == Network::None {
        online.retain(|step| !step.is_run);
    }
    bases.online = online.into_iter().collect();
    if let Some(syntax) = bases.syntax.clone() {
        bases.add(&syntax);
    }
    Ok(bases)
}

impl Bases {
    /// The folders among the contexts that are used.
    pub fn folders(&self) -> impl Iterator<Item = (&str, &std::path::Path)> {
        self.contexts.iter().filter_map(|(name, context)| match context {
            NamedContext::Folder(folder) => Some((&**name, &**folder)),
            NamedContext::Image(_) => None,
        })
    }

    /// What an engine has to build with, once the digests of [`Bases::to_resolve`] are known.
    #[must_use]
    pub fn expected(&self, digests: &BTreeMap<String, Digest>) -> BaseDigests {
        let all = self.pinned.iter().chain(digests);
        let mut expected = BaseDigests::new();
        for (base, digest) in all {
            // No step of the build tells of the frontend.
            if self.syntax.as_ref() == Some(base) {
                continue;
            }
            if let Ok(reference) = base.parse::<ImageReference>() {
                let reference = ImageReference { digest: None, ..reference };
                expected.entry(reference).or_default().insert(digest.clone());
            }
        }
        expected
    }

    fn take(&mut self, needs: Needs, plan: &ImagePlan) {
        needs.base_images.iter().for_each(|base| self.add(base));
        self.unknown.extend(needs.unknown_bases);
        for name in needs.contexts {
            let Some(context) = plan.options.contexts.get(&name) else { continue };
            if let NamedContext::Image(reference) = context {
                self.add(reference);
            }
            self.contexts.insert(name, context.clone());
        }
    }

    fn add(&mut self, reference: &str) {
        match reference.rsplit_once('@').and_then(|(_, digest)| digest.parse().ok()) {
            Some(digest) => drop(self.pinned.insert(reference.to_owned(), digest)),
            None => drop(self.to_resolve.insert(reference.to_owned())),
        }
    }
}
