//! Places in a binlog, and how far a task has come in it.

use std::{cmp::Ordering, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{gtid::GtidSet, mark::Mark};

/// A byte in a binlog file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// Offset in bytes; counted by us, since the 32-bit field in an event's header wraps in a transaction over 4 GiB.
    pub offset: u64,
}

impl Place {
    /// Which of two places of *one server* comes first. `None` where the names do not tell: they are numbered in the order in which a
    /// server writes them, but only under one base name (`log_bin`), and a RESET begins anew.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        let (mine, theirs) = (split(&self.file)?, split(&other.file)?);
        (mine.0 == theirs.0).then(|| mine.1.cmp(&theirs.1).then(self.offset.cmp(&other.offset)))
    }
}

/// `binlog.000123` as base name and number.
fn split(file: &str) -> Option<(&str, u64)> {
    let (base, number) = file.rsplit_once('.')?;
    Some((base, number.parse().ok()?))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.offset)
    }
}

/// Everything before it has happened, nothing after it. As JSON: `{"file", "offset", "gtid"}`, and `"server"` and `"mark"` where they are known.
///
/// Two positions are equal that say the same of where they are: what else was seen of the file does not count.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Position {
    /// Where the next event begins, on the server that was read.
    pub place: Place,
    /// All GTIDs that have happened, where the source has them. Empty is a set without members.
    pub gtid: Option<GtidSet>,
    /// The server whose files [`Position::place`] speaks of (`ServerInfo::identity`). On another one only the GTIDs mean anything.
    pub server: Option<Arc<str>>,
    /// By what the file of [`Position::place`] is known again on that server. `None`: nothing was noted, and nothing is compared.
    pub mark: Option<Mark>,
}

impl PartialEq for Position {
    fn eq(&self, other: &Self) -> bool {
        (&self.place, &self.gtid, &self.server) == (&other.place, &other.gtid, &other.server)
    }
}

impl Eq for Position {}

/// A position as JSON has it.
#[derive(Serialize, Deserialize)]
struct Written {
    file: String,
    offset: u64,
    gtid: Option<GtidSet>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mark: Option<Mark>,
}

impl From<Written> for Position {
    fn from(w: Written) -> Self {
        Self { place: Place { file: w.file, offset: w.offset }, gtid: w.gtid, server: w.server.map(Into::into), mark: w.mark }
    }
}

impl From<Position> for Written {
    fn from(p: Position) -> Self {
        let server = p.server.as_deref().map(str::to_owned);
        Self { file: p.place.file, offset: p.place.offset, gtid: p.gtid, server, mark: p.mark }
    }
}

impl Position {
    /// A position of a server that is not named.
    pub fn new(place: Place, gtid: Option<GtidSet>) -> Self {
        Self { place, gtid, server: None, mark: None }
    }

    /// Whether all that has happened at `other` has happened here: the place is there or behind it. `None` where it cannot be told: the
    /// servers differ and one has no GTIDs, or the files' names do not follow each other.
    ///
    /// Either proof is enough: a place of the same server that is there or behind it, or a set that holds all of the other's.
    pub fn covers(&self, other: &Self) -> Option<bool> {
        let one_server = match (&self.server, &other.server) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => true,
        };
        let order = if one_server { self.place.order(&other.place) } else { None };
        if order.is_some_and(|order| order != Ordering::Less) {
            return Some(true);
        }
        match (&self.gtid, &other.gtid) {
            // A set without members may as well be that of a server that had no GTIDs at the time.
            (Some(mine), Some(theirs)) if order.is_none() || !theirs.is_empty() => Some(theirs.is_subset(mine)),
            _ => order.map(|_| false),
        }
    }

    /// Whether the source, which is at `end` now, has had all of this. It has not after `RESET BINARY LOGS AND GTIDS`: files and GTIDs
    /// begin anew there, and what is covered by this position is not what it was. MariaDB's sets are not asked: domains may be deleted from
    /// them.
    pub fn was_had_by(&self, end: &Self) -> bool {
        if let (Some(GtidSet::MySql(mine)), Some(GtidSet::MySql(theirs))) = (&self.gtid, &end.gtid)
            && !mine.is_subset(theirs)
        {
            return false;
        }
        let one_server = self.server.is_some() && self.server == end.server;
        !one_server || end.place.order(&self.place).is_none_or(|order| order != Ordering::Less)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.gtid {
            Some(set) if !set.is_empty() => write!(f, "{} ({set})", self.place),
            _ => self.place.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Mark, Place, Position};

    fn at(file: &str, offset: u64, gtid: Option<&str>, server: Option<&str>) -> Position {
        let place = Place { file: file.to_owned(), offset };
        Position { place, gtid: gtid.map(|g| g.parse().unwrap()), server: server.map(Into::into), mark: None }
    }

    #[test]
    fn positions_are_kept_as_they_always_were() {
        let text = r#"{"file":"binlog.000002","offset":157,"gtid":"0-1-5"}"#;
        let position: Position = serde_json::from_str(text).unwrap();
        assert_eq!(position, at("binlog.000002", 157, Some("0-1-5"), None));
        assert_eq!(serde_json::to_string(&position).unwrap(), text);
        let without: Position = serde_json::from_str(r#"{"file":"b.1","offset":4,"gtid":null}"#).unwrap();
        assert_eq!(without, at("b.1", 4, None, None));
        let named = at("b.1", 4, None, Some("uuid"));
        assert_eq!(serde_json::from_str::<Position>(&serde_json::to_string(&named).unwrap()).unwrap(), named);
        let marked = Position { mark: Mark::begun(5), ..named.clone() };
        assert_eq!(serde_json::to_string(&marked).unwrap(), r#"{"file":"b.1","offset":4,"gtid":null,"server":"uuid","mark":{"began":5}}"#);
        assert_eq!(serde_json::from_str::<Position>(&serde_json::to_string(&marked).unwrap()).unwrap().mark, marked.mark);
        assert_eq!(marked, named);
    }

    #[test]
    fn files_are_ordered_by_number_and_not_by_letters() {
        let covers = |a: &Position, b: &Position| a.covers(b);
        assert_eq!(covers(&at("b.1000000", 4, None, None), &at("b.999999", 900, None, None)), Some(true));
        assert_eq!(covers(&at("b.000001", 4, None, None), &at("b.000001", 5, None, None)), Some(false));
        assert_eq!(covers(&at("b.000001", 5, None, None), &at("b.000001", 5, None, None)), Some(true));
        assert_eq!(covers(&at("b.000001", 5, None, None), &at("c.000001", 5, None, None)), None);
    }

    #[test]
    fn places_of_different_servers_do_not_compare() {
        assert_eq!(at("b.000009", 4, None, Some("x")).covers(&at("b.000001", 4, None, Some("y"))), None);
        let (far, near) = (at("b.000001", 4, Some("0-1-9"), Some("x")), at("b.000009", 4, Some("0-1-5"), Some("y")));
        assert_eq!((far.covers(&near), near.covers(&far)), (Some(true), Some(false)));
        let early = at("b.000001", 4, Some("0-1-9"), Some("y"));
        assert_eq!((early.covers(&near), near.covers(&early)), (Some(true), Some(true)));
        assert_eq!(early.covers(&at("b.000009", 4, Some(""), Some("y"))), Some(false));
    }
}
