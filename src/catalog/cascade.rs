//! Foreign keys that change rows by themselves.
//!
//! Only those are modelled: what RESTRICT and NO ACTION refuse has not happened at the source, and our sessions at the destination do not
//! check.

use serde::{Deserialize, Serialize};

use super::{Column, ColumnMap, Table, TableName, TypeKind};
use crate::ddl::{Clause, Definition};

/// What a foreign key does to a child's row when its parent's goes or gets another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reaction {
    /// Nothing; it refuses the change where there are such rows.
    Nothing,
    /// `CASCADE`.
    Cascade,
    /// `SET NULL`.
    SetNull,
}

/// A foreign key of which at least one rule changes the child's rows. Displayed as its rules, e.g. `ON DELETE CASCADE ON UPDATE SET NULL`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CascadingKey {
    /// The constraint's name; empty where the text gives none.
    pub name: String,
    /// The child's columns.
    pub columns: Vec<String>,
    /// The parent.
    pub parent: TableName,
    /// The parent's columns, in the order of `columns`.
    pub parent_columns: Vec<String>,
    /// When the parent's row goes.
    pub on_delete: Reaction,
    /// When the parent's value changes.
    pub on_update: Reaction,
}

impl CascadingKey {
    /// The same rule between the same columns, whatever it is called. Names of columns are compared without regard to case, as servers do.
    pub fn is_like(&self, other: &Self) -> bool {
        let same = |a: &[String], b: &[String]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_lowercase() == b.to_lowercase());
        self.parent == other.parent
            && (self.on_delete, self.on_update) == (other.on_delete, other.on_update)
            && same(&self.columns, &other.columns)
            && same(&self.parent_columns, &other.parent_columns)
    }
}

impl CascadingKey {
    /// Why what it does cannot be done again at the destination, without values; `None` where it can. `is_parent`: cascading keys of other
    /// followed tables refer to the child.
    pub fn why_not(&self, parent: &Table, child: &Table, columns: &ColumnMap, is_parent: bool) -> Option<String> {
        if parent.system_versioned {
            return Some(format!("{} keeps its history, and a row that goes is there a change", parent.name));
        }
        for (name, parent_name) in self.columns.iter().zip(&self.parent_columns) {
            let (Some(here), Some(there)) = (column(child, name), column(parent, parent_name)) else {
                return Some(format!("its columns are not those of {} and {}", child.name, parent.name));
            };
            if here.generated || columns.name(&here.name).is_none() {
                return Some(format!("column {} does not go to the destination", here.name));
            }
            use TypeKind::{Bit, Bytes, Date, DateTime, Decimal, Integer, NamedText, Text, Time, Timestamp, Year};
            let exact = matches!(here.kind, Integer | Decimal | Bit | Text | Bytes | Date | DateTime | Timestamp | Time | Year | NamedText);
            if !exact || here.kind != there.kind || here.charset != there.charset {
                return Some(format!("values of column {} ({}) are not compared exactly", here.name, here.column_type));
            }
        }
        let filter = columns.rows()?;
        if is_parent {
            return Some(format!("foreign keys refer to rows of {} that `where` may leave out", child.name));
        }
        let changes = self.on_delete == Reaction::SetNull || self.on_update != Reaction::Nothing;
        let named = self.columns.iter().find(|name| changes && filter.condition.names(name))?;
        Some(format!("it changes column {named}, which `where` names"))
    }
}

fn column<'t>(table: &'t Table, name: &str) -> Option<&'t Column> {
    table.columns.iter().find(|c| c.name.to_lowercase() == name.to_lowercase())
}

impl std::fmt::Display for CascadingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = |event: &str, reaction| match reaction {
            Reaction::Nothing => None,
            Reaction::Cascade => Some(format!("ON {event} CASCADE")),
            Reaction::SetNull => Some(format!("ON {event} SET NULL")),
        };
        let rules: Vec<String> = [words("DELETE", self.on_delete), words("UPDATE", self.on_update)].into_iter().flatten().collect();
        f.write_str(&rules.join(" "))
    }
}

/// The keys of a definition that change rows. SET DEFAULT counts as nothing: InnoDB does not take it (manual: foreign key constraints).
pub(super) fn cascading_keys(definition: &Definition, table: &TableName) -> Vec<CascadingKey> {
    let keys = definition.items.iter().filter_map(|item| match &item.clause {
        Clause::ForeignKey(key) => Some(key),
        _ => None,
    });
    keys.map(|key| CascadingKey {
        name: key.name.clone().unwrap_or_default(),
        columns: key.columns.clone(),
        parent: TableName::new(key.target_database.clone().unwrap_or_else(|| table.database.clone()), key.target_table.clone()),
        parent_columns: key.target_columns.clone(),
        on_delete: reaction(&key.actions, "ON DELETE "),
        on_update: reaction(&key.actions, "ON UPDATE "),
    })
    .filter(|key| (key.on_delete, key.on_update) != (Reaction::Nothing, Reaction::Nothing))
    .collect()
}

fn reaction(actions: &str, event: &str) -> Reaction {
    let actions = actions.to_ascii_uppercase();
    match actions.split_once(event).map(|(_, rule)| rule) {
        Some(rule) if rule.starts_with("CASCADE") => Reaction::Cascade,
        Some(rule) if rule.starts_with("SET NULL") => Reaction::SetNull,
        _ => Reaction::Nothing,
    }
}

impl Table {
    /// Its foreign keys that change its rows; none where an older version of dtsctl has noted the table without them.
    pub fn cascading_keys(&self) -> &[CascadingKey] {
        self.cascades.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_that_change_rows_are_read() {
        let text = "CREATE TABLE `c` (\n  `a` int(11) DEFAULT NULL,\n  `b` int(11) DEFAULT NULL,\n  KEY `k` (`a`,`b`),\n  \
                    CONSTRAINT `one` FOREIGN KEY (`a`, `b`) REFERENCES `other`.`p` (`x`, `y`) ON DELETE SET NULL ON UPDATE CASCADE,\n  \
                    CONSTRAINT `two` FOREIGN KEY (`a`) REFERENCES `p` (`x`) ON DELETE CASCADE,\n  \
                    CONSTRAINT `three` FOREIGN KEY (`a`) REFERENCES `p` (`x`) ON DELETE NO ACTION,\n  \
                    CONSTRAINT `four` FOREIGN KEY (`a`) REFERENCES `p` (`x`)\n) ENGINE=InnoDB";
        let found = cascading_keys(&Definition::parse(text).unwrap(), &TableName::new("db", "c"));
        let shown: Vec<String> = found.iter().map(|k| format!("{} {} {k}", k.name, k.parent)).collect();
        assert_eq!(shown, ["one other.p ON DELETE SET NULL ON UPDATE CASCADE", "two db.p ON DELETE CASCADE"]);
        assert_eq!(found[0].columns, ["a", "b"]);
        assert_eq!(found[0].parent_columns, ["x", "y"]);
        assert!(found[0].is_like(&CascadingKey { name: "renamed".into(), ..found[0].clone() }));
        assert!(!found[0].is_like(&CascadingKey { on_update: Reaction::Nothing, ..found[0].clone() }));
    }
}
