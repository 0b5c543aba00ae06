//! Names of tables in a definition, replaced where they stand; every other byte stays as it was.

use super::{
    definition::{Clause, Definition, DefinitionError},
    lex::{self, Kind, Mode},
};

/// Why names could not be replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenameError {
    /// The text is not understood.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// A name that the mapping does not know.
    #[error("the definition of {database}.{table} refers to it, but it has no name at the destination")]
    Unmapped {
        /// Its database.
        database: String,
        /// Its name.
        table: String,
    },
}

/// Where a table goes: database and name to database and name; `None` for what does not go.
pub type Names<'a> = &'a dyn Fn(&str, &str) -> Option<(String, String)>;

/// The text of `SHOW CREATE TABLE` with its own name, the targets of its foreign keys and the sequences in its defaults replaced, all
/// in full. `database` is the one the table is in, which the text does not say.
///
/// # Errors
/// [`RenameError`].
pub fn create_table(text: &str, database: &str, names: Names<'_>) -> Result<String, RenameError> {
    let definition = Definition::parse(text)?;
    let mut edits = vec![(definition.name_span.clone(), full(database, &definition.name, names)?)];
    for item in &definition.items {
        match &item.clause {
            Clause::ForeignKey(key) => {
                let target = key.target_database.as_deref().unwrap_or(database);
                edits.push((key.target_span.clone(), full(target, &key.target_table, names)?));
            }
            Clause::Column(column) if column.default.is_some() => {
                let part = &text[item.span.clone()];
                let tokens = lex::significant(part, Mode::default());
                for w in tokens.windows(5) {
                    let call = ["nextval", "lastval", "setval"].iter().any(|f| w[0].is_word(part, f)) && w[1].is_symbol(part, "(");
                    if call && w[2].kind == Kind::Quoted && w[3].is_symbol(part, ".") {
                        let (of, name) = (lex::name_of(w[2].text(part)), lex::name_of(w[4].text(part)));
                        edits.push((item.span.start + w[2].start..item.span.start + w[4].end, full(&of, &name, names)?));
                    }
                }
            }
            _ => {}
        }
    }
    let mut out = text.to_owned();
    for (span, name) in edits.into_iter().rev() {
        out.replace_range(span, &name);
    }
    Ok(out)
}

fn full(database: &str, table: &str, names: Names<'_>) -> Result<String, RenameError> {
    let quote = |name: &str| format!("`{}`", name.replace('`', "``"));
    match names(database, table) {
        Some((database, table)) => Ok(format!("{}.{}", quote(&database), quote(&table))),
        None => Err(RenameError::Unmapped { database: database.to_owned(), table: table.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(database: &str, table: &str) -> Option<(String, String)> {
        (database != "other").then(|| (format!("{database}_dr"), format!("{table}`2")))
    }

    #[test]
    fn names_change_where_they_are_names_and_nowhere_else() {
        let text = "CREATE TABLE `t` (\n  `t` int COMMENT '`t` REFERENCES `t`',\n  `n` bigint(20) DEFAULT nextval(`d`.`s`),\n  CONSTRAINT `t` FOREIGN KEY (`t`) REFERENCES `t` (`t`),\n  CONSTRAINT `u` FOREIGN KEY (`n`) REFERENCES `e`.`t` (`t`) ON DELETE CASCADE,\n  CONSTRAINT `ck` CHECK (`t` > 1)\n) ENGINE=InnoDB";
        let expected = "CREATE TABLE `d_dr`.`t``2` (\n  `t` int COMMENT '`t` REFERENCES `t`',\n  `n` bigint(20) DEFAULT nextval(`d_dr`.`s``2`),\n  CONSTRAINT `t` FOREIGN KEY (`t`) REFERENCES `d_dr`.`t``2` (`t`),\n  CONSTRAINT `u` FOREIGN KEY (`n`) REFERENCES `e_dr`.`t``2` (`t`) ON DELETE CASCADE,\n  CONSTRAINT `ck` CHECK (`t` > 1)\n) ENGINE=InnoDB";
        assert_eq!(create_table(text, "d", &names).unwrap(), expected);
    }

    #[test]
    fn a_target_that_does_not_go_is_named() {
        let text = "CREATE TABLE `t` (\n  `a` int,\n  CONSTRAINT `u` FOREIGN KEY (`a`) REFERENCES `other`.`x` (`a`)\n) ENGINE=InnoDB";
        let error = create_table(text, "d", &names).unwrap_err();
        assert_eq!(error, RenameError::Unmapped { database: "other".to_owned(), table: "x".to_owned() });
    }
}
