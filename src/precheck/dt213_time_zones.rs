//! DT213: do both servers keep the same time zone?

use super::{Check, Facts, Finding, Ignorable};
use crate::connect::ServerInfo;

pub(super) const CHECK: Check = Check { code: "DT213", name: "time-zones", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let zone = |info: &ServerInfo| {
        let zone = info.variable("time_zone").unwrap_or_default();
        let zone = if zone == "SYSTEM" { info.variable("system_time_zone").unwrap_or_default() } else { zone };
        if zone.is_empty() || zone == "+00:00" { "UTC".to_owned() } else { zone.to_owned() }
    };
    let (source, destination) = (zone(facts.source.info), zone(facts.destination.info));
    if source == destination {
        return Vec::new();
    }
    vec![CHECK.info(
        None,
        format!("the source's time zone is {source} and the destination's {destination}"),
        "values are copied as they are, in UTC; applications that read TIMESTAMP in the server's zone will see the other hour",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn another_zone_is_worth_knowing() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.source_info.variables.insert("time_zone".into(), "SYSTEM".into());
        bench.source_info.variables.insert("system_time_zone".into(), "EST".into());
        assert_eq!(bench.run(&CHECK), ["info -"]);
    }
}
