//! DT280: has each table the columns that its `where` names, and do they compare alike at all times? (Requirement D13.)

use super::{Check, Facts, Finding, Ignorable, Selected};
use crate::{
    catalog::{Column, TypeKind},
    ddl::condition::Condition,
};

pub(super) const CHECK: Check = Check { code: "DT280", name: "filter-columns", ignorable: Ignorable::No, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if facts.follows_already() {
        return Vec::new();
    }
    facts.tables.iter().filter_map(|table| judge(table, facts.spec.phases.incremental)).collect()
}

fn judge(table: &Selected<'_>, follows: bool) -> Option<Finding> {
    let condition = &table.pair.columns.rows()?.condition;
    let source = &table.pair.source;
    if let Some(column) = table.pair.columns.lacks(table.source) {
        let cause = format!("`where` names column {column}, and {source} has none");
        return Some(CHECK.failed(table.object(), cause, "correct the name, or put a text into single quotes"));
    }
    let named: Vec<&Column> = table.source.columns.iter().filter(|column| condition.names(&column.name)).collect();
    let odd = named.iter().find(|c| matches!(c.kind, TypeKind::Json | TypeKind::Geometry | TypeKind::Vector | TypeKind::Other));
    if let Some(column) = odd {
        let cause =
            format!("`where` names column {} of {source}, whose type {} has no comparison of its own", column.name, column.column_type);
        return Some(CHECK.failed(table.object(), cause, "choose the rows by other columns"));
    }
    if let Some(column) = named.iter().find(|c| follows && (c.generated || c.row_period)) {
        let cause =
            format!("`where` names column {} of {source}, which the server computes: not every row image has its value", column.name);
        return Some(CHECK.failed(table.object(), cause, "write the expression out over the columns that it is computed from"));
    }
    let time = named.iter().find(|c| c.kind == TypeKind::Time)?;
    if !depends_on_today(condition, &named) {
        return None;
    }
    let cause = format!("`where` holds {} of {source}, a TIME, beside a date: the server makes it one of today", time.name);
    Some(CHECK.failed(table.object(), cause, "compare a TIME with a TIME or a text"))
}

/// A TIME beside a date becomes one by way of the current date (manual: Conversion Between Date and Time Types).
fn depends_on_today(condition: &Condition, named: &[&Column]) -> bool {
    let date = |c: &&&Column| matches!(c.kind, TypeKind::Date | TypeKind::DateTime | TypeKind::Timestamp | TypeKind::Year);
    condition.asks_for_dates() || named.iter().any(|c| date(&c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precheck::bench::Bench;

    #[test]
    fn a_condition_is_about_columns_that_are_there_and_stay_what_they_are() {
        let mut bench = Bench::following();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        bench.follow = Some(crate::plan::FollowState::default());
        let mut judged = |condition: &str, kind: TypeKind, generated: bool| {
            bench.spec.objects = vec![crate::plan::sample::filtered("shop", "t", condition)];
            let column = &mut bench.table().columns[1];
            (column.kind, column.generated) = (kind, generated);
            bench.run(&CHECK)
        };
        assert_eq!(judged("NAME = 'x' AND id > 1", TypeKind::Text, false), Vec::<String>::new());
        assert_eq!(judged("nowhere = 1", TypeKind::Text, false), ["failed shop.t"]);
        assert_eq!(judged("name = 'x'", TypeKind::Json, false), ["failed shop.t"]);
        assert_eq!(judged("name = 'x'", TypeKind::Text, true), ["failed shop.t"]);
        assert_eq!(judged("name > '10:00'", TypeKind::Time, false), Vec::<String>::new());
        assert_eq!(judged("name > DATE '2020-01-01'", TypeKind::Time, false), ["failed shop.t"]);
        assert_eq!(judged("YEAR(name) > 2020", TypeKind::Time, false), ["failed shop.t"]);
    }
}
