//! MariaDB's UUID, INET4 and INET6, which travel as fixed binary strings, in their canonical text.

use std::io::Write as _;

/// UUID. In a record those of versions 1 to 5 have their parts turned round, so that they sort by time (`memory_to_record` of
/// `plugin/type_uuid/sql_type_uuid.h`); the server tells by two bits, and so do we.
pub(in crate::binlog) fn uuid(out: &mut Vec<u8>, record: &[u8; 16]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    const TURNED: [usize; 16] = [12, 13, 14, 15, 10, 11, 8, 9, 6, 7, 0, 1, 2, 3, 4, 5];
    let turned = record[6] & record[8].wrapping_neg() & 0x80 != 0;
    for (i, &from) in TURNED.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        let byte = record[if turned { from } else { i }];
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// INET4.
pub(in crate::binlog) fn inet4(out: &mut Vec<u8>, [a, b, c, d]: [u8; 4]) {
    // Writing into a vector cannot fail.
    let _ = write!(out, "{a}.{b}.{c}.{d}");
}

/// INET6 as `Inet6::to_string` of MariaDB's `sql/sql_type_inet.cc` prints it: the first of the longest runs of zero words, even of one,
/// becomes `::`, and addresses that are mapped to or compatible with IPv4 end in dots.
pub(in crate::binlog) fn inet6(out: &mut Vec<u8>, record: &[u8; 16]) {
    let word = |i: usize| u16::from_be_bytes([record[2 * i], record[2 * i + 1]]);
    let (mut gap, mut gap_words) = (usize::MAX, 0);
    let mut run = 0;
    for i in 0..8 {
        run = if word(i) == 0 { run + 1 } else { 0 };
        if run > gap_words {
            (gap, gap_words) = (i + 1 - run, run);
        }
    }
    let mut i = 0;
    while i < 8 {
        if i == gap {
            out.extend_from_slice(if i == 0 { b"::" } else { b":" });
            i += gap_words;
        } else if i == 6 && gap == 0 && (gap_words == 6 || gap_words == 5 && word(5) == 0xffff) {
            return inet4(out, [record[12], record[13], record[14], record[15]]);
        } else {
            let _ = write!(out, "{:x}", word(i));
            i += 1;
            if i < 8 {
                out.push(b':');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn six(words: [u16; 8]) -> String {
        let mut record = [0; 16];
        for (i, word) in words.into_iter().enumerate() {
            record[2 * i..2 * i + 2].copy_from_slice(&word.to_be_bytes());
        }
        let mut out = Vec::new();
        inet6(&mut out, &record);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn addresses() {
        // As 10.11.19 prints them.
        assert_eq!(six([0; 8]), "::");
        assert_eq!(six([0, 0, 0, 0, 0, 0, 0, 1]), "::1");
        assert_eq!(six([0x2001, 0xdb8, 0, 0, 0, 0xff00, 0x42, 0x8329]), "2001:db8::ff00:42:8329");
        assert_eq!(six([0, 0, 0, 0, 0, 0xffff, 0xc000, 0x280]), "::ffff:192.0.2.128");
        assert_eq!(six([1, 0, 3, 4, 5, 6, 7, 8]), "1::3:4:5:6:7:8");
        assert_eq!(six([0xfe80, 0, 0, 0, 1, 0, 0, 0]), "fe80::1:0:0:0");
        assert_eq!(six([1, 0, 0, 0, 0, 0, 0, 0]), "1::");
    }

    #[test]
    fn uuids_turned_and_straight() {
        let shown = |record: [u8; 16]| {
            let mut out = Vec::new();
            uuid(&mut out, &record);
            String::from_utf8(out).expect("text")
        };
        let turned = [0x42, 0x66, 0x55, 0x44, 0, 0, 0xa4, 0x56, 0x12, 0xd3, 0xe8, 0x9b, 0x12, 0x3e, 0x45, 0x67];
        assert_eq!(shown(turned), "123e4567-e89b-12d3-a456-426655440000");
        assert_eq!(shown([0; 16]), "00000000-0000-0000-0000-000000000000");
        let straight = [0x01, 0x8f, 0x3e, 0x45, 0x67, 0x89, 0x7a, 0xbc, 0x9a, 0x56, 1, 2, 3, 4, 5, 6];
        assert_eq!(shown(straight), "018f3e45-6789-7abc-9a56-010203040506");
    }
}
