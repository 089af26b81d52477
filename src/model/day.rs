//! Days as offices count them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

/// All of China has one time.
const BEIJING: Offset = Offset::constant(8);

/// The day of a moment in Beijing.
pub fn beijing_day(moment: Timestamp) -> Date {
    BEIJING.to_datetime(moment).date()
}

/// A moment in Beijing to the minute: `2026-11-25 08:30`.
pub fn beijing_minute(moment: Timestamp) -> String {
    BEIJING.to_datetime(moment).strftime("%Y-%m-%d %H:%M").to_string()
}

/// The moment at which a day begins in Beijing. `None` far outside of all calendars.
pub fn beijing_midnight(day: Date) -> Option<Timestamp> {
    BEIJING.to_timestamp(day.at(0, 0, 0, 0)).ok()
}

/// The last second of a day in Beijing.
pub fn beijing_day_end(day: Date) -> Option<Timestamp> {
    BEIJING.to_timestamp(day.at(23, 59, 59, 0)).ok()
}

/// Reads a moment: a day (its beginning), `2026-11-25 14:30` in Beijing, or RFC 3339 with an offset.
pub fn parse_moment(text: &str) -> Option<Timestamp> {
    if let Ok(day) = text.parse::<Date>() {
        return beijing_midnight(day);
    }
    let local = || text.parse::<DateTime>().ok().and_then(|time| BEIJING.to_timestamp(time).ok());
    text.parse().ok().or_else(local)
}
