//! DT208: does the destination take writes?

use super::{Check, Facts, Finding, Grants, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT208", name: "destination-read-only", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let info = facts.destination.info;
    let grants = Grants::parse(&facts.gathered.destination.grants);
    let set = |names: &[&'static str]| names.iter().copied().filter(|n| info.is_on(n)).collect::<Vec<_>>();
    let hard = set(&["innodb_read_only", "super_read_only"]);
    let exempt = ["SUPER", "CONNECTION_ADMIN", "READ_ONLY ADMIN", "READ ONLY ADMIN"].iter().any(|r| grants.has_everywhere(r));
    let soft = if exempt { Vec::new() } else { set(&["read_only"]) };
    let on: Vec<&str> = hard.into_iter().chain(soft).collect();
    if on.is_empty() {
        return Vec::new();
    }
    vec![CHECK.failed(
        None,
        format!("the destination takes no writes: {} is ON", on.join(", ")),
        "name the writable server as the destination, or switch the variable off there",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn a_server_that_takes_no_writes_fails() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.gathered.destination.grants = vec!["GRANT INSERT ON *.* TO `dts`@`%`".into()];
        bench.destination_info.variables.insert("read_only".into(), "ON".into());
        assert_eq!(bench.run(&CHECK), ["failed -"]);
        bench.gathered.destination.grants = vec!["GRANT SUPER ON *.* TO `dts`@`%`".into()];
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.destination_info.variables.insert("super_read_only".into(), "ON".into());
        assert_eq!(bench.run(&CHECK), ["failed -"]);
    }
}
