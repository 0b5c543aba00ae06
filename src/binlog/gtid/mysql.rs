//! Sets of MySQL's GTIDs: intervals per origin, with holes.

use std::{fmt, str::FromStr, sync::Arc};

use super::BadGtid;

/// Who numbered a transaction: a server's UUID, and since 8.4 perhaps a tag beside it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// The server's (or the group's) UUID.
    pub uuid: [u8; 16],
    /// The tag, lower case, up to 32 letters, digits and underscores; empty for none.
    pub tag: String,
}

impl Origin {
    /// Reads a UUID with its four hyphens or without them.
    fn read_uuid(text: &str) -> Option<[u8; 16]> {
        let hyphens_right = text.len() == 32 || (text.len() == 36 && [8, 13, 18, 23].iter().all(|at| text.as_bytes()[*at] == b'-'));
        let digits: Vec<u8> = text.bytes().filter(|b| *b != b'-').collect();
        if !hyphens_right || digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut uuid = [0; 16];
        for (byte, pair) in uuid.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(uuid)
    }

    fn write_uuid(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.uuid.iter().enumerate() {
            write!(f, "{}{byte:02x}", if [4, 6, 8, 10].contains(&index) { "-" } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_uuid(f)?;
        if self.tag.is_empty() { Ok(()) } else { write!(f, ":{}", self.tag) }
    }
}

/// Numbers of one origin as intervals `[first, end)`, sorted, neither touching nor overlapping.
type Intervals = Vec<(u64, u64)>;

/// A set of GTIDs. Clones share their intervals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MySqlSet {
    /// Sorted by origin; none is empty.
    origins: Vec<(Origin, Arc<Intervals>)>,
}

impl MySqlSet {
    /// No members.
    pub fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    fn find(&self, origin: &Origin) -> Result<usize, usize> {
        self.origins.binary_search_by(|(known, _)| known.cmp(origin))
    }

    fn intervals(&self, origin: &Origin) -> &[(u64, u64)] {
        self.find(origin).map_or(&[], |at| self.origins[at].1.as_slice())
    }

    /// Whether it is a member.
    pub fn contains(&self, origin: &Origin, number: u64) -> bool {
        let intervals = self.intervals(origin);
        let after = intervals.partition_point(|(first, _)| *first <= number);
        after > 0 && number < intervals[after - 1].1
    }

    /// Adds a member. Cheap where it follows the last of its origin, as nearly all do.
    pub fn insert(&mut self, origin: &Origin, number: u64) {
        self.add(origin, number, number + 1);
    }

    /// Adds the numbers from `first` to one before `end`.
    pub fn add(&mut self, origin: &Origin, first: u64, end: u64) {
        if first >= end {
            return;
        }
        match self.find(origin) {
            Ok(at) => add(Arc::make_mut(&mut self.origins[at].1), first, end),
            Err(at) => self.origins.insert(at, (origin.clone(), Arc::new(vec![(first, end)]))),
        }
    }

    /// Every member is one of the other's.
    pub fn is_subset(&self, of: &Self) -> bool {
        self.origins.iter().all(|(origin, mine)| {
            let theirs = of.intervals(origin);
            mine.iter().all(|(first, end)| {
                let after = theirs.partition_point(|(begin, _)| begin <= first);
                after > 0 && *end <= theirs[after - 1].1
            })
        })
    }

    /// Members of this set that are not the other's.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut left = Self::default();
        for (origin, mine) in &self.origins {
            let theirs = other.intervals(origin);
            let mut rest = Vec::new();
            for (first, end) in mine.iter() {
                let mut first = *first;
                let from = theirs.partition_point(|(_, their_end)| *their_end <= first);
                for (their_first, their_end) in theirs[from..].iter().take_while(|(their_first, _)| their_first < end) {
                    if first < *their_first {
                        rest.push((first, *their_first));
                    }
                    first = *their_end;
                }
                if first < *end {
                    rest.push((first, *end));
                }
            }
            if !rest.is_empty() {
                left.origins.push((origin.clone(), Arc::new(rest)));
            }
        }
        left
    }

    /// Members of either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut union = self.clone();
        for (origin, theirs) in &other.origins {
            for (first, end) in theirs.iter() {
                union.add(origin, *first, *end);
            }
        }
        union
    }

    /// Each origin with its intervals `[first, end)`.
    pub fn iter(&self) -> impl Iterator<Item = (&Origin, &[(u64, u64)])> {
        self.origins.iter().map(|(origin, intervals)| (origin, intervals.as_slice()))
    }
}

fn add(intervals: &mut Intervals, first: u64, end: u64) {
    // The usual case: the next number of the last interval.
    if let Some(last) = intervals.last_mut()
        && last.0 <= first
        && first <= last.1
    {
        last.1 = last.1.max(end);
        return;
    }
    let from = intervals.partition_point(|(_, known_end)| *known_end < first);
    let to = intervals.partition_point(|(known_first, _)| *known_first <= end);
    if from == to {
        intervals.insert(from, (first, end));
    } else {
        let joined = (intervals[from].0.min(first), intervals[to - 1].1.max(end));
        intervals.splice(from..to, [joined]);
    }
}

impl fmt::Display for MySqlSet {
    /// As the server prints `gtid_executed`, without its line breaks: `uuid:1-3:5,uuid:tag:1`, where tags of one UUID follow each other
    /// without repeating it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before: Option<&Origin> = None;
        for (origin, intervals) in self.iter() {
            if before.is_none_or(|b| b.uuid != origin.uuid) {
                f.write_str(if before.is_some() { "," } else { "" })?;
                origin.write_uuid(f)?;
            }
            if !origin.tag.is_empty() {
                write!(f, ":{}", origin.tag)?;
            }
            for (first, end) in intervals {
                if end - first == 1 { write!(f, ":{first}")? } else { write!(f, ":{first}-{}", end - 1)? }
            }
            before = Some(origin);
        }
        Ok(())
    }
}

impl FromStr for MySqlSet {
    type Err = BadGtid;

    fn from_str(text: &str) -> Result<Self, BadGtid> {
        let mut set = Self::default();
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let bad = || BadGtid::new(part);
            let mut words = part.split(':').map(str::trim);
            let uuid = words.next().and_then(Origin::read_uuid).ok_or_else(bad)?;
            let mut origin = Origin { uuid, tag: String::new() };
            let mut said = false;
            for word in words {
                said = true;
                if word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                    if word.len() > 32 || !word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                        return Err(bad());
                    }
                    origin.tag = word.to_ascii_lowercase();
                    continue;
                }
                let (first, last) = word.split_once('-').unwrap_or((word, word));
                let (Ok(first), Ok(last)) = (first.trim().parse::<u64>(), last.trim().parse::<u64>()) else { return Err(bad()) };
                if first == 0 || last >= i64::MAX as u64 {
                    return Err(bad());
                }
                // An interval that ends before it begins is empty, as it is for the server.
                set.add(&origin, first, last + 1);
            }
            if !said {
                return Err(bad());
            }
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{MySqlSet, Origin};

    const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const B: &str = "ffffffff-71ca-11e1-9e33-c80aa9429562";

    fn set(text: &str) -> MySqlSet {
        text.parse().unwrap()
    }

    #[test]
    fn sets_are_printed_as_servers_print_them() {
        for (text, printed) in [
            (format!("{A}:1-3:5"), format!("{A}:1-3:5")),
            (format!("{B}:7,\n{}:4-5:1-3", A.to_uppercase()), format!("{A}:1-5,{B}:7")),
            (format!("{A}:1-3:Night_Job:1:2:9,{A}:4"), format!("{A}:1-4:night_job:1-2:9")),
            (format!("{A}:5-4,{B}:1"), format!("{B}:1")),
            (String::new(), String::new()),
        ] {
            assert_eq!(set(&text).to_string(), printed);
            assert_eq!(set(&printed).to_string(), printed);
        }
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for bad in ["x", A, "3e11fa47:1", &format!("{A}:0"), &format!("{A}:1-"), &format!("{A}:9223372036854775807"), &format!("{A}:a-b:1")]
        {
            assert!(bad.parse::<MySqlSet>().is_err(), "{bad}");
        }
    }

    /// flink-cdc #3452: 1-7:9-10 was taken for 1-10, and transaction 8 was lost.
    #[test]
    fn a_hole_is_a_hole() {
        let holes = set(&format!("{A}:1-7:9-10"));
        let origin = holes.iter().next().unwrap().0.clone();
        assert!(!holes.contains(&origin, 8) && holes.contains(&origin, 9) && !holes.contains(&origin, 11));
        assert!(!set(&format!("{A}:1-10")).is_subset(&holes));
        assert_eq!(set(&format!("{A}:1-10,{B}:1")).difference(&holes).to_string(), format!("{A}:8,{B}:1"));
    }

    type Naive = BTreeSet<(u8, u64)>;

    fn origin(index: u8) -> Origin {
        Origin { uuid: [index / 2; 16], tag: if index.is_multiple_of(2) { String::new() } else { "t".to_owned() } }
    }

    fn made(naive: &Naive) -> MySqlSet {
        let mut set = MySqlSet::default();
        // Not in order, so that intervals join at both ends.
        for (index, number) in naive.iter().filter(|(_, n)| n % 3 == 0).chain(naive.iter().rev()) {
            set.insert(&origin(*index), *number);
        }
        set
    }

    fn naive() -> impl Strategy<Value = Naive> {
        proptest::collection::btree_set((0_u8..4, 1_u64..40), 0..60)
    }

    proptest! {
        #[test]
        fn sets_behave_as_sets(a in naive(), b in naive()) {
            let (x, y) = (made(&a), made(&b));
            prop_assert_eq!(x.union(&y), made(&(&a | &b)));
            prop_assert_eq!(x.difference(&y), made(&(&a - &b)));
            prop_assert_eq!(x.is_subset(&y), a.is_subset(&b));
            prop_assert!(x.is_subset(&x.union(&y)));
            for index in 0..4 {
                for number in 0..41 {
                    prop_assert_eq!(x.contains(&origin(index), number), a.contains(&(index, number)));
                }
            }
            prop_assert_eq!(x.to_string().parse::<MySqlSet>().unwrap(), x);
        }
    }
}
