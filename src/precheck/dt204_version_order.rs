//! DT204: is the destination at least as new as the source? (Requirements C01.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT204", name: "version-order", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let (source, destination) = (facts.source.info.flavor, facts.destination.info.flavor);
    if source.vendor != destination.vendor {
        return vec![CHECK.alert(
            None,
            format!("the source is {source} and the destination {destination}: types, collations and functions of the two differ"),
            "read the notes DT121 to DT126 and run `dtsctl verify` after the copy",
        )];
    }
    let line = |version: (u16, u16, u16)| (version.0, version.1);
    if line(destination.version) < line(source.version) {
        return vec![CHECK.failed(
            None,
            format!("the destination ({destination}) is older than the source ({source})"),
            "upgrade the destination to the source's version or later",
        )];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::sample, precheck::bench::Bench};

    #[test]
    fn an_older_destination_fails_and_another_vendor_alerts() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.destination_info = sample::server("8.4.0");
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.destination_info = sample::server("8.0.36");
        assert_eq!(bench.run(&CHECK), ["failed -"]);
        bench.mariadb_destination();
        assert_eq!(bench.run(&CHECK), ["alert -"]);
    }
}
