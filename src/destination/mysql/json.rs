//! Whether a JSON text survives being stored as MySQL's binary JSON.
//!
//! MySQL drops all but the last of equal keys and keeps numbers as 64-bit integers or doubles (manual: "The JSON Data Type"), so
//! MariaDB's text, which may hold anything valid, or a DECIMAL inside a JSON of MySQL, may come out with another value. That is found
//! here, before it is written.

use std::collections::HashSet;

/// `Err` says what would change. Text that is no JSON at all passes: the server refuses it in its own words.
pub(super) fn carried_exactly(text: &[u8]) -> Result<(), String> {
    let mut scanner = Scanner { text, at: 0 };
    let mut open: Vec<Option<HashSet<String>>> = Vec::new();
    while let Some(byte) = scanner.next_significant() {
        match byte {
            b'{' => open.push(Some(HashSet::new())),
            b'[' => open.push(None),
            b'}' | b']' => {
                open.pop();
            }
            b'"' => {
                let raw = scanner.string();
                let is_key = scanner.peek_significant() == Some(b':');
                let keys = open.last_mut().and_then(Option::as_mut).filter(|_| is_key);
                let key = || serde_json::from_slice::<String>(raw).unwrap_or_else(|_| String::from_utf8_lossy(raw).into_owned());
                if keys.is_some_and(|keys| !keys.insert(key())) {
                    return Err("a JSON object has the same key twice, of which MySQL keeps one".to_owned());
                }
            }
            b'-' | b'0'..=b'9' if !number_is_exact(scanner.number()) => {
                return Err("a JSON number has more digits than MySQL keeps".to_owned());
            }
            _ => {}
        }
    }
    Ok(())
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn next_significant(&mut self) -> Option<u8> {
        let byte = self.peek_significant()?;
        self.at += 1;
        Some(byte)
    }

    fn peek_significant(&mut self) -> Option<u8> {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r' | b',')) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    /// The string whose opening quote has just been passed, quotes included.
    fn string(&mut self) -> &'a [u8] {
        let start = self.at - 1;
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'"' => break,
                _ => {}
            }
        }
        &self.text[start..self.at.min(self.text.len())]
    }

    fn number(&mut self) -> &'a [u8] {
        let start = self.at - 1;
        while matches!(self.text.get(self.at), Some(b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }
}

fn number_is_exact(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return true };
    if text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() {
        return true;
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => decimal(text) == decimal(&format!("{value:e}")),
        _ => false,
    }
}

/// Sign, significant digits and the power of ten of the last of them: equal exactly when the numbers are.
fn decimal(text: &str) -> (bool, String, i64) {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.trim_start_matches('+').parse::<i64>().unwrap_or(i64::MAX / 2)),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_end_matches('0');
    let dropped = i64::try_from(digits.len() - kept.len()).unwrap_or(0);
    let kept = kept.trim_start_matches('0');
    if kept.is_empty() {
        return (false, String::new(), 0);
    }
    (negative, kept.to_owned(), exponent - i64::try_from(fraction.len()).unwrap_or(0) + dropped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mysql_would_change_is_found() {
        for same in [
            r#"{"a": 1, "b": {"a": 1}, "c": [{"a":1},{"a":1}]}"#,
            "[169.090000, 1e3, 100, 0.1, -0.5, 18446744073709551615, -9223372036854775808, 1.7976931348623157e308]",
            r#"{"a\"": "}{[1.11111111111111111111", "b": null, "n": 0.0}"#,
            r#""a""#,
            "",
            "not json",
        ] {
            assert_eq!(carried_exactly(same.as_bytes()), Ok(()), "{same}");
        }
        for changed in [
            r#"{"a": 1, "a": 2}"#,
            r#"{"a": 1, "\u0061": 2}"#,
            r#"[{"x": {"y": 1, "z": 2, "y": 1}}]"#,
            "18446744073709551617",
            "[1.12345678901234567890123]",
            "1e999",
        ] {
            assert!(carried_exactly(changed.as_bytes()).is_err(), "{changed}");
        }
    }
}
