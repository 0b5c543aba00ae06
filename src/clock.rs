//! The wall clock as a value. Only `cli` makes one that reads the system's clock; everybody else is given it, so that tests decide
//! what time it is. Times are kept as milliseconds since 1970 in UTC and shown as RFC 3339 in UTC.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Tells the time. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// A clock that asks `now`.
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time now.
    pub fn now(&self) -> SystemTime {
        (self.0)()
    }

    /// The time now, in milliseconds since 1970 in UTC.
    pub fn now_ms(&self) -> i64 {
        milliseconds(self.now())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Milliseconds since 1970 in UTC; negative before.
pub fn milliseconds(time: SystemTime) -> i64 {
    let whole = |d: Duration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => whole(since),
        Err(before) => -whole(before.duration()),
    }
}

/// RFC 3339 in UTC with milliseconds, e.g. `2024-02-29T23:59:59.125Z`.
pub fn rfc3339(milliseconds: i64) -> String {
    let (days, of_day) = (milliseconds.div_euclid(86_400_000), milliseconds.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let (seconds, millis) = (of_day / 1000, of_day % 1000);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{millis:03}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Reads RFC 3339 with a time zone, `2024-02-29T23:59:59.125Z` or `...+02:00`, as microseconds since 1970 in UTC; digits beyond are cut
/// off. `None` for anything else, times before 1970 and days that no calendar has.
pub fn parse_rfc3339(text: &str) -> Option<u64> {
    let text = text.trim();
    let part = |from: usize, upto: usize| -> Option<i64> {
        let digits = text.get(from..upto)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let is = |at: usize, wanted: &[u8]| text.as_bytes().get(at).is_some_and(|b| wanted.contains(b));
    let separated = is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":");
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    if !separated || !(1970..=9999).contains(&year) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = day_number(year, month, day);
    if civil(days) != (year, month, day) {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        micros = format!("{:0<6}", &fraction[..digits.min(6)]).parse().ok()?;
        rest = &fraction[digits..];
    }
    let offset = match rest.as_bytes() {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] if [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()) => {
            let minutes = i64::from((h1 - b'0') * 10 + (h2 - b'0')) * 60 + i64::from((m1 - b'0') * 10 + (m2 - b'0'));
            if *sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
    };
    let seconds = days * 86_400 + hour * 3600 + (minute - offset) * 60 + second;
    u64::try_from(seconds).ok().map(|seconds| seconds * 1_000_000 + micros)
}

/// The day counted from 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, days_from_civil). A day that no month has comes
/// out as one of the next month.
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a day counted from 1970-01-01 in the proleptic Gregorian calendar.
fn civil(days: i64) -> (i64, i64, i64) {
    // Years counted from March put the leap day last, so a month's first day is a linear function of the month
    // (Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days).
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_utc() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_709_251_199_125), "2024-02-29T23:59:59.125Z");
        assert_eq!(rfc3339(1_709_251_200_000), "2024-03-01T00:00:00.000Z");
        assert_eq!(rfc3339(4_107_542_400_000), "2100-03-01T00:00:00.000Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(milliseconds(UNIX_EPOCH + Duration::from_millis(5)), 5);
        assert_eq!(milliseconds(UNIX_EPOCH - Duration::from_millis(5)), -5);
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        for ms in [0, 1_709_251_199_125, 1_709_251_200_000, 4_107_542_400_000, 253_402_300_799_999] {
            assert_eq!(parse_rfc3339(&rfc3339(ms)), u64::try_from(ms * 1000).ok());
        }
        assert_eq!(parse_rfc3339("2024-02-29T23:59:59.1250019+05:30"), Some(1_709_231_399_125_001));
        assert_eq!(parse_rfc3339("1970-01-01t00:30:00-01:00"), Some(5_400_000_000));
        for text in
            ["1969-12-31T23:59:59Z", "2023-02-29T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z", "é"]
        {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }
}
