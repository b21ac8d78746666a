//! Asking again, where that can help.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use shipspec_spec::image::Repository;

use crate::error::RegistryError;

/// How often one request is made at the most.
const ATTEMPTS: u32 = 6;

/// No request is made again when this has passed since the first one.
const PATIENCE: Duration = Duration::from_mins(1);

/// The longest wait before the second attempt; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// A request that is about to be made again.
#[derive(Debug)]
pub struct Retry<'a> {
    /// Where.
    pub repository: &'a Repository,
    /// What came of the last attempt.
    pub reason: &'a RegistryError,
    /// How long is waited before the next one.
    pub wait: Duration,
    /// Which attempt the next one is; the first was 1.
    pub attempt: u32,
    /// How many attempts there are at the most.
    pub attempts: u32,
}

/// Hears of requests that are made again.
pub trait RetryObserver: Debug + Send + Sync {
    /// Takes one. It is called from the task that does the work, so it returns at once.
    fn retrying(&self, retry: &Retry<'_>);
}

/// Does not hear of them.
#[derive(Debug, Clone, Copy)]
pub struct Unobserved;

impl RetryObserver for Unobserved {
    fn retrying(&self, _: &Retry<'_>) {}
}

/// How often and how long one registry is asked again, as long as it does not get on.
#[derive(Debug)]
pub(crate) struct Patience<'a> {
    repository: &'a Repository,
    observer: &'a dyn RetryObserver,
    schedule: Schedule,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(repository: &'a Repository, observer: &'a dyn RetryObserver) -> Self {
        Self { repository, observer, schedule: Schedule::new() }
    }

    /// It got on: what failed before does not count any more.
    pub(crate) fn renew(&mut self) {
        self.schedule = Schedule::new();
    }

    /// Waits until it is time to ask again; gives the reason back where that cannot help, or was tried
    /// often or long enough.
    pub(crate) async fn wait(&mut self, reason: RegistryError) -> Result<(), RegistryError> {
        let wait = reason.is_transient().then(|| self.schedule.next(reason.retry_after()));
        let Some(wait) = wait.flatten() else { return Err(reason) };
        let (repository, attempt) = (self.repository, self.schedule.attempt);
        let retry = Retry { repository, reason: &reason, wait, attempt, attempts: ATTEMPTS };
        self.observer.retrying(&retry);
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Makes a request until it succeeds, fails for good, or was tried often or long enough.
    pub(crate) async fn request<T>(
        mut self,
        mut request: impl AsyncFnMut() -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        loop {
            match request().await {
                Ok(result) => return Ok(result),
                Err(reason) => self.wait(reason).await?,
            }
        }
    }
}

/// When a request is made again. Waits are random up to their limit ("full jitter"), so that many
/// builds do not come back at the same moment, but never shorter than the registry asks for.
#[derive(Debug)]
pub struct Schedule {
    start: Instant,
    patience: Duration,
    limit: Duration,
    attempt: u32,
}

impl Schedule {
    /// The schedule of a request whose first attempt begins now.
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), patience: PATIENCE, limit: FIRST_WAIT, attempt: 1 }
    }

    /// The same for work that may take long when all is well, so that the time that it took does not
    /// tell whether to go on.
    #[must_use]
    pub fn of_long_work() -> Self {
        Self { patience: Duration::MAX, ..Self::new() }
    }

    /// How long to wait before the next attempt; nothing if there is to be none. `asked` is what the
    /// registry asks for.
    pub fn next(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let wait = self.limit.mul_f64(rand::random()).max(asked.unwrap_or_default());
        if self.attempt >= ATTEMPTS || self.start.elapsed().saturating_add(wait) > self.patience {
            return None;
        }
        self.attempt += 1;
        self.limit *= 2;
        Some(wait)
    }

    /// Which attempt the last one asked for is; the first was 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// How many attempts there are at the most.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        ATTEMPTS
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn waits_grow_up_to_the_last_attempt() {
        let mut schedule = Schedule::new();
        let mut limit = FIRST_WAIT;
        for attempt in 2..=ATTEMPTS {
            assert!(schedule.next(None).unwrap() <= limit);
            assert_eq!(schedule.attempt(), attempt);
            limit *= 2;
        }
        assert_eq!(schedule.next(None), None);
    }

    #[test]
    fn a_wait_that_the_registry_asks_for_is_kept_or_not_begun() {
        let second = Duration::from_secs(1);
        assert_eq!(Schedule::new().next(Some(second)), Some(second));
        assert_eq!(Schedule::new().next(Some(PATIENCE + second)), None);
    }

    #[derive(Debug, Default)]
    struct Count(AtomicU32);

    impl RetryObserver for Count {
        fn retrying(&self, _: &Retry<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_over_soon_is_asked_once() {
        for (status, retries) in [(503, ATTEMPTS - 1), (429, ATTEMPTS - 1), (404, 0), (400, 0)] {
            let repository: Repository = "r.example/web".parse().unwrap();
            let count = Count::default();
            let failing = async || {
                let (repository, message) = (repository.clone(), String::new());
                let retry_after = None;
                Err::<(), _>(RegistryError::Answer { repository, status, message, retry_after })
            };
            Patience::new(&repository, &count).request(failing).await.unwrap_err();
            assert_eq!(count.0.into_inner(), retries, "{status}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_gets_on_may_fail_again() {
        let repository: Repository = "r.example/web".parse().unwrap();
        let count = Count::default();
        let mut patience = Patience::new(&repository, &count);
        for _ in 0..20 {
            let (repository, message) = (repository.clone(), String::new());
            let reason =
                RegistryError::Answer { repository, status: 429, message, retry_after: None };
            patience.wait(reason).await.unwrap();
            patience.renew();
        }
        assert_eq!(count.0.into_inner(), 20);
    }
}
