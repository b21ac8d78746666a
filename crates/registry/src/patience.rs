//! Asking again while something gets on: a long transfer may be interrupted more than once.

use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use shipspec_spec::image::Repository;

use crate::error::RegistryError;
use crate::observer::{Event, Observer};

/// How often something is tried without getting on.
const TRIES: u32 = 6;

/// How long something is tried without getting on.
const LIMIT: Duration = Duration::from_mins(3);

/// The longest wait before the second try; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// A request that failed, and when the registry wants to be asked again, if it said so.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: RegistryError,
    pub(crate) retry_after: Option<Duration>,
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        Self { error, retry_after: None }
    }
}

/// How often it was tried since it last got on.
pub(crate) struct Patience<'a> {
    repository: &'a Repository,
    observer: &'a dyn Observer,
    failures: u32,
    since: Instant,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(repository: &'a Repository, observer: &'a dyn Observer) -> Self {
        Self { repository, observer, failures: 0, since: Instant::now() }
    }

    /// It got on: what failed before does not count any more.
    pub(crate) fn renew(&mut self) {
        (self.failures, self.since) = (0, Instant::now());
    }

    /// Waits until it is time to try again, at random up to a limit ("full jitter"); where that cannot
    /// help, gives the error back.
    pub(crate) async fn wait(&mut self, failure: Failure) -> Result<(), RegistryError> {
        let Failure { error, retry_after } = failure;
        self.failures += 1;
        let wait = retry_after.unwrap_or_else(|| jitter(self.failures));
        let is_over = self.failures >= TRIES || self.since.elapsed() + wait > LIMIT;
        if !error.is_transient() || is_over {
            return Err(error);
        }
        let attempt = self.failures + 1;
        self.observer.observe(Event::Again {
            repository: self.repository,
            reason: &error,
            attempt,
        });
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Makes a request until it succeeds, fails for good, or was tried often enough.
    pub(crate) async fn request<T>(
        mut self,
        mut request: impl AsyncFnMut() -> Result<T, Failure>,
    ) -> Result<T, RegistryError> {
        loop {
            match request().await {
                Ok(result) => return Ok(result),
                Err(failure) => self.wait(failure).await?,
            }
        }
    }
}

fn jitter(failures: u32) -> Duration {
    let limit = FIRST_WAIT.saturating_mul(1 << (failures - 1).min(10)).min(LONGEST_WAIT);
    limit.mul_f64(rand::random())
}

/// When a registry wants to be asked again, in seconds; dates are not understood.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Count(std::sync::atomic::AtomicU32);

    impl Observer for Count {
        fn observe(&self, _event: Event<'_>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }

    fn answer(repository: &Repository, status: u16) -> RegistryError {
        let repository = repository.clone();
        RegistryError::Answer { repository, status, message: String::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_after_so_many_tries_or_so_long_a_wait() {
        let repository: Repository = "r.example/web".parse().unwrap();
        let count = Count::default();
        let failing = async || Err::<(), _>(Failure::from(answer(&repository, 503)));
        Patience::new(&repository, &count).request(failing).await.unwrap_err();
        assert_eq!(count.0.into_inner(), TRIES - 1);

        for (status, retry_after) in [(404, None), (429, Some(Duration::from_hours(1)))] {
            let count = Count::default();
            let failing =
                async || Err::<(), _>(Failure { error: answer(&repository, status), retry_after });
            Patience::new(&repository, &count).request(failing).await.unwrap_err();
            assert_eq!(count.0.into_inner(), 0, "{status}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_gets_on_may_fail_again() {
        let repository: Repository = "r.example/web".parse().unwrap();
        let count = Count::default();
        let mut patience = Patience::new(&repository, &count);
        for _ in 0..20 {
            patience.wait(answer(&repository, 429).into()).await.unwrap();
            patience.renew();
        }
    }

    #[test]
    fn the_registry_says_when_it_wants_to_be_asked_again() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert(RETRY_AFTER, "2".parse().unwrap());
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(2)));
        headers.insert(RETRY_AFTER, "Wed, 21 Oct 2026 07:28:00 GMT".parse().unwrap());
        assert_eq!(retry_after(&headers), None);
    }
}
