//! The value of a JSON document without its spelling: key order, spacing, escapes and the way numbers are written do not count.
//!
//! Two documents with one [`value_digest`] are equal as JSON. The text is read once and never kept, so a document of any size takes
//! memory for its widest objects only. A number is taken exactly, except that a fraction of up to 17 digits stands for the DOUBLE it
//! reads as: that is what MySQL stores for it and prints shorter (trap 9); more digits than a DOUBLE can hold are told apart.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// Nesting beyond this is not followed; MySQL ends at 100 levels, MariaDB at 32.
const DEEPEST: usize = 256;

/// SHA-256 of the document's value, `None` when the text is not JSON. Of a key that occurs twice the last counts, as in MySQL 8 and later.
pub(crate) fn value_digest(text: &[u8]) -> Option<[u8; 32]> {
    let mut reader = Reader { text, at: 0 };
    let digest = reader.value(0)?;
    reader.space();
    (reader.at == text.len()).then_some(digest)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

fn tagged(tag: u8, bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([tag]).chain_update(bytes).finalize().into()
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str) -> Option<[u8; 32]> {
        let found = self.text[self.at..].starts_with(word.as_bytes());
        self.at += word.len();
        found.then(|| tagged(b'w', word.as_bytes()))
    }

    fn value(&mut self, depth: usize) -> Option<[u8; 32]> {
        if depth > DEEPEST {
            return None;
        }
        self.space();
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(|s| tagged(b's', &s)),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<[u8; 32]> {
        self.at += 1;
        let mut members = BTreeMap::new();
        if !self.eat(b'}') {
            loop {
                self.space();
                let key = self.string()?;
                if !self.eat(b':') {
                    return None;
                }
                members.insert(tagged(b'k', &key), self.value(depth + 1)?);
                if self.eat(b'}') {
                    break;
                }
                if !self.eat(b',') {
                    return None;
                }
            }
        }
        let mut hash = Sha256::new().chain_update([b'o']);
        for (key, value) in &members {
            hash.update(key);
            hash.update(value);
        }
        Some(hash.finalize().into())
    }

    fn array(&mut self, depth: usize) -> Option<[u8; 32]> {
        self.at += 1;
        let mut hash = Sha256::new().chain_update([b'a']);
        if !self.eat(b']') {
            loop {
                hash.update(self.value(depth + 1)?);
                if self.eat(b']') {
                    break;
                }
                if !self.eat(b',') {
                    return None;
                }
            }
        }
        Some(hash.finalize().into())
    }

    fn string(&mut self) -> Option<Vec<u8>> {
        if self.peek() != Some(b'"') {
            return None;
        }
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' => return Some(bytes),
                b'\\' => {
                    let escaped = self.peek()?;
                    self.at += 1;
                    match escaped {
                        b'b' => bytes.push(8),
                        b'f' => bytes.push(12),
                        b'n' => bytes.push(b'\n'),
                        b'r' => bytes.push(b'\r'),
                        b't' => bytes.push(b'\t'),
                        b'u' => self.unicode(&mut bytes)?,
                        other => bytes.push(other),
                    }
                }
                other => bytes.push(other),
            }
        }
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = std::str::from_utf8(self.text.get(self.at..self.at + 4)?).ok()?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn unicode(&mut self, bytes: &mut Vec<u8>) -> Option<()> {
        let first = self.hex4()?;
        let mut point = first;
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with(b"\\u") {
            let back = self.at;
            self.at += 2;
            let second = self.hex4()?;
            if (0xdc00..0xe000).contains(&second) {
                point = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            } else {
                self.at = back;
            }
        }
        match char::from_u32(point) {
            Some(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            // Half of a surrogate pair: kept apart from every valid text by a byte that UTF-8 never holds.
            None => bytes.extend_from_slice(&[0xff, (point >> 8) as u8, (point & 0xff) as u8]),
        }
        Some(())
    }

    fn number(&mut self) -> Option<[u8; 32]> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.text[start..self.at]).ok()?;
        number_form(text).map(|form| tagged(b'n', form.as_bytes()))
    }
}

/// One spelling per number: `-digits e exponent` without zeros at either end.
fn number_form(text: &str) -> Option<String> {
    let exact = exact_form(text)?;
    let digits = exact.trim_start_matches('-').split('e').next().map_or(0, str::len);
    let is_whole = !exact.contains("e-");
    if is_whole || digits > 17 {
        return Some(exact);
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value != 0.0 => exact_form(&format!("{value:e}")),
        _ => Some(exact),
    }
}

fn exact_form(text: &str) -> Option<String> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], unsigned[at + 1..].parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let cut = significant.trim_end_matches('0');
    if cut.is_empty() {
        return Some("0".to_owned());
    }
    let exponent = exponent - fraction.len() as i64 + (significant.len() - cut.len()) as i64;
    Some(format!("{}{cut}e{exponent}", if negative { "-" } else { "" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> bool {
        let (a, b) = (value_digest(a.as_bytes()), value_digest(b.as_bytes()));
        assert!(a.is_some() && b.is_some());
        a == b
    }

    #[test]
    fn spelling_does_not_count() {
        assert!(same(r#"{"a": 169.090000, "b": [1, 2]}"#, r#"{"b":[1,2],"a":169.09}"#));
        assert!(same(r#""\u00e9\n""#, "\"\u{e9}\\n\""));
        assert!(same(r#""\ud83d\ude00""#, "\"\u{1f600}\""));
        assert!(same("1e2", "100.0"));
        assert!(same("-0", "0"));
        assert!(same(r#"{"a":1,"a":2}"#, r#"{"a":2}"#));
        assert!(same("0.10000000000000001", "0.1"));
    }

    #[test]
    fn values_do() {
        for (a, b) in [
            ("1", "\"1\""),
            ("null", "\"null\""),
            ("[1,2]", "[2,1]"),
            ("[[1],2]", "[1,[2]]"),
            ("{}", "[]"),
            (r#"{"a":1}"#, r#"{"a":1,"b":null}"#),
            ("18446744073709551615", "18446744073709551614"),
            ("9007199254740993", "9007199254740992"),
            ("0.12345678901234567890", "0.12345678901234567891"),
            ("9088544342.689999", "9088544342.69"),
            ("-1", "1"),
        ] {
            assert!(!same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn what_is_no_json_has_no_value() {
        for text in ["", "{", "[1,]", "{\"a\"}", "01x", "tru", "1 2", "--1", "."] {
            assert_eq!(value_digest(text.as_bytes()), None, "{text}");
        }
        assert_eq!(value_digest("[".repeat(100_000).as_bytes()), None);
    }
}
