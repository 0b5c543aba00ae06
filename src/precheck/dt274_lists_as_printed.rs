//! DT274: are the members of ENUM and SET columns as the source prints them?

use super::{Check, Facts, Finding, Ignorable};

pub(super) const CHECK: Check = Check { code: "DT274", name: "lists-as-printed", ignorable: Ignorable::Alerts, run };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mend = "at the source: ALTER TABLE ... MODIFY the column to VARBINARY, change the bytes, and MODIFY it to its list again";
    let found = facts.gathered.bent_lists.iter().filter_map(|list| {
        let object = facts.scope.pair(&list.table)?.destination.to_string();
        let column = &list.column;
        Some(match list.certain {
            true => CHECK.failed(
                object,
                format!("column {column}: a member of its list is no text in the column's charset, and the source prints it cut short"),
                mend,
            ),
            false => CHECK.alert(
                object,
                format!("column {column}: a member of its list is printed empty, and no row tells whether it is"),
                "look at it: a table that went through CONVERT TO CHARACTER SET may have lost the member's text",
            ),
        })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::TableName,
        precheck::{BentList, bench::Bench},
    };

    #[test]
    fn a_list_that_is_not_as_printed_is_refused() {
        let mut bench = Bench::new();
        assert_eq!(bench.run(&CHECK), Vec::<String>::new());
        let list = |certain| BentList { table: TableName::new("shop", "t"), column: "e".to_owned(), certain };
        bench.gathered.bent_lists = vec![list(true), list(false)];
        assert_eq!(bench.run(&CHECK), ["failed shop.t", "alert shop.t"]);
    }
}
