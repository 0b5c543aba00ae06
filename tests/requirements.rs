//! `docs/requirements.md` speaks of every row of groups A to J, once, and names files that are there.

use std::{collections::BTreeMap, fs, path::Path};

/// Rows of each group.
const GROUPS: [(char, u32); 10] =
    [('A', 27), ('B', 19), ('C', 13), ('D', 24), ('E', 23), ('F', 10), ('G', 10), ('H', 5), ('I', 16), ('J', 8)];

#[test]
fn every_requirement_is_accounted_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/requirements.md")).expect("the page is there");
    let mut rows: BTreeMap<String, (String, String)> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, state, what] = cells[..] else { panic!("three cells: {line}") };
        if id == "id" {
            continue;
        }
        assert!(["works", "partly", "later", "out"].contains(&state), "{line}");
        assert!(!what.is_empty(), "{line}");
        assert!(rows.insert(id.to_owned(), (state.to_owned(), what.to_owned())).is_none(), "{id} stands twice");
    }
    let ids: Vec<String> = GROUPS.iter().flat_map(|(group, count)| (1..=*count).map(move |n| format!("{group}{n:02}"))).collect();
    assert_eq!(rows.keys().cloned().collect::<Vec<_>>(), ids);
    for (id, (_, what)) in rows {
        for path in what.split('`').skip(1).step_by(2).filter(|part| part.contains('/') && part.contains('.')) {
            assert!(root.join(path).exists(), "{id} names {path}, which is not there");
        }
    }
}
