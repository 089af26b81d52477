//! What is known of one host while a run lasts: its turn, its pace, its failures, its `robots.txt`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex as Turn, MutexGuard as TurnGuard, OwnedMutexGuard};

use super::robots::Rules;

/// After so many failures in a row a host is left alone for a while.
const MOST_FAILURES: u32 = 5;
/// For how long.
const COOL_OFF: Duration = Duration::from_secs(10 * 60);
/// Requests are up to this share of the pace later than they might be, so that many targets of one host do not
/// beat time.
const JITTER: u32 = 4;

/// One host.
pub(super) struct Host {
    pub(super) name: String,
    turn: Arc<Turn<()>>,
    pace: Duration,
    state: Mutex<State>,
    /// Rules by scheme and port.
    robots: Turn<HashMap<String, Arc<Rules>>>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    not_before: Option<Instant>,
    stopped: Option<(String, Option<Instant>)>,
}

impl Host {
    pub(super) fn new(name: &str, pace: Duration) -> Self {
        Host {
            name: name.to_owned(),
            turn: Arc::default(),
            pace,
            state: Mutex::default(),
            robots: Turn::default(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Least time between two requests.
    pub(super) fn least(&self) -> Duration {
        self.pace
    }

    /// Waits for the turn to speak to the host. One request is under way at a time, while the guard lives.
    pub(super) async fn turn(&self) -> OwnedMutexGuard<()> {
        self.turn.clone().lock_owned().await
    }

    /// Waits until the pace allows the next request. To be called within the turn.
    pub(super) async fn pace(&self) {
        let not_before = self.state().not_before;
        if let Some(not_before) = not_before {
            tokio::time::sleep_until(not_before.into()).await;
        }
    }

    /// A request is made now. The pace counts from here, not from when it might have been made: a request that was
    /// late must not bring the next one closer.
    pub(super) fn asked(&self) {
        self.wait(self.pace + (self.pace / JITTER).mul_f64(fastrand::f64()));
    }

    /// No request before this time has passed.
    pub(super) fn wait(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut state = self.state();
        state.not_before = Some(state.not_before.map_or(until, |before| before.max(until)));
    }

    /// Why the host is left alone, if it is.
    pub(super) fn stopped(&self) -> Option<String> {
        let mut state = self.state();
        match &state.stopped {
            Some((_, Some(until))) if *until <= Instant::now() => {
                // One more failure stops it again.
                state.failures = MOST_FAILURES - 1;
                state.stopped = None;
                None
            }
            Some((cause, _)) => Some(cause.clone()),
            None => None,
        }
    }

    /// Leaves the host alone for the rest of the run.
    pub(super) fn stop(&self, cause: String) {
        self.state().stopped = Some((cause, None));
    }

    pub(super) fn succeeded(&self) {
        self.state().failures = 0;
    }

    pub(super) fn failed(&self, cause: &str) {
        let mut state = self.state();
        state.failures += 1;
        if state.failures >= MOST_FAILURES && state.stopped.is_none() {
            let cause = format!("{} failures in a row, the last: {cause}", state.failures);
            state.stopped = Some((cause, Some(Instant::now() + COOL_OFF)));
        }
    }

    /// The rules by origin; whoever holds the guard is the one to fetch them.
    pub(super) async fn robots(&self) -> TurnGuard<'_, HashMap<String, Arc<Rules>>> {
        self.robots.lock().await
    }
}
