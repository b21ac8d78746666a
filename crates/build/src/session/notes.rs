//! What happened while the engine asked, for the errors and notes of the build.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::context::ContextError;

/// Written by the session's services, read when the build has ended.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    unknown_secrets: BTreeSet<String>,
    unknown_agents: BTreeSet<String>,
    failure: Option<ContextError>,
}

impl Notes {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn unknown_secret(&self, id: &str) {
        self.known().unknown_secrets.insert(id.into());
    }

    pub(super) fn unknown_agent(&self, id: &str) {
        self.known().unknown_agents.insert(id.into());
    }

    /// The first failure is the one that ended the build.
    pub(super) fn failed(&self, error: ContextError) {
        self.known().failure.get_or_insert(error);
    }

    /// Ids of secrets that a step asked for and that nobody gave.
    pub(crate) fn unknown_secrets(&self) -> BTreeSet<String> {
        self.known().unknown_secrets.clone()
    }

    /// Ids of ssh agents that a step asked for and that nobody gave.
    pub(crate) fn unknown_agents(&self) -> BTreeSet<String> {
        self.known().unknown_agents.clone()
    }

    /// Why a file could not be sent.
    pub(crate) fn take_failure(&self) -> Option<ContextError> {
        self.known().failure.take()
    }
}
