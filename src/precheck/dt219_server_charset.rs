//! DT219: would databases made later at the destination take every character? (Requirements C02.)

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT219", name: "server-charset", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    match facts.destination.info.variable("character_set_server") {
        Some(charset) if charset != "utf8mb4" => vec![CHECK.alert(
            None,
            format!("character_set_server is {charset} at the destination"),
            "SET GLOBAL character_set_server=utf8mb4 there; what dtsctl creates names its charset, what others create later may not",
        )],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn a_narrow_default_alerts() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.destination_info.variables.insert("character_set_server".into(), "latin1".into());
        assert_eq!(bench.run(&CHECK), ["alert -"]);
    }
}
