//! DT215: does the widest row fit the packets of both servers?

use super::{Check, Facts, Finding, Ignorable, Width};

pub(super) const CHECK: Check = Check { code: "DT215", name: "packet-size", ignorable: Ignorable::Alerts, run };

/// What a row needs beside its values: lengths, separators, the statement around it. A quarter of a small packet, which no statement
/// around a row needs, so that small rows pass through it.
fn around(packet: u64) -> u64 {
    (64 << 10).min(packet / 4)
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let source = facts.source.info.max_allowed_packet();
    let destination = facts.destination.info.max_allowed_packet();
    let by_insert = !facts.destination.info.is_on("local_infile");
    let mut findings = Vec::new();
    for table in &facts.tables {
        let object = table.object();
        match facts.gathered.widest.get(&table.pair.source) {
            None => {}
            Some(Width::Unknown) => findings.push(CHECK.alert(
                object,
                "the widest row could not be measured in the time a plan takes",
                format!("raise max_allowed_packet at both ends if rows may be wider than {} bytes", source.min(destination)),
            )),
            Some(Width::Measured(bytes)) if bytes + around(source) > source => findings.push(CHECK.failed(
                object,
                format!("the widest row has {bytes} bytes, and the source's max_allowed_packet is {source}"),
                "SET GLOBAL max_allowed_packet at the source to more than the widest row (1 GiB at most)",
            )),
            Some(Width::Measured(bytes)) if bytes + around(destination) > destination => findings.push(CHECK.failed(
                object,
                format!("the widest row has {bytes} bytes, and the destination's max_allowed_packet is {destination}"),
                "SET GLOBAL max_allowed_packet at the destination to more than the widest row (1 GiB at most)",
            )),
            Some(Width::Measured(bytes)) if by_insert && 2 * bytes + around(destination) > destination => findings.push(CHECK.alert(
                object,
                format!(
                    "the widest row has {bytes} bytes; as an INSERT it may need twice that, more than max_allowed_packet ({destination})"
                ),
                "raise max_allowed_packet at the destination, or SET GLOBAL local_infile=ON there",
            )),
            Some(Width::Measured(_)) => {}
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::TableName, precheck::bench::Bench};

    #[test]
    fn rows_wider_than_a_packet_fail_and_unmeasured_ones_alert() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        let set = |bench: &mut Bench, width| bench.gathered.widest.insert(TableName::new("shop", "t"), width);
        set(&mut bench, Width::Measured(40 << 20));
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.destination_info.variables.insert("local_infile".into(), "OFF".into());
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
        set(&mut bench, Width::Measured(64 << 20));
        assert_eq!(bench.run(&CHECK), ["failed shop.t"]);
        set(&mut bench, Width::Unknown);
        assert_eq!(bench.run(&CHECK), ["alert shop.t"]);
    }
}
