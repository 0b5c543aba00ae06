//! DT203: is the server what the spec says it is?

use super::{Check, Facts, Finding, Ignorable};
use crate::{connect::Vendor, spec::Engine};

pub(super) const CHECK: Check = Check { code: "DT203", name: "engine-named", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let ends = [("source", &facts.spec.source, facts.source.info), ("destination", &facts.spec.destination, facts.destination.info)];
    let mut findings = Vec::new();
    for (side, endpoint, info) in ends {
        let expected = match endpoint.engine {
            None => continue,
            Some(Engine::Mariadb) => Vendor::MariaDb,
            Some(Engine::Mysql | Engine::RdsMysql | Engine::PolardbMysql) => Vendor::MySql,
        };
        if info.flavor.vendor != expected {
            findings.push(CHECK.failed(
                None,
                format!("the spec says the {side} is {}, and it answers as {}", expected.name(), info.flavor),
                format!("check `{side}.host` and `{side}.port`, or take `{side}.engine` out of the spec"),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn another_vendor_than_the_spec_names_fails() {
        let mut bench = Bench::new();
        bench.spec.source.engine = Some(Engine::RdsMysql);
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.spec.source.engine = Some(Engine::Mariadb);
        assert_eq!(bench.run(&CHECK), ["failed -"]);
    }
}
