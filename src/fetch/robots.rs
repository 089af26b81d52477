//! `robots.txt` by RFC 9309: what may be asked of a site, kept for a day.

use std::time::{Duration, Instant};

use texting_robots::Robot;
use url::Url;

/// How long an answer holds (RFC 9309, 2.4).
pub(super) const HOLDS: Duration = Duration::from_secs(24 * 60 * 60);
/// A site that could not answer is asked again after this time.
pub(super) const HOLDS_UNREACHABLE: Duration = Duration::from_secs(10 * 60);
/// So many bytes of the file are read (RFC 9309, 2.5: at least 500 KiB).
pub(super) const MOST: u64 = 512 << 10;
/// A longer delay than this is a mistake or a refusal in disguise; the host is then asked as rarely as this.
const LONGEST_DELAY: f32 = 120.0;
/// The name by which groups of rules address this program.
pub(super) const AGENT: &str = "zhijian";

/// What a site allows.
pub(super) struct Rules {
    verdict: Verdict,
    until: Instant,
}

enum Verdict {
    /// No file, or nothing in it that could be read: everything is allowed.
    All,
    /// The file could not be had: nothing is allowed; why.
    Nothing(String),
    By(Box<Robot>),
}

impl Rules {
    /// The site has no file (any answer 400 to 499).
    pub(super) fn absent() -> Self {
        Rules { verdict: Verdict::All, until: Instant::now() + HOLDS }
    }

    /// The site did not answer, or answered 500 to 599.
    pub(super) fn unreachable(cause: String) -> Self {
        Rules { verdict: Verdict::Nothing(cause), until: Instant::now() + HOLDS_UNREACHABLE }
    }

    /// The site has this file.
    pub(super) fn read(text: &[u8]) -> Self {
        let verdict = Robot::new(AGENT, text).map_or(Verdict::All, |robot| Verdict::By(Box::new(robot)));
        Rules { verdict, until: Instant::now() + HOLDS }
    }

    /// Whether they still hold.
    pub(super) fn hold(&self) -> bool {
        Instant::now() < self.until
    }

    /// Whether an address may be asked; the error says why nothing may.
    pub(super) fn allow(&self, url: &Url) -> Result<bool, &str> {
        match &self.verdict {
            Verdict::All => Ok(true),
            Verdict::Nothing(cause) => Err(cause),
            Verdict::By(robot) => Ok(robot.allowed(url.as_str())),
        }
    }

    /// The delay between requests that the site asks for.
    pub(super) fn delay(&self) -> Option<Duration> {
        match &self.verdict {
            Verdict::By(robot) => robot.delay.map(|seconds| {
                Duration::try_from_secs_f32(seconds.clamp(0.0, LONGEST_DELAY)).unwrap_or_default()
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(text: &str, path: &str) -> bool {
        let url = Url::parse("https://www.example.gov.cn").unwrap().join(path).unwrap();
        Rules::read(text.as_bytes()).allow(&url).unwrap()
    }

    #[test]
    fn the_longest_rule_of_the_own_group_counts() {
        let text = "User-agent: *\nDisallow: /\n\nUser-agent: Zhijian\nDisallow: /app/\nAllow: /app/open/\n";
        assert!(allows(text, "/index.html"));
        assert!(!allows(text, "/app/a.apk"));
        assert!(allows(text, "/app/open/a.apk"));
        assert!(!allows("User-agent: *\nDisallow: /*.apk$\n", "/a.apk"));
        assert!(allows("User-agent: *\nDisallow: /*.apk$\n", "/a.apk?x=1"));
    }

    #[test]
    fn nothing_there_allows_all_and_nothing_heard_forbids_all() {
        let url = Url::parse("https://a.gov.cn/").unwrap();
        assert_eq!(Rules::absent().allow(&url), Ok(true));
        assert_eq!(Rules::read(b"\xff\xfe<html>").allow(&url), Ok(true));
        assert_eq!(Rules::unreachable("503".into()).allow(&url), Err("503"));
    }

    #[test]
    fn delays_are_read_within_reason() {
        let delay = |text: &str| Rules::read(text.as_bytes()).delay();
        assert_eq!(delay("User-agent: *\nCrawl-delay: 10\n"), Some(Duration::from_secs(10)));
        assert_eq!(delay("User-agent: *\nCrawl-delay: 99999\n"), Some(Duration::from_secs(120)));
        assert_eq!(delay("User-agent: *\nDisallow:\n"), None);
    }
}
