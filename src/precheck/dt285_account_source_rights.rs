//! DT285: may the accounts of the source be read? (Requirements D21.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT285", name: "account-source-rights", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(words) = &facts.diff.accounts.source_denied else { return Vec::new() };
    let account = &facts.source.info.account;
    vec![CHECK.failed(
        None,
        format!("account {account} may not read the accounts of the source that `accounts.migrate` asks for: {words}"),
        "GRANT SELECT ON `mysql`.* TO the account at the source, or remove `accounts`",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn accounts_that_may_not_be_read_fail() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.diff.accounts.source_denied = Some("error 1044".into());
        assert_eq!(bench.run(&CHECK), ["failed -"]);
    }
}
