//! What becomes of a definition between the two vendors, as data: the table that the documentation prints and the translation obeys.
//!
//! No code decides here. A row says what is carried under another name, what is left out with a note, and what is refused. What no
//! row names and both vendors know is carried as it stands.

use crate::connect::Vendor::{self, MariaDb, MySql};

/// How near a collation of the other vendor is to the one it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nearness {
    /// Orders and compares the same bytes in the same way.
    Same,
    /// The same padding and the same regard to case and accents, by weights of another version of Unicode: characters that are newer
    /// than the older version, and some rare ones, may compare differently. In a unique key this needs permission.
    Near,
}

/// A collation under another name.
#[derive(Debug, Clone, Copy)]
pub struct CollationRow {
    /// The source's vendor.
    pub from: Vendor,
    /// The source's collation.
    pub collation: &'static str,
    /// What the destination uses instead, where it has it.
    pub becomes: &'static str,
    /// How near the two are.
    pub nearness: Nearness,
}

const fn collation(from: Vendor, collation: &'static str, becomes: &'static str, nearness: Nearness) -> CollationRow {
    CollationRow { from, collation, becomes, nearness }
}

/// Collations that exist at one vendor only. MySQL's `0900` collations do not pad and use Unicode 9.0, MariaDB's `uca1400` use Unicode
/// 14.0 and pad unless they say `nopad` (manuals of both). Language-specific ones are not here: their tailorings differ.
pub const COLLATIONS: &[CollationRow] = &[
    collation(MySql, "utf8mb4_0900_ai_ci", "utf8mb4_uca1400_nopad_ai_ci", Nearness::Near),
    collation(MySql, "utf8mb4_0900_as_ci", "utf8mb4_uca1400_nopad_as_ci", Nearness::Near),
    collation(MySql, "utf8mb4_0900_as_cs", "utf8mb4_uca1400_nopad_as_cs", Nearness::Near),
    collation(MySql, "utf8mb4_0900_bin", "utf8mb4_nopad_bin", Nearness::Same),
    collation(MariaDb, "utf8mb4_nopad_bin", "utf8mb4_0900_bin", Nearness::Same),
    collation(MariaDb, "utf8mb4_uca1400_nopad_ai_ci", "utf8mb4_0900_ai_ci", Nearness::Near),
    collation(MariaDb, "utf8mb4_uca1400_nopad_as_ci", "utf8mb4_0900_as_ci", Nearness::Near),
    collation(MariaDb, "utf8mb4_uca1400_nopad_as_cs", "utf8mb4_0900_as_cs", Nearness::Near),
    collation(MariaDb, "utf8mb4_uca1400_ai_ci", "utf8mb4_unicode_520_ci", Nearness::Near),
    collation(MariaDb, "utf8mb3_uca1400_ai_ci", "utf8mb3_unicode_520_ci", Nearness::Near),
];

/// What becomes of a type or a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Carried in the destination's spelling.
    Carried(&'static str),
    /// Left out with a note; no row depends on it.
    LeftOut(&'static str),
    /// The table is refused in the plan.
    Refused(&'static str),
}

/// One row on types or clauses.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The source's vendor.
    pub from: Vendor,
    /// The type, attribute, index kind or option, as the translation names it.
    pub what: &'static str,
    /// What becomes of it.
    pub fate: Fate,
}

const fn row(from: Vendor, what: &'static str, fate: Fate) -> Row {
    Row { from, what, fate }
}

/// Column types that differ. MySQL's own VECTOR goes to a MariaDB that has the type (11.7).
pub const TYPES: &[Row] = &[
    row(MySql, "json", Fate::Carried("longtext in utf8mb4_bin with CHECK (json_valid(...)), which is what MariaDB's JSON is")),
    row(MariaDb, "json", Fate::Carried("json; MySQL keeps the value, not its spacing, key order and repeated keys")),
    row(MariaDb, "uuid", Fate::Refused("MySQL has no uuid type")),
    row(MariaDb, "inet6", Fate::Refused("MySQL has no inet6 type")),
    row(MariaDb, "inet4", Fate::Refused("MySQL has no inet4 type")),
    row(MySql, "geomcollection", Fate::Carried("geometrycollection")),
    row(MariaDb, "geometrycollection", Fate::Carried("geomcollection")),
];

/// Attributes of columns and kinds of constraints and indexes that differ.
pub const CLAUSES: &[Row] = &[
    row(MySql, "srid", Fate::LeftOut("MariaDB has no SRID attribute; each value keeps its own SRID")),
    row(MySql, "not null of a generated column", Fate::LeftOut("MariaDB has no NOT NULL for generated columns")),
    row(MySql, "primary key over a generated column", Fate::Refused("MariaDB has no primary keys over generated columns")),
    row(
        MySql,
        "invisible column without a default",
        Fate::LeftOut("MariaDB wants a default of an invisible column that is NOT NULL, and shows this one"),
    ),
    row(MySql, "not enforced check", Fate::LeftOut("MariaDB enforces every check")),
    row(MySql, "functional index", Fate::LeftOut("MariaDB has no functional indexes; a unique one is refused")),
    row(MySql, "multi-valued index", Fate::LeftOut("MariaDB has no multi-valued indexes; a unique one is refused")),
    row(MySql, "invisible index", Fate::Carried("IGNORED, from MariaDB 10.6 on")),
    row(MySql, "with parser", Fate::LeftOut("full-text parsers are plugins of one vendor")),
    row(MySql, "column_format, storage, engine_attribute", Fate::LeftOut("hints for NDB and other engines")),
    row(MariaDb, "ignored index", Fate::Carried("INVISIBLE, from MySQL 8.0 on")),
    row(MariaDb, "vector index", Fate::LeftOut("MySQL has no vector indexes")),
    row(MariaDb, "unique index over long columns", Fate::Refused("MySQL cannot index a long column as a whole")),
    row(MariaDb, "without overlaps", Fate::Refused("MySQL has no periods")),
    row(MariaDb, "period", Fate::Refused("MySQL has no periods")),
    row(MariaDb, "system versioning", Fate::Refused("MySQL has no system-versioned tables")),
    row(MariaDb, "compressed column", Fate::LeftOut("MySQL has no compressed columns; the values are the same")),
    row(MariaDb, "sequence", Fate::Refused("MySQL has no sequences")),
];

/// Table options of one vendor. Paths and tablespaces belong to one machine and are left out on any way.
pub const OPTIONS: &[Row] = &[
    row(MySql, "COMPRESSION", Fate::LeftOut("page compression is set differently")),
    row(MySql, "ENCRYPTION", Fate::LeftOut("encryption at rest is the destination's own choice")),
    row(MySql, "AUTOEXTEND_SIZE", Fate::LeftOut("how files grow")),
    row(MySql, "SECONDARY_ENGINE", Fate::LeftOut("HeatWave")),
    row(MySql, "SECONDARY_ENGINE_ATTRIBUTE", Fate::LeftOut("HeatWave")),
    row(MySql, "ENGINE_ATTRIBUTE", Fate::LeftOut("a hint for engines")),
    row(MariaDb, "PAGE_CHECKSUM", Fate::LeftOut("Aria only")),
    row(MariaDb, "TRANSACTIONAL", Fate::LeftOut("Aria only")),
    row(MariaDb, "PAGE_COMPRESSED", Fate::LeftOut("page compression is set differently")),
    row(MariaDb, "PAGE_COMPRESSION_LEVEL", Fate::LeftOut("page compression is set differently")),
    row(MariaDb, "ENCRYPTED", Fate::LeftOut("encryption at rest is the destination's own choice")),
    row(MariaDb, "ENCRYPTION_KEY_ID", Fate::LeftOut("encryption at rest is the destination's own choice")),
];

/// Options that name a place on one machine.
pub const LOCAL_OPTIONS: &[&str] = &["DATA DIRECTORY", "INDEX DIRECTORY", "TABLESPACE"];

/// Options that both vendors know and that are carried as they stand.
pub const SHARED_OPTIONS: &[&str] = &[
    "MIN_ROWS",
    "MAX_ROWS",
    "AVG_ROW_LENGTH",
    "PACK_KEYS",
    "CHECKSUM",
    "DELAY_KEY_WRITE",
    "STATS_PERSISTENT",
    "STATS_AUTO_RECALC",
    "STATS_SAMPLE_PAGES",
    "ROW_FORMAT",
    "KEY_BLOCK_SIZE",
    "COMMENT",
];

/// Engines whose tables hold no rows of their own, or hold them elsewhere: never carried.
pub const FOREIGN_ENGINES: &[&str] = &[
    "MRG_MYISAM",
    "FEDERATED",
    "BLACKHOLE",
    "CONNECT",
    "SPIDER",
    "S3",
    "SPHINX",
    "SEQUENCE",
    "PERFORMANCE_SCHEMA",
    "OSS",
    "MROONGA",
    "NDBCLUSTER",
    "NDB",
];

/// Functions that only one vendor has, as far as they can stand in defaults, generated columns and checks. Where one does, the table is
/// refused. `regexp_like(a, b)` is not here: it becomes `a REGEXP b`.
pub const FUNCTIONS: &[(Vendor, &[&str])] = &[
    (
        MySql,
        &[
            "uuid_to_bin",
            "bin_to_uuid",
            "is_uuid",
            "json_pretty",
            "json_storage_size",
            "json_storage_free",
            "json_schema_validation_report",
            "regexp_like",
            "st_latitude",
            "st_longitude",
            "st_swapxy",
            "st_transform",
            "st_hash",
            "st_geohash",
            "st_latfromgeohash",
            "st_longfromgeohash",
            "st_pointfromgeohash",
            "string_to_vector",
            "to_vector",
            "vector_to_string",
            "from_vector",
            "vector_dim",
            "any_value",
            "statement_digest",
            "etag",
        ],
    ),
    (
        MariaDb,
        &[
            "nextval",
            "lastval",
            "setval",
            "json_query",
            "json_exists",
            "json_compact",
            "json_loose",
            "json_detailed",
            "json_normalize",
            "json_equals",
            "json_key_value",
            "column_get",
            "column_create",
            "column_json",
            "natural_sort_key",
            "sformat",
            "to_char",
            "chr",
            "add_months",
            "crc32c",
            "kdf",
            "uuid_v4",
            "uuid_v7",
            "vec_fromtext",
            "vec_totext",
            "vec_distance",
            "decode_oracle",
            "md5",
            "sha",
            "sha1",
            "encode",
            "decode",
            "des_encrypt",
            "des_decrypt",
            "password",
            "old_password",
            "encrypt",
        ],
    ),
];

/// The fate of a type or clause on its way from one vendor to the other.
pub fn fate(rows: &[Row], from: Vendor, what: &str) -> Option<Fate> {
    rows.iter().find(|r| r.from == from && r.what.eq_ignore_ascii_case(what)).map(|r| r.fate)
}

/// All of it as Markdown, for `docs/`.
pub fn as_markdown() -> String {
    use std::fmt::Write;
    let mut out = String::from("| from | collation | becomes | |\n|---|---|---|---|\n");
    for r in COLLATIONS {
        let nearness = match r.nearness {
            Nearness::Same => "the same order",
            Nearness::Near => "other version of Unicode; in a unique key only when permitted (map-collation)",
        };
        let _ = writeln!(out, "| {} | {} | {} | {nearness} |", r.from.name(), r.collation, r.becomes);
    }
    out.push_str("\n| from | what | becomes | |\n|---|---|---|---|\n");
    for r in TYPES.iter().chain(CLAUSES).chain(OPTIONS) {
        let (word, text) = match r.fate {
            Fate::Carried(text) => ("carried", text),
            Fate::LeftOut(text) => ("left out, with a note", text),
            Fate::Refused(text) => ("refused", text),
        };
        let _ = writeln!(out, "| {} | {} | {word} | {text} |", r.from.name(), r.what);
    }
    let _ = writeln!(out, "\nLeft out on every way: {}.", LOCAL_OPTIONS.join(", "));
    let _ = writeln!(out, "\nRefused engines: {}.", FOREIGN_ENGINES.join(", "));
    for (vendor, functions) in FUNCTIONS {
        let _ = writeln!(out, "\nFunctions refused when they come from {}: {}.", vendor.name(), functions.join(", "));
    }
    out
}
