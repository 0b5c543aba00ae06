use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::phase::incremental::testing::{keyless, row, table};

const STRICT: Certainty = Certainty::Strict(OnConflict::Fail);
const REPEATABLE: Certainty = Certainty::Repeatable(OnConflict::Fail);

/// A row: what follows the id.
type Value = (Option<String>, u32);

fn id(image: &Image) -> u32 {
    std::str::from_utf8(image.cell(0).unwrap()).unwrap().parse().unwrap()
}

fn value(image: &Image) -> Value {
    let text = |column| image.cell(column).map(|v| String::from_utf8(v.to_vec()).unwrap());
    (text(1), text(2).unwrap().parse().unwrap())
}

/// One step at the source: a key, the key after, a value. What it does hangs on what is there.
type Step = (u32, u32, u32, u8);

/// Makes changes that can follow one another, applies them to the map one by one, and hands them out.
fn changes(rows: &mut BTreeMap<u32, Value>, steps: &[Step]) -> Vec<RowChange> {
    let image = |id: u32, value: &Value| row(id, value.0.as_deref(), value.1);
    let mut all = Vec::new();
    for &(from, to, v, act) in steps {
        let new = ((v % 3 > 0).then(|| format!("s{v}")), v);
        match rows.get(&from).cloned() {
            None => {
                rows.insert(from, new.clone());
                all.push(RowChange::Insert(image(from, &new)));
            }
            Some(old) if act == 0 => {
                rows.remove(&from);
                all.push(RowChange::Delete(image(from, &old)));
            }
            Some(old) => {
                let to = if act == 1 && !rows.contains_key(&to) { to } else { from };
                rows.remove(&from);
                rows.insert(to, new.clone());
                all.push(RowChange::Update { before: image(from, &old), after: image(to, &new) });
            }
        }
    }
    all
}

fn folded(certainty: Certainty, changes: Vec<RowChange>) -> Option<TableChanges> {
    let table = table("utf8mb4_bin");
    let mut folder = Folder::new(certainty);
    folder.take(&table, changes).unwrap();
    let mut folded = folder.finish();
    assert!(folded.conflicts.is_empty() && folded.batch.ordered.is_empty());
    folded.batch.keyed.pop()
}

/// Writes a batch as the destination must: what goes first, then what comes; every row must be as the batch says it was.
fn write(rows: &mut BTreeMap<u32, Value>, batch: &TableChanges, strict: bool) {
    for image in &batch.deletes {
        let was = rows.remove(&id(image));
        assert!(!strict || was == Some(value(image)), "a delete finds its row as it was");
    }
    for (before, after) in &batch.updates {
        assert_eq!(id(before), id(after), "an update keeps its key");
        let was = rows.insert(id(after), value(after));
        assert!(!strict || was == Some(value(before)), "an update finds its row as it was");
    }
    for image in &batch.inserts {
        let was = rows.insert(id(image), value(image));
        assert!(!strict || was.is_none(), "an insert finds its place free");
    }
}

proptest! {
    /// The folded batch comes to the same as the changes one by one, on the very rows they began with.
    #[test]
    fn a_batch_comes_to_what_its_changes_come_to(
        begin in prop::collection::vec((0u32..8, 0u32..8, 0u32..50, 0u8..4), 0..12),
        steps in prop::collection::vec((0u32..8, 0u32..8, 0u32..50, 0u8..4), 0..60),
    ) {
        let mut source = BTreeMap::new();
        changes(&mut source, &begin);
        let mut destination = source.clone();
        let steps = changes(&mut source, &steps);
        if let Some(batch) = folded(STRICT, steps) {
            let mut ids: Vec<u32> = batch.deletes.iter().chain(&batch.inserts).map(id).collect();
            ids.extend(batch.updates.iter().map(|(before, _)| id(before)));
            let count = ids.len();
            ids.sort_unstable();
            ids.dedup();
            prop_assert_eq!(ids.len(), count, "no two entries are about one row");
            write(&mut destination, &batch, true);
        }
        prop_assert_eq!(destination, source);
    }

    /// While the copy may have brought rows from any moment of the stretch, writing it all the same ends right.
    #[test]
    fn a_repeatable_batch_ends_right_whatever_the_copy_saw(
        begin in prop::collection::vec((0u32..6, 0u32..6, 0u32..50, 0u8..4), 0..12),
        steps in prop::collection::vec((0u32..6, 0u32..6, 0u32..50, 0u8..4), 0..40),
        seen in prop::collection::vec(0usize..41, 6),
    ) {
        let mut source = BTreeMap::new();
        changes(&mut source, &begin);
        let mut moments = vec![source.clone()];
        let mut all = Vec::new();
        for step in &steps {
            all.extend(changes(&mut source, &[*step]));
            moments.push(source.clone());
        }
        // Each key as the copy saw it, at a moment of its own.
        let mut destination = BTreeMap::new();
        for key in 0..6u32 {
            let moment = &moments[seen[key as usize].min(moments.len() - 1)];
            if let Some(value) = moment.get(&key) {
                destination.insert(key, value.clone());
            }
        }
        if let Some(batch) = folded(REPEATABLE, all) {
            write(&mut destination, &batch, false);
        }
        prop_assert_eq!(destination, source);
    }
}

#[test]
fn keys_are_told_apart_by_their_bytes() {
    let table = table("utf8mb4_general_ci");
    let mut folder = Folder::new(STRICT);
    // A change of a key is two rows; one and the same under a collation perhaps, never here.
    folder
        .take(
            &table,
            vec![RowChange::Update { before: row(1, Some("x"), 0), after: row(2, Some("x"), 0) }, RowChange::Insert(row(1, None, 3))],
        )
        .unwrap();
    let batch = folder.finish().batch;
    assert_eq!(batch.keyed[0].updates, [(row(1, Some("x"), 0), row(1, None, 3))]);
    assert_eq!(batch.keyed[0].inserts, [row(2, Some("x"), 0)]);
    assert!(batch.keyed[0].deletes.is_empty());
}

#[test]
fn what_comes_to_nothing_is_written_only_while_the_copy_may_know_more() {
    let there_and_back = || {
        vec![
            RowChange::Insert(row(1, None, 1)),
            RowChange::Update { before: row(1, None, 1), after: row(1, None, 2) },
            RowChange::Delete(row(1, None, 2)),
            RowChange::Update { before: row(2, None, 1), after: row(2, None, 5) },
            RowChange::Update { before: row(2, None, 5), after: row(2, None, 1) },
        ]
    };
    assert!(folded(STRICT, there_and_back()).is_none());
    let batch = folded(REPEATABLE, there_and_back()).unwrap();
    assert_eq!((batch.deletes.len(), batch.updates.len(), batch.inserts.len()), (1, 1, 0));
}

#[test]
fn a_row_that_does_not_follow_is_a_conflict_and_the_policy_decides() {
    // The binlog of MariaDB, and of MySQL before 9.6, does not show the rows that a foreign key's cascade deleted.
    let cascade = || vec![RowChange::Insert(row(1, None, 1)), RowChange::Insert(row(1, None, 2))];
    let table = table("utf8mb4_bin");
    let fold = |policy, changes| {
        let mut folder = Folder::new(policy);
        folder.take(&table, changes).map(|()| folder.finish())
    };
    assert!(matches!(fold(STRICT, cascade()), Err(DestinationError::Conflict { kind: ConflictKind::InsertExists, rows: 1, .. })));
    let over = fold(Certainty::Strict(OnConflict::Overwrite), cascade()).unwrap();
    assert_eq!(over.batch.keyed[0].inserts, [row(1, None, 2)]);
    assert_eq!(over.conflicts[0].kind, ConflictKind::InsertExists);
    assert_eq!(over.conflicts[0].key, ["id"]);
    let kept = fold(Certainty::Strict(OnConflict::Ignore), cascade()).unwrap();
    assert_eq!(kept.batch.keyed[0].inserts, [row(1, None, 1)]);
    let gone = vec![
        RowChange::Delete(row(1, None, 1)),
        RowChange::Delete(row(1, None, 1)),
        RowChange::Update { before: row(1, None, 1), after: row(1, None, 9) },
    ];
    let over = fold(Certainty::Strict(OnConflict::Overwrite), gone.clone()).unwrap();
    assert_eq!(over.batch.keyed[0].updates, [(row(1, None, 1), row(1, None, 9))]);
    let kinds: Vec<_> = over.conflicts.iter().map(|c| (c.kind, c.rows)).collect();
    assert_eq!(kinds, [(ConflictKind::DeleteMissing, 1), (ConflictKind::UpdateMissing, 1)]);
    let kept = fold(Certainty::Strict(OnConflict::Ignore), gone).unwrap();
    assert_eq!(kept.batch.keyed[0].deletes, [row(1, None, 1)]);
    assert!(fold(REPEATABLE, cascade()).unwrap().conflicts.is_empty());
}

#[test]
fn rows_without_a_key_stay_one_by_one() {
    let table = keyless();
    let mut folder = Folder::new(STRICT);
    let all = vec![RowChange::Insert(row(1, None, 1)), RowChange::Delete(row(1, None, 1)), RowChange::Insert(row(1, None, 1))];
    folder.take(&table, all[..1].to_vec()).unwrap();
    folder.take(&table, all[1..].to_vec()).unwrap();
    assert_eq!(folder.rows, 3);
    let batch = folder.finish().batch;
    assert!(batch.keyed.is_empty());
    assert_eq!(batch.ordered[0].1, all);
}
