//! The near name for a misspelt one.

/// The candidate nearest to `word`, if one is near enough to be meant. Letter case and `-` against `_` do not count.
pub(crate) fn near<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let normal = |text: &str| -> Vec<char> { text.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect() };
    let word = normal(word);
    if word.len() > 100 {
        return None;
    }
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let other = normal(candidate);
            let distance = distance(&word, &other);
            (distance <= (word.len().max(other.len()) / 3).max(1)).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replace = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let keys = ["source", "destination", "objects", "conflict", "name", "names"];
        assert_eq!(near("sorce", keys), Some("source"));
        assert_eq!(near("objetcs", keys), Some("objects"));
        assert_eq!(near("Destination", keys), Some("destination"));
        assert_eq!(near("name", keys), Some("name"));
        assert_eq!(near("zebra", keys), None);
        assert_eq!(near("existing-tables", ["existing_tables"]), Some("existing_tables"));
    }
}
