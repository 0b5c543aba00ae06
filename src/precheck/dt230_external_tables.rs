//! DT230: are tables left out because their rows lie elsewhere? (Requirements B15, 5.5.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT230", name: "external-tables", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts
        .scope
        .skipped
        .iter()
        .map(|skipped| {
            CHECK.alert(
                skipped.table.to_string(),
                format!("the source table is selected and left out: {}", skipped.reason),
                "exclude it in the spec to say so, or copy it into an InnoDB table at the source",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn what_is_left_out_is_said() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.table().engine = "FEDERATED".into();
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
    }
}
