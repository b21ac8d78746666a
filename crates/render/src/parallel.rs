//! The same work on many things, on all cores.

use rayon::prelude::*;

/// Fewer things are done before other threads have started.
const WORTHWHILE: usize = 16;

/// What `work` gives for each item, in their order.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    if items.len() < WORTHWHILE {
        items.iter().map(work).collect()
    } else {
        items.par_iter().map(work).collect()
    }
}
