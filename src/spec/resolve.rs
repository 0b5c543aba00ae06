//! The checked spec with every default filled in: the model, its printable form, and its digest.

use std::{fmt::Write as _, path::Path, time::Duration};

use regex::Regex;
use sha2::{Digest as _, Sha256};

use crate::ddl::condition::{Condition, Filter};

use super::{
    account::AccountPattern,
    model::{
        Accounts, Address, AlertEvent, AlertProgram, Alerts, Allowance, ColumnSelection, Conflict, Endpoint, FullThrottle, Heartbeat,
        IncrementalThrottle, Names, ObjectSelection, OnlineDdl, Phases, PrecheckOptions, Retry, SchemaOptions, Spec, TableSelection,
        Throttle, Tls, TlsMode, VerifyOptions,
    },
    pattern::Pattern,
    rename::Rename,
    secret::{PasswordSource, Secret},
    units::{format_duration, parse_duration},
    written::{self, Password, Time},
};

/// `retry.connection` when the spec does not say (requirements G01).
pub(super) const RETRY_CONNECTION: Duration = Duration::from_secs(720 * 60);
/// `retry.other` when the spec does not say (requirements G03).
const RETRY_OTHER: Duration = Duration::from_secs(10 * 60);
/// `heartbeat.interval` when the spec does not say (requirements H05).
const HEARTBEAT: Duration = Duration::from_secs(1);
/// `alerts.lag_for` when the spec does not say: some ten measurements in a row.
const LAG_FOR: Duration = Duration::from_secs(10);
/// `alerts.waiting` when the spec does not say.
const WAITING: Duration = Duration::from_secs(5 * 60);
/// `alerts.repeat` when the spec does not say.
const REPEAT: Duration = Duration::from_secs(10 * 60);
/// `alerts.timeout` when the spec does not say.
const ALERT_TIMEOUT: Duration = Duration::from_secs(10);
const PORT: u16 = 3306;

/// Turns a checked spec into the model. `name` is the task's name when the spec gives none; paths are relative to `folder`.
pub(super) fn resolve(written: written::Spec, name: &str, folder: &Path) -> Spec {
    let filled = fill(written, name);
    let canonical = serde_json::to_value(&filled).unwrap_or_default();
    let digest = hex(&Sha256::digest(canonical.to_string().as_bytes()));
    let mut resolved = canonical;
    for end in ["source", "destination"] {
        if let Some(password) = resolved.get_mut(end).and_then(|end| end.get_mut("password")) {
            *password = "***".into();
        }
    }
    let phases = filled.phases.unwrap_or_default();
    let conflict = filled.conflict.unwrap_or_default();
    let schema = filled.schema.unwrap_or_default();
    let retry = filled.retry.unwrap_or_default();
    let throttle = filled.throttle.unwrap_or_default();
    let full = throttle.full.unwrap_or_default();
    let incremental = throttle.incremental.unwrap_or_default();
    let heartbeat = filled.heartbeat.unwrap_or_default();
    Spec {
        name: filled.name.unwrap_or_default(),
        labels: filled.labels.unwrap_or_default(),
        source: endpoint(&filled.source, folder),
        destination: endpoint(&filled.destination, folder),
        phases: Phases {
            schema: phases.schema.unwrap_or(true),
            full: phases.full.unwrap_or(true),
            incremental: phases.incremental.unwrap_or(true),
        },
        start: filled.start.as_deref().and_then(|start| start.parse().ok()).unwrap_or_default(),
        topology: filled.topology.unwrap_or_default(),
        objects: filled.objects.into_iter().map(object).collect(),
        conflict: Conflict { existing_tables: conflict.existing_tables.unwrap_or_default(), rows: conflict.rows.unwrap_or_default() },
        names: Names { case: filled.names.and_then(|names| names.case).unwrap_or_default() },
        schema: SchemaOptions {
            engine: schema.engine.unwrap_or_default(),
            triggers: schema.triggers.unwrap_or_default(),
            assess: schema.assess.unwrap_or(true),
            secondary_indexes: schema.secondary_indexes.unwrap_or_default(),
        },
        accounts: Accounts { migrate: account_patterns(filled.accounts) },
        online_ddl: online_ddl(filled.online_ddl.unwrap_or_default()),
        retry: Retry { connection: time(&retry.connection, RETRY_CONNECTION), other: time(&retry.other, RETRY_OTHER) },
        retry_shared: None,
        throttle: Throttle {
            full: FullThrottle { qps: full.qps, rps: full.rps, mbps: full.mbps },
            incremental: IncrementalThrottle { rps: incremental.rps, mbps: incremental.mbps },
        },
        heartbeat: Heartbeat { write: heartbeat.write.unwrap_or(true), interval: time(&heartbeat.interval, HEARTBEAT) },
        ddl_errors: filled.ddl_errors.unwrap_or_default(),
        alerts: filled.alerts.map(|written| alerts(written, folder)),
        verify: VerifyOptions { mode: filled.verify.and_then(|verify| verify.mode).unwrap_or_default() },
        precheck: PrecheckOptions { ignore: filled.precheck.and_then(|precheck| precheck.ignore).unwrap_or_default() },
        allow: filled.allow.into_iter().flatten().filter_map(allowance).collect(),
        digest,
        resolved,
    }
}

fn account_patterns(accounts: Option<written::Accounts>) -> Vec<AccountPattern> {
    let patterns = accounts.and_then(|accounts| accounts.migrate).unwrap_or_default();
    patterns.iter().filter_map(|pattern| AccountPattern::parse(pattern).ok()).collect()
}

/// The same document with the defaults of everything that is built written out.
fn fill(mut spec: written::Spec, name: &str) -> written::Spec {
    spec.name.get_or_insert_with(|| name.to_owned());
    for end in [&mut spec.source, &mut spec.destination] {
        if end.socket.is_none() {
            end.port.get_or_insert(PORT);
        }
        let tls = end.tls.get_or_insert_default();
        let mode = tls.mode.unwrap_or_default();
        // A socket is not encrypted, whatever is preferred.
        tls.mode = Some(if end.socket.is_some() { TlsMode::Disabled } else { mode });
    }
    let phases = spec.phases.get_or_insert_default();
    phases.schema.get_or_insert(true);
    phases.full.get_or_insert(true);
    phases.incremental.get_or_insert(true);
    spec.topology.get_or_insert_default();
    let conflict = spec.conflict.get_or_insert_default();
    conflict.existing_tables.get_or_insert_default();
    conflict.rows.get_or_insert_default();
    spec.names.get_or_insert_default().case.get_or_insert_default();
    let schema = spec.schema.get_or_insert_default();
    schema.engine.get_or_insert_default();
    schema.triggers.get_or_insert_default();
    schema.assess.get_or_insert(true);
    schema.secondary_indexes.get_or_insert_default();
    let retry = spec.retry.get_or_insert_default();
    let connection = time(&retry.connection, RETRY_CONNECTION);
    let other = time(&retry.other, RETRY_OTHER.min(connection / 2));
    retry.connection = Some(Time(format_duration(connection)));
    retry.other = Some(Time(format_duration(other)));
    let heartbeat = spec.heartbeat.get_or_insert_default();
    heartbeat.write.get_or_insert(true);
    heartbeat.interval = Some(Time(format_duration(time(&heartbeat.interval, HEARTBEAT))));
    spec.ddl_errors.get_or_insert_default();
    let phases = (spec.phases.as_ref().and_then(|p| p.full) == Some(true), spec.phases.as_ref().and_then(|p| p.incremental) == Some(true));
    if let Some(alerts) = &mut spec.alerts {
        let possible = AlertEvent::ALL.into_iter().filter(|event| can_happen(*event, alerts, phases)).collect();
        let events = alerts.events.get_or_insert(possible);
        let tells = |wanted: &[AlertEvent]| wanted.iter().any(|event| events.contains(event));
        let fill = |given: &mut Option<Time>, default, needed: bool| {
            if needed {
                *given = Some(Time(format_duration(time(given, default))));
            }
        };
        fill(&mut alerts.lag_for, LAG_FOR, tells(&[AlertEvent::Lag]));
        fill(&mut alerts.waiting, WAITING, tells(&[AlertEvent::Waiting]));
        fill(&mut alerts.repeat, REPEAT, tells(&[AlertEvent::DdlFailed, AlertEvent::Conflict]));
        fill(&mut alerts.timeout, ALERT_TIMEOUT, true);
        for limit in [&mut alerts.lag, &mut alerts.full_timeout].into_iter().flatten() {
            *limit = Time(format_duration(time(&Some(limit.clone()), Duration::ZERO)));
        }
    }
    spec.verify.get_or_insert_default().mode.get_or_insert_default();
    spec
}

/// Whether a task with these phases, full copy and incremental, can come to tell of it.
pub(super) fn can_happen(event: AlertEvent, alerts: &written::Alerts, (full, incremental): (bool, bool)) -> bool {
    match event {
        AlertEvent::Stopped | AlertEvent::Waiting => true,
        AlertEvent::Lag => incremental && alerts.lag.is_some(),
        AlertEvent::FullTimeout => full && alerts.full_timeout.is_some(),
        AlertEvent::DdlFailed | AlertEvent::Conflict | AlertEvent::FinishedUnexpected => incremental,
    }
}

fn alerts(written: written::Alerts, folder: &Path) -> Alerts {
    let limit = |given: &Option<Time>| given.as_ref().and_then(|time| parse_duration(&time.0).ok());
    Alerts {
        folder: folder.to_owned(),
        program: AlertProgram::Unknown,
        lag: limit(&written.lag),
        lag_for: time(&written.lag_for, LAG_FOR),
        waiting: time(&written.waiting, WAITING),
        full_timeout: limit(&written.full_timeout),
        repeat: time(&written.repeat, REPEAT),
        timeout: time(&written.timeout, ALERT_TIMEOUT),
        command: written.command,
        events: written.events.unwrap_or_default(),
    }
}

/// What gh-ost and pt-online-schema-change call their tables (requirements 2.8).
const SHADOW: &str = "^_(.+)_(?:gho|new)$";
/// What they leave behind or need beside.
const TRASH: &str = "^_(.+)_(?:ghc|del|old)$";

fn online_ddl(written: written::OnlineDdl) -> OnlineDdl {
    // Whether they are regular expressions has been checked.
    let patterns = |given: Option<Vec<String>>, default: &str| -> Vec<Regex> {
        let given = given.unwrap_or_else(|| vec![default.to_owned()]);
        given.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect()
    };
    OnlineDdl { mode: written.mode.unwrap_or_default(), shadow: patterns(written.shadow, SHADOW), trash: patterns(written.trash, TRASH) }
}

fn time(written: &Option<Time>, default: Duration) -> Duration {
    written.as_ref().and_then(|time| parse_duration(&time.0).ok()).unwrap_or(default)
}

fn endpoint(written: &written::Endpoint, folder: &Path) -> Endpoint {
    let tls = written.tls.clone().unwrap_or_default();
    Endpoint {
        engine: written.engine,
        address: match (&written.socket, &written.host) {
            (Some(path), _) => Address::Socket(folder.join(path)),
            (None, host) => Address::Tcp { host: host.clone().unwrap_or_default(), port: written.port.unwrap_or(PORT) },
        },
        user: written.user.clone(),
        password: Secret::default(),
        password_from: match &written.password {
            Password::Empty => PasswordSource::Empty,
            Password::Env(name) => PasswordSource::Env(name.clone()),
            Password::File(path) => PasswordSource::File(folder.join(path)),
        },
        tls: Tls {
            mode: tls.mode.unwrap_or_default(),
            ca: tls.ca.map(|path| folder.join(path)),
            cert: tls.cert.map(|path| folder.join(path)),
            key: tls.key.map(|path| folder.join(path)),
        },
    }
}

fn object(written: written::Object) -> ObjectSelection {
    ObjectSelection {
        database: Pattern::new(written.database),
        rename: written.rename.and_then(rename),
        rename_tables: written.rename_tables.and_then(|by| by.read()),
        operations: written.operations,
        exclude: written.exclude.into_iter().flatten().map(Pattern::new).collect(),
        tables: written.tables.map(|tables| {
            tables
                .into_iter()
                .map(|table| TableSelection {
                    name: Pattern::new(table.name),
                    rename: table.rename.and_then(rename),
                    filter: table.filter.map(|text| Filter {
                        condition: Condition::parse(&text).expect("the checks have read it"),
                        on: table.where_on.unwrap_or_default(),
                    }),
                    columns: table.columns.map(|columns| ColumnSelection {
                        exclude: columns.exclude.unwrap_or_default(),
                        rename: columns.rename.unwrap_or_default(),
                    }),
                    operations: table.operations,
                })
                .collect()
        }),
    }
}

/// Whether a pattern is one has been checked.
fn rename(written: written::Rename) -> Option<Rename> {
    match written {
        written::Rename::To(name) => Some(Rename::To(name)),
        written::Rename::By(by) => by.read().map(Rename::By),
    }
}

fn allowance(written: written::Allow) -> Option<Allowance> {
    let (database, table) = qualified(&written.table)?;
    Some(Allowance { action: written.action, database, table, column: written.column })
}

/// Splits `database.table`. A part that holds a dot stands in backquotes, in which a backquote is doubled.
pub(super) fn qualified(text: &str) -> Option<(String, String)> {
    let (database, rest) = part(text)?;
    let (table, rest) = part(rest.strip_prefix('.')?)?;
    (rest.is_empty() && !database.is_empty() && !table.is_empty()).then_some((database, table))
}

fn part(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('`') else {
        let end = text.find('.').unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    loop {
        let end = rest.find('`')?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('`') {
            Some(more) => {
                name.push('`');
                rest = more;
            }
            None => return Some((name, rest)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::qualified;

    #[test]
    fn qualified_names_split_at_the_dot_or_at_backquotes() {
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(qualified("shop.orders"), pair("shop", "orders"));
        assert_eq!(qualified("`a.b`.`c``d`"), pair("a.b", "c`d"));
        for text in ["orders", "shop.", ".orders", "a.b.c", "`a.b", "`a`b.c"] {
            assert_eq!(qualified(text), None, "{text}");
        }
    }
}
