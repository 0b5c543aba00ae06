//! DT287: grants and clauses that an account does not get at the destination. (Requirements D21, 2.14.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT287", name: "account-parts-left-out", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let alert = |note: &crate::diff::accounts::AccountNote| {
        CHECK.alert(
            Some(note.account.clone()),
            format!("left out of the account: {}", note.text),
            "grant at the destination what the account needs of it, once it is there",
        )
    };
    facts.diff.accounts.left_out.iter().map(alert).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diff::accounts::AccountNote, precheck::bench::Bench};

    #[test]
    fn what_is_left_out_is_told_one_by_one() {
        let mut bench = Bench::new();
        let note = |text: &str| AccountNote { account: "app@%".into(), text: text.into() };
        bench.diff.accounts.left_out = vec![note("GRANT `r`: roles are not carried"), note("its default roles")];
        assert_eq!(bench.run(&CHECK), ["alert app@%", "alert app@%"]);
    }
}
