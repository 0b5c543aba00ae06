use std::{
    collections::BTreeMap,
    sync::{Arc, mpsc::sync_channel},
    time::Duration,
};

use super::*;
use crate::{
    binlog::{Image, Place},
    connect::ConnectError,
    destination::change::{ConflictKind, OnConflict, TableChanges},
    phase::incremental::testing::{row, table},
};

const STRICT: Certainty = Certainty::Strict(OnConflict::Fail);

/// What a fake server holds: committed rows by id, and who locks which.
#[derive(Default)]
struct Server {
    rows: BTreeMap<u32, u32>,
    locks: BTreeMap<u32, usize>,
    /// Offset of each commit, in order, with the rows as they were then.
    commits: Vec<(u64, BTreeMap<u32, u32>)>,
    /// A lane that finds a row locked fails so often at once, as a deadlock's victim does.
    deadlocks: u32,
    lost: bool,
    /// Conflicts of what is committed.
    conflicts: u32,
}

/// A lane to it. A row that another lane has written and not committed is a lock that is waited for.
struct Fake {
    me: usize,
    server: Arc<(Mutex<Server>, Condvar)>,
    written: BTreeMap<u32, u32>,
    conflicts: u32,
}

/// A row with this number or more is a conflict unless the row with so much less has been committed.
const NEEDS: u32 = 5000;

fn number(image: &Image, column: usize) -> u32 {
    std::str::from_utf8(image.cell(column).unwrap()).unwrap().parse().unwrap()
}

fn deadlock() -> DestinationError {
    ConnectError::Sql { doing: "writing".into(), code: 1213, state: "40001".into(), message: "Deadlock found".into() }.into()
}

impl Lane for Fake {
    fn write(&mut self, batch: &Batch, _: Certainty) -> Result<Written, DestinationError> {
        let (lock, changed) = &*self.server;
        let mut conflicts = Vec::new();
        for changes in &batch.keyed {
            for image in &changes.inserts {
                let (id, value) = (number(image, 0), number(image, 2));
                let mut server = lock.lock().unwrap();
                if server.lost {
                    let lost = ConnectError::Lost { doing: "writing".into(), address: "db".into(), reason: "gone".into() };
                    return Err(lost.into());
                }
                while server.locks.get(&id).is_some_and(|by| *by != self.me) {
                    if server.deadlocks > 0 {
                        server.deadlocks -= 1;
                        return Err(deadlock());
                    }
                    let (guard, waited) = changed.wait_timeout(server, Duration::from_millis(100)).unwrap();
                    server = guard;
                    if waited.timed_out() {
                        return Err(deadlock());
                    }
                }
                if id >= NEEDS && !server.rows.contains_key(&(id - NEEDS)) {
                    let table = changes.table.source.name.clone();
                    conflicts.push(Conflict { table, kind: ConflictKind::UpdateMissing, key: vec!["id".into()], rows: 1 });
                    self.conflicts += 1;
                }
                server.locks.insert(id, self.me);
                self.written.insert(id, value);
            }
        }
        Ok(Written { inserted: 1, conflicts, ..Written::default() })
    }

    fn note(&mut self, _: &[Conflict]) {}

    fn commit(&mut self, applied: &Applied) -> Result<(), DestinationError> {
        let (lock, changed) = &*self.server;
        let mut server = lock.lock().unwrap();
        server.rows.append(&mut self.written);
        server.conflicts += std::mem::take(&mut self.conflicts);
        let rows = server.rows.clone();
        server.commits.push((applied.position.place.offset, rows));
        server.locks.retain(|_, by| *by != self.me);
        changed.notify_all();
        Ok(())
    }

    fn roll_back(&mut self) -> Result<(), DestinationError> {
        let (lock, changed) = &*self.server;
        self.written.clear();
        self.conflicts = 0;
        lock.lock().unwrap().locks.retain(|_, by| *by != self.me);
        changed.notify_all();
        Ok(())
    }
}

struct Deaf;

impl Observer for Deaf {
    fn observe(&self, _: &Event) {}
}

fn batch(rows: &[(u32, u32)]) -> Batch {
    let inserts = rows.iter().map(|&(id, value)| row(id, None, value)).collect();
    let table = Arc::clone(&table("utf8mb4_bin").copy);
    Batch {
        keyed: vec![TableChanges { table, deletes: Vec::new(), updates: Vec::new(), inserts }],
        ordered: Vec::new(),
        cascades: Vec::new(),
    }
}

fn at(number: u64) -> Position {
    Position::new(Place { file: "b.1".into(), offset: number }, None)
}

fn end(number: u64) -> End {
    let position = at(number);
    let applied = Applied { position, read_from: None, source_micros: 0, transactions: 1, row_events: 1 };
    End { applied, conflicts: Vec::new(), bytes: 0, heartbeat: None }
}

fn job(number: u64, rows: &[(u32, u32)]) -> Work {
    let parts = vec![Part { after: 0, batch: batch(rows) }];
    Work::Batch(Box::new(Job { number, parts, certainty: STRICT, end: end(number) }))
}

type Shared = Arc<(Mutex<Server>, Condvar)>;

/// Runs `count` lanes and what drives them.
fn with_lanes(count: usize, server: &Shared, drive: impl FnOnce(&Lanes<'_>)) {
    let queue = Queue::new(1 << 20);
    let lanes = Lanes::new(count, &queue, &Deaf);
    std::thread::scope(|scope| {
        for me in 0..count {
            let lane = Fake { me, server: Arc::clone(server), written: BTreeMap::new(), conflicts: 0 };
            let lanes = &lanes;
            scope.spawn(move || lanes.run(Box::new(lane)));
        }
        drive(&lanes);
        lanes.close();
    });
}

fn submit(lanes: &Lanes<'_>, work: Work) {
    while !lanes.is_free() {
        assert!(!lanes.has_failed());
        lanes.queue.wait_for_poke(Duration::from_millis(5));
    }
    lanes.submit(work);
}

#[test]
fn batches_written_side_by_side_are_committed_in_order() {
    let server = Shared::default();
    with_lanes(4, &server, |lanes| {
        for number in 1..=200u64 {
            submit(lanes, job(number, &[(u32::try_from(number).unwrap(), 1)]));
        }
        assert!(lanes.drain());
        assert_eq!((lanes.committed(), lanes.reached().unwrap().position.place.offset), (200, 200));
    });
    let server = server.0.lock().unwrap();
    let order: Vec<u64> = server.commits.iter().map(|(number, _)| *number).collect();
    assert_eq!(order, (1..=200).collect::<Vec<_>>());
    for (number, rows) in &server.commits {
        assert_eq!(rows.len() as u64, *number, "every commit is a state that the source had");
    }
}

#[test]
fn lanes_that_get_into_each_others_way_all_the_same_end_right() {
    // Every batch writes the same row, and nobody has told: what the claims are there to prevent.
    for deadlocks in [0, 3, 50] {
        let server = Shared::default();
        server.0.lock().unwrap().deadlocks = deadlocks;
        with_lanes(4, &server, |lanes| {
            for number in 1..=60u64 {
                let n = u32::try_from(number).unwrap();
                submit(lanes, job(number, &[(1000 + n % 2, n), (7, n), (2000 - n % 3, n)]));
            }
            assert!(lanes.drain(), "{:?}", lanes.failure());
        });
        let server = server.0.lock().unwrap();
        let order: Vec<u64> = server.commits.iter().map(|(number, _)| *number).collect();
        assert_eq!(order, (1..=60).collect::<Vec<_>>());
        for (number, rows) in &server.commits {
            assert_eq!(u64::from(rows[&7]), *number, "the row is what that batch made it");
        }
    }
}

/// Under `conflict.rows: ignore` a change that finds its row missing is dropped. It must not be because an earlier batch is still to bring it.
#[test]
fn a_conflict_counts_only_after_all_that_came_before() {
    let server = Shared::default();
    with_lanes(4, &server, |lanes| {
        for number in 1..=100u64 {
            let n = u32::try_from(number).unwrap();
            submit(lanes, job(number, &[(n, n), (NEEDS + n - 1, n)]));
        }
        assert!(lanes.drain(), "{:?}", lanes.failure());
    });
    let server = server.0.lock().unwrap();
    assert_eq!((server.commits.len(), server.conflicts), (100, 1), "only the first has nobody before it");
}

#[test]
fn a_part_waits_for_the_batch_it_shares_a_value_with() {
    let server = Shared::default();
    with_lanes(3, &server, |lanes| {
        for number in 1..=100u64 {
            let n = u32::try_from(number).unwrap();
            let parts = vec![Part { after: 0, batch: batch(&[(100 + n, n)]) }, Part { after: number - 1, batch: batch(&[(7, n)]) }];
            submit(lanes, Work::Batch(Box::new(Job { number, parts, certainty: STRICT, end: end(number) })));
        }
        assert!(lanes.drain());
    });
    let server = server.0.lock().unwrap();
    assert_eq!((server.rows.len(), server.rows[&7], server.commits.len()), (101, 100, 100));
}

#[test]
fn a_large_transaction_comes_in_pieces_and_may_be_taken_back() {
    let server = Shared::default();
    with_lanes(2, &server, |lanes| {
        submit(lanes, job(1, &[(1, 1)]));
        assert!(lanes.drain());
        for (number, piece) in [(2, Piece::RollBack), (3, Piece::End(Box::new(end(3))))] {
            let (pieces, received) = sync_channel(1);
            submit(lanes, Work::Large(number, received, Box::new(at(number - 1))));
            for n in 0..10 {
                pieces.send(Piece::Rows(batch(&[(n, 5)]), STRICT)).unwrap();
            }
            pieces.send(piece).unwrap();
            assert!(lanes.drain());
        }
        // One that ends without an end leaves nothing.
        let (pieces, received) = sync_channel(1);
        submit(lanes, Work::Large(4, received, Box::new(at(3))));
        pieces.send(Piece::Rows(batch(&[(50, 5)]), STRICT)).unwrap();
        drop(pieces);
        assert!(lanes.drain());
    });
    let server = server.0.lock().unwrap();
    assert_eq!(server.commits.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 3]);
    assert_eq!((server.rows.len(), server.locks.len()), (10, 0));
}

#[test]
fn a_lost_connection_ends_all_lanes() {
    let server = Shared::default();
    with_lanes(3, &server, |lanes| {
        submit(lanes, job(1, &[(1, 1)]));
        assert!(lanes.drain());
        server.0.lock().unwrap().lost = true;
        for number in 2..=4 {
            lanes.submit(job(number, &[(u32::try_from(number).unwrap(), 1)]));
        }
        assert!(!lanes.drain());
        assert!(lanes.failure().unwrap().is_connection());
    });
    assert_eq!(server.0.lock().unwrap().commits.len(), 1);
}
