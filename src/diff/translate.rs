//! A source table as it shall be at the destination: names mapped, charsets explicit, clauses in the destination's spelling.

use std::collections::HashSet;

use super::{
    Mapping, Note, UnsafeAction, columns,
    mapping::{self, Fate, Nearness},
    note,
    shape::{ForeignKey, Shape, charset_of, same_name},
    unsupported,
};
use crate::{
    catalog::{Catalog, Table, TableName, quote_name},
    connect::{Flavor, Vendor},
    ddl::{
        ColumnClause, IndexClause, IndexKind, expression,
        lex::{self, Kind, Mode},
    },
};

/// What a table becomes.
pub(super) struct Translated {
    pub(super) shape: Shape,
    pub(super) notes: Vec<Note>,
    /// Code and reason, with the place; a table with any is not made.
    pub(super) refusals: Vec<(&'static str, String)>,
    /// What needs permission and for which columns.
    pub(super) unsafe_columns: Vec<(UnsafeAction, String)>,
    /// Foreign keys whose target is not selected.
    pub(super) lost_keys: Vec<ForeignKey>,
}

/// Between which servers and under which choices a translation happens.
pub(super) struct Way<'a> {
    pub(super) from: Flavor,
    pub(super) to: Flavor,
    pub(super) destination: &'a Catalog,
    pub(super) mapping: &'a dyn Mapping,
    pub(super) engine: Option<&'a str>,
    /// Names of checks and foreign keys that several tables of one destination database would have, as database and name in lower
    /// case. MySQL wants them unique per database (manual: CHECK Constraints), so the server names these itself.
    pub(super) ambiguous: &'a HashSet<(String, String)>,
}

impl Way<'_> {
    fn is_ambiguous(&self, table: &TableName, name: Option<&str>) -> bool {
        name.is_some_and(|n| self.ambiguous.contains(&(table.database.to_lowercase(), n.to_lowercase())))
    }

    fn crosses(&self) -> bool {
        self.from.vendor != self.to.vendor
    }

    /// A collation at the destination and how near it is; `None` when there is none.
    pub(super) fn collation(&self, collation: &str) -> Option<(String, Nearness)> {
        collation_at(self.from, self.to, &self.destination.collations, collation)
    }
}

/// A collation of the source as a destination that has these has it, and how near that is; `None` when there is none.
pub fn collation_at(from: Flavor, to: Flavor, known: &[String], collation: &str) -> Option<(String, Nearness)> {
    let known = |name: &str| {
        let other = name.strip_prefix("utf8mb3_").map(|rest| format!("utf8_{rest}"));
        [Some(name.to_owned()), other].into_iter().flatten().find(|n| known.contains(n))
    };
    // A statement may write it in capitals.
    let name = same_name(&collation.to_ascii_lowercase());
    // MariaDB 11.4 and later take MySQL's 0900 names as aliases and print their own.
    let alias = to.is_mariadb() && name.contains("_0900_");
    if let Some(found) = known(&name).filter(|_| !alias) {
        return Some((found, Nearness::Same));
    }
    let row = mapping::COLLATIONS.iter().find(|r| r.from == from.vendor && r.collation == name)?;
    known(row.becomes).map(|found| (found, row.nearness))
}

/// The engine that a table of `engine` gets, `wanted` or its own; `Err` says why it is not carried.
///
/// # Errors
/// For people.
pub fn engine_at(known: &[String], wanted: Option<&str>, engine: &str) -> Result<String, String> {
    if mapping::FOREIGN_ENGINES.iter().any(|e| e.eq_ignore_ascii_case(engine)) {
        return Err(format!("tables of engine {engine} hold no rows of their own"));
    }
    let wanted = wanted.unwrap_or(engine);
    known.iter().find(|e| e.eq_ignore_ascii_case(wanted)).cloned().ok_or_else(|| format!("the destination has no engine {wanted}"))
}

struct Work<'a> {
    way: &'a Way<'a>,
    place: String,
    out: Translated,
}

/// Translates a table; `Err` when its text cannot be taken apart.
pub(super) fn translate(table: &Table, name: &TableName, way: &Way<'_>) -> Result<Translated, String> {
    let mut source = Shape::of(table)?;
    let selected = columns::select(&mut source, &way.mapping.columns(&table.name), way.mapping);
    let mut shape = source.clone();
    shape.name = name.clone();
    let mut work = Work {
        way,
        place: table.name.to_string(),
        out: Translated { shape, notes: Vec::new(), refusals: Vec::new(), unsafe_columns: Vec::new(), lost_keys: Vec::new() },
    };
    for (code, object, text) in selected.notes {
        work.note(code, Some(&object), text);
    }
    for (code, object, reason) in selected.refusals {
        work.refuse(code, Some(&object), reason);
    }
    work.engine(&source);
    work.table_collation();
    work.columns(&source);
    work.indexes();
    work.checks();
    work.foreign_keys();
    work.tail();
    Ok(work.out)
}

impl Work<'_> {
    fn note(&mut self, code: &'static str, object: Option<&str>, text: impl Into<String>) {
        let object = object.map_or_else(|| self.place.clone(), |o| format!("{}.{o}", self.place));
        self.out.notes.push(Note { code, object, text: text.into() });
    }

    fn refuse(&mut self, code: &'static str, object: Option<&str>, reason: impl AsRef<str>) {
        let object = object.map_or_else(|| self.place.clone(), |o| format!("{}.{o}", self.place));
        self.out.refusals.push((code, format!("{object}: {}", reason.as_ref())));
    }

    /// Looks a clause up in the visible table; true when it is to be left out.
    fn leaves_out(&mut self, what: &str, object: &str) -> bool {
        let code = if what.contains("index") { unsupported::INDEX } else { unsupported::FEATURE };
        match mapping::fate(mapping::CLAUSES, self.way.from.vendor, what) {
            Some(Fate::LeftOut(why)) => {
                self.note(note::CLAUSE_DROPPED, Some(object), format!("{what} is left out: {why}"));
                true
            }
            Some(Fate::Refused(why)) => {
                self.refuse(code, Some(object), format!("{what}: {why}"));
                true
            }
            Some(Fate::Carried(_)) | None => false,
        }
    }

    fn engine(&mut self, source: &Shape) {
        let engine = match engine_at(&self.way.destination.engines, self.way.engine, &source.engine) {
            Ok(engine) => engine,
            Err(reason) => return self.refuse(unsupported::ENGINE, None, reason),
        };
        let changes = !engine.eq_ignore_ascii_case(&source.engine);
        if changes {
            self.note(note::ENGINE_CHANGED, None, format!("engine {} becomes {engine}", source.engine));
        }
        if engine.eq_ignore_ascii_case("InnoDB") {
            let counts = |c: &ColumnClause| {
                let leads = |i: &IndexClause| i.parts.first().and_then(|p| p.column.as_ref()) == Some(&c.name);
                !c.auto_increment || source.indexes.iter().any(leads)
            };
            if let Some(column) = source.columns.iter().find(|c| !counts(c)) {
                self.refuse(unsupported::ENGINE, Some(&column.name), "InnoDB needs an AUTO_INCREMENT column to lead an index");
            }
            let formats = ["DYNAMIC", "COMPACT", "REDUNDANT", "COMPRESSED", "DEFAULT"];
            let compressed = source.option("ROW_FORMAT") == Some("COMPRESSED");
            self.out.shape.options.retain(|(key, value)| match key.as_str() {
                "ROW_FORMAT" => formats.contains(&value.as_str()),
                "KEY_BLOCK_SIZE" => compressed,
                _ => true,
            });
        }
        self.out.shape.engine = engine;
    }

    fn table_collation(&mut self) {
        let source = self.out.shape.collation.clone();
        match self.way.collation(&source) {
            // Columns state their own; what later columns would get is noted at the database.
            Some((found, _)) => self.out.shape.collation = found,
            None => self.refuse(unsupported::COLLATION, None, format!("the destination has no equal of the default collation {source}")),
        }
    }

    fn columns(&mut self, source: &Shape) {
        for i in 0..self.out.shape.columns.len() {
            let mut column = self.out.shape.columns[i].clone();
            self.dropped_default(&column);
            self.data_type(&mut column);
            self.column_collation(&mut column, source);
            self.default(&mut column);
            self.generated(&mut column);
            self.attributes(&mut column);
            self.out.shape.columns[i] = column;
        }
    }

    /// MySQL prints DEFAULT NULL of every column that may be NULL, but of TEXT and BLOB, and of what `ALTER COLUMN ... DROP DEFAULT` left
    /// without any (seen on 9.7.4): then an INSERT must name the column. No CREATE TABLE makes one so.
    fn dropped_default(&mut self, column: &ColumnClause) {
        let plain = column.generated.is_none() && column.row_period.is_none() && !column.auto_increment;
        let printed = column.null == Some(true) && !is_long(&base_type(&column.data_type));
        if self.way.from.is_mysql() && plain && printed && column.default.is_none() {
            let text = "its missing default is left out: it was dropped at the source, and is NULL at the destination";
            self.note(note::CLAUSE_DROPPED, Some(&column.name), text);
        }
    }

    fn data_type(&mut self, column: &mut ColumnClause) {
        let name = column.name.clone();
        let base = base_type(&column.data_type);
        let crosses = self.way.crosses();
        if crosses && base == "json" {
            // MariaDB's JSON is this (manual: JSON Data Type).
            "longtext".clone_into(&mut column.data_type);
            column.charset = Some("utf8mb4".to_owned());
            column.collation = Some("utf8mb4_bin".to_owned());
            column.check = Some(format!("json_valid({})", quote_name(&name)));
            return self.note(note::TYPE_MAPPED, Some(&name), "json becomes longtext with a check, which is MariaDB's JSON");
        }
        if crosses && self.way.to.has_json_type() && is_json_text(column) {
            "json".clone_into(&mut column.data_type);
            (column.charset, column.collation, column.check) = (None, None, None);
            return self.note(
                note::TYPE_MAPPED,
                Some(&name),
                "JSON kept as text becomes json: the value stays, its spacing, key order and repeated keys do not",
            );
        }
        if !self.way.to.has_type(&base) {
            return self.refuse(unsupported::TYPE, Some(&name), format!("the destination has no type {base}"));
        }
        if crosses {
            match (self.way.to.vendor, base.as_str()) {
                (Vendor::MariaDb, "geomcollection") => "geometrycollection".clone_into(&mut column.data_type),
                (Vendor::MySql, "geometrycollection") => "geomcollection".clone_into(&mut column.data_type),
                // MySQL 8.0.19 and later warn about display widths and drop them (manual: Numeric Type Syntax).
                (Vendor::MySql, _) => column.data_type = without_width(&column.data_type),
                _ => {}
            }
        }
    }

    fn column_collation(&mut self, column: &mut ColumnClause, source: &Shape) {
        let Some(collation) = column.collation.clone() else { return };
        let name = column.name.clone();
        let Some((found, nearness)) = self.way.collation(&collation) else {
            return self.refuse(unsupported::COLLATION, Some(&name), format!("the destination has no equal of collation {collation}"));
        };
        if same_name(&found) != same_name(&collation) {
            let is_unique = source.indexes.iter().any(|i| {
                matches!(i.kind, IndexKind::Primary | IndexKind::Unique) && i.parts.iter().any(|p| p.column.as_ref() == Some(&name))
            });
            let text = format!("collation {collation} becomes {found}");
            if nearness == Nearness::Near && is_unique {
                self.note(
                    note::COLLATION_MAPPED,
                    Some(&name),
                    format!("{text}; the column is in a unique key, and two of its values may be one there"),
                );
                self.out.unsafe_columns.push((UnsafeAction::MapCollation, name));
            } else {
                self.note(note::COLLATION_MAPPED, Some(&name), text);
            }
        }
        column.charset = Some(charset_of(&found).to_owned());
        column.collation = Some(found);
    }

    fn default(&mut self, column: &mut ColumnClause) {
        let Some(default) = column.default.clone() else { return };
        let name = column.name.clone();
        let default = match self.sequences(&default) {
            Ok(default) => default,
            Err(reason) => return self.refuse(unsupported::FEATURE, Some(&name), reason),
        };
        let kind = default_kind(&default);
        let base = base_type(&column.data_type);
        let is_time = matches!(base.as_str(), "timestamp" | "datetime");
        let mut text = if kind == DefaultKind::Expression { self.expression(&default, &name) } else { default.clone() };
        if self.way.to.is_mysql() && self.way.crosses() {
            let long = ["text", "blob", "json", "geometry", "point"].iter().any(|t| base.contains(t)) || is_geometry(&base);
            let bare_time = is_time
                && default.to_ascii_lowercase().starts_with("current_timestamp")
                && precision(&default) == precision(&column.data_type);
            let wrapped = text.starts_with('(');
            let literal = matches!(kind, DefaultKind::Literal | DefaultKind::Hex);
            if !wrapped && ((literal && long) || (kind == DefaultKind::Expression && !bare_time)) {
                text = format!("({text})");
            }
            if column.on_update.as_ref().is_some_and(|u| precision(u) != precision(&column.data_type)) {
                self.refuse(unsupported::FEATURE, Some(&name), "MySQL wants ON UPDATE with the column's own precision");
            }
        }
        if kind == DefaultKind::Expression && text.starts_with('(') && !self.way.to.has_expression_defaults() {
            self.refuse(unsupported::FEATURE, Some(&name), "the destination takes no expression as a default");
        }
        column.default = Some(text);
    }

    /// Maps the names of sequences in `nextval(...)` and the like.
    fn sequences(&self, default: &str) -> Result<String, String> {
        let tokens = lex::significant(default, Mode::default());
        let call = tokens.first().filter(|t| ["nextval", "lastval", "setval"].iter().any(|f| t.is_word(default, f)));
        if call.is_none() {
            return Ok(default.to_owned());
        }
        let [_, _, database, dot, sequence, rest @ ..] = &tokens[..] else { return Err("its sequence is not named in full".to_owned()) };
        let name = TableName::new(lex::name_of(database.text(default)), lex::name_of(sequence.text(default)));
        if !dot.is_symbol(default, ".") || rest.is_empty() {
            return Err("its sequence is not named in full".to_owned());
        }
        match self.way.mapping.table(&name) {
            Some(mapped) => Ok(format!("{}{}{}", &default[..database.start], mapped.quoted(), &default[sequence.end..])),
            None => Err(format!("its default uses the sequence {name}, which is not selected")),
        }
    }

    fn generated(&mut self, column: &mut ColumnClause) {
        let name = column.name.clone();
        if let Some(mut generated) = column.generated.take() {
            generated.expression = self.expression(&generated.expression, &name);
            column.generated = Some(generated);
            if column.null == Some(false) && self.way.crosses() && self.leaves_out("not null of a generated column", &name) {
                column.null = Some(true);
            }
        }
        if let Some(check) = column.check.take() {
            let check = self.expression(&check, &name);
            if self.way.to.is_mariadb() {
                column.check = Some(check);
            } else {
                // MySQL keeps a column's check as one of the table, and names it itself.
                self.out.shape.checks.push(crate::ddl::CheckClause { name: None, expression: check, not_enforced: false });
            }
        }
    }

    /// An expression in the destination's functions.
    fn expression(&mut self, text: &str, object: &str) -> String {
        if self.way.to.is_mysql() && text.chars().any(|c| u32::from(c) > 0xffff) {
            self.refuse(unsupported::FEATURE, Some(object), "MySQL cannot print back an expression with characters beyond the basic plane");
        }
        if !self.way.crosses() {
            return text.to_owned();
        }
        let text = if self.way.to.is_mariadb() { regexp_infix(&without_introducers(text)) } else { text.to_owned() };
        let tokens = lex::significant(&text, Mode::default());
        let odd = |w: &[lex::Token]| w[0].kind == Kind::Introducer && !w[1].text(&text).is_ascii();
        if self.way.to.is_mariadb() && tokens.windows(2).any(odd) {
            self.refuse(unsupported::FEATURE, Some(object), "MariaDB garbles a literal beyond ASCII behind a charset introducer");
        }
        let functions = mapping::FUNCTIONS.iter().filter(|(vendor, _)| *vendor == self.way.from.vendor).flat_map(|(_, list)| list.iter());
        for function in functions {
            let called = tokens.windows(2).any(|w| w[0].is_word(&text, function) && w[1].is_symbol(&text, "("));
            if called {
                self.refuse(unsupported::FEATURE, Some(object), format!("the destination has no equal of the function {function}"));
            }
        }
        if tokens.iter().any(|t| t.is_word(&text, "array") || t.is_word(&text, "member")) {
            self.refuse(unsupported::FEATURE, Some(object), "the destination has no JSON arrays in expressions");
        }
        text
    }

    fn attributes(&mut self, column: &mut ColumnClause) {
        let name = column.name.clone();
        if column.invisible && !self.way.to.has_invisible_columns() {
            self.refuse(unsupported::FEATURE, Some(&name), "the destination has no invisible columns");
        }
        if !self.way.crosses() {
            return;
        }
        let needs_value = column.null == Some(false) && column.default.is_none() && column.generated.is_none() && !column.auto_increment;
        if column.invisible && needs_value && self.leaves_out("invisible column without a default", &name) {
            column.invisible = false;
        }
        if column.srid.is_some() && self.leaves_out("srid", &name) {
            column.srid = None;
        }
        if column.compressed.is_some() && self.leaves_out("compressed column", &name) {
            column.compressed = None;
        }
        if !column.other.is_empty() {
            let list = std::mem::take(&mut column.other).join(", ");
            self.note(note::CLAUSE_DROPPED, Some(&name), format!("{list} is left out: the destination does not know it"));
        }
    }

    fn indexes(&mut self) {
        let indexes = std::mem::take(&mut self.out.shape.indexes);
        let memory = self.out.shape.engine.eq_ignore_ascii_case("MEMORY");
        for mut index in indexes {
            // Only MEMORY has a choice; the others print BTREE where it was asked for by name.
            let tree = |value: &Option<String>| value.as_deref().is_some_and(|v| v.eq_ignore_ascii_case("BTREE"));
            index.options.retain(|o| memory || o.key != "USING" || tree(&o.value));
            if self.index(&mut index) {
                self.out.shape.indexes.push(index);
            }
        }
    }

    /// Translates an index; false when it is left out.
    fn index(&mut self, index: &mut IndexClause) -> bool {
        let name = index.name.clone();
        let unique = matches!(index.kind, IndexKind::Primary | IndexKind::Unique);
        let functional = index.parts.iter().any(|p| p.expression.is_some());
        if functional && !self.way.to.has_functional_keys() {
            if unique {
                self.refuse(unsupported::INDEX, Some(&name), "the destination has no functional indexes, and this one is unique");
                return false;
            }
            let multi_valued =
                index.parts.iter().filter_map(|p| p.expression.as_deref()).any(|e| e.to_ascii_lowercase().contains(" array)"));
            let what = if multi_valued { "multi-valued index" } else { "functional index" };
            if !self.way.crosses() || !self.leaves_out(what, &name) {
                self.note(note::CLAUSE_DROPPED, Some(&name), format!("{what} is left out: the destination has none"));
            }
            return false;
        }
        let ignored = index.options.iter().any(|o| matches!(o.key.as_str(), "INVISIBLE" | "IGNORED"));
        if ignored {
            index.options.retain(|o| !matches!(o.key.as_str(), "INVISIBLE" | "IGNORED"));
            if self.way.to.has_ignored_indexes() {
                let key = if self.way.to.is_mariadb() { "IGNORED" } else { "INVISIBLE" };
                index.options.push(crate::ddl::IndexOption { key: key.to_owned(), value: None });
            } else {
                self.note(note::CLAUSE_DROPPED, Some(&name), "the index is visible: the destination has no invisible indexes");
            }
        }
        if index.parts.iter().any(|p| p.descending) && !self.way.to.has_descending_keys() {
            self.note(note::CLAUSE_DROPPED, Some(&name), "the index is ascending: the destination has no descending ones");
            index.parts.iter_mut().for_each(|p| p.descending = false);
        }
        if !self.way.crosses() {
            return true;
        }
        if index.parts.iter().any(|p| p.without_overlaps) {
            self.leaves_out("without overlaps", &name);
            return false;
        }
        if index.kind == IndexKind::Vector {
            return !self.leaves_out("vector index", &name);
        }
        let column = |part: &crate::ddl::IndexPart| part.column.as_deref().and_then(|c| self.out.shape.column(c)).cloned();
        if index.kind == IndexKind::Primary && index.parts.iter().any(|p| column(p).is_some_and(|c| c.generated.is_some())) {
            return !self.leaves_out("primary key over a generated column", &name);
        }
        let long = index.parts.iter().any(|p| p.prefix.is_none() && column(p).is_some_and(|c| is_long(&base_type(&c.data_type))));
        if long && unique {
            self.leaves_out("unique index over long columns", &name);
            return false;
        }
        if index.parts.iter().any(|p| column(p).is_some_and(|c| c.data_type == "json")) {
            if unique {
                self.refuse(unsupported::INDEX, Some(&name), "MySQL cannot index a json column");
            } else {
                self.note(note::CLAUSE_DROPPED, Some(&name), "the index is left out: MySQL cannot index a json column");
            }
            return false;
        }
        index.options.retain(|o| matches!(o.key.as_str(), "COMMENT" | "IGNORED" | "INVISIBLE" | "USING" | "WITH PARSER"));
        if index.options.iter().any(|o| o.key == "WITH PARSER") && self.leaves_out("with parser", &name) {
            index.options.retain(|o| o.key != "WITH PARSER");
        }
        true
    }

    fn checks(&mut self) {
        let checks = std::mem::take(&mut self.out.shape.checks);
        for mut check in checks {
            let name = check.name.clone().unwrap_or_else(|| "check".to_owned());
            if !self.way.to.has_checks() {
                self.note(note::CLAUSE_DROPPED, Some(&name), "the check is left out: the destination does not enforce any");
                continue;
            }
            if check.not_enforced && self.way.crosses() && self.leaves_out("not enforced check", &name) {
                continue;
            }
            if self.way.crosses() {
                check.expression = self.expression(&check.expression, &name);
                // MariaDB names checks per table, MySQL per database: what the server named, the other server names again.
                if is_automatic(check.name.as_deref(), &self.out.shape.name.table) {
                    check.name = None;
                }
            }
            if self.way.to.is_mysql() && self.way.is_ambiguous(&self.out.shape.name, check.name.as_deref()) {
                check.name = None;
            }
            self.out.shape.checks.push(check);
        }
    }

    fn foreign_keys(&mut self) {
        let keys = std::mem::take(&mut self.out.shape.foreign_keys);
        for mut key in keys {
            match self.way.mapping.table(&key.target) {
                Some(target) => {
                    key.target = target;
                    if self.way.is_ambiguous(&self.out.shape.name, key.name.as_deref()) {
                        key.name = None;
                    }
                    self.out.shape.foreign_keys.push(key);
                }
                None => self.out.lost_keys.push(key),
            }
        }
    }

    fn tail(&mut self) {
        let crosses = self.way.crosses();
        if crosses && !self.out.shape.periods.is_empty() {
            self.leaves_out("period", "period");
        }
        if self.out.shape.versioned && !crosses {
            self.note(note::CLAUSE_DROPPED, None, "the table is system-versioned: its history is not copied, only what is current");
        } else if self.out.shape.versioned {
            self.leaves_out("system versioning", "system versioning");
        }
        let options = std::mem::take(&mut self.out.shape.options);
        for (key, value) in options {
            if mapping::LOCAL_OPTIONS.contains(&key.as_str()) {
                self.note(note::CLAUSE_DROPPED, None, format!("{key} is left out: it names a place on the source's machine"));
            } else if !crosses || mapping::SHARED_OPTIONS.contains(&key.as_str()) {
                self.out.shape.options.push((key, value));
            } else if let Some(Fate::LeftOut(why)) = mapping::fate(mapping::OPTIONS, self.way.from.vendor, &key) {
                self.note(note::CLAUSE_DROPPED, None, format!("{key} is left out: {why}"));
            } else {
                self.refuse(unsupported::FEATURE, None, format!("the destination does not know the table option {key}"));
            }
        }
        if let Some(partition) = self.out.shape.partition.take() {
            let tokens = lex::significant(&partition, Mode::default());
            let has = |word: &str| tokens.iter().any(|t| t.is_word(&partition, word));
            if crosses && self.way.to.is_mysql() && (has("SYSTEM_TIME") || has("DEFAULT") || has("AUTO")) {
                self.refuse(unsupported::FEATURE, None, "MySQL does not know this kind of partition");
            }
            // MariaDB takes them since 11 (seen on 11.8.9), MySQL answers 1178 (9.7.4).
            const SPATIAL: [&str; 9] = [
                "GEOMETRY",
                "POINT",
                "LINESTRING",
                "POLYGON",
                "MULTIPOINT",
                "MULTILINESTRING",
                "MULTIPOLYGON",
                "GEOMETRYCOLLECTION",
                "GEOMCOLLECTION",
            ];
            let is_spatial = |column: &&ColumnClause| SPATIAL.contains(&column.data_type.to_ascii_uppercase().as_str());
            let spatial = self.out.shape.columns.iter().find(is_spatial).map(|column| column.name.clone());
            if let Some(column) = spatial.filter(|_| self.way.to.is_mysql()) {
                self.refuse(unsupported::FEATURE, Some(&column), "MySQL has no spatial columns in tables with partitions");
            }
            if has("DIRECTORY") {
                self.refuse(unsupported::FEATURE, None, "its partitions name places on the source's machine");
            }
            if crosses {
                let text = partition.to_ascii_lowercase();
                let _ = self.expression(&text, "partitions");
            }
            self.out.shape.partition = Some(with_engine(&partition, &self.out.shape.engine));
        }
    }
}

/// Whether a server made the name up: `CONSTRAINT_1` (MariaDB), `table_chk_1` (MySQL).
fn is_automatic(name: Option<&str>, table: &str) -> bool {
    let digits = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit());
    name.is_none_or(|n| {
        n.strip_prefix("CONSTRAINT_").is_some_and(digits) || n.strip_prefix(table).and_then(|r| r.strip_prefix("_chk_")).is_some_and(digits)
    })
}

/// The partition clause with each partition in this engine.
fn with_engine(partition: &str, engine: &str) -> String {
    let tokens = lex::significant(partition, Mode::default());
    let mut out = String::with_capacity(partition.len());
    let mut at = 0;
    for w in tokens.windows(3) {
        if w[0].is_word(partition, "ENGINE") && w[1].is_symbol(partition, "=") {
            out.push_str(&partition[at..w[2].start]);
            out.push_str(engine);
            at = w[2].end;
        }
    }
    out.push_str(&partition[at..]);
    out
}

/// Without `_utf8mb4` before strings. Schema sessions speak utf8mb4, so it says nothing, and MariaDB keeps the bytes behind it as
/// `\xC3\xA9` and reads that back as the letters xC3xA9 (seen on 10.11.19, in defaults and generated columns).
fn without_introducers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for token in lex::significant(text, Mode::default()) {
        if token.kind == Kind::Introducer && token.text(text).eq_ignore_ascii_case("_utf8mb4") {
            out.push_str(&text[at..token.start]);
            at = token.end;
        }
    }
    out.push_str(&text[at..]);
    out
}

/// `regexp_like(a, b)` as `((a) regexp (b))`: MariaDB has the operator alone.
fn regexp_infix(text: &str) -> String {
    let tokens = lex::significant(text, Mode::default());
    let Some(at) = tokens.windows(2).position(|w| w[0].is_word(text, "regexp_like") && w[1].is_symbol(text, "(")) else {
        return text.to_owned();
    };
    let (mut depth, mut commas, mut close) = (0_usize, Vec::new(), None);
    for (i, token) in tokens.iter().enumerate().skip(at + 1) {
        match token.text(text) {
            "(" => depth += 1,
            ")" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    close = Some(i);
                    break;
                }
            }
            "," if depth == 1 => commas.push(i),
            _ => {}
        }
    }
    let (Some(close), [comma]) = (close, &commas[..]) else { return text.to_owned() };
    let (left, right) = (&text[tokens[at + 1].end..tokens[*comma].start], &text[tokens[*comma].end..tokens[close].start]);
    let infix = format!("{}(({left}) regexp ({right})){}", &text[..tokens[at].start], &text[tokens[close].end..]);
    regexp_infix(&infix)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DefaultKind {
    Null,
    Literal,
    Hex,
    Expression,
}

pub(super) fn default_kind(default: &str) -> DefaultKind {
    let tokens = lex::significant(default, Mode::default());
    match tokens.iter().map(|t| t.kind).collect::<Vec<_>>()[..] {
        [Kind::Word] if default.eq_ignore_ascii_case("NULL") => DefaultKind::Null,
        [Kind::Hex] if default.starts_with("0x") || default.starts_with("x'") => DefaultKind::Hex,
        [Kind::String | Kind::Number | Kind::Hex] | [Kind::Symbol, Kind::Number] | [Kind::Introducer, Kind::String] => DefaultKind::Literal,
        _ => DefaultKind::Expression,
    }
}

/// The first word of a type.
pub(super) fn base_type(data_type: &str) -> String {
    data_type.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>().to_ascii_lowercase()
}

/// The number in the first parentheses, as in `datetime(6)` and `current_timestamp(6)`; 0 without.
fn precision(text: &str) -> u32 {
    let Some((_, rest)) = text.split_once('(') else { return 0 };
    rest.split_once(')').and_then(|(n, _)| n.trim().parse().ok()).unwrap_or(0)
}

fn is_long(base: &str) -> bool {
    base.ends_with("text") || base.ends_with("blob")
}

pub(super) fn is_geometry(base: &str) -> bool {
    matches!(
        base,
        "geometry"
            | "point"
            | "linestring"
            | "polygon"
            | "multipoint"
            | "multilinestring"
            | "multipolygon"
            | "geomcollection"
            | "geometrycollection"
    )
}

/// MariaDB's JSON: LONGTEXT in utf8mb4_bin with a check of its own.
fn is_json_text(column: &ColumnClause) -> bool {
    column.data_type.eq_ignore_ascii_case("longtext")
        && column.collation.as_deref() == Some("utf8mb4_bin")
        && column
            .check
            .as_deref()
            .is_some_and(|c| expression::canonical(c) == expression::canonical(&format!("json_valid({})", quote_name(&column.name))))
}

/// `int(11)` without its width; `tinyint(1)` and ZEROFILL keep theirs, which mean something to clients. `tinyint(1) unsigned` does not: MySQL
/// drops that width by itself (seen on 9.7.4).
pub(super) fn without_width(data_type: &str) -> String {
    let base = base_type(data_type);
    let is_integer = matches!(base.as_str(), "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year");
    let Some((_, rest)) = data_type.split_once('(').filter(|_| is_integer && !data_type.contains("zerofill")) else {
        return data_type.to_owned();
    };
    let Some((width, tail)) = rest.split_once(')') else { return data_type.to_owned() };
    if base == "tinyint" && width == "1" && tail.trim().is_empty() { data_type.to_owned() } else { format!("{base}{tail}") }
}
