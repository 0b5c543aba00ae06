//! DT273: are there XA transactions that were prepared before the binlog is read?
//!
//! Their rows lie before the place where reading begins, so such a transaction stops the task when it is committed.

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT273", name: "prepared-xa", ignorable: Ignorable::Failures, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    // What is prepared while the binlog is followed has been read.
    if !facts.logs() || facts.follows_already() {
        return Vec::new();
    }
    let finding = match facts.gathered.binlog.prepared {
        None => CHECK.alert(
            None,
            "the account may not see prepared XA transactions (XA RECOVER), and one that is committed later would stop the task",
            "GRANT XA_RECOVER_ADMIN ON *.* TO the account at the source, or see yourself that none is prepared",
        ),
        Some(prepared) if prepared.lasting > 0 => CHECK.failed(
            None,
            format!(
                "XA transactions are prepared at the source and wait for their end ({}): their rows lie before the place where reading begins, \
                 and committing one stops the task",
                prepared.lasting
            ),
            "commit or roll them back first: XA RECOVER lists them",
        ),
        Some(prepared) if prepared.seen > 0 => CHECK.alert(
            None,
            "the source works with XA transactions: one that is prepared when the apply begins and committed after it stops the task",
            "begin the first apply when no XA transaction is under way",
        ),
        Some(_) => return Vec::new(),
    };
    vec![finding]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::{Prepared, bench::Bench};

    #[test]
    fn what_lasts_blocks_and_what_passes_is_told() {
        let mut bench = Bench::following();
        bench.gathered.binlog.prepared = Some(Prepared { seen: 0, lasting: 0 });
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.binlog.prepared = Some(Prepared { seen: 2, lasting: 0 });
        assert_eq!(bench.run(&CHECK), ["alert -"]);
        bench.gathered.binlog.prepared = Some(Prepared { seen: 2, lasting: 1 });
        assert_eq!(bench.run(&CHECK), ["failed -"]);
        bench.gathered.binlog.prepared = None;
        assert_eq!(bench.run(&CHECK), ["alert -"], "it may not look");
        bench.spec.phases.incremental = false;
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
