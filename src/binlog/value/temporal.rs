//! DATE, DATETIME, TIMESTAMP, TIME and YEAR as the server prints them, TIMESTAMP in UTC.
//!
//! Values that no calendar has (zero dates, 2024-02-00, 2023-02-30) pass as they are: nothing here is turned into a date and back.

use super::number::places;

/// Parts of a date and time, as they stand, valid or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    micros: u32,
}

/// The low bits of a number.
#[expect(clippy::cast_possible_truncation, reason = "masked to fewer bits than the type has")]
const fn low(number: u64, bits: u32) -> u32 {
    (number & ((1 << bits) - 1)) as u32
}

fn date_parts(out: &mut Vec<u8>, year: u32, month: u32, day: u32) {
    places(out, year, 4);
    out.push(b'-');
    places(out, month, 2);
    out.push(b'-');
    places(out, day, 2);
}

/// A point and the first `digits` of six.
fn fraction(out: &mut Vec<u8>, micros: u32, digits: u8) {
    if digits > 0 {
        out.push(b'.');
        places(out, micros / 10_u32.pow(u32::from(6 - digits.min(6))), usize::from(digits));
    }
}

fn moment(out: &mut Vec<u8>, m: Moment, digits: u8) {
    date_parts(out, m.year, m.month, m.day);
    out.push(b' ');
    places(out, m.hour, 2);
    out.push(b':');
    places(out, m.minute, 2);
    out.push(b':');
    places(out, m.second, 2);
    fraction(out, m.micros, digits);
}

/// DATE: 5 bits day, 4 bits month, the rest year.
pub(in crate::binlog) fn date(out: &mut Vec<u8>, packed: u64) {
    date_parts(out, low(packed >> 9, 15), low(packed >> 5, 4), low(packed, 5));
}

/// YEAR: years since 1900, where 0 is the year 0000.
pub(in crate::binlog) fn year(out: &mut Vec<u8>, byte: u8) {
    places(out, if byte == 0 { 0 } else { 1900 + u32::from(byte) }, 4);
}

/// Bytes of the fraction of DATETIME2, TIMESTAMP2 and TIME2.
pub(in crate::binlog) const fn fraction_bytes(digits: u8) -> usize {
    (digits as usize).div_ceil(2)
}

/// Microseconds from a stored fraction, which has two digits a byte.
fn micros(stored: u64, digits: u8) -> u32 {
    low(stored, 24)
        * match fraction_bytes(digits) {
            1 => 10_000,
            2 => 100,
            _ => 1,
        }
}

/// DATETIME2: 40 bits (sign, year times 13 plus month, day, hour, minute, second), and the fraction as it is stored.
pub(in crate::binlog) fn datetime2(out: &mut Vec<u8>, whole: u64, stored: u64, digits: u8) {
    let packed = whole.wrapping_sub(0x80_0000_0000);
    moment(out, unpack(packed << 24 | u64::from(micros(stored, digits))), digits);
}

/// `packed_longlong` of MySQL: year times 13 plus month, day, hour, minute, second, 24 bits of microseconds.
fn unpack(packed: u64) -> Moment {
    let months = low(packed >> 46, 17);
    Moment {
        year: months / 13,
        month: months % 13,
        day: low(packed >> 41, 5),
        hour: low(packed >> 36, 5),
        minute: low(packed >> 30, 6),
        second: low(packed >> 24, 6),
        micros: low(packed, 24),
    }
}

/// DATETIME or DATE inside JSON, packed as MySQL does, with six digits.
pub(in crate::binlog) fn packed_datetime(out: &mut Vec<u8>, packed: u64, digits: u8) {
    moment(out, unpack(packed), digits);
}

/// DATE inside JSON.
pub(in crate::binlog) fn packed_date(out: &mut Vec<u8>, packed: u64) {
    let m = unpack(packed);
    date_parts(out, m.year, m.month, m.day);
}

/// TIME inside JSON: sign, hours, minutes, seconds, 24 bits of microseconds.
pub(in crate::binlog) fn packed_time(out: &mut Vec<u8>, packed: i64, digits: u8) {
    if packed < 0 {
        out.push(b'-');
    }
    let packed = packed.unsigned_abs();
    clock(out, low(packed >> 36, 10), low(packed >> 30, 6), low(packed >> 24, 6), low(packed, 24), digits);
}

fn clock(out: &mut Vec<u8>, hours: u32, minutes: u32, seconds: u32, micros: u32, digits: u8) {
    places(out, hours, 2);
    out.push(b':');
    places(out, minutes, 2);
    out.push(b':');
    places(out, seconds, 2);
    fraction(out, micros, digits);
}

/// TIME2 from its 3 bytes and its fraction as one big-endian number of `3 + fraction_bytes` bytes.
///
/// The number is a signed fixed-point value plus an offset, so that of a negative TIME the fraction is borrowed from the seconds:
/// `-00:00:00.01` is stored as -1 second plus 0.99 (trap: read as two separate parts it comes out as another time).
pub(in crate::binlog) fn time2(out: &mut Vec<u8>, stored: u64, digits: u8) {
    let fraction_bits = 8 * u32::try_from(fraction_bytes(digits)).unwrap_or(0);
    let value = stored.cast_signed() - (0x80_0000 << fraction_bits);
    if value < 0 {
        out.push(b'-');
    }
    let value = value.unsigned_abs();
    let whole = value >> fraction_bits;
    let rest = value & ((1 << fraction_bits) - 1);
    clock(out, low(whole >> 12, 10), low(whole >> 6, 6), low(whole, 6), micros(rest, digits), digits);
}

/// TIMESTAMP from seconds since 1970 and microseconds; nothing at all is the zero date.
pub(in crate::binlog) fn timestamp(out: &mut Vec<u8>, seconds: u64, micros: u32, digits: u8) {
    if seconds == 0 && micros == 0 {
        return moment(out, Moment { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0, micros: 0 }, digits);
    }
    let (days, clock) = (seconds / 86_400, low(seconds % 86_400, 17));
    let (year, month, day) = civil(low(days, 32));
    moment(out, Moment { year, month, day, hour: clock / 3600, minute: clock / 60 % 60, second: clock % 60, micros }, digits);
}

/// TIMESTAMP2: seconds and the fraction as it is stored.
pub(in crate::binlog) fn timestamp2(out: &mut Vec<u8>, seconds: u64, stored: u64, digits: u8) {
    timestamp(out, seconds, micros(stored, digits), digits);
}

/// Year, month and day of days since 1970-01-01, in the Gregorian calendar (Howard Hinnant's `civil_from_days`).
fn civil(days: u32) -> (u32, u32, u32) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u32::from(month <= 2), month, day)
}

/// DATETIME of before 5.6: the decimal number YYYYMMDDhhmmss.
pub(in crate::binlog) fn old_datetime(out: &mut Vec<u8>, number: u64) {
    let (date, time) = (number / 1_000_000, number % 1_000_000);
    let part = |n: u64| low(n, 20);
    moment(
        out,
        Moment {
            year: part(date / 10_000),
            month: part(date / 100 % 100),
            day: part(date % 100),
            hour: part(time / 10_000),
            minute: part(time / 100 % 100),
            second: part(time % 100),
            micros: 0,
        },
        0,
    );
}

/// TIME of before 5.6: the decimal number hhmmss with a sign, in 24 bits.
pub(in crate::binlog) fn old_time(out: &mut Vec<u8>, stored: u64) {
    let value = (stored << 40).cast_signed() >> 40;
    if value < 0 {
        out.push(b'-');
    }
    let value = low(value.unsigned_abs(), 24);
    clock(out, value / 10_000, value / 100 % 100, value % 100, 0, 0);
}

/// The fractional formats of MariaDB 5.3 (`mysql56_temporal_format=OFF`), big-endian, with as few bytes as hold the digits
/// (`Field_datetime_hires`, `Field_time_hires`, `Field_timestamp_hires` of `sql/field.cc`).
pub(in crate::binlog) mod hires {
    use super::{Moment, clock, low, moment, timestamp};

    const DATETIME: [usize; 7] = [5, 6, 6, 7, 7, 7, 8];
    const TIME: [usize; 7] = [3, 4, 4, 5, 5, 5, 6];
    const TIMESTAMP: [usize; 7] = [4, 5, 5, 6, 6, 7, 7];

    fn of(table: [usize; 7], digits: u8) -> usize {
        table[usize::from(digits.min(6))]
    }

    pub(in crate::binlog) fn datetime_bytes(digits: u8) -> usize {
        of(DATETIME, digits)
    }

    pub(in crate::binlog) fn time_bytes(digits: u8) -> usize {
        of(TIME, digits)
    }

    pub(in crate::binlog) fn timestamp_bytes(digits: u8) -> usize {
        of(TIMESTAMP, digits)
    }

    /// What one digit of the fraction counts in microseconds.
    fn step(digits: u8) -> u64 {
        10_u64.pow(u32::from(6 - digits.min(6)))
    }

    /// Mixed radix: year times 13 plus month, times 32 plus day, times 24, 60, 60, and a million or what is left of it.
    pub(in crate::binlog) fn datetime(out: &mut Vec<u8>, stored: u64, digits: u8) {
        let mut rest = stored * step(digits);
        let mut next = |radix: u64| {
            let part = low(rest % radix, 24);
            rest /= radix;
            part
        };
        let micros = next(1_000_000);
        let (second, minute, hour, day) = (next(60), next(60), next(24), next(32));
        let (month, year) = (next(13), next(10_000));
        moment(out, Moment { year, month, day, hour, minute, second, micros }, digits);
    }

    /// Microseconds plus those of 839 hours, so that it is never negative.
    pub(in crate::binlog) fn time(out: &mut Vec<u8>, stored: u64, digits: u8) {
        const MOST_SECONDS: u64 = 838 * 3600 + 59 * 60 + 59;
        let step = step(digits);
        let zero = (MOST_SECONDS + 1) * 1_000_000 / step;
        let value = (stored.cast_signed() - zero.cast_signed()) * step.cast_signed();
        if value < 0 {
            out.push(b'-');
        }
        let value = value.unsigned_abs();
        let (micros, seconds) = (low(value % 1_000_000, 24), low(value / 1_000_000, 32));
        clock(out, seconds / 3600, seconds / 60 % 60, seconds % 60, micros, digits);
    }

    pub(in crate::binlog) fn timestamp_of(out: &mut Vec<u8>, seconds: u64, stored: u64, digits: u8) {
        timestamp(out, seconds, low(stored * step(digits), 24), digits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("digits")
    }

    #[test]
    fn negative_times_keep_their_fraction() {
        // The bytes that 9.7.4 and 10.11.19 write.
        for (stored, digits, shown) in [
            (0x7f_3f_fe_e7, 2, "-12:00:01.25"),
            (0x7f_3f_ff, 0, "-12:00:01"),
            (0x7f_ff_ff_ff, 2, "-00:00:00.01"),
            (0x7f_ff_ff_ff_ff_ff, 6, "-00:00:00.000001"),
            (0x80_00_00, 0, "00:00:00"),
            (0x80_00_00_00, 2, "00:00:00.00"),
            (0x4b_91_05_00_00, 3, "-838:59:59.000"),
            (0xb4_6e_fb, 0, "838:59:59"),
            (0x80_00_01_00_00, 3, "00:00:01.000"),
        ] {
            assert_eq!(text(|out| time2(out, stored, digits)), shown);
        }
    }

    #[test]
    fn dates_of_no_calendar_pass() {
        assert_eq!(text(|out| date(out, 0)), "0000-00-00");
        assert_eq!(text(|out| date(out, 2024 << 9 | 2 << 5)), "2024-02-00");
        assert_eq!(text(|out| datetime2(out, 0x80_0000_0000, 0, 3)), "0000-00-00 00:00:00.000");
        let whole = 0x80_0000_0000 | (2024 * 13 + 2) << 22 | 23 << 12 | 59 << 6 | 59;
        assert_eq!(text(|out| datetime2(out, whole, 999_999, 6)), "2024-02-00 23:59:59.999999");
        assert_eq!(text(|out| old_datetime(out, 20_240_200_120_000)), "2024-02-00 12:00:00");
        assert_eq!(text(|out| old_datetime(out, 0)), "0000-00-00 00:00:00");
        assert_eq!(text(|out| old_time(out, (-8_385_959_i64).cast_unsigned() & 0xff_ffff)), "-838:59:59");
        assert_eq!((text(|out| year(out, 0)), text(|out| year(out, 255))), ("0000".into(), "2155".into()));
    }

    #[test]
    fn timestamps_are_in_utc() {
        assert_eq!(text(|out| timestamp2(out, 0, 0, 3)), "0000-00-00 00:00:00.000");
        assert_eq!(text(|out| timestamp2(out, 1, 0, 0)), "1970-01-01 00:00:01");
        assert_eq!(text(|out| timestamp2(out, 0x7fff_ffff, 99, 2)), "2038-01-19 03:14:07.99");
        assert_eq!(text(|out| timestamp2(out, 0xffff_ffff, 0, 0)), "2106-02-07 06:28:15");
        assert_eq!(text(|out| timestamp2(out, 951_782_400, 5_000, 3)), "2000-02-29 00:00:00.500");
        assert_eq!(text(|out| timestamp2(out, 1_730_611_800, 50, 1)), "2024-11-03 05:30:00.5");
    }
}
