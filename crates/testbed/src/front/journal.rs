//! The log of requests that tests read.

use std::sync::Mutex;
use std::sync::atomic::Ordering;

use shipspec_testbed::Request;
use shipspec_testbed::control::Scope;

use super::body::Count;
use super::call::Call;
use super::faults::is_about;

/// All requests of this life of the testbed.
#[derive(Default)]
pub(crate) struct Journal {
    entries: Mutex<Vec<Entry>>,
}

struct Entry {
    call: Call,
    request: Request,
    // Bodies may still flow when the answer's head is out.
    received: Count,
    sent: Count,
}

impl Journal {
    /// Adds a request whose answer is decided.
    pub(crate) fn add(&self, call: Call, request: Request, received: Count, sent: Count) {
        self.entries.lock().expect("the journal").push(Entry { call, request, received, sent });
    }

    /// The requests of a scope.
    pub(crate) fn read(&self, scope: &Scope) -> Vec<Request> {
        let entries = self.entries.lock().expect("the journal");
        let about = entries.iter().filter(|entry| is_about(scope, &entry.call));
        about
            .map(|entry| Request {
                request_bytes: entry.received.load(Ordering::Relaxed),
                response_bytes: entry.sent.load(Ordering::Relaxed),
                ..entry.request.clone()
            })
            .collect()
    }
}
