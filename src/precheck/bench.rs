//! A desk for trying checks: facts of a task in which all is well, to be spoilt by a test.

use super::{Check, Clock, EndFacts, Facts, Gathered};
use crate::{
    catalog::{Catalog, Table, TableName},
    connect::ServerInfo,
    diff::Diff,
    plan::{FollowState, Progress, Scope, ServerFacts, sample},
    spec::Spec,
};

pub(super) struct Bench {
    pub(super) spec: Spec,
    pub(super) source_info: ServerInfo,
    pub(super) destination_info: ServerInfo,
    pub(super) source: Catalog,
    pub(super) destination: Catalog,
    pub(super) progress: Progress,
    pub(super) diff: Diff,
    pub(super) gathered: Gathered,
    pub(super) follow: Option<FollowState>,
}

impl Bench {
    /// MySQL 8.4 to MySQL 9.7: table `shop.t` to an empty destination with every right.
    pub(super) fn new() -> Self {
        let all = || vec!["GRANT ALL PRIVILEGES ON *.* TO `dts`@`%` WITH GRANT OPTION".to_owned()];
        let (source_info, destination_info) = (sample::server("8.4.3"), sample::server("9.7.4"));
        let end =
            |info: &ServerInfo| EndFacts { grants: all(), identities: [info.identity.clone()].into_iter().collect(), connected: None };
        Self {
            spec: sample::spec(),
            gathered: Gathered {
                source: end(&source_info),
                destination: end(&destination_info),
                clock: Some(Clock { difference_ms: 3, uncertainty_ms: 2 }),
                ..Gathered::default()
            },
            source_info,
            destination_info,
            source: sample::catalog(vec![sample::table("shop", "t")]),
            destination: Catalog::default(),
            progress: Progress::default(),
            diff: Diff::default(),
            follow: None,
        }
    }

    /// The same with the incremental phase, and a source that is fit for it.
    pub(super) fn following() -> Self {
        let mut bench = Self::new();
        bench.spec.phases.incremental = true;
        bench.log();
        bench
    }

    fn log(&mut self) {
        let variables = [
            ("log_bin", "ON"),
            ("binlog_format", "ROW"),
            ("binlog_row_image", "FULL"),
            ("binlog_expire_logs_seconds", "2592000"),
            ("gtid_mode", "ON"),
            ("log_replica_updates", "ON"),
            ("server_id", "1"),
        ];
        self.source_info.variables.extend(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    /// The source's only table.
    pub(super) fn table(&mut self) -> &mut Table {
        &mut self.source.tables[0]
    }

    /// Puts a table `shop.t` to the destination that is not this sync's.
    pub(super) fn stranger(&mut self) -> &mut Table {
        self.destination = sample::catalog(vec![sample::table("shop", "t")]);
        &mut self.destination.tables[0]
    }

    /// Makes `shop.t` a table of this sync.
    pub(super) fn own(&mut self) {
        self.progress.created.insert(TableName::new("shop", "t"));
    }

    /// A MariaDB of that version as the source.
    pub(super) fn mariadb_source(&mut self) {
        self.source_info = sample::server("10.11.19-MariaDB");
        if self.spec.phases.incremental {
            self.log();
        }
        self.gathered.source.identities = [self.source_info.identity.clone()].into_iter().collect();
    }

    /// A MariaDB as the destination.
    pub(super) fn mariadb_destination(&mut self) {
        self.destination_info = sample::server("10.11.19-MariaDB");
        self.gathered.destination.identities = [self.destination_info.identity.clone()].into_iter().collect();
    }

    pub(super) fn with<T>(&self, judge: impl FnOnce(&Facts<'_>) -> T) -> T {
        let scope = Scope::new(self.spec.selection(), &self.source, &self.destination_info);
        let source = ServerFacts { address: "db1:3306", info: &self.source_info, catalog: &self.source };
        let destination = ServerFacts { address: "db2:3306", info: &self.destination_info, catalog: &self.destination };
        let facts = Facts::new(&self.spec, source, destination, &scope, &self.progress, &self.diff, &self.gathered);
        judge(&Facts { follow: self.follow.as_ref(), ..facts })
    }

    /// What the check finds: `severity object`, without the words.
    pub(super) fn run(&self, check: &Check) -> Vec<String> {
        let findings = self.with(check.run);
        for finding in &findings {
            assert_eq!((finding.code.as_str(), finding.name.as_str()), (check.code, check.name));
            assert!(!finding.cause.is_empty() && !finding.cause.ends_with('.'), "{finding:?}");
        }
        findings.iter().map(|f| format!("{} {}", f.severity.name(), f.object.as_deref().unwrap_or("-"))).collect()
    }

    /// The causes of what the check finds.
    pub(super) fn causes(&self, check: &Check) -> Vec<String> {
        self.with(check.run).into_iter().map(|f| f.cause).collect()
    }
}
