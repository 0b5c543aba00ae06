//! DT202: is the server of a line that dtsctl knows?

use super::{Check, Facts, Finding, Ignorable};
use crate::connect::Vendor;

pub(super) const CHECK: Check = Check { code: "DT202", name: "server-version", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (side, info) in [("source", facts.source.info), ("destination", facts.destination.info)] {
        let flavor = info.flavor;
        let newest = match flavor.vendor {
            Vendor::MySql => 9,
            Vendor::MariaDb => 12,
        };
        if !flavor.is_supported() {
            findings.push(CHECK.failed(
                None,
                format!("the {side} is {flavor}, older than MySQL 5.7 or MariaDB 10.5"),
                "upgrade the server first",
            ));
        } else if flavor.version.0 > newest {
            findings.push(CHECK.alert(
                None,
                format!("the {side} is {flavor}, newer than what this dtsctl was tried with"),
                "upgrade dtsctl, or try on a copy first",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::sample, precheck::bench::Bench};

    #[test]
    fn old_versions_fail_and_unknown_ones_alert() {
        let mut bench = Bench::new();
        for (version, expected) in
            [("5.7.44", vec![]), ("9.7.4", vec![]), ("10.5.1-MariaDB", vec![]), ("5.6.51", vec!["failed -"]), ("10.0.1", vec!["alert -"])]
        {
            bench.source_info = sample::server(version);
            assert_eq!(bench.run(&CHECK), expected, "{version}");
        }
    }
}
