//! DT121 to DT126: what the diff noted about objects that it translated. One check for each code, so that each can be looked up; the text
//! is the diff's.

use super::{Check, Facts, Finding, Ignorable};
use crate::{diff::note, plan::Severity};

pub(super) const COLLATION_MAPPED: Check = Check {
    code: note::COLLATION_MAPPED,
    name: "collation-mapped",
    ignorable: Ignorable::No,
    run: |f| of(f, &COLLATION_MAPPED, Severity::Info),
};
pub(super) const CLAUSE_DROPPED: Check =
    Check { code: note::CLAUSE_DROPPED, name: "clause-dropped", ignorable: Ignorable::No, run: |f| of(f, &CLAUSE_DROPPED, Severity::Info) };
pub(super) const ENGINE_CHANGED: Check =
    Check { code: note::ENGINE_CHANGED, name: "engine-changed", ignorable: Ignorable::No, run: |f| of(f, &ENGINE_CHANGED, Severity::Info) };
pub(super) const DATABASE_DEFAULTS: Check = Check {
    code: note::DATABASE_DEFAULTS,
    name: "database-defaults",
    ignorable: Ignorable::No,
    run: |f| of(f, &DATABASE_DEFAULTS, Severity::Info),
};
pub(super) const TABLE_KEPT: Check =
    Check { code: note::TABLE_KEPT, name: "table-kept", ignorable: Ignorable::No, run: |f| of(f, &TABLE_KEPT, Severity::Alert) };
pub(super) const TYPE_MAPPED: Check =
    Check { code: note::TYPE_MAPPED, name: "type-mapped", ignorable: Ignorable::No, run: |f| of(f, &TYPE_MAPPED, Severity::Info) };

fn of(facts: &Facts<'_>, check: &Check, severity: Severity) -> Vec<Finding> {
    if !facts.spec.phases.schema {
        return Vec::new();
    }
    let mend = match check.code {
        note::COLLATION_MAPPED => "check that the order and equality of such text matter little, or choose a collation that both ends have",
        note::DATABASE_DEFAULTS => "ALTER DATABASE at the destination, if tables made later shall have the source's defaults",
        note::TABLE_KEPT => "choose `conflict.existing_tables: align` to have it altered, or alter it yourself",
        _ => "nothing need be done",
    };
    let notes = facts.diff.notes.iter().filter(|n| n.code == check.code);
    notes
        .map(|n| {
            let (object, cause) = (n.object.clone(), n.text.trim_end_matches('.').to_owned());
            if severity == Severity::Alert { check.alert(object, cause, mend) } else { check.info(object, cause, mend) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diff::Note, precheck::bench::Bench};

    #[test]
    fn each_note_is_told_under_its_own_code() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&COLLATION_MAPPED), Vec::<String>::new());
        for code in [note::COLLATION_MAPPED, note::ENGINE_CHANGED] {
            bench.diff.notes.push(Note { code, object: "shop.t".into(), text: "something".into() });
        }
        assert_eq!(bench.run(&COLLATION_MAPPED), ["info shop.t"]);
        assert_eq!(bench.run(&ENGINE_CHANGED), ["info shop.t"]);
        assert_eq!(bench.run(&TYPE_MAPPED), Vec::<String>::new());
    }
}
