//! Which databases and tables the spec selects, and what they are called at the destination.
//!
//! Pure functions over names: the catalog is asked elsewhere. When several entries match a name, a literal one wins
//! over a glob, and among globs the first of the file wins; the same rule holds for the tables inside an entry.

use super::{
    model::{NameCase, ObjectSelection, OnlineDdl, Operation, TableSelection},
    rename::{Rename, RenamePattern},
};

/// Databases that no task selects: the servers' own, and `dts`, which holds dtsctl's progress.
pub const SYSTEM_DATABASES: [&str; 5] = ["information_schema", "performance_schema", "mysql", "sys", "dts"];

/// Whether `database` is a server's own or dtsctl's, in any letter case.
pub fn is_system_database(database: &str) -> bool {
    SYSTEM_DATABASES.iter().any(|name| name.eq_ignore_ascii_case(database))
}

/// Answers what the spec selects.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    objects: &'a [ObjectSelection],
    case: NameCase,
    /// `lower_case_table_names` of the destination, as far as it is known.
    table_names: u64,
    /// Tables of online schema changes, which are left out.
    online: Option<&'a OnlineDdl>,
}

fn pattern(rename: Option<&Rename>) -> Option<&RenamePattern> {
    match rename? {
        Rename::By(pattern) => Some(pattern),
        Rename::To(_) => None,
    }
}

/// A selected table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected<'a> {
    /// The database's name at the destination.
    pub destination_db: String,
    /// The table's name at the destination.
    pub destination_table: String,
    /// The entry of `tables` that selected it; `None` when its whole database is selected.
    pub entry: Option<&'a TableSelection>,
}

impl<'a> Selection<'a> {
    /// A selection over the entries of `objects`.
    pub fn new(objects: &'a [ObjectSelection]) -> Self {
        Self { objects, case: NameCase::Default, table_names: 0, online: None }
    }

    /// The same with a policy of capitalisation.
    pub fn written(self, case: NameCase) -> Self {
        Self { case, ..self }
    }

    /// The same without the tables of online schema changes, where the spec says that they are not carried.
    pub fn without_online(self, online: &'a OnlineDdl) -> Self {
        Self { online: Some(online), ..self }
    }

    /// The same for a destination with this `lower_case_table_names`.
    pub fn at(self, lower_case_table_names: u64) -> Self {
        Self { table_names: lower_case_table_names, ..self }
    }

    /// How the names of columns are written.
    pub fn column_case(&self) -> NameCase {
        self.case
    }

    /// A database's or table's name of the source as it is written at the destination (requirements 2.3). With
    /// `lower_case_table_names=1` the server stores every name in lower case, whatever it was given.
    fn name(&self, name: &str) -> String {
        match (self.case, self.table_names) {
            (_, 1) | (NameCase::Default, 2) | (NameCase::Lower, _) => name.to_lowercase(),
            (NameCase::Default | NameCase::Source, _) => name.to_owned(),
            (NameCase::Upper, _) => name.to_uppercase(),
        }
    }

    /// A name that the spec gives outright.
    fn given(&self, name: &str) -> String {
        if self.table_names == 1 { name.to_lowercase() } else { name.to_owned() }
    }

    fn database_name(&self, entry: &ObjectSelection, database: &str) -> String {
        // A pattern never leads into a server's own database: the plan refuses it (DT291).
        let renamed = match entry.rename.as_ref() {
            Some(Rename::By(pattern)) => pattern.apply(database).filter(|name| !is_system_database(name)),
            rename => rename.and_then(|rename| rename.apply(database)),
        };
        renamed.map_or_else(|| self.name(database), |name| self.given(&name))
    }

    /// The entries of `objects`, in the order of the file.
    pub fn databases(&self) -> &'a [ObjectSelection] {
        self.objects
    }

    /// The entry that selects this source database, if any.
    pub fn database(&self, database: &str) -> Option<&'a ObjectSelection> {
        if is_system_database(database) {
            return None;
        }
        let matching = || self.objects.iter().filter(|entry| entry.database.matches(database));
        matching().find(|entry| !entry.database.is_glob()).or_else(|| matching().next())
    }

    /// Whether anything of this source database is selected.
    pub fn matches_database(&self, database: &str) -> bool {
        self.database(database).is_some()
    }

    /// Whether this source database is selected as a whole: with what is not a table, and with what appears later.
    pub fn whole_database(&self, database: &str) -> bool {
        self.database(database).is_some_and(|entry| entry.tables.is_none())
    }

    /// The name of a selected source database at the destination.
    pub fn destination_database(&self, database: &str) -> Option<String> {
        self.database(database).map(|entry| self.database_name(entry, database))
    }

    /// A source table, or a view of a whole database: whether it is selected, and its name at the destination.
    pub fn table(&self, database: &str, table: &str) -> Option<Selected<'a>> {
        let object = self.database(database)?;
        if object.exclude.iter().any(|pattern| pattern.matches(table)) {
            return None;
        }
        if self.online.is_some_and(|online| online.shadow_of(table).or_else(|| online.trash_of(table)).is_some()) {
            return None;
        }
        let entry = match &object.tables {
            None => None,
            Some(tables) => {
                let matching = || tables.iter().filter(|entry| entry.name.matches(table));
                Some(matching().find(|entry| !entry.name.is_glob()).or_else(|| matching().next())?)
            }
        };
        Some(Selected {
            destination_db: self.database_name(object, database),
            destination_table: match entry {
                Some(entry) => entry.rename.as_ref().and_then(|rename| rename.apply(table)),
                None => object.rename_tables.as_ref().and_then(|pattern| pattern.apply(table)),
            }
            .map_or_else(|| self.name(table), |name| self.given(&name)),
            entry,
        })
    }

    /// The pattern by which this source database is renamed, whether it matches or not.
    pub fn database_pattern(&self, database: &str) -> Option<&'a RenamePattern> {
        pattern(self.database(database)?.rename.as_ref())
    }

    /// The pattern by which this selected table or view is renamed, whether it matches or not.
    pub fn table_pattern(&self, database: &str, table: &str) -> Option<&'a RenamePattern> {
        match self.table(database, table)?.entry {
            Some(entry) => pattern(entry.rename.as_ref()),
            None => self.database(database)?.rename_tables.as_ref(),
        }
    }

    /// The operations that the incremental phase carries of a selected table, or of what else its database has (`table` is then any name of
    /// it). All where the spec does not choose, and for what is not selected.
    pub fn operations(&self, database: &str, table: &str) -> &'a [Operation] {
        let entry = self.table(database, table).and_then(|selected| selected.entry);
        let own = entry.and_then(|entry| entry.operations.as_deref());
        let whole = || self.database(database).and_then(|object| object.operations.as_deref());
        own.or_else(whole).unwrap_or(&Operation::ALL)
    }

    /// Names in the spec that must exist at the source: literal databases, and literal tables as (database, table).
    pub fn expected(&self) -> (Vec<&'a str>, Vec<(&'a str, &'a str)>) {
        let mut databases = Vec::new();
        let mut tables = Vec::new();
        for entry in self.objects {
            let Some(database) = entry.database.literal() else { continue };
            databases.push(database);
            for table in entry.tables.iter().flatten() {
                if let Some(name) = table.name.literal() {
                    tables.push((database, name));
                }
            }
        }
        (databases, tables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::model::OnlineDdlMode;
    use crate::spec::pattern::Pattern;

    fn entry(database: &str, rename: Option<&str>, exclude: &[&str], tables: Option<&[(&str, Option<&str>)]>) -> ObjectSelection {
        ObjectSelection {
            database: Pattern::new(database),
            rename: rename.map(|name| Rename::To(name.to_owned())),
            rename_tables: None,
            operations: None,
            exclude: exclude.iter().map(|name| Pattern::new(*name)).collect(),
            tables: tables.map(|tables| {
                tables
                    .iter()
                    .map(|(name, rename)| TableSelection {
                        name: Pattern::new(*name),
                        rename: rename.map(|name| Rename::To(name.to_owned())),
                        filter: None,
                        columns: None,
                        operations: None,
                    })
                    .collect()
            }),
        }
    }

    fn names(selected: Option<Selected<'_>>) -> Option<(String, String)> {
        selected.map(|selected| (selected.destination_db, selected.destination_table))
    }

    fn pair(database: &str, table: &str) -> Option<(String, String)> {
        Some((database.to_owned(), table.to_owned()))
    }

    #[test]
    fn a_whole_database_follows_its_rename_and_leaves_out_what_is_excluded() {
        let objects = [entry("shop", Some("shop_dr"), &["tmp_*"], None)];
        let selection = Selection::new(&objects);
        assert_eq!(names(selection.table("shop", "orders")), pair("shop_dr", "orders"));
        assert_eq!(names(selection.table("shop", "tmp_1")), None);
        assert_eq!(names(selection.table("Shop", "orders")), None);
        assert!(selection.whole_database("shop"));
        assert_eq!(selection.destination_database("shop").as_deref(), Some("shop_dr"));
    }

    #[test]
    fn tables_of_online_changes_are_left_out_when_the_spec_says_so() {
        let objects = [entry("shop", None, &[], None)];
        let pattern = |text: &str| vec![regex::Regex::new(text).unwrap()];
        let mut online = OnlineDdl { mode: OnlineDdlMode::GhOst, shadow: pattern("^_(.+)_gho$"), trash: pattern("^_(.+)_(?:ghc|del)$") };
        assert_eq!(online.shadow_of("_orders_gho").as_deref(), Some("orders"));
        for (table, left_out) in [("orders", false), ("_orders_gho", true), ("_orders_del", true), ("_orders_old", false)] {
            let selection = Selection::new(&objects).without_online(&online);
            assert_eq!(selection.table("shop", table).is_none(), left_out, "{table}");
        }
        online.mode = OnlineDdlMode::Copy;
        assert!(Selection::new(&objects).without_online(&online).table("shop", "_orders_gho").is_some());
    }

    #[test]
    fn a_literal_name_wins_over_a_glob_wherever_it_stands() {
        let objects =
            [entry("s*", None, &[], None), entry("shop", Some("shop_dr"), &[], Some(&[("log_*", None), ("log_1", Some("first_log"))]))];
        let selection = Selection::new(&objects);
        assert_eq!(names(selection.table("shop", "log_1")), pair("shop_dr", "first_log"));
        assert_eq!(names(selection.table("shop", "log_2")), pair("shop_dr", "log_2"));
        assert_eq!(names(selection.table("shop", "orders")), None);
        assert_eq!(names(selection.table("stock", "orders")), pair("stock", "orders"));
        assert_eq!(selection.expected(), (vec!["shop"], vec![("shop", "log_1")]));
    }

    #[test]
    fn capitalisation_follows_the_policy_and_the_destinations_own_rule() {
        let objects = [entry("Shop", None, &[], Some(&[("Orders", None), ("Log", Some("LogCopy"))]))];
        for (case, table_names, orders, log) in [
            (NameCase::Default, 0, ("Shop", "Orders"), ("Shop", "LogCopy")),
            (NameCase::Default, 1, ("shop", "orders"), ("shop", "logcopy")),
            (NameCase::Default, 2, ("shop", "orders"), ("shop", "LogCopy")),
            (NameCase::Source, 2, ("Shop", "Orders"), ("Shop", "LogCopy")),
            (NameCase::Upper, 0, ("SHOP", "ORDERS"), ("SHOP", "LogCopy")),
            (NameCase::Upper, 1, ("shop", "orders"), ("shop", "logcopy")),
            (NameCase::Lower, 0, ("shop", "orders"), ("shop", "LogCopy")),
        ] {
            let selection = Selection::new(&objects).written(case).at(table_names);
            assert_eq!(names(selection.table("Shop", "Orders")), pair(orders.0, orders.1), "{case:?} {table_names}");
            assert_eq!(names(selection.table("Shop", "Log")), pair(log.0, log.1), "{case:?} {table_names}");
            assert_eq!(selection.destination_database("Shop").as_deref(), Some(orders.0));
        }
    }

    #[test]
    fn patterns_give_names_to_what_they_match_and_leave_the_rest() {
        let by = |text: &str, to: &str| RenamePattern::new(text, to).unwrap();
        let mut whole = entry("shop_*", None, &[], None);
        whole.rename = Some(Rename::By(by("shop_(.+)", "dr_$1")));
        whole.rename_tables = Some(by(r"t_(\d+)", "Orders_$1"));
        let mut tables = entry("crm", None, &[], Some(&[("t_*", None), ("t_1", Some("first"))]));
        tables.tables.as_mut().unwrap()[0].rename = Some(Rename::By(by(r"t_(\d+)", "u_$1")));
        let mut system = entry("my*", None, &[], None);
        system.rename = Some(Rename::By(by("my(.+)", "$1")));
        let objects = [whole, tables, system];
        let selection = Selection::new(&objects);
        assert_eq!(names(selection.table("shop_eu", "t_7")), pair("dr_eu", "Orders_7"));
        assert_eq!(names(selection.table("shop_eu", "t_x")), pair("dr_eu", "t_x"));
        assert_eq!(names(selection.table("crm", "t_1")), pair("crm", "first"));
        assert_eq!(names(selection.table("crm", "t_2")), pair("crm", "u_2"));
        assert_eq!(selection.destination_database("mysys").as_deref(), Some("mysys"));
        assert!(selection.table_pattern("shop_eu", "t_x").is_some() && selection.table_pattern("crm", "t_1").is_none());
        // What comes out is the spec's own name; what is not matched follows the policy.
        assert_eq!(names(selection.written(NameCase::Upper).table("shop_eu", "t_7")), pair("dr_eu", "Orders_7"));
        assert_eq!(names(selection.written(NameCase::Upper).table("shop_eu", "t_x")), pair("dr_eu", "T_X"));
        assert_eq!(names(selection.at(1).table("shop_eu", "t_7")), pair("dr_eu", "orders_7"));
    }

    #[test]
    fn no_glob_selects_a_system_database() {
        let objects = [entry("*", None, &[], None)];
        let selection = Selection::new(&objects);
        for name in ["mysql", "SYS", "information_schema", "performance_schema", "dts"] {
            assert!(!selection.matches_database(name), "{name}");
        }
        assert!(selection.matches_database("dts2"));
    }
}
