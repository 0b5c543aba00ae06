//! Whether a statement that was about to run when a run ended has run: the destination's tables now, beside what they were before it.

use std::collections::BTreeMap;

use super::{decide::Effect, session::UNSPELLED};
use crate::{catalog::TableName, destination::mysql::ddl::Before};

/// What became of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Settled {
    /// It did not run.
    NotRun,
    /// It ran.
    Ran,
    /// A part of it ran; these tables of a DROP are gone.
    Partly(Vec<TableName>),
    /// It cannot be told.
    Unclear,
}

/// Compares.
pub(super) fn settle(effects: &[Effect], before: &Before, now: &Before) -> Settled {
    if effects.iter().all(|e| matches!(e, Effect::Gone { .. })) {
        return dropped(effects, now);
    }
    // Moves first: what changed beside them shows in the same places.
    if effects.iter().any(|e| matches!(e, Effect::Renamed { .. })) {
        return renamed(effects, before, now);
    }
    let mut seen: Option<Settled> = None;
    for effect in effects {
        let one = one(effect, before, now);
        seen = match seen {
            None => Some(one),
            Some(known) if known == one => Some(known),
            Some(_) => Some(Settled::Unclear),
        };
    }
    seen.unwrap_or(Settled::NotRun)
}

fn present(state: &Before, table: &TableName) -> bool {
    state.definitions.get(&table.to_string()).is_some_and(Option::is_some)
}

fn one(effect: &Effect, before: &Before, now: &Before) -> Settled {
    let yes = |ran: bool| if ran { Settled::Ran } else { Settled::NotRun };
    match effect {
        Effect::Made { destination, .. } => yes(!present(before, destination) && present(now, destination)),
        Effect::Gone { destination, .. } => yes(!present(now, destination)),
        Effect::Changed { destination, .. } => {
            let key = destination.to_string();
            yes(before.definitions.get(&key) != now.definitions.get(&key))
        }
        // Twice is as good as once.
        Effect::Emptied { .. } => Settled::NotRun,
        Effect::Exchanged { destinations: [_, other] } => {
            let key = other.to_string();
            match (before.ids.get(&key), now.ids.get(&key)) {
                (Some(a), Some(b)) => yes(a != b),
                _ => Settled::Unclear,
            }
        }
        Effect::Renamed { .. } => Settled::Unclear,
    }
}

fn dropped(effects: &[Effect], now: &Before) -> Settled {
    let gone: Vec<TableName> = effects.iter().flat_map(Effect::touches).filter(|t| !present(now, t)).cloned().collect();
    match gone.len() {
        0 => Settled::NotRun,
        n if n == effects.len() => Settled::Ran,
        _ => Settled::Partly(gone),
    }
}

fn renamed(effects: &[Effect], before: &Before, now: &Before) -> Settled {
    // By the engine's numbers where they can be seen, else by which names there are.
    let ids = !before.ids.is_empty() && before.definitions.iter().filter(|(_, d)| d.is_some()).all(|(t, _)| before.ids.contains_key(t));
    let look = |state: &Before| -> BTreeMap<String, Option<Vec<u64>>> {
        state
            .definitions
            .iter()
            .map(|(name, d)| {
                (name.clone(), d.as_ref().map(|_| if ids { state.ids.get(name).cloned().unwrap_or_default() } else { Vec::new() }))
            })
            .collect()
    };
    let (then, is) = (look(before), look(now));
    let mut expected = then.clone();
    for effect in effects {
        if let Effect::Renamed { from, to } = effect {
            let moved = expected.insert(from.1.to_string(), None).flatten();
            expected.insert(to.1.to_string(), moved);
        }
    }
    // An ALTER that copies gives a table a new number: then only which names there are can tell.
    let names = |state: &BTreeMap<String, Option<Vec<u64>>>| state.iter().map(|(n, d)| (n.clone(), d.is_some())).collect::<Vec<_>>();
    if names(&expected) != names(&then) {
        return match () {
            () if names(&is) == names(&expected) => Settled::Ran,
            () if names(&is) == names(&then) => Settled::NotRun,
            () => Settled::Unclear,
        };
    }
    match () {
        () if !ids => permuted(before, now).filter(|_| names(&is) == names(&then)).unwrap_or(Settled::Unclear),
        () if is == expected => Settled::Ran,
        () if is == then => Settled::NotRun,
        () => Settled::Unclear,
    }
}

/// Whose number is whose is not known, but all of them are: the same numbers at other places mean that tables have changed places, which
/// nothing but the statement did. `None` when numbers came or went.
fn permuted(before: &Before, now: &Before) -> Option<Settled> {
    if !(before.ids.contains_key(UNSPELLED) && now.ids.contains_key(UNSPELLED)) {
        return None;
    }
    let all = |state: &Before| {
        let mut all: Vec<u64> = state.ids.values().flatten().copied().collect();
        all.sort_unstable();
        all
    };
    match before.ids == now.ids {
        true => Some(Settled::NotRun),
        false => (all(before) == all(now)).then_some(Settled::Ran),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> TableName {
        TableName::new("d", name)
    }

    fn state(tables: &[(&str, &str, u64)], absent: &[&str], ids: bool) -> Before {
        let mut state = Before::default();
        for (name, digest, id) in tables {
            state.definitions.insert(table(name).to_string(), Some((*digest).to_owned()));
            if ids {
                state.ids.insert(table(name).to_string(), vec![*id]);
            }
        }
        for name in absent {
            state.definitions.insert(table(name).to_string(), None);
        }
        state
    }

    fn rename(from: &str, to: &str) -> Effect {
        Effect::Renamed { from: (table(from), table(from)), to: (table(to), table(to)) }
    }

    #[test]
    fn a_swap_is_told_by_numbers_alone() {
        let swap = [rename("a", "x"), rename("b", "a"), rename("x", "b")];
        let before = state(&[("a", "1", 7), ("b", "2", 8)], &["x"], true);
        let after = state(&[("a", "3", 8), ("b", "4", 7)], &["x"], true);
        assert_eq!(settle(&swap, &before, &before), Settled::NotRun);
        assert_eq!(settle(&swap, &before, &after), Settled::Ran);
        let blind = state(&[("a", "1", 7), ("b", "2", 8)], &["x"], false);
        assert_eq!(settle(&swap, &blind, &blind), Settled::Unclear);
        let half = state(&[("x", "3", 7), ("b", "4", 8)], &["a"], true);
        assert_eq!(settle(&swap, &before, &half), Settled::Unclear);
    }

    #[test]
    fn a_swap_of_names_that_are_not_spelled_is_told_by_all_numbers() {
        let swap = [rename("ü", "x"), rename("b", "ü"), rename("x", "b")];
        let state = |b: u64, others: &[u64]| {
            let mut state = state(&[("b", "1", b), ("ü", "2", 0)], &["x"], true);
            state.ids.remove(&table("ü").to_string());
            state.ids.insert(UNSPELLED.to_owned(), others.to_vec());
            state
        };
        let before = state(7, &[3, 8, 5]);
        assert_eq!(settle(&swap, &before, &before), Settled::NotRun);
        assert_eq!(settle(&swap, &before, &state(8, &[3, 7, 5])), Settled::Ran);
        // Somebody has made a table meanwhile.
        assert_eq!(settle(&swap, &before, &state(8, &[3, 7, 5, 9])), Settled::Unclear);
    }

    #[test]
    fn a_move_to_a_free_name_is_told_by_names() {
        let moves = [rename("a", "old"), rename("new", "a")];
        let before = state(&[("a", "1", 0), ("new", "1", 0)], &["old"], false);
        let after = state(&[("a", "1", 0), ("old", "1", 0)], &["new"], false);
        assert_eq!(settle(&moves, &before, &after), Settled::Ran);
        assert_eq!(settle(&moves, &before, &before), Settled::NotRun);
    }

    #[test]
    fn a_drop_may_have_got_half_way() {
        let gone = |name: &str| Effect::Gone { source: table(name), destination: table(name) };
        let before = state(&[("a", "1", 0), ("b", "1", 0)], &[], false);
        let now = state(&[("b", "1", 0)], &["a"], false);
        assert_eq!(settle(&[gone("a"), gone("b")], &before, &now), Settled::Partly(vec![table("a")]));
        assert_eq!(settle(&[gone("a")], &before, &now), Settled::Ran);
    }

    #[test]
    fn a_change_shows_and_a_creation_too() {
        let changed = [Effect::Changed { source: table("a"), destination: table("a") }];
        let made = [Effect::Made { source: table("b"), destination: table("b") }];
        let before = state(&[("a", "1", 0)], &["b"], false);
        let after = state(&[("a", "2", 0), ("b", "1", 0)], &[], false);
        assert_eq!(settle(&changed, &before, &before), Settled::NotRun);
        assert_eq!(settle(&changed, &before, &after), Settled::Ran);
        assert_eq!(settle(&made, &before, &after), Settled::Ran);
        assert_eq!(settle(&made, &before, &before), Settled::NotRun);
    }

    #[test]
    fn an_exchange_needs_numbers() {
        let exchange =
            [Effect::Exchanged { destinations: [table("p"), table("x")] }, Effect::Changed { source: table("p"), destination: table("p") }];
        let before = state(&[("p", "1", 1), ("x", "2", 2)], &[], true);
        let after = state(&[("p", "1", 2), ("x", "2", 1)], &[], true);
        assert_eq!(settle(&exchange[..1], &before, &after), Settled::Ran);
        assert_eq!(settle(&exchange[..1], &before, &before), Settled::NotRun);
        assert_eq!(settle(&exchange[..1], &state(&[("x", "2", 2)], &[], false), &before), Settled::Unclear);
    }
}
