//! DT216: is there room at the destination? (Requirements A07.) Free space cannot be seen over SQL, so the needed size is named.

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT216", name: "destination-capacity", ignorable: Ignorable::Alerts, run };

/// Below this many bytes it is a note and no alert.
const SMALL: u64 = 1 << 30;

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let bytes: u64 = facts.tables.iter().filter(|t| !t.owned).map(|t| t.source.data_bytes + t.source.index_bytes).sum();
    if bytes == 0 || !facts.spec.phases.full {
        return Vec::new();
    }
    let cause =
        format!("the destination needs room for more than {} MiB of rows and indexes, as the source estimates", bytes.div_ceil(1 << 20));
    let mend = "check the free space there; a full copy leaves tables larger than at the source, and its binlog grows by as much again";
    vec![if bytes < SMALL { CHECK.info(None, cause, mend) } else { CHECK.alert(None, cause, mend) }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn the_needed_room_is_named() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), ["info -"]);
        bench.table().index_bytes = 3 << 30;
        assert_eq!(bench.run(&CHECK), ["alert -"]);
        assert!(bench.causes(&CHECK)[0].contains("3073 MiB"));
        bench.own();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
