use super::*;
use crate::{
    destination::change::{Certainty, OnConflict, RowChange},
    phase::incremental::{
        fold::Folder,
        testing::{keyless, row, table},
    },
};

/// Row changes of a batch as they are written.
fn rows(batch: &Batch) -> usize {
    let keyed: usize = batch.keyed.iter().map(|t| t.deletes.len() + t.updates.len() + t.inserts.len()).sum();
    keyed + batch.ordered.iter().map(|(_, changes)| changes.len()).sum::<usize>()
}

fn batch(table: &Arc<Followed>, changes: Vec<RowChange>) -> Folded {
    let mut folder = Folder::new(Certainty::Strict(OnConflict::Fail));
    folder.take(table, changes).unwrap();
    folder.finish()
}

fn insert(id: u32, s: Option<&str>) -> RowChange {
    RowChange::Insert(row(id, s, 0))
}

/// What each part waits for, and how many rows it has.
fn shape(parts: &[Part]) -> Vec<(u64, usize)> {
    parts.iter().map(|part| (part.after, rows(&part.batch))).collect()
}

#[test]
fn batches_wait_for_those_they_share_a_value_with_and_only_with_those_rows() {
    let table = table("utf8mb4_general_ci");
    let mut claims = Claims::default();
    let mut divide = |number, committed, changes| shape(&claims.divide(number, committed, batch(&table, changes)));
    assert_eq!(divide(1, 0, vec![insert(1, Some("a")), insert(2, None)]), [(0, 2)]);
    // Neither in the primary key nor in the other one; NULLs are never equal.
    assert_eq!(divide(2, 0, vec![insert(3, Some("b")), insert(4, None)]), [(0, 2)]);
    // In the primary key of the first.
    assert_eq!(divide(3, 0, vec![RowChange::Delete(row(2, None, 0)), insert(5, Some("c"))]), [(0, 1), (1, 1)]);
    // In the other key of the first, as the collation sees it; the rest need not wait.
    assert_eq!(divide(4, 0, vec![insert(6, Some("A  ")), insert(7, Some("d"))]), [(0, 1), (1, 1)]);
    // The newest holder counts, and none when it is committed.
    assert_eq!(divide(5, 0, vec![insert(8, Some("a"))]), [(4, 1)]);
    assert_eq!(divide(6, 5, vec![insert(9, Some("a"))]), [(0, 1)]);
}

#[test]
fn rows_that_hang_together_wait_together() {
    let table = table("utf8mb4_bin");
    let mut claims = Claims::default();
    claims.divide(1, 0, batch(&table, vec![insert(1, Some("x"))]));
    // Row 3 takes the value that row 2 gives up, row 2 takes the one of row 1, which is under way. Row 9 has nothing to do with it.
    let chain = vec![
        insert(9, Some("z")),
        RowChange::Update { before: row(3, None, 0), after: row(3, Some("y"), 0) },
        RowChange::Update { before: row(2, Some("y"), 0), after: row(2, Some("x"), 0) },
    ];
    let parts = claims.divide(2, 0, batch(&table, chain));
    assert_eq!(shape(&parts), [(0, 1), (1, 2)]);
    assert_eq!(parts[0].batch.keyed[0].inserts, [row(9, Some("z"), 0)]);
}

#[test]
fn text_that_only_the_collation_understands_is_a_neighbour_of_all_of_its_table() {
    let table = table("utf8mb4_0900_ai_ci");
    let mut claims = Claims::default();
    claims.divide(1, 0, batch(&table, vec![insert(1, Some("É"))]));
    assert_eq!(shape(&claims.divide(2, 0, batch(&table, vec![insert(2, Some("e"))]))), [(1, 1)]);
    assert_eq!(shape(&claims.divide(3, 0, batch(&table, vec![insert(3, Some("ß")), insert(4, Some("q"))]))), [(2, 2)]);
    // A collation of a language: nothing is known of it.
    let table = super::super::testing::table("utf8mb4_lithuanian_ci");
    claims.divide(4, 0, batch(&table, vec![insert(5, Some("i"))]));
    assert_eq!(shape(&claims.divide(5, 0, batch(&table, vec![insert(6, Some("y"))]))), [(4, 1)]);
}

#[test]
fn tables_without_a_key_are_one_thing() {
    let table = keyless();
    let mut claims = Claims::default();
    assert_eq!(shape(&claims.divide(1, 0, batch(&table, vec![insert(1, None)]))), [(0, 1)]);
    assert_eq!(shape(&claims.divide(2, 0, batch(&table, vec![insert(2, None), insert(3, None)]))), [(1, 2)]);
    assert_eq!(shape(&claims.divide(3, 2, batch(&table, vec![insert(4, None)]))), [(0, 1)]);
}
