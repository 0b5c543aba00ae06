//! DT201: is what goes over the network encrypted?

use super::{Check, Facts, Finding, Ignorable};
use crate::spec::{Address, Endpoint, TlsMode};

pub(super) const CHECK: Check = Check { code: "DT201", name: "connection", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let ends = [("source", &facts.spec.source, facts.source.info), ("destination", &facts.spec.destination, facts.destination.info)];
    ends.into_iter()
        .filter(|(_, endpoint, info)| info.tls_cipher.is_empty() && leaves_the_machine(endpoint))
        .map(|(side, endpoint, _)| {
            let cause = format!("the connection to the {side} at {} is not encrypted", endpoint.address);
            if endpoint.tls.mode == TlsMode::Disabled {
                CHECK.info(None, cause, "set `tls.mode` to something else than `disabled`")
            } else {
                CHECK.alert(None, cause, "switch TLS on at the server and set `tls.mode: required` or stricter")
            }
        })
        .collect()
}

fn leaves_the_machine(endpoint: &Endpoint) -> bool {
    match &endpoint.address {
        Address::Socket(_) => false,
        Address::Tcp { host, .. } => {
            let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
            !(loopback || host == "localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn clear_text_over_a_network_is_an_alert_unless_it_was_asked_for() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.source_info.tls_cipher.clear();
        assert_eq!(bench.run(&CHECK), ["alert -"]);
        bench.spec.source.tls.mode = TlsMode::Disabled;
        assert_eq!(bench.run(&CHECK), ["info -"]);
        bench.spec.source.address = Address::Tcp { host: "127.0.0.1".into(), port: 3306 };
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
    }
}
