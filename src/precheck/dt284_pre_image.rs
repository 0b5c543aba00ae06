//! DT284: are changes judged by the row before alone, so that rows which enter are missed? (Requirement D13, section 2.4.)

use super::{Check, Facts, Finding, Ignorable};
use crate::ddl::condition::FilterOn;

pub(super) const CHECK: Check = Check { code: "DT284", name: "pre-image", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.spec.phases.incremental {
        return Vec::new();
    }
    let judged = facts.tables.iter().filter(|table| table.pair.columns.rows().is_some_and(|rows| rows.on == FilterOn::PreImage));
    judged
        .map(|table| {
            let cause = format!(
                "{} is judged by the row before a change alone: a row that comes to meet `where` by an UPDATE is not carried",
                table.pair.source
            );
            CHECK.alert(table.object(), cause, "leave `where_on` out, so that such rows are inserted")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn rows_that_are_missed_are_told_of() {
        let mut bench = Bench::following();
        bench.spec.objects = vec![crate::plan::sample::filtered("shop", "t", "id > 1")];
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        if let Some(filter) = bench.spec.objects[0].tables.as_mut().and_then(|tables| tables[0].filter.as_mut()) {
            filter.on = FilterOn::PreImage;
        }
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
    }
}
