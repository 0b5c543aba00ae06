//! Hand-made servers, tables, specs and plans for unit tests.

use std::{collections::BTreeMap, time::Duration};

use super::{Finding, FindingCode, Inputs, Plan, Progress, Scope, ServerFacts, Severity, build};
use crate::{
    catalog::{Catalog, Column, Database, Key, KeyPart, Table, TableName, TypeKind},
    connect::{Flavor, ServerInfo},
    ddl::condition::{Condition, Filter, FilterOn},
    diff::{Act, Change, ObjectKind, Part, Risk, Stage, UnsafeAction},
    spec::*,
};

/// A server of that version text.
pub(crate) fn server(version: &str) -> ServerInfo {
    let variables = [
        ("lower_case_table_names", "0"),
        ("read_only", "OFF"),
        ("max_allowed_packet", "67108864"),
        ("character_set_server", "utf8mb4"),
        ("innodb_default_row_format", "dynamic"),
        ("innodb_page_size", "16384"),
        ("local_infile", "ON"),
    ];
    ServerInfo {
        flavor: Flavor::parse(version, "").expect("a version"),
        version_text: version.to_owned(),
        identity: format!("uuid-of-{version}"),
        account: "dts@%".to_owned(),
        tls_cipher: "TLSv1.3 TLS_AES_256_GCM_SHA384".to_owned(),
        variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
    }
}

/// A column of that type.
pub(crate) fn column(name: &str, kind: TypeKind, column_type: &str) -> Column {
    let text = matches!(kind, TypeKind::Text | TypeKind::Enum | TypeKind::Set);
    Column {
        name: name.to_owned(),
        column_type: column_type.to_owned(),
        kind,
        unsigned: false,
        nullable: false,
        charset: text.then(|| "utf8mb4".to_owned()),
        collation: text.then(|| "utf8mb4_general_ci".to_owned()),
        generated: false,
        row_period: false,
        invisible: false,
        auto_increment: false,
        json_text: false,
    }
}

/// A key over whole columns.
pub(crate) fn key(name: &str, unique: bool, columns: &[usize]) -> Key {
    Key {
        name: name.to_owned(),
        unique,
        index_type: "BTREE".to_owned(),
        parts: columns.iter().map(|&c| KeyPart { column: Some(c), prefix: None, descending: false }).collect(),
    }
}

/// An InnoDB table with `id` as its key and a text column `name`.
pub(crate) fn table(database: &str, name: &str) -> Table {
    Table {
        name: TableName::new(database, name),
        engine: "InnoDB".to_owned(),
        collation: "utf8mb4_general_ci".to_owned(),
        rows_estimate: 1200,
        data_bytes: 1 << 20,
        index_bytes: 0,
        auto_increment: None,
        create: format!(
            "CREATE TABLE `{name}` (\n  `id` int NOT NULL,\n  `name` varchar(20) NOT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
        ),
        columns: vec![column("id", TypeKind::Integer, "int"), column("name", TypeKind::Text, "varchar(20)")],
        keys: vec![key("PRIMARY", true, &[0])],
        system_versioned: false,
        cascades: None,
        unsupported: None,
    }
}

/// A catalog of tables, with the databases they need.
pub(crate) fn catalog(tables: Vec<Table>) -> Catalog {
    let mut names: Vec<String> = tables.iter().map(|t| t.name.database.clone()).collect();
    names.sort();
    names.dedup();
    let database = |name: String| Database {
        create: format!("CREATE DATABASE `{name}` /*!40100 DEFAULT CHARACTER SET utf8mb4 */"),
        charset: "utf8mb4".to_owned(),
        collation: "utf8mb4_general_ci".to_owned(),
        name,
    };
    Catalog {
        databases: names.into_iter().map(database).collect(),
        tables,
        others: Vec::new(),
        collations: ["utf8mb4_general_ci", "utf8mb4_bin", "utf8mb4_unicode_520_ci", "latin1_swedish_ci"].map(str::to_owned).to_vec(),
        engines: vec!["InnoDB".to_owned(), "MyISAM".to_owned()],
    }
}

/// An entry of `objects` that takes a whole database.
pub(crate) fn whole(database: &str, rename: Option<&str>, exclude: &[&str]) -> ObjectSelection {
    ObjectSelection {
        database: Pattern::new(database),
        rename: rename.map(|name| Rename::To(name.to_owned())),
        rename_tables: None,
        exclude: exclude.iter().map(|p| Pattern::new(*p)).collect(),
        tables: None,
        operations: None,
    }
}

/// An entry of `objects` that takes one table with some of its columns.
pub(crate) fn with_columns(database: &str, table: &str, columns: ColumnSelection) -> ObjectSelection {
    let table = TableSelection { name: Pattern::new(table), rename: None, filter: None, columns: Some(columns), operations: None };
    ObjectSelection { tables: Some(vec![table]), ..whole(database, None, &[]) }
}

/// An entry of `objects` that takes those rows of one table for which a condition holds.
pub(crate) fn filtered(database: &str, table: &str, condition: &str) -> ObjectSelection {
    let condition = Condition::parse(condition).expect("the test's condition is one");
    let filter = Some(Filter { condition, on: FilterOn::default() });
    let table = TableSelection { name: Pattern::new(table), rename: None, filter, columns: None, operations: None };
    ObjectSelection { tables: Some(vec![table]), ..whole(database, None, &[]) }
}

fn endpoint(host: &str) -> Endpoint {
    Endpoint {
        engine: None,
        address: Address::Tcp { host: host.to_owned(), port: 3306 },
        user: "dts".to_owned(),
        password: Secret::default(),
        password_from: PasswordSource::Empty,
        tls: Tls::default(),
    }
}

/// A spec that carries database `shop`, schema and rows.
pub(crate) fn spec() -> Spec {
    Spec {
        name: "shop-to-dr".to_owned(),
        labels: BTreeMap::new(),
        source: endpoint("db1"),
        destination: endpoint("db2"),
        phases: Phases { schema: true, full: true, incremental: false },
        start: Start::Now,
        topology: Topology::OneWay,
        objects: vec![whole("shop", None, &[])],
        conflict: Conflict::default(),
        names: Names::default(),
        schema: SchemaOptions {
            engine: StorageEngine::Innodb,
            triggers: TriggerMode::Manual,
            assess: true,
            secondary_indexes: SecondaryIndexes::Auto,
        },
        accounts: Accounts::default(),
        online_ddl: OnlineDdl::default(),
        retry: Retry { connection: Duration::from_secs(43_200), other: Duration::from_secs(600) },
        retry_shared: None,
        throttle: Throttle::default(),
        heartbeat: Heartbeat { write: true, interval: Duration::from_secs(1) },
        ddl_errors: DdlErrors::Continue,
        alerts: None,
        verify: VerifyOptions::default(),
        precheck: PrecheckOptions::default(),
        allow: Vec::new(),
        digest: "d".repeat(64),
        resolved: serde_json::Value::Null,
    }
}

/// A change of a table of `shop`.
pub(crate) fn change(table: &str, act: Act, stage: Stage, what: &str) -> Change {
    Change {
        kind: ObjectKind::Table,
        source: format!("shop.{table}"),
        destination: format!("shop.{table}"),
        table: Some(TableName::new("shop", table)),
        act,
        stage,
        part: if stage == Stage::Before { Part::Definition } else { Part::Indexes },
        what: what.to_owned(),
        statements: vec![format!("ALTER TABLE `shop`.`{table}` /* {what} */")],
        risk: Risk::Safe,
        outside: false,
        before: None,
        after: None,
    }
}

/// A finding of a check.
pub(crate) fn finding(code: &str, name: &str, severity: Severity, object: Option<&str>) -> Finding {
    let silent = severity == Severity::Passed;
    Finding {
        code: FindingCode::new(code),
        name: name.to_owned(),
        severity,
        ignorable: severity == Severity::Alert,
        ignored: false,
        object: object.map(str::to_owned),
        cause: if silent { String::new() } else { "no primary key and no unique key over NOT NULL columns".to_owned() },
        mend: if silent { String::new() } else { "add a primary key".to_owned() },
    }
}

/// The changes of [`plan`]: one table to be made, one altered, one altered at the cost of a column.
pub(crate) fn changes() -> Vec<Change> {
    let mut create = change("customers", Act::Create, Stage::Before, "create table");
    create.after = Some("CREATE TABLE `customers` (\n  `id` int NOT NULL\n)".to_owned());
    let mut alter = change("orders", Act::Alter, Stage::Before, "add column note; add index ix_c");
    alter.before = Some("CREATE TABLE `orders` (\n  `id` int NOT NULL,\n  PRIMARY KEY (`id`)\n)".to_owned());
    alter.after = Some(
        "CREATE TABLE `orders` (\n  `id` int NOT NULL,\n  `note` text,\n  PRIMARY KEY (`id`),\n  KEY `ix_c` (`note`(10))\n)".to_owned(),
    );
    let mut lose = change("audit", Act::Alter, Stage::Before, "drop column old_ip");
    lose.risk = Risk::Unsafe { action: UnsafeAction::DropColumn, column: Some("old_ip".to_owned()) };
    let index = change("customers", Act::Alter, Stage::After, "add index ix_name");
    vec![create, alter, lose, index]
}

/// The source's tables of [`plan`].
pub(crate) fn source_catalog() -> Catalog {
    let mut customers = table("shop", "customers");
    customers.rows_estimate = 1_234_567;
    customers.data_bytes = 310 << 20;
    let mut log = table("shop", "log");
    log.keys.clear();
    log.rows_estimate = 812;
    log.data_bytes = 96 << 10;
    catalog(vec![table("shop", "audit"), customers, log, table("shop", "orders")])
}

/// A plan with an action of each kind.
pub(crate) fn plan() -> Plan {
    plan_with(&[])
}

/// As [`plan`], with ids of `--allow-unsafe`.
pub(crate) fn plan_with(allow_unsafe: &[String]) -> Plan {
    let spec = spec();
    let (source, destination) = (server("8.0.36"), server("8.4.3"));
    let source_catalog = source_catalog();
    let destination_catalog = catalog(vec![table("shop", "audit"), table("shop", "orders")]);
    let scope = Scope::new(spec.selection(), &source_catalog, &destination);
    let progress = Progress { copied: ["audit", "orders"].map(|t| TableName::new("shop", t)).into_iter().collect(), ..Progress::default() };
    let mut findings: Vec<Finding> = (1..=21).map(|i| finding(&format!("DT2{i:02}"), "fine", Severity::Passed, None)).collect();
    let mut alert = finding("DT221", "table-keys", Severity::Alert, Some("shop.log"));
    alert.ignored = true;
    findings.push(alert);
    build(Inputs {
        spec: &spec,
        created_at: "2026-11-20T09:00:00Z".to_owned(),
        source: ServerFacts { address: "db1:3306", info: &source, catalog: &source_catalog },
        destination: ServerFacts { address: "db2:3306", info: &destination, catalog: &destination_catalog },
        scope: &scope,
        changes: &changes(),
        cutover: &[],
        progress: &progress,
        follow: None,
        findings,
        allow_unsafe,
    })
}
