//! DT223: is there a unique key that cannot be walked in ranges?

use super::{Check, Facts, Finding, Ignorable};
use crate::catalog::Walk;

pub(super) const CHECK: Check = Check { code: "DT223", name: "inexact-keys", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts
        .tables
        .iter()
        .filter(|t| t.source.walk() == Walk::Whole && t.source.keys.iter().any(|k| k.unique))
        .map(|t| {
            CHECK.info(
                t.object(),
                "its unique keys are over FLOAT or DOUBLE, a prefix, an expression, a generated column or a CHAR without padding, so it is copied in one snapshot",
                "nothing need be done; a primary key over whole columns would let it be copied in parallel",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::TypeKind, plan::sample, precheck::bench::Bench};

    #[test]
    fn a_key_over_floats_is_worth_knowing() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.table().columns[0] = sample::column("id", TypeKind::Float, "float");
        assert_eq!(bench.run(&CHECK), ["info shop.t"]);
    }
}
