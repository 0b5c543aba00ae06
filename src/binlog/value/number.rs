//! Integers, DECIMAL, FLOAT and DOUBLE as digits.

use std::io::Write as _;

const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

/// Digits, with zeros before them up to `width` places (ZEROFILL; 0 for none).
pub(in crate::binlog) fn unsigned(out: &mut Vec<u8>, mut number: u64, width: usize) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    while number >= 100 {
        let pair = usize::try_from(number % 100).unwrap_or(0) * 2;
        number /= 100;
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if number >= 10 {
        let pair = usize::try_from(number).unwrap_or(0) * 2;
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    } else {
        at -= 1;
        digits[at] = b'0' + u8::try_from(number).unwrap_or(0);
    }
    for _ in digits.len() - at..width {
        out.push(b'0');
    }
    out.extend_from_slice(&digits[at..]);
}

/// Digits with a sign where there is one.
pub(in crate::binlog) fn signed(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    unsigned(out, number.unsigned_abs(), 0);
}

/// Exactly so many digits, zeros first.
pub(in crate::binlog) fn places(out: &mut Vec<u8>, number: u32, places: usize) {
    unsigned(out, number.into(), places);
}

/// A DOUBLE as the server prints it (`my_gcvt` of `strings/dtoa.cc`): the shortest digits that bring back the same bits, without an
/// exponent from 1e-15 up to 15 digits before the point.
pub(in crate::binlog) fn double(out: &mut Vec<u8>, number: f64) {
    if number == 0.0 {
        out.extend_from_slice(if number.is_sign_negative() { b"-0" } else { b"0" });
        return;
    }
    let mut text = [0; 32];
    let mut rest = &mut text[..];
    // One digit, a point, at most sixteen more, `e` and at most four.
    let written = write!(rest, "{number:e}").map_or(0, |()| 32 - rest.len());
    let text = &text[..written];
    let (mantissa, exponent) = match text.iter().position(|&b| b == b'e') {
        Some(e) => (&text[..e], std::str::from_utf8(&text[e + 1..]).ok().and_then(|t| t.parse::<i32>().ok()).unwrap_or(0)),
        None => (text, 0),
    };
    let mantissa = match mantissa {
        [b'-', rest @ ..] => {
            out.push(b'-');
            rest
        }
        all => all,
    };
    let digits = 1 + i32::try_from(mantissa.len().saturating_sub(2)).unwrap_or(0);
    let mut even = [0; 32];
    let mantissa = if is_halfway(number, digits - 1 - exponent) { to_even(&mut even, mantissa, number) } else { mantissa };
    let (first, fraction) = (&mantissa[..1], mantissa.get(2..).unwrap_or_default());
    // Where the point stands, counted from before the first digit.
    let point = exponent + 1;
    if point < -14 || (point > 15 && digits <= point) {
        out.extend_from_slice(mantissa);
        out.push(b'e');
        signed(out, exponent.into());
    } else if point <= 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + usize::try_from(-point).unwrap_or(0), b'0');
        out.extend_from_slice(first);
        out.extend_from_slice(fraction);
    } else {
        out.extend_from_slice(first);
        let whole = usize::try_from(point - 1).unwrap_or(0);
        match fraction.split_at_checked(whole) {
            Some((before, after)) => {
                out.extend_from_slice(before);
                if !after.is_empty() {
                    out.push(b'.');
                    out.extend_from_slice(after);
                }
            }
            None => {
                out.extend_from_slice(fraction);
                out.resize(out.len() + whole - fraction.len(), b'0');
            }
        }
    }
}

/// Whether a number is written exactly by one digit more than these digits behind the point: then that one is a 5, since a binary fraction
/// of n bits has n decimal digits.
fn is_halfway(number: f64, behind: i32) -> bool {
    let bits = number.to_bits();
    let (exponent, fraction) = (i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0), bits & ((1 << 52) - 1));
    let (exponent, fraction) = if exponent == 0 { (1, fraction) } else { (exponent, fraction | 1 << 52) };
    let lowest = exponent - 1075 + i32::try_from(fraction.trailing_zeros()).unwrap_or(0);
    behind + 1 == -lowest
}

/// Of two digits that are equally near the server takes the even one, the standard library the higher one.
fn to_even<'a>(even: &'a mut [u8; 32], mantissa: &'a [u8], number: f64) -> &'a [u8] {
    let Some((&last, before)) = mantissa.split_last() else { return mantissa };
    if last & 1 == 0 || before.len() >= even.len() {
        return mantissa;
    }
    even[..before.len()].copy_from_slice(before);
    even[before.len()] = last - 1;
    let lower = &even[..mantissa.len()];
    let mut whole = [0; 48];
    let mut rest = &mut whole[..];
    let shown = std::str::from_utf8(lower).unwrap_or_default();
    let exponent = format!("{number:e}");
    let exponent = exponent.split_once('e').map_or("0", |(_, e)| e);
    let written = write!(rest, "{shown}e{exponent}").map_or(0, |()| 48 - rest.len());
    // Only where it is the same number too: next to a power of two the lower neighbour is nearer.
    let same = std::str::from_utf8(&whole[..written]).ok().and_then(|t| t.parse::<f64>().ok()) == Some(number.abs());
    if same { lower } else { mantissa }
}

/// Bytes that so many decimal digits take.
const fn digit_bytes(digits: usize) -> usize {
    const PARTIAL: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
    digits / 9 * 4 + PARTIAL[digits % 9]
}

/// Bytes that a DECIMAL takes in an image.
pub(in crate::binlog) const fn decimal_bytes(precision: usize, scale: usize) -> usize {
    digit_bytes(precision.saturating_sub(scale)) + digit_bytes(scale)
}

/// A DECIMAL from its binary form (`bin2decimal`): groups of nine digits in four big-endian bytes, the odd group at the outer end; the
/// first bit is inverted, and all of them are when the number is negative. `binary` has [`decimal_bytes`] bytes. With `width` there are
/// zeros before it (ZEROFILL): so many digits before the point.
pub(in crate::binlog) fn decimal(out: &mut Vec<u8>, binary: &[u8], precision: usize, scale: usize, width: usize) {
    let whole = precision.saturating_sub(scale);
    let flip = if binary.first().is_some_and(|b| b & 0x80 != 0) { 0 } else { 0xff };
    let start = out.len();
    if flip != 0 {
        out.push(b'-');
    }
    let first_digit = out.len();
    let mut at = 0;
    let mut significant = false;
    let mut group = |bytes: usize| {
        let mut number: u32 = 0;
        for i in at..at + bytes {
            let byte = binary.get(i).copied().unwrap_or(0) ^ flip ^ if i == 0 { 0x80 } else { 0 };
            number = number << 8 | u32::from(byte);
        }
        at += bytes;
        number
    };
    let odd = whole % 9;
    if odd > 0 {
        let number = group(digit_bytes(odd));
        if number > 0 {
            places(out, number, 0);
            significant = true;
        }
    }
    for _ in 0..whole / 9 {
        let number = group(4);
        if significant {
            places(out, number, 9);
        } else if number > 0 {
            places(out, number, 0);
            significant = true;
        }
    }
    if !significant {
        out.push(b'0');
    }
    if scale > 0 {
        out.push(b'.');
        for _ in 0..scale / 9 {
            places(out, group(4), 9);
        }
        let odd = scale % 9;
        if odd > 0 {
            places(out, group(digit_bytes(odd)), odd);
        }
    }
    if flip != 0 && out[first_digit..].iter().all(|&b| b == b'0' || b == b'.') {
        // The server keeps no negative zero; should one come, it prints none either.
        out.remove(start);
    }
    if width > 0 {
        let have = out[start..].iter().position(|&b| b == b'.').unwrap_or(out.len() - start);
        let missing = width.saturating_sub(have);
        out.splice(start..start, std::iter::repeat_n(b'0', missing));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("digits")
    }

    #[test]
    fn doubles_look_as_the_server_prints_them() {
        // Right: seen on 9.7.4 and 10.11.19.
        for (number, shown) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.1, "0.1"),
            (-1.5, "-1.5"),
            (1e15, "1e15"),
            (1e14, "100000000000000"),
            (123456789012345680.0, "1.2345678901234568e17"),
            (9007199254740992.0, "9.007199254740992e15"),
            (1e22, "1e22"),
            (5e-324, "5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e308"),
            (0.010516252368688583, "0.010516252368688583"),
            (1e-14, "0.00000000000001"),
            (1e-15, "0.000000000000001"),
            (1.5e-16, "1.5e-16"),
            (123456.789, "123456.789"),
            (1234567890123456.5, "1234567890123456.5"),
            (-128.142_852_783_203_13, "-128.14285278320312"),
            (533.333_312_988_281_3, "533.3333129882812"),
            (0.5, "0.5"),
        ] {
            assert_eq!(text(|out| double(out, number)), shown);
        }
    }

    #[test]
    fn decimals() {
        // trap 8's -0.00001 in DECIMAL(20,5); the rest by hand.
        let minus = [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe];
        assert_eq!(decimal_bytes(20, 5), 10);
        assert_eq!(text(|out| decimal(out, &minus, 20, 5, 0)), "-0.00001");
        let zero = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(text(|out| decimal(out, &zero, 20, 5, 0)), "0.00000");
        assert_eq!(text(|out| decimal(out, &[0x80], 1, 0, 0)), "0");
        assert_eq!(text(|out| decimal(out, &[0x89], 1, 0, 0)), "9");
        assert_eq!(text(|out| decimal(out, &[0x76], 1, 0, 0)), "-9");
        // 1234567890.1234 in DECIMAL(14,4), the manual's own example of the format.
        let binary = [0x81, 0x0d, 0xfb, 0x38, 0xd2, 0x04, 0xd2];
        assert_eq!(text(|out| decimal(out, &binary, 14, 4, 0)), "1234567890.1234");
        assert_eq!(text(|out| decimal(out, &binary.map(|b| !b), 14, 4, 0)), "-1234567890.1234");
        assert_eq!(text(|out| decimal(out, &[0x80, 0, 0, 0, 0, 1], 12, 4, 8)), "00000000.0001");
    }

    proptest! {
        #[test]
        fn integers_are_what_the_standard_library_writes(number: u64, width in 0_usize..24) {
            prop_assert_eq!(text(|out| unsigned(out, number, width)), format!("{number:0width$}"));
            let number = number.cast_signed();
            prop_assert_eq!(text(|out| signed(out, number)), number.to_string());
        }

        #[test]
        fn doubles_come_back(bits: u64) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            let back: f64 = text(|out| double(out, number)).parse().expect("a number");
            prop_assert_eq!(back.to_bits(), bits);
        }
    }
}
