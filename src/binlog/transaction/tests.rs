//! Transactions from made-up events: what servers write rarely, or only when they crash.

use super::*;
use crate::binlog::gtid::Origin;

const FILE: &str = "b.000007";

/// A server that writes events one after another.
struct Source {
    assembler: Assembler,
    offset: u64,
    folder: tempfile::TempDir,
}

fn source(vendor: Vendor, start: u64, applied: Option<Position>) -> Source {
    let folder = tempfile::tempdir().unwrap();
    let place = Place { file: FILE.to_owned(), offset: start };
    let assembler = Assembler::new(Assembly {
        start: Position { place, gtid: Some(GtidSet::default()), server: Some("s".into()), mark: None },
        server: "s".into(),
        vendor,
        applied,
        skip_to: None,
        explicit: ExplicitDefaults::Global(None),
        wants: Box::new(|database, _| database == "d"),
        room: Room { folder: folder.path().to_owned(), memory: 10 },
    });
    Source { assembler, offset: start, folder }
}

impl Source {
    fn sized(&mut self, kind: u8, body: &[u8], size: u32) -> Result<Vec<String>, BinlogError> {
        self.offset += u64::from(size);
        #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
        let end = self.offset as u32;
        self.assembler.take(Header { kind, seconds: 5, server: 3, size, end, flags: 0 }, body, || None)?;
        let mut said = Vec::new();
        while let Some(item) = self.assembler.pop()? {
            said.push(match item {
                Item::Begin(begin) => format!("begin {}", begin.place),
                Item::Rows(rows) => format!("{:?} {} {:?}", rows.kind, rows.table(), rows.rows),
                Item::Statement(statement) => String::from_utf8(statement.text).unwrap(),
                Item::Commit(position) => format!("commit {position}"),
                Item::Moved(position) => format!("moved {position}"),
                Item::Rollback => "rollback".to_owned(),
                Item::Heartbeat => "heartbeat".to_owned(),
            });
        }
        Ok(said)
    }

    fn event(&mut self, kind: u8, body: &[u8]) -> Result<Vec<String>, BinlogError> {
        self.sized(kind, body, u32::try_from(body.len()).unwrap() + 23)
    }

    /// Events that must say nothing yet.
    fn quiet(&mut self, events: &[(u8, Vec<u8>)]) {
        for (kind, body) in events {
            assert_eq!(self.event(*kind, body).unwrap(), Vec::<String>::new(), "{kind}");
        }
    }
}

fn gtid(number: u64) -> (u8, Vec<u8>) {
    (kind::GTID, [&[1][..], &[7; 16], &number.to_le_bytes()].concat())
}

fn query(text: &str) -> (u8, Vec<u8>) {
    (kind::QUERY, [&[0; 8][..], &[1, 0, 0, 0, 0], b"d\0", text.as_bytes()].concat())
}

/// A table with one INT.
fn map(id: u8, database: &str) -> (u8, Vec<u8>) {
    let name = |text: &str| [&[u8::try_from(text.len()).unwrap()][..], text.as_bytes(), &[0]].concat();
    (kind::TABLE_MAP, [&[id, 0, 0, 0, 0, 0, 1, 0][..], &name(database), &name("t"), &[1, 3, 0, 1]].concat())
}

fn insert(id: u8, value: u8) -> (u8, Vec<u8>) {
    (30, vec![id, 0, 0, 0, 0, 0, 1, 0, 2, 0, 1, 255, 0, value, 0, 0, 0])
}

fn uuid() -> String {
    Origin { uuid: [7; 16], tag: String::new() }.to_string()
}

#[test]
fn a_transaction_is_handed_on_when_it_has_happened() {
    let mut source = source(Vendor::MySql, 4, None);
    source.quiet(&[gtid(1), query("BEGIN"), map(1, "d"), insert(1, 9), map(2, "other"), insert(2, 8)]);
    let end = source.offset + 31;
    let said = source.event(kind::XID, &[0; 8]).unwrap();
    assert_eq!(said, ["begin b.000007:4", "Insert d.t [0, 9, 0, 0, 0]", &format!("commit {FILE}:{end} ({}:1)", uuid())]);
}

/// MySQL bug 112189: in a transaction over 4 GiB the ends of events wrap around, and events were taken for old ones.
#[test]
fn places_are_counted_over_four_gigabytes() {
    let mut source = source(Vendor::MySql, (1 << 32) - 300, None);
    source.quiet(&[gtid(1), query("BEGIN")]);
    for _ in 0..3 {
        source.quiet(&[map(2, "other")]);
        // As large as an event can be.
        assert!(source.sized(30, &insert(2, 1).1, 1 << 30).unwrap().is_empty());
    }
    source.quiet(&[map(1, "d"), insert(1, 9)]);
    let said = source.event(kind::XID, &[0; 8]).unwrap();
    assert!(source.offset > 7 << 30, "{}", source.offset);
    assert!(said[2].starts_with(&format!("commit {FILE}:{} ", source.offset)), "{said:?}");
}

/// A place beyond 4 GiB cannot be asked for: the file comes from its beginning.
#[test]
fn what_lies_before_a_far_place_is_passed_over() {
    let far = (6 << 30) + 500;
    let mut source = source(Vendor::MySql, far, None);
    source.assembler.skip_to = Some(far);
    let file = [&4_u64.to_le_bytes()[..], FILE.as_bytes()].concat();
    let rotate = Header { kind: kind::ROTATE, seconds: 0, server: 3, size: 47, end: 0, flags: 0x20 };
    source.assembler.take(rotate, &file, || None).unwrap();
    source.offset = 4;
    source.quiet(&[gtid(1), query("BEGIN"), map(1, "d")]);
    for _ in 0..6 {
        assert!(source.sized(30, &insert(1, 1).1, 1 << 30).unwrap().is_empty());
    }
    let left = u32::try_from(far - source.offset).unwrap();
    assert!(source.sized(kind::XID, &[0; 8], left).unwrap().is_empty());
    source.quiet(&[gtid(2), query("BEGIN"), map(1, "d"), insert(1, 7)]);
    let said = source.event(kind::XID, &[0; 8]).unwrap();
    assert_eq!(said[..2], [format!("begin {FILE}:{far}"), "Insert d.t [0, 7, 0, 0, 0]".to_owned()]);
}

#[test]
fn what_is_missing_in_a_transaction_is_noticed() {
    let mut mysql = source(Vendor::MySql, 4, None);
    mysql.quiet(&[gtid(1), query("BEGIN"), map(1, "d")]);
    mysql.offset += 40;
    let error = mysql.event(insert(1, 9).0, &insert(1, 9).1).unwrap_err();
    assert!(error.to_string().contains("40 bytes are missing in a transaction"), "{error}");
    // Between two of them the server leaves out what was not asked for.
    let mut mysql = source(Vendor::MySql, 4, None);
    mysql.offset += 400;
    mysql.quiet(&[gtid(2), query("BEGIN")]);
    assert_eq!(mysql.event(kind::XID, &[0; 8]).unwrap()[0], "begin b.000007:404");
}

/// A source that is killed while it writes leaves half a transaction at the end of a file, and goes on in the next one.
#[test]
fn half_a_transaction_at_the_end_of_a_file_has_not_happened() {
    let next = [&4_u64.to_le_bytes()[..], b"b.000008"].concat();
    for large in [false, true] {
        let mut source = source(Vendor::MariaDb, 4, None);
        source.quiet(&[gtid(1), query("BEGIN"), map(1, "d"), insert(1, 9)]);
        if large {
            let mut rows = insert(1, 9).1;
            rows.resize(3 << 20, 0);
            source.quiet(&[map(1, "d")]);
            assert_eq!(source.event(30, &rows).unwrap().len(), 3);
        }
        let rotate = Header { kind: kind::ROTATE, seconds: 0, server: 3, size: 47, end: 0, flags: 0x20 };
        source.assembler.take(rotate, &next, || None).unwrap();
        let item = source.assembler.pop().unwrap();
        assert!(if large { matches!(item, Some(Item::Rollback)) } else { item.is_none() }, "{item:?}");
        source.offset = 4;
        source.quiet(&[gtid(1), query("BEGIN"), map(1, "d"), insert(1, 7)]);
        let said = source.event(kind::XID, &[0; 8]).unwrap();
        assert_eq!(said[..2], ["begin b.000008:4", "Insert d.t [0, 7, 0, 0, 0]"]);
    }
}

#[test]
fn a_rollback_takes_back_what_was_handed_on() {
    let mut source = source(Vendor::MySql, 4, None);
    source.quiet(&[gtid(1), query("BEGIN"), map(1, "d"), insert(1, 9)]);
    let (_, body) = query("ROLLBACK");
    let end = source.offset + u64::try_from(body.len()).unwrap() + 23;
    assert_eq!(source.event(kind::QUERY, &body).unwrap(), [format!("moved {FILE}:{end} ({}:1)", uuid())]);
    source.quiet(&[gtid(2), query("BEGIN"), map(1, "d")]);
    let mut rows = insert(1, 9).1;
    rows.resize(3 << 20, 0);
    assert_eq!(source.event(30, &rows).unwrap().len(), 2);
    assert_eq!(source.event(kind::QUERY, &body).unwrap()[0], "rollback");
    assert_eq!(std::fs::read_dir(source.folder.path()).unwrap().count(), 0);
}

#[test]
fn nothing_unknown_is_passed_over() {
    for code in [0, 1, 20, 43, 127, 165 + 7, 255] {
        let mut source = source(Vendor::MySql, 4, None);
        source.quiet(&[gtid(1), query("BEGIN")]);
        let place = format!("b.000007:{}", source.offset);
        let error = source.event(code, b"?").unwrap_err();
        assert_eq!(error.to_string(), format!("event of unknown type {code} at {place}"));
    }
    let mut source = source(Vendor::MySql, 4, None);
    let error = source.event(kind::INCIDENT, b"\x01\x00\x05disks").unwrap_err();
    assert_eq!(error.to_string(), "the source notes at b.000007:4 that its binlog lacks changes: disks");
    assert!(!error.is_connection());
}

#[test]
fn rows_that_nothing_describes_and_events_cut_short_are_errors() {
    for events in
        [vec![insert(1, 9)], vec![map(1, "d"), insert(2, 9)], vec![map(1, "d"), (30, vec![1, 0])], vec![(kind::TABLE_MAP, vec![1])]]
    {
        let mut source = source(Vendor::MySql, 4, None);
        source.quiet(&[gtid(1), query("BEGIN")]);
        let (last, before) = events.split_last().unwrap();
        source.quiet(before);
        let error = source.event(last.0, &last.1).unwrap_err();
        assert!(matches!(error, BinlogError::Damaged { .. }), "{error}");
    }
    // A transaction that begins in another one means that the end of that one is lost.
    let mut source = source(Vendor::MySql, 4, None);
    source.quiet(&[gtid(1), query("BEGIN")]);
    let (code, body) = gtid(2);
    assert!(source.event(code, &body).unwrap_err().to_string().contains("begins in another"));
}

#[test]
fn what_was_applied_before_is_read_and_not_handed_on() {
    let mut first = source(Vendor::MySql, 4, None);
    let whole = |source: &mut Source, number| {
        source.quiet(&[gtid(number), query("BEGIN"), map(1, "d"), insert(1, 9)]);
        source.event(kind::XID, &[0; 8]).unwrap()
    };
    whole(&mut first, 1);
    whole(&mut first, 2);
    let applied = first.assembler.position();
    let mut again = source(Vendor::MySql, 4, Some(applied.clone()));
    assert_eq!(whole(&mut again, 1), [format!("moved {applied}")]);
    assert_eq!(whole(&mut again, 2), [format!("moved {applied}")]);
    assert_eq!(whole(&mut again, 3).len(), 3);
    // On another server only the GTIDs tell.
    let elsewhere = Position { server: Some("other".into()), ..applied };
    let mut again = source(Vendor::MySql, 4000, Some(elsewhere));
    assert_eq!(whole(&mut again, 2).len(), 1);
    assert_eq!(whole(&mut again, 3).len(), 3);
}

/// What is kept of a file travels with the positions in it, and only with those.
#[test]
fn a_mark_goes_with_its_file() {
    let head = |seconds, end| Header { kind: kind::FORMAT_DESCRIPTION, seconds, server: 3, size: 100, end, flags: 0 };
    let mark = |position: &Position| serde_json::to_value(position).unwrap()["mark"].clone();
    let mut source = source(Vendor::MySql, 4, None);
    // Made up from the file's own, as for a stream that begins in its middle.
    source.assembler.take(head(77, 0), &[], || None).unwrap();
    assert_eq!(mark(&source.assembler.position()), serde_json::json!({"began": 77}));
    source.quiet(&[gtid(1), query("BEGIN"), map(1, "d"), insert(1, 9)]);
    assert_eq!(mark(&source.assembler.position()), serde_json::json!({"began": 77}), "not before it has happened");
    let end = source.offset;
    source.event(kind::XID, &[0; 8]).unwrap();
    let passed = mark(&source.assembler.position());
    assert_eq!((&passed["began"], &passed["last"]["offset"]), (&77.into(), &end.into()), "{passed}");
    // A statement by itself has no such end, and is known by its head.
    let begin = source.offset;
    source.quiet(&[gtid(2)]);
    let (code, body) = query("CREATE TABLE u (id INT)");
    source.event(code, &body).unwrap();
    let passed = mark(&source.assembler.position());
    assert_eq!(passed["last"]["offset"], begin, "{passed}");
    // Nothing is said of the next file before something is known of it.
    let next = [&4_u64.to_le_bytes()[..], b"b.000008"].concat();
    assert_eq!(source.event(kind::ROTATE, &next).unwrap(), Vec::<String>::new());
    let made_up = Header { kind: kind::ROTATE, seconds: 0, server: 3, size: 47, end: 0, flags: 0x20 };
    source.assembler.take(made_up, &next, || None).unwrap();
    assert!(source.assembler.pop().unwrap().is_none());
    source.assembler.take(head(80, 104), &[], || None).unwrap();
    let Some(Item::Moved(moved)) = source.assembler.pop().unwrap() else { panic!("nothing is said") };
    assert_eq!((moved.place.to_string().as_str(), mark(&moved)), ("b.000008:104", serde_json::json!({"began": 80})));
    let error = source.assembler.take(head(81, 0), &[], || None).unwrap_err();
    assert!(matches!(&error, BinlogError::Another { file, .. } if file == "b.000008"), "{error}");
    // Another server's file of that name was begun when it was.
    let folder = tempfile::tempdir().unwrap();
    let mut elsewhere = Assembler::new(Assembly {
        start: moved,
        server: "other".into(),
        vendor: Vendor::MySql,
        applied: None,
        skip_to: None,
        explicit: ExplicitDefaults::Global(None),
        wants: Box::new(|_, _| true),
        room: Room { folder: folder.path().to_owned(), memory: 10 },
    });
    elsewhere.take(head(90, 0), &[], || None).unwrap();
    assert_eq!(mark(&elsewhere.position()), serde_json::json!({"began": 90}));
}

/// MariaDB 10.8 and later may announce an ALTER before it runs (binlog_alter_two_phase), and take it back when it failed.
#[test]
fn an_announced_alter_has_not_happened() {
    let head = |sequence: u64, extra: u8| {
        let more: &[u8] = if extra & 12 != 0 { &[9, 0, 0, 0, 0, 0, 0, 0] } else { &[] };
        (kind::MARIADB_GTID, [&sequence.to_le_bytes()[..], &[0, 0, 0, 0], &[1 | 32], &[extra], more].concat())
    };
    for (extra, happens) in [(0, true), (2, false), (4, true), (8, false)] {
        let mut source = source(Vendor::MariaDb, 4, None);
        source.quiet(&[head(9, extra)]);
        let (code, body) = query("ALTER TABLE t ADD c INT");
        let said = source.event(code, &body).unwrap();
        assert_eq!(said.iter().any(|line| line.starts_with("ALTER")), happens, "{extra} {said:?}");
        assert!(said.last().unwrap().ends_with("(0-3-9)"), "{said:?}");
    }
}
