//! MariaDB's UUID, INET4 and INET6, which travel as fixed binary strings, in their canonical text.

use std::io::Write as _;

/// UUID. In a record some have their parts turned round, so that they sort by time, and which do hangs on the version that made the table;
/// in the binlog none has: `UUID::pack` of `plugin/type_uuid/sql_type_uuid.h` turns them back (so since 10.7; seen on 10.11.18, also for a
/// table that an earlier version made).
pub(in crate::binlog) fn uuid(out: &mut Vec<u8>, bytes: &[u8; 16]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
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
    fn uuids_are_straight_whatever_their_version() {
        let shown = |bytes: [u8; 16]| {
            let mut out = Vec::new();
            uuid(&mut out, &bytes);
            String::from_utf8(out).expect("text")
        };
        let first = [0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x55, 0x44, 0, 0];
        assert_eq!(shown(first), "123e4567-e89b-12d3-a456-426655440000");
        assert_eq!(shown([0; 16]), "00000000-0000-0000-0000-000000000000");
        // Of no standard form: a table made by 10.11.4 may hold it.
        let eighth = [0x03, 0x20, 0x12, 0x34, 0x55, 0x66, 0x87, 0x77, 0x08, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee];
        assert_eq!(shown(eighth), "03201234-5566-8777-0888-99aabbccddee");
    }
}
