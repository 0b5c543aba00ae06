//! A place in MariaDB's history: per domain the last transaction.

use std::{collections::BTreeMap, fmt, str::FromStr};

use super::BadGtid;

/// Per domain the last transaction and who first had it; all before it in that domain have happened.
///
/// That order holds where `gtid_strict_mode` is on or one server writes at a time. Where two servers write into one domain, numbers may
/// go back; then the last one in the binlog counts, as it does for `gtid_binlog_pos`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MariaDbSet {
    domains: BTreeMap<u32, (u32, u64)>,
}

impl MariaDbSet {
    /// No domain.
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty()
    }

    /// Whether the domain has come to this number.
    pub fn contains(&self, domain: u32, sequence: u64) -> bool {
        self.domains.get(&domain).is_some_and(|(_, last)| sequence <= *last)
    }

    /// Makes this the domain's last transaction.
    pub fn insert(&mut self, domain: u32, server: u32, sequence: u64) {
        self.domains.insert(domain, (server, sequence));
    }

    /// In every domain of this one the other is as far or further.
    pub fn is_subset(&self, of: &Self) -> bool {
        self.domains.iter().all(|(domain, (_, sequence))| of.contains(*domain, *sequence))
    }

    /// The domains in which this one is further.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let further = self.domains.iter().filter(|(domain, (_, sequence))| !other.contains(**domain, *sequence));
        Self { domains: further.map(|(domain, last)| (*domain, *last)).collect() }
    }

    /// Each domain where it is furthest.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut union = other.clone();
        union.domains.extend(self.difference(other).domains);
        union
    }

    /// Domain, server, sequence of each domain.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32, u64)> + '_ {
        self.domains.iter().map(|(domain, (server, sequence))| (*domain, *server, *sequence))
    }
}

impl fmt::Display for MariaDbSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (domain, server, sequence)) in self.iter().enumerate() {
            write!(f, "{}{domain}-{server}-{sequence}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl FromStr for MariaDbSet {
    type Err = BadGtid;

    /// Reads `0-1-5,1-1-9`. A domain that stands there several times (as in `gtid_binlog_state`) counts where it is furthest.
    fn from_str(text: &str) -> Result<Self, BadGtid> {
        let mut set = Self::default();
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let mut numbers = part.split('-');
            let mut next = || numbers.next().and_then(|n| n.parse::<u64>().ok());
            let (Some(domain), Some(server), Some(sequence), None) = (next(), next(), next(), numbers.next()) else {
                return Err(BadGtid::new(part));
            };
            let (Ok(domain), Ok(server)) = (u32::try_from(domain), u32::try_from(server)) else { return Err(BadGtid::new(part)) };
            if !set.contains(domain, sequence) {
                set.insert(domain, server, sequence);
            }
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::MariaDbSet;

    fn set(text: &str) -> MariaDbSet {
        text.parse().unwrap()
    }

    #[test]
    fn domains_are_kept_apart() {
        let mut all = set("0-1-5, 7-2-9");
        assert!(all.contains(0, 5) && all.contains(7, 1) && !all.contains(0, 6) && !all.contains(1, 1));
        all.insert(0, 3, 6);
        assert_eq!(all.to_string(), "0-3-6,7-2-9");
        assert!(set("0-1-5").is_subset(&all) && !set("0-1-7").is_subset(&all) && !set("5-1-1").is_subset(&all));
        assert_eq!(all.difference(&set("0-1-6")).to_string(), "7-2-9");
        assert_eq!(all.union(&set("0-9-9,3-1-1")).to_string(), "0-9-9,3-1-1,7-2-9");
    }

    #[test]
    fn the_furthest_of_a_domain_counts_as_the_state_lists_one_a_server() {
        assert_eq!(set("0-1-5,0-2-9,0-3-2").to_string(), "0-2-9");
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for bad in ["0", "0-1", "0-1-2-3", "a-1-2", "0-1-x", "4294967296-1-1"] {
            assert!(bad.parse::<MariaDbSet>().is_err(), "{bad}");
        }
    }
}
