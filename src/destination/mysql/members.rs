//! The members of an ENUM or SET by name, and how the numbers of one list are those of another.
//!
//! A row image holds an ENUM's ordinal and a SET's bit mask. Where the destination's list is another than the source's, numbers are
//! carried by their members' names; a number whose name the destination lacks is an error, never another value (trap 8).

/// The members in order, as `COLUMN_TYPE` prints them: `enum('a','it''s')`. Seen on 9.7.4 and 10.11: quotes are doubled, and a
/// backslash, a newline, a carriage return and a zero byte are escaped.
pub fn members(column_type: &str) -> Vec<String> {
    let Some(start) = column_type.find('(') else { return Vec::new() };
    let mut list = Vec::new();
    let mut chars = column_type[start + 1..].chars().peekable();
    // MySQL prints a member in `binary` that is no UTF-8 as `x'92'`: another one than '92'.
    let mut hex = "";
    while let Some(c) = chars.next() {
        match c {
            'x' => hex = "\0x",
            '\'' => {
                let mut name = std::mem::take(&mut hex).to_owned();
                while let Some(c) = chars.next() {
                    match c {
                        '\'' if chars.peek() == Some(&'\'') => {
                            chars.next();
                            name.push('\'');
                        }
                        '\'' => break,
                        '\\' => match chars.next() {
                            Some('n') => name.push('\n'),
                            Some('r') => name.push('\r'),
                            Some('0') => name.push('\0'),
                            Some(other) => name.push(other),
                            None => {}
                        },
                        c => name.push(c),
                    }
                }
                list.push(name);
            }
            ')' => break,
            _ => {}
        }
    }
    list
}

/// From a number of the source's list to one of the destination's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Renumbering {
    /// Both lists agree as far as the source's goes.
    Same,
    /// The destination's position, counted from 0, of each of the source's members.
    To(Vec<Option<usize>>),
}

impl Renumbering {
    /// How numbers of `source` become numbers of `destination`, both as `COLUMN_TYPE` prints them.
    pub(super) fn between(source: &str, destination: &str) -> Self {
        let (from, to) = (members(source), members(destination));
        if to.len() >= from.len() && from.iter().zip(&to).all(|(a, b)| a == b) {
            return Self::Same;
        }
        Self::To(from.iter().map(|name| to.iter().position(|other| other == name)).collect())
    }

    /// An ENUM's ordinal: counted from 1, 0 is the error value.
    pub(super) fn ordinal(&self, ordinal: u64) -> Result<u64, String> {
        match self {
            Self::To(places) if ordinal > 0 => usize::try_from(ordinal - 1)
                .ok()
                .and_then(|i| places.get(i).copied().flatten())
                .map(|place| place as u64 + 1)
                .ok_or_else(|| "the destination's ENUM lacks the member of this value".to_owned()),
            _ => Ok(ordinal),
        }
    }

    /// A SET's bit mask.
    pub(super) fn mask(&self, mask: u64) -> Result<u64, String> {
        let Self::To(places) = self else { return Ok(mask) };
        let mut out = 0;
        for bit in (0..64).filter(|bit| mask >> bit & 1 == 1) {
            match places.get(bit).copied().flatten() {
                Some(place) => out |= 1_u64 << place,
                None => return Err("the destination's SET lacks a member of this value".to_owned()),
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_servers_print_them() {
        assert_eq!(members(r"enum('a','it''s','(b),c','d\\e','')"), ["a", "it's", "(b),c", r"d\e", ""]);
        assert_eq!(members("set('p')"), ["p"]);
        assert_ne!(members("enum('a',x'92')"), members("enum('a','92')"));
        assert_eq!(members("enum('x',x'92','x')"), ["x", "\0x92", "x"]);
    }

    #[test]
    fn numbers_follow_the_names() {
        assert_eq!(Renumbering::between("enum('a','b')", "enum('a','b','c')"), Renumbering::Same);
        let moved = Renumbering::between("enum('a','b','c')", "enum('c','a')");
        assert_eq!((moved.ordinal(1), moved.ordinal(3), moved.ordinal(0)), (Ok(2), Ok(1), Ok(0)));
        assert!(moved.ordinal(2).is_err() && moved.ordinal(4).is_err());
        let sets = Renumbering::between("set('p','q','r')", "set('r','p')");
        assert_eq!((sets.mask(0), sets.mask(0b101)), (Ok(0), Ok(0b11)));
        assert!(sets.mask(0b10).is_err());
    }
}
