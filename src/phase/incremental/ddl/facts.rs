//! What must be known of the source to understand its statements, read once.

use std::collections::BTreeMap;

use crate::{
    catalog::CatalogError,
    connect::{Flavor, Session},
};

/// A collation by its number in the binlog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collation {
    /// Its name.
    pub name: String,
    /// The charset it is of.
    pub charset: String,
}

/// The source, as far as its statements ask.
#[derive(Debug, Clone)]
pub struct SourceFacts {
    /// Vendor and version.
    pub flavor: Flavor,
    /// Names of databases and tables are folded to lower case.
    pub folds: bool,
    /// Collations by number.
    pub collations: BTreeMap<u16, Collation>,
    /// The collation that a charset has when none is named.
    pub defaults: BTreeMap<String, String>,
    /// The default collation of each database.
    pub databases: BTreeMap<String, String>,
    /// The engine of tables that name none, unless their session has another: that is not in the binlog.
    pub engine: String,
    /// The zone that `SYSTEM` is there.
    pub system_zone: String,
}

impl SourceFacts {
    /// Reads them over a session for the catalog.
    ///
    /// # Errors
    /// As the connection fails.
    pub fn read(session: &mut Session) -> Result<Self, CatalogError> {
        // MariaDB names its UCA 14 collations without their charset in COLLATIONS, and with several numbers, one a charset, only here.
        let list = if session.flavor().has_full_collation_names() {
            "SELECT ID, FULL_COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY"
        } else {
            "SELECT ID, COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATIONS"
        };
        let rows = session.query("reading the source's collations", list)?;
        let collations = (0..rows.len())
            .filter_map(|r| {
                let id = rows.number_at(r, 0).and_then(|id| u16::try_from(id).ok())?;
                Some((id, Collation { name: rows.text_at(r, 1)?, charset: rows.text_at(r, 2)? }))
            })
            .collect();
        let rows = session.query(
            "reading the source's charsets",
            "SELECT CHARACTER_SET_NAME, DEFAULT_COLLATE_NAME FROM information_schema.CHARACTER_SETS",
        )?;
        let defaults = (0..rows.len()).filter_map(|r| Some((rows.text_at(r, 0)?, rows.text_at(r, 1)?))).collect();
        let rows = session
            .query("reading the source's databases", "SELECT SCHEMA_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA")?;
        let databases = (0..rows.len()).filter_map(|r| Some((rows.text_at(r, 0)?, rows.text_at(r, 1)?))).collect();
        Ok(Self {
            flavor: session.flavor(),
            folds: session.info().folds_names(),
            collations,
            defaults,
            databases,
            engine: session.info().variable("default_storage_engine").unwrap_or("InnoDB").to_owned(),
            system_zone: session.info().variable("system_time_zone").unwrap_or_default().to_owned(),
        })
    }
}
