//! The faults that wait for their requests.

use std::sync::Mutex;
use std::time::Duration;

use shipspec_testbed::control::Scope;
use shipspec_testbed::{Effect, Fault};

use super::call::Call;

/// All faults, oldest first.
#[derive(Default)]
pub(crate) struct Faults {
    list: Mutex<Vec<(Scope, Fault)>>,
}

/// What happens to one request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// It is answered so much later.
    pub(crate) delay: Duration,
    /// What else happens.
    pub(crate) effect: Option<Effect>,
}

impl Faults {
    /// Adds one.
    pub(crate) fn add(&self, scope: Scope, fault: Fault) {
        self.list.lock().expect("the faults").push((scope, fault));
    }

    /// Removes all of a scope.
    pub(crate) fn clear(&self, scope: &Scope) {
        self.list.lock().expect("the faults").retain(|(of, _)| of != scope);
    }

    /// Takes what is meant for this request: all delays, and one of the other effects.
    pub(crate) fn take(&self, call: &Call) -> Verdict {
        let mut verdict = Verdict { delay: Duration::ZERO, effect: None };
        let mut list = self.list.lock().expect("the faults");
        for (scope, fault) in list.iter_mut() {
            if !is_about(scope, call) || verdict.effect.is_some() {
                continue;
            }
            match fault.fire(&call.kind) {
                Some(Effect::Delay { milliseconds }) => {
                    verdict.delay += Duration::from_millis(milliseconds);
                }
                effect => verdict.effect = effect,
            }
        }
        list.retain(|(_, fault)| !fault.is_spent());
        verdict
    }
}

/// Whether a request is in a scope.
pub(crate) fn is_about(scope: &Scope, call: &Call) -> bool {
    match scope {
        Scope::Repository(key) => call.repository.as_ref().is_some_and(|of| of.to_string() == *key),
        Scope::AccessKey(key) => call.access_key.as_ref() == Some(key),
        Scope::Everything => true,
    }
}
