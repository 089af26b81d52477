//! How the values of a workbook are shown: numbers, days and times of day (ECMA-376 part 1, 18.8.30 and 18.17.4).

use jiff::civil::{Date, Time};
use jiff::{Span, ToSpan};

/// How numbers are shown, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Number,
    Moment,
    /// At least so many digits: `000000`.
    Digits(usize),
}

impl Shape {
    /// Of the formats that are not written down (ECMA-376 part 1, 18.8.30; those of Chinese included).
    pub(super) fn built_in(id: u32) -> Self {
        match id {
            14..=22 | 27..=36 | 45..=47 | 50..=58 => Shape::Moment,
            _ => Shape::Number,
        }
    }

    pub(super) fn of(code: &str) -> Self {
        let code = code.split(';').next().unwrap_or_default();
        if code.len() > 1 && code.bytes().all(|byte| byte == b'0') {
            return Shape::Digits(code.len());
        }
        let (mut quoted, mut bracketed, mut skip) = (false, false, false);
        for ch in code.chars() {
            match ch {
                _ if skip => skip = false,
                '"' => quoted = !quoted,
                _ if quoted => {}
                '[' => bracketed = true,
                ']' => bracketed = false,
                _ if bracketed => {}
                '\\' | '_' | '*' => skip = true,
                'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' => return Shape::Moment,
                _ => {}
            }
        }
        Shape::Number
    }

    /// What is seen of a number.
    pub(super) fn show(self, value: &str, since_1904: bool) -> String {
        match (self, value.trim().parse::<f64>()) {
            (Shape::Moment, Ok(serial)) => moment(serial, since_1904).unwrap_or_else(|| number(value)),
            (Shape::Digits(width), Ok(whole)) if whole >= 0.0 && whole.fract() == 0.0 => {
                format!("{:0>width$}", number(value), width = width.min(32))
            }
            _ => number(value),
        }
    }
}

/// A number as people see it: no exponent, no `.0`, fifteen digits as Excel has them. Digits that are all there
/// stay as they are written.
pub(super) fn number(value: &str) -> String {
    let value = value.trim();
    let digits = value.strip_prefix('-').unwrap_or(value);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return value.to_owned();
    }
    match value.parse::<f64>() {
        Ok(number) if number.is_finite() => format!("{number:.14e}")
            .parse::<f64>()
            .map_or_else(|_| value.to_owned(), |number| number.to_string()),
        _ => value.to_owned(),
    }
}

/// Day and time of day of a serial number, as far as they are there: `2026-01-25`, `2026-01-25 08:30`, `08:30`.
fn moment(serial: f64, since_1904: bool) -> Option<String> {
    if !(0.0..2_958_466.0).contains(&serial) {
        return None;
    }
    let minutes = (serial * 1440.0).round() as i64;
    let (days, minutes) = (minutes.div_euclid(1440), minutes.rem_euclid(1440));
    let time = Time::midnight().checked_add(Span::new().minutes(minutes)).ok()?;
    if days == 0 && !since_1904 {
        return Some(time.strftime("%H:%M").to_string());
    }
    // Excel takes 1900 for a leap year: its days before March are one less.
    let first = match since_1904 {
        true => Date::constant(1904, 1, 1),
        false if days < 60 => Date::constant(1899, 12, 31),
        false => Date::constant(1899, 12, 30),
    };
    let day = first.checked_add(days.days()).ok()?;
    Some(match minutes {
        0 => day.to_string(),
        _ => format!("{day} {}", time.strftime("%H:%M")),
    })
}

/// A moment of ISO 8601 in the same form.
pub(super) fn iso(value: &str) -> String {
    let value = value.trim();
    match value.split_once('T') {
        None => value.to_owned(),
        Some((day, time)) if time.starts_with("00:00") => day.to_owned(),
        Some((day, time)) => format!("{day} {}", time.get(..5).unwrap_or(time)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_out() {
        for (value, expected) in [
            ("1", "1"),
            ("1.0", "1"),
            ("1E3", "1000"),
            ("1.23E+20", "123000000000000000000"),
            ("0.30000000000000004", "0.3"),
            ("123456789012345678", "123456789012345678"),
            ("-5", "-5"),
            ("NaN", "NaN"),
            ("", ""),
        ] {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn serial_numbers_are_days() {
        let shown = |serial| moment(serial, false).unwrap_or_default();
        assert_eq!([shown(1.0), shown(59.0), shown(61.0)], ["1900-01-01", "1900-02-28", "1900-03-01"]);
        // 2026-01-25 is 46,047 days after 1899-12-30.
        assert_eq!([shown(46_047.0), shown(46_047.354_166_7)], ["2026-01-25", "2026-01-25 08:30"]);
        assert_eq!([shown(0.5), shown(-1.0), shown(f64::NAN)], ["12:00", "", ""]);
        assert_eq!(moment(44_585.0, true).as_deref(), Some("2026-01-25"));
    }

    #[test]
    fn formats_are_told_apart() {
        for (code, shape) in [
            ("yyyy-mm-dd", Shape::Moment),
            ("[$-804]yyyy\"年\"m\"月\";@", Shape::Moment),
            ("0.00E+00", Shape::Number),
            ("#,##0\"日\"", Shape::Number),
            ("[Red]0.0", Shape::Number),
            ("\\d0", Shape::Number),
            ("000000", Shape::Digits(6)),
            ("0", Shape::Number),
            ("General", Shape::Number),
            ("@", Shape::Number),
        ] {
            assert_eq!(Shape::of(code), shape, "{code}");
        }
    }
}
