//! Days as offices count them.

use jiff::Timestamp;
use jiff::civil::Date;
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
