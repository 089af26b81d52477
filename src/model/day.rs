//! Days as offices count them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

/// The day of a moment in Beijing, whose time all of China has.
pub fn beijing_day(moment: Timestamp) -> Date {
    Offset::constant(8).to_datetime(moment).date()
}
