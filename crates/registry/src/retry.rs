//! Asking again, where that can help.

use std::time::Duration;

use crate::error::RegistryError;

/// How often one request is made at the most.
const TRIES: u32 = 4;

/// The longest wait before the second try; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// Makes a request until it succeeds, fails for good, or was tried often enough. Waits are random
/// up to their limit ("full jitter"), so that many builds do not come back at the same moment.
pub(crate) async fn retry<T>(
    mut request: impl AsyncFnMut() -> Result<T, RegistryError>,
) -> Result<T, RegistryError> {
    let mut limit = FIRST_WAIT;
    for _ in 1..TRIES {
        match request().await {
            Err(error) if error.is_transient() => {
                tokio::time::sleep(limit.mul_f64(rand::random())).await;
                limit *= 2;
            }
            result => return result,
        }
    }
    request().await
}
