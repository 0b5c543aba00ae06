//! The points that `apply --until`, `stop --at` and the control row name, read in one place.

use crate::{
    binlog::{GtidSet, Place},
    clock::parse_rfc3339,
    phase::incremental::Until,
};

/// Reads `caught-up`, `never`, `gtid:SET`, `pos:FILE:POS` or `time:RFC3339`.
pub(super) fn until(text: &str) -> Result<Until, String> {
    let text = text.trim();
    match text.split_once(':') {
        None if text == "never" => Ok(Until::Never),
        None if text == "caught-up" => Ok(Until::CaughtUp),
        Some(("gtid", set)) => {
            let hint = "write the set as the source does: gtid:UUID:1-5 (MySQL) or gtid:0-1-5 (MariaDB)";
            let set: GtidSet = set.parse().map_err(|error| format!("{error}; {hint}"))?;
            if set.is_empty() { Err(hint.to_owned()) } else { Ok(Until::Gtid(set)) }
        }
        Some(("pos", place)) => {
            let (file, offset) = place.rsplit_once(':').ok_or("write pos:FILE:POS, such as pos:binlog.000007:4711")?;
            let offset = offset.parse().map_err(|_| format!("`{offset}` is no place in a file; it is counted in bytes"))?;
            if file.is_empty() {
                return Err("write pos:FILE:POS, such as pos:binlog.000007:4711".to_owned());
            }
            Ok(Until::Place(Place { file: file.to_owned(), offset }))
        }
        Some(("time", time)) => parse_rfc3339(time)
            .map(Until::Time)
            .ok_or_else(|| "write time:RFC3339 with a time zone, such as time:2024-05-01T12:00:00Z".to_owned()),
        _ => Err("write caught-up, never, gtid:SET, pos:FILE:POS or time:RFC3339".to_owned()),
    }
}

/// The same without `never`, which is no point to stop at.
pub(super) fn stop_at(text: &str) -> Result<Until, String> {
    match until(text)? {
        Until::Never => Err("write caught-up, gtid:SET, pos:FILE:POS or time:RFC3339".to_owned()),
        point => Ok(point),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read_and_written_alike() {
        for text in [
            "never",
            "caught-up",
            "gtid:3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:11,4350f323-7565-4e59-8763-4b1b83a0ce0e:tag:1-3",
            "gtid:0-1-5,7-2-99",
            "pos:binlog.000007:4711",
            "pos:odd:name.000001:4",
            "time:2024-02-29T23:59:59.125001Z",
        ] {
            assert_eq!(until(text).map(|u| u.to_string()).as_deref(), Ok(text), "{text}");
        }
        assert_eq!(until("time:2024-02-29T23:59:59+02:00").unwrap().to_string(), "time:2024-02-29T21:59:59.000000Z");
    }

    #[test]
    fn what_is_no_point_is_refused() {
        for text in [
            "",
            "now",
            "gtid:",
            "gtid:a b;c",
            "pos:4711",
            "pos:binlog.000007:x",
            "pos::4",
            "time:",
            "time:2024-02-29",
            "time:tomorrow",
            "gtid:0-1-5'",
            "time:2024-02-30T00:00:00Z",
            "time:2024-02-28T00:00:00",
        ] {
            assert!(until(text).is_err(), "{text}");
        }
        assert!(stop_at("never").is_err() && stop_at("caught-up").is_ok());
    }
}
