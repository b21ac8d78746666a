//! The commit of the run.

use std::sync::{Arc, LazyLock};

use crate::tag::Commit;

type Find = Box<dyn FnOnce() -> Result<Commit, String> + Send>;

/// Where the commit of the run comes from. It is looked for when a name first needs it: that may
/// start `git`, which takes longer than to fill a template.
#[derive(Debug, Clone)]
pub struct CommitSource(Arc<LazyLock<Result<Commit, String>, Find>>);

impl CommitSource {
    /// `find` gives the commit, or why there is none.
    pub fn new(find: impl FnOnce() -> Result<Commit, String> + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(find))))
    }

    /// The commit, or why there is none.
    pub(super) fn get(&self) -> Result<&Commit, &String> {
        (**self.0).as_ref()
    }
}

impl From<Result<Commit, String>> for CommitSource {
    fn from(known: Result<Commit, String>) -> Self {
        Self::new(|| known)
    }
}
