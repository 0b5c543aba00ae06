//! The text of a statement for the destination.

use super::{DdlError, Occurrence, carrier::Carrier, decide::Plan, reading::Read, session};
use crate::{
    binlog::Statement,
    ddl::statement::{Edit, PieceKind, apply},
};

impl Carrier {
    /// The statement for the destination.
    pub(super) fn sql(&mut self, at: Occurrence<'_>, read: &Read, plan: &Plan) -> Result<String, Written> {
        let flavor = self.destination_flavor().map_err(Written::error)?;
        let mut edits = plan.edits.clone();
        for piece in read.classified.pieces.iter().filter(|p| p.kind == PieceKind::SetStatement) {
            if !flavor.is_mariadb() {
                let what = "it sets variables for itself (SET STATEMENT), which the destination does not know".to_owned();
                return Err(Written::Cannot(what));
            }
            tracing::debug!(bytes = piece.clause.len(), "SET STATEMENT is carried");
        }
        for (charset, end) in &plan.charsets {
            if let Some(collation) = self.collation_of(charset, at.statement).map_err(Written::error)? {
                edits.push(Edit::Replace(*end..*end, format!(" COLLATE {collation}")));
            }
        }
        if let Some((end, source, destination)) = &plan.default_of
            && let Some(wanted) = self.settings.source.databases.get(source).and_then(|c| self.settings.translate.collation(c))
        {
            let name = destination.clone();
            let has = self.looking(|session| session::database_collation(session, &name)).map_err(|e| Written::error(e.into()))?;
            if has.is_some_and(|has| has != wanted) {
                edits.push(Edit::Replace(*end..*end, format!(" COLLATE {wanted}")));
            }
        }
        Ok(apply(&read.text, read.mode, edits))
    }

    /// The collation to name beside a charset, where the destination would choose another than the source did.
    fn collation_of(&mut self, charset: &str, statement: &Statement) -> Result<Option<String>, DdlError> {
        let charset = charset.to_lowercase();
        let charset = if charset == "utf8" { "utf8mb3".to_owned() } else { charset };
        let source = &self.settings.source;
        let recorded =
            statement.collation_utf8mb4.filter(|_| charset == "utf8mb4").and_then(|id| source.collations.get(&id)).map(|c| c.name.clone());
        let old = if charset == "utf8mb3" { source.defaults.get("utf8").cloned() } else { None };
        let Some(theirs) = recorded.or_else(|| source.defaults.get(&charset).cloned()).or(old) else { return Ok(None) };
        let Some(wanted) = self.settings.translate.collation(&theirs) else { return Ok(None) };
        if self.defaults.is_none() {
            self.defaults = Some(self.looking(session::default_collations)?);
        }
        let ours = self.defaults.as_ref().and_then(|d| d.get(&charset).or_else(|| d.get("utf8").filter(|_| charset == "utf8mb3")));
        Ok((ours != Some(&wanted)).then_some(wanted))
    }
}

/// Why a statement's text for the destination could not be had.
pub(super) enum Written {
    Cannot(String),
    Error(Box<DdlError>),
}

impl Written {
    fn error(error: DdlError) -> Self {
        Self::Error(Box::new(error))
    }
}
