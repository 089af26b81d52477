//! When a notice is tried again.

use std::time::Duration;

use jiff::Timestamp;

/// The wait after the first attempt; each further one is twice as long.
const FIRST: Duration = Duration::from_secs(30);
/// The longest wait of ours.
const LONGEST: Duration = Duration::from_secs(6 * 3600);
/// The longest wait that a receiver may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);

/// The wait after so many attempts that failed. `jitter` from 0 to 1 takes up to half of it away, so that notices that
/// failed together do not come back together; what the receiver asks for by `Retry-After` is kept in any case.
pub fn wait(attempts: u32, jitter: f64, asked: Option<Duration>) -> Duration {
    let doubled = 2u32.checked_pow(attempts.saturating_sub(1)).and_then(|times| FIRST.checked_mul(times));
    let own = doubled.unwrap_or(LONGEST).min(LONGEST).mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0);
    own.max(asked.unwrap_or_default().min(LONGEST_ASKED))
}

/// The moment of the next attempt after so many that failed. `None`: it has been tried often enough.
pub fn next_attempt(
    attempts: u32,
    most: u32,
    now: Timestamp,
    jitter: f64,
    asked: Option<Duration>,
) -> Option<Timestamp> {
    (attempts < most).then(|| now.saturating_add(wait(attempts, jitter, asked)).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn waits_double_up_to_a_limit_and_lose_at_most_half() {
        let waits: Vec<u64> = (1..=12).map(|attempts| wait(attempts, 0.0, None).as_secs()).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 21600, 21600]);
        assert_eq!(wait(1, 1.0, None), seconds(15));
        assert_eq!(wait(1, 0.5, None), Duration::from_millis(22_500));
        assert_eq!(wait(u32::MAX, 0.0, None), seconds(21_600));
        assert_eq!(wait(0, 7.0, None), seconds(15), "a jitter out of range is the nearest within");
    }

    #[test]
    fn what_the_receiver_asks_for_is_kept_up_to_a_day() {
        assert_eq!(wait(1, 1.0, Some(seconds(600))), seconds(600));
        assert_eq!(wait(5, 0.0, Some(seconds(1))), seconds(480), "never less than ours");
        assert_eq!(wait(1, 0.0, Some(seconds(u64::MAX))), seconds(86_400));
    }

    #[test]
    fn after_the_last_attempt_there_is_none() {
        let now = Timestamp::UNIX_EPOCH;
        let next = next_attempt(1, 3, now, 0.0, None).unwrap();
        assert_eq!(next.as_second(), 30);
        assert_eq!(next_attempt(2, 3, now, 0.0, None).unwrap().as_second(), 60);
        assert_eq!(next_attempt(3, 3, now, 0.0, None), None);
    }
}
