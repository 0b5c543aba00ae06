//! DT258: is the binlog compressed?

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT258", name: "binlog-compression", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let info = facts.source.info;
    let on = ["binlog_transaction_compression", "log_bin_compress"].into_iter().find(|name| info.is_on(name));
    let Some(name) = on.filter(|_| facts.logs()) else { return Vec::new() };
    vec![CHECK.info(None, format!("{name} is ON: the binlog comes compressed, which costs some CPU here"), "")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn it_is_said() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.source_info.variables.insert("binlog_transaction_compression".into(), "ON".into());
        assert_eq!(bench.run(&CHECK), ["info -"]);
    }
}
