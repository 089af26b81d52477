//! Dates as pages and exports write them. Those without a zone are Beijing time, which all of China has.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// The years that a publication on the web can be of.
const YEARS: std::ops::RangeInclusive<i64> = 1990..=2199;

/// A time in Beijing.
fn beijing(time: DateTime) -> Option<Timestamp> {
    Offset::constant(8).to_timestamp(time).ok()
}

/// Seconds (ten digits) or milliseconds (thirteen) since 1970.
pub fn seconds(text: &str) -> Option<Timestamp> {
    let number: i64 = text.trim().parse().ok()?;
    let seconds = if number >= 100_000_000_000 { number / 1_000 } else { number };
    let time = Timestamp::from_second(seconds).ok()?;
    sound(time)
}

/// A time in any form that pages, feeds and lists use: `2026-05-18 10:19`, `2026/5/18`, `2026年5月18日 10时19分`,
/// `20260518`, RFC 3339, RFC 2822, `Mon May 18 10:19:00 +0800 2026`, seconds and milliseconds since 1970.
pub fn any(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > 64 {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return match text.len() {
            8 => written(text),
            14 => written(text),
            10 | 13 => seconds(text),
            _ => None,
        };
    }
    if text.starts_with(|ch: char| ch.is_ascii_alphabetic()) {
        return named(text);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return sound(time);
    }
    mail(text).or_else(|| written(text))
}

fn sound(time: Timestamp) -> Option<Timestamp> {
    YEARS.contains(&i64::from(Offset::UTC.to_datetime(time).year())).then_some(time)
}

fn mail(text: &str) -> Option<Timestamp> {
    sound(jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?)
}

/// Names of days come first: RFC 2822, or as `date` and one platform write it.
fn named(text: &str) -> Option<Timestamp> {
    // Tue, 18 May 2026 10:19:00 GMT with a wrong day of the week is common in feeds made by hand.
    let without_day = || mail(text.split_once(',')?.1.trim());
    let as_date = || sound(Timestamp::strptime("%a %b %d %H:%M:%S %z %Y", text).ok()?);
    mail(text).or_else(without_day).or_else(as_date)
}

/// The first date in a text, with the time of day behind it.
fn written(text: &str) -> Option<Timestamp> {
    let (date, rest) = date_in(text)?;
    let (time, rest) = time_of_day(rest)?;
    let time = date.to_datetime(time);
    let rest = rest.trim_start();
    if rest.starts_with('Z') {
        return Offset::UTC.to_timestamp(time).ok();
    }
    if let Some(zone) = offset(rest) {
        return Offset::UTC.to_timestamp(time).ok()?.checked_sub(zone).ok();
    }
    beijing(time)
}

/// Whether a text begins with a date and a time of day, hour and minute at least; the moment, and what follows it.
pub fn leading(text: &str) -> Option<(Timestamp, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (date, rest) = date_of(text, digits)?;
    let (time, rest) = clock(rest)?;
    Some((beijing(date.to_datetime(time))?, rest))
}

/// Whether a text begins with a time of day, hour and minute at least (`08:31`, `下午 8:31:05`); and what follows it.
pub fn clock(text: &str) -> Option<(Time, &str)> {
    let blank = |ch: char| ch.is_whitespace() || ch == 'T' || ch == 't';
    let text = text.trim_start_matches(blank);
    let halves =
        [("上午", false), ("凌晨", false), ("早上", false), ("下午", true), ("晚上", true), ("中午", true)];
    let (afternoon, text) = (halves.iter())
        .find_map(|(word, afternoon)| Some((*afternoon, text.strip_prefix(word)?.trim_start())))
        .unwrap_or((false, text));
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let behind = text.get(digits..)?;
    let minute = behind.strip_prefix([':', '：', '时'])?;
    if !(1..=2).contains(&digits) || !minute.starts_with(|ch: char| ch.is_ascii_digit()) {
        return None;
    }
    let (time, rest) = time_of_day(text)?;
    let late = afternoon && time.hour() < 12;
    let time = if late { Time::new(time.hour() + 12, time.minute(), time.second(), 0).ok()? } else { time };
    Some((time, rest))
}

/// The moment of a date and a time of day in Beijing.
pub fn moment(date: Date, time: Time) -> Option<Timestamp> {
    beijing(date.to_datetime(time))
}

/// A time of day, midnight where there is none, and what follows it.
fn time_of_day(text: &str) -> Option<(Time, &str)> {
    let mut parts = [0i8; 3];
    let mut rest = text.trim_start_matches(['T', 't', ' ', '\u{A0}', '\u{3000}']);
    for (index, part) in parts.iter_mut().enumerate() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count().min(2);
        if digits == 0 {
            break;
        }
        *part = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let colon = rest.strip_prefix([':', '：', '时', '分']);
        match colon {
            Some(behind) => rest = behind,
            None if index == 0 && digits == 2 && rest.starts_with(|ch: char| ch.is_ascii_digit()) => {}
            None if index == 1 && rest.starts_with(|ch: char| ch.is_ascii_digit()) => {}
            None => break,
        }
    }
    let [hour, minute, second] = parts;
    Some((Time::new(hour, minute, second.min(59), 0).ok()?, rest.strip_prefix('秒').unwrap_or(rest)))
}

/// `+08:00`, `+0800`.
fn offset(text: &str) -> Option<SignedDuration> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text[1..].chars().take(5).filter(char::is_ascii_digit).collect();
    let (hours, minutes) = (digits.get(..2)?.parse::<i64>().ok()?, digits.get(2..4).unwrap_or("0"));
    let minutes: i64 = minutes.parse().ok()?;
    (hours <= 14 && minutes < 60).then(|| SignedDuration::from_mins(sign * (hours * 60 + minutes)))
}

/// The first date in a text and what follows it: `2026-05-18`, `2026.5.18`, `2026年5月18日`, `20260518`.
pub fn date_in(text: &str) -> Option<(Date, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0
            && let Some(found) = date_of(&text[at..], digits)
        {
            return Some(found);
        }
        at += digits.max(1);
    }
    None
}

/// The date that a text begins with, whose first number has so many digits; and what follows it.
fn date_of(text: &str, digits: usize) -> Option<(Date, &str)> {
    let (run, behind) = text.split_at(digits);
    if matches!(digits, 8 | 14) {
        let parts = (run[..4].parse(), run[4..6].parse(), run[6..8].parse());
        if let (Ok(year), Ok(month), Ok(day)) = parts
            && let Some(date) = date(year, month, day)
        {
            return Some((date, &text[8..]));
        }
    }
    if digits != 4 {
        return None;
    }
    let (month, rest) = part(behind, &['-', '/', '.', '年'])?;
    let (day, rest) = part(rest, &['-', '/', '.', '月'])?;
    Some((date(run.parse().ok()?, month, day)?, rest.strip_prefix('日').unwrap_or(rest)))
}

fn part<'a>(text: &'a str, before: &[char]) -> Option<(i8, &'a str)> {
    let text = text.trim_start().strip_prefix(before)?.trim_start();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = (1..=2).contains(&digits).then(|| text[..digits].parse().ok())??;
    Some((number, &text[digits..]))
}

fn date(year: i16, month: i8, day: i8) -> Option<Date> {
    YEARS.contains(&i64::from(year)).then(|| Date::new(year, month, day).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_same_minute() {
        for text in [
            "2026-05-18 10:19",
            "2026-05-18 10:19:00",
            "2026/5/18 10:19",
            "2026.05.18 10:19",
            "2026年5月18日 10:19",
            "2026年05月18日10时19分",
            "2026-05-18T10:19:00+08:00",
            "2026-05-18T02:19:00Z",
            "2026-05-18T10:19",
            "2026-05-18 10:19:00 +0800",
            "20260518101900",
            "Mon, 18 May 2026 10:19:00 +0800",
            "Mon, 18 May 2026 02:19:00 GMT",
            "Sun, 18 May 2026 02:19:00 GMT",
            "18 May 2026 02:19:00 GMT",
            "Mon May 18 10:19:00 +0800 2026",
            "1779070740",
            "1779070740000",
        ] {
            assert_eq!(
                any(text).map(|time| time.to_string()).as_deref(),
                Some("2026-05-18T02:19:00Z"),
                "{text}"
            );
        }
        assert_eq!(any("2026-05-18").unwrap().to_string(), "2026-05-17T16:00:00Z");
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "9999999",
            "9999999-01-01",
            "9999999999999999999",
            "2026-13-01",
            "2026-02-30 10:00",
            "0000-00-00",
            "99999999999",
            "昨天",
            "-1",
            "2026-05-18 25:00",
            "1",
            "2026年",
            "+010000-01-01T00:00:00Z",
            "99990101",
        ] {
            assert_eq!(any(text), None, "{text}");
        }
    }

    #[test]
    fn what_lines_of_chat_logs_begin_with() {
        for (text, rest) in [
            ("2026-05-18 10:19:00 张某(社区)", " 张某(社区)"),
            ("2026-05-18 10:19] 张某: 收到", "] 张某: 收到"),
            ("2026/5/18 上午 10:19:00 张某", " 张某"),
            ("2026年5月18日 10时19分 张某", " 张某"),
            ("2026年5月18日 10:19", ""),
        ] {
            let (time, behind) = leading(text).unwrap();
            assert_eq!((time.to_string().as_str(), behind), ("2026-05-18T02:19:00Z", rest), "{text}");
        }
        assert_eq!(leading("2026-05-18 下午 8:05:01 张某").unwrap().0.to_string(), "2026-05-18T12:05:01Z");
        for text in
            ["2026-05-18 张某", "会议 2026-05-18 10:19", "1. 2026-05-18 10:19", "10:19", "2026-05-18 25:00"]
        {
            assert_eq!(leading(text), None, "{text}");
        }
        assert_eq!(clock("08:31").unwrap().0.to_string(), "08:31:00");
        assert_eq!(clock("8 点"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "[0-9年月日时分:/. T+Z-]{0,30}|\\PC{0,20}") {
            any(&text);
            date_in(&text);
            leading(&text);
            clock(&text);
            seconds(&text);
        }
    }
}
