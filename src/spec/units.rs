//! Times and sizes as people write them: `2h`, `1500ms`, `64MiB`.

use std::time::Duration;

use thiserror::Error;

/// Why a time or a size is not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UnitError {
    /// A number without a unit.
    #[error("a bare number does not say which unit is meant")]
    BareNumber,
    /// Not a whole number followed by a unit.
    #[error("not a whole number followed by a unit")]
    Malformed,
    /// A unit that does not exist here.
    #[error("unknown unit `{0}`")]
    Unit(String),
    /// More than fits.
    #[error("too large")]
    TooLarge,
}

fn split(text: &str) -> Result<(u64, &str), UnitError> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    if digits.is_empty() {
        return Err(UnitError::Malformed);
    }
    let number = digits.parse().map_err(|_| UnitError::TooLarge)?;
    Ok((number, unit.trim_start()))
}

/// Parses a time such as `1500ms`, `30s`, `720m`, `2h` or `1d`. A bare number is refused.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let (number, unit) = split(text)?;
    let milliseconds = match unit {
        "" => return Err(UnitError::BareNumber),
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        other => return Err(UnitError::Unit(other.to_owned())),
    };
    number.checked_mul(milliseconds).map(Duration::from_millis).ok_or(UnitError::TooLarge)
}

/// Writes a time in the largest unit that divides it: `12h`, `90s`, `1500ms`.
pub fn format_duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    for (unit, size) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if milliseconds != 0 && milliseconds.is_multiple_of(size) {
            return format!("{}{unit}", milliseconds / size);
        }
    }
    format!("{milliseconds}ms")
}

/// Parses a size in bytes such as `4096`, `512B`, `64MiB` or `10MB`. A bare number is bytes.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    let (number, unit) = split(text)?;
    let factor: u64 = match unit {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        other => return Err(UnitError::Unit(other.to_owned())),
    };
    number.checked_mul(factor).ok_or(UnitError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_need_a_unit() {
        assert_eq!(parse_duration("1500ms"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_duration("720m"), Ok(Duration::from_secs(43_200)));
        assert_eq!(parse_duration("2h"), Ok(Duration::from_secs(7_200)));
        assert_eq!(parse_duration("720"), Err(UnitError::BareNumber));
        assert_eq!(parse_duration("1.5h"), Err(UnitError::Unit(".5h".to_owned())));
        assert_eq!(parse_duration("-1h"), Err(UnitError::Malformed));
        assert_eq!(parse_duration(""), Err(UnitError::Malformed));
        assert_eq!(parse_duration("99999999999999999999s"), Err(UnitError::TooLarge));
        assert_eq!(parse_duration("9999999999999999h"), Err(UnitError::TooLarge));
    }

    #[test]
    fn times_are_written_in_their_largest_unit() {
        for text in ["12h", "90s", "1500ms", "11m", "0ms"] {
            assert_eq!(parse_duration(text).map(format_duration).as_deref(), Ok(text));
        }
    }

    #[test]
    fn sizes_know_both_families() {
        assert_eq!(parse_size("64MiB"), Ok(67_108_864));
        assert_eq!(parse_size("10 MB"), Ok(10_000_000));
        assert_eq!(parse_size("512"), Ok(512));
        assert_eq!(parse_size("64mib"), Err(UnitError::Unit("mib".to_owned())));
    }
}
