//! How often a rule was right: counts by level, shares with Wilson's interval.

use std::ops::AddAssign;

use serde::Serialize;
use zhijian::model::Level;

/// Quantile of the normal distribution that leaves 2.5 % on either side.
const Z: f64 = 1.959_963_984_540_054;

/// How often a rule came to each level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Levels {
    pub(super) confirmed: u32,
    pub(super) suspected: u32,
    pub(super) mention: u32,
    pub(super) nothing: u32,
}

impl Levels {
    fn add(&mut self, level: Option<Level>) {
        *match level {
            Some(Level::Confirmed) => &mut self.confirmed,
            Some(Level::Suspected) => &mut self.suspected,
            Some(Level::Mention) => &mut self.mention,
            None => &mut self.nothing,
        } += 1;
    }

    /// Suspected and above: the rule says yes.
    pub(super) fn yes(self) -> u32 {
        self.confirmed + self.suspected
    }

    /// A mention at most: the rule says no.
    pub(super) fn no(self) -> u32 {
        self.mention + self.nothing
    }
}

impl AddAssign for Levels {
    fn add_assign(&mut self, other: Levels) {
        self.confirmed += other.confirmed;
        self.suspected += other.suspected;
        self.mention += other.mention;
        self.nothing += other.nothing;
    }
}

/// What a rule said where its label is yes and where it is no.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Confusion {
    pub(super) there: Levels,
    pub(super) absent: Levels,
}

impl Confusion {
    pub(super) fn add(&mut self, truth: bool, level: Option<Level>) {
        if truth { &mut self.there } else { &mut self.absent }.add(level);
    }

    pub(super) fn is_empty(self) -> bool {
        self == Confusion::default()
    }

    /// Of what was found, what is there.
    pub(super) fn precision(self) -> Share {
        Share { part: self.there.yes(), whole: self.there.yes() + self.absent.yes() }
    }

    /// Of what is there, what was found.
    pub(super) fn recall(self) -> Share {
        Share { part: self.there.yes(), whole: self.there.yes() + self.there.no() }
    }
}

impl AddAssign for Confusion {
    fn add_assign(&mut self, other: Confusion) {
        self.there += other.there;
        self.absent += other.absent;
    }
}

/// A part of a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    part: u32,
    whole: u32,
}

impl Share {
    /// The share and the ends of its interval of 95 % (E. B. Wilson, 1927); `None` of nothing.
    pub(super) fn interval(self) -> Option<Interval> {
        if self.whole == 0 {
            return None;
        }
        let (part, whole) = (f64::from(self.part), f64::from(self.whole));
        let share = part / whole;
        let z2 = Z * Z;
        let middle = (share + z2 / (2.0 * whole)) / (1.0 + z2 / whole);
        let half =
            Z / (1.0 + z2 / whole) * (share * (1.0 - share) / whole + z2 / (4.0 * whole * whole)).sqrt();
        Some(Interval { share, low: (middle - half).max(0.0), high: (middle + half).min(1.0) })
    }
}

/// A share and between what it lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Interval {
    pub(super) share: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspected_and_above_is_a_yes() {
        let mut confusion = Confusion::default();
        for (truth, level) in [
            (true, Some(Level::Confirmed)),
            (true, Some(Level::Suspected)),
            (true, Some(Level::Mention)),
            (true, None),
            (false, Some(Level::Suspected)),
            (false, Some(Level::Mention)),
            (false, None),
        ] {
            confusion.add(truth, level);
        }
        assert_eq!(confusion.there, Levels { confirmed: 1, suspected: 1, mention: 1, nothing: 1 });
        assert_eq!(confusion.absent, Levels { confirmed: 0, suspected: 1, mention: 1, nothing: 1 });
        assert_eq!(confusion.precision(), Share { part: 2, whole: 3 });
        assert_eq!(confusion.recall(), Share { part: 2, whole: 4 });
    }

    #[test]
    fn the_interval_is_wilsons() {
        // Newcombe, Statistics in Medicine 17 (1998), table I: Wilson score without continuity correction.
        for (part, whole, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let interval = Share { part, whole }.interval().unwrap();
            assert!((interval.low - low).abs() < 5e-5, "{interval:?}");
            assert!((interval.high - high).abs() < 5e-5, "{interval:?}");
        }
        assert!(Share { part: 0, whole: 0 }.interval().is_none());
    }
}
