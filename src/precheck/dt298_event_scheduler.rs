//! DT298: do events run at the destination, and would the carried ones? Events arrive disabled, so a scheduler that runs does no harm to
//! what is carried; events that the destination has itself write beside us (requirements C07).

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT298", name: "event-scheduler", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let info = facts.destination.info;
    let on = info.is_on("event_scheduler");
    let targets: Vec<&String> = facts.scope.databases.values().collect();
    let events = facts.destination.catalog.others.iter().filter(|o| o.kind == "event" && targets.contains(&&o.database));
    let mut findings: Vec<Finding> = events
        .filter(|o| on && is_enabled(&o.create))
        .map(|o| {
            CHECK.alert(
                format!("{}.{}", o.database, o.name),
                "the event is enabled at the destination, where the scheduler runs: what it writes, nothing at the source accounts for",
                "ALTER EVENT ... DISABLE at the destination until the cutover, unless it touches none of the tables that are carried",
            )
        })
        .collect();
    let carried = facts.scope.programs.keys().filter(|(kind, _)| kind == "event").count();
    if carried > 0 && !on && facts.spec.phases.schema {
        let state = info.variable("event_scheduler").unwrap_or("OFF");
        findings.push(CHECK.info(
            None,
            format!("event_scheduler is {state} at the destination: events ({carried} are carried, disabled) would not run once they are enabled"),
            "SET GLOBAL event_scheduler=ON at the destination when you cut over",
        ));
    }
    findings
}

/// SHOW CREATE EVENT prints `ENABLE`, `DISABLE` or a form of `DISABLE ON SLAVE` or `REPLICA` before the comment and the body.
fn is_enabled(create: &str) -> bool {
    let head = create.split(" DO ").next().unwrap_or_default();
    head.contains(" ENABLE") && !head.contains(" DISABLE")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::OtherObject, plan::sample, precheck::bench::Bench};

    fn event(create: &str) -> OtherObject {
        OtherObject {
            kind: "event".into(),
            database: "shop".into(),
            name: "tidy".into(),
            create: create.into(),
            position: None,
            session: None,
        }
    }

    #[test]
    fn events_that_run_and_those_that_would_not() {
        let mut bench = Bench::new();
        bench.destination_info.variables.insert("event_scheduler".into(), "ON".into());
        bench.destination = sample::catalog(vec![]);
        bench
            .destination
            .others
            .push(event("CREATE EVENT `tidy` ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE ENABLE DO DELETE FROM t"));
        assert_eq!(bench.run(&CHECK), ["alert shop.tidy"]);
        bench.destination_info.variables.insert("event_scheduler".into(), "OFF".into());
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.source.others.push(event("CREATE EVENT `tidy` ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM t"));
        assert_eq!(bench.run(&CHECK), ["info -"]);
    }

    #[test]
    fn the_body_is_not_asked() {
        assert!(!is_enabled("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE ON SLAVE DO SELECT ' ENABLE'"));
    }
}
