//! What cannot be carried, or not like everything else, between these two servers in these phases (requirement A23). The prechecks say what
//! is wrong with this source and this spec; here stands what holds for the pair whatever is in it.

use super::{build::Inputs, model::Action};
use crate::{
    catalog::{Table, TypeKind},
    connect::{Flavor, Vendor},
};

/// The limits that apply, each a sentence without its full stop; the most particular first.
pub(super) fn limits(inputs: &Inputs<'_>, actions: &[Action]) -> Vec<String> {
    let (source, destination) = (inputs.source.info.flavor, inputs.destination.info.flavor);
    let phases = inputs.spec.phases;
    let follows = inputs.follow.is_some();
    let mut found = Vec::new();
    let mut say = |applies: bool, text: &str| {
        if applies {
            found.push(text.to_owned());
        }
    };
    match (source.vendor, destination.vendor) {
        (Vendor::MySql, Vendor::MariaDb) => {
            say(
                phases.schema,
                "functional and multi-valued indexes and SRIDs of columns have no place in MariaDB: left out, unique ones refused",
            );
            say(true, "-0.0 in FLOAT and DOUBLE arrives as 0: MariaDB stores no other");
        }
        (Vendor::MariaDb, Vendor::MySql) => {
            say(
                phases.schema,
                "sequences, periods, system versioning and the types uuid, inet4 and inet6 have no place in MySQL: such tables are refused",
            );
            say(true, "MySQL's JSON keeps the value of a document, not its spacing, the order of its keys or repeated keys");
        }
        (Vendor::MySql, Vendor::MySql) | (Vendor::MariaDb, Vendor::MariaDb) => {}
    }
    say(
        source.vendor != destination.vendor && phases.schema,
        "collations, options and functions that only one vendor has are replaced, left out with a note, or refused (docs/flavours.md)",
    );
    let copied = || inputs.scope.pairs.iter().filter_map(|pair| inputs.source.catalog.tables.iter().find(|t| t.name == pair.source));
    let has_json = |table: &Table| table.columns.iter().any(|column| column.kind == TypeKind::Json);
    say(
        phases.full && source.vendor == Vendor::MySql && copied().any(has_json),
        "a DECIMAL, a date or bytes inside a JSON document become a DOUBLE or a text in the full copy; verify counts such rows apart",
    );
    let keyless = actions.iter().filter_map(|action| action.copy.as_ref()).any(|copy| copy.key.is_empty());
    say(keyless, "a table without a usable key is copied in one transaction, and from its beginning when that is interrupted");
    say(
        follows && !source.may_log_cascades(),
        "what a foreign key's CASCADE or SET NULL does at the source is not in its binlog: it is done again, but for keys that DT262 names",
    );
    say(
        follows,
        "a statement of the source that is not of a class carried is skipped and counted; `dtsctl status --ddl-errors` lists them",
    );
    say(
        follows && source.vendor != destination.vendor,
        "an ALTER that turns values into another type does so by the destination's own rules, which are not always the source's (docs/ddl.md)",
    );
    say(follows, "rows written in STATEMENT format, and row images that leave columns out, stop the task at their place");
    say(
        !inputs.spec.accounts.migrate.is_empty(),
        "accounts are carried once, without roles, proxies and second passwords; later changes are not",
    );
    say(
        phases.schema,
        "bodies of routines, triggers and events are carried as they are: a name that the spec changes stays in them (DT292)",
    );
    for flavor in [source, destination] {
        if !is_tested(flavor) && !found.iter().any(|text| text.starts_with(&flavor.to_string())) {
            found.push(format!("{flavor} is handled by its manual: dtsctl's own tests run on MySQL 9 and MariaDB 10.11"));
        }
    }
    found
}

/// dtsctl's own tests run on servers of this series.
fn is_tested(flavor: Flavor) -> bool {
    match flavor.vendor {
        Vendor::MySql => flavor.version.0 == 9,
        Vendor::MariaDb => (flavor.version.0, flavor.version.1) == (10, 11),
    }
}
