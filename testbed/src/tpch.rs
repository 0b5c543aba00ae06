//! Volume: the eight TPC-H tables with their keys and foreign keys, from the `tpchgen` crate, the same rows for a given scale everywhere.

use std::io::{BufWriter, Write};
use std::sync::Mutex;

use anyhow::{Context, Result, anyhow, bail};
use mysql::prelude::Queryable;
use mysql::{Conn, LocalInfileHandler};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator, RegionGenerator,
    SupplierGenerator,
};

use crate::server::Server;

/// The tables, parents first.
pub const TABLES: [&str; 8] = ["region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem"];

/// The scale factor that makes about a million rows in all.
pub const MILLION_ROWS: f64 = 0.116;

const SCHEMA: &str = "
CREATE TABLE region (r_regionkey INT NOT NULL PRIMARY KEY, r_name CHAR(25) NOT NULL, r_comment VARCHAR(152));
CREATE TABLE nation (n_nationkey INT NOT NULL PRIMARY KEY, n_name CHAR(25) NOT NULL, n_regionkey INT NOT NULL, n_comment VARCHAR(152),
  CONSTRAINT nation_region FOREIGN KEY (n_regionkey) REFERENCES region (r_regionkey));
CREATE TABLE supplier (s_suppkey INT NOT NULL PRIMARY KEY, s_name CHAR(25) NOT NULL, s_address VARCHAR(40) NOT NULL, s_nationkey INT NOT NULL,
  s_phone CHAR(15) NOT NULL, s_acctbal DECIMAL(15,2) NOT NULL, s_comment VARCHAR(101) NOT NULL,
  CONSTRAINT supplier_nation FOREIGN KEY (s_nationkey) REFERENCES nation (n_nationkey));
CREATE TABLE customer (c_custkey INT NOT NULL PRIMARY KEY, c_name VARCHAR(25) NOT NULL, c_address VARCHAR(40) NOT NULL, c_nationkey INT NOT NULL,
  c_phone CHAR(15) NOT NULL, c_acctbal DECIMAL(15,2) NOT NULL, c_mktsegment CHAR(10) NOT NULL, c_comment VARCHAR(117) NOT NULL,
  CONSTRAINT customer_nation FOREIGN KEY (c_nationkey) REFERENCES nation (n_nationkey));
CREATE TABLE part (p_partkey INT NOT NULL PRIMARY KEY, p_name VARCHAR(55) NOT NULL, p_mfgr CHAR(25) NOT NULL, p_brand CHAR(10) NOT NULL,
  p_type VARCHAR(25) NOT NULL, p_size INT NOT NULL, p_container CHAR(10) NOT NULL, p_retailprice DECIMAL(15,2) NOT NULL, p_comment VARCHAR(23) NOT NULL);
CREATE TABLE partsupp (ps_partkey INT NOT NULL, ps_suppkey INT NOT NULL, ps_availqty INT NOT NULL, ps_supplycost DECIMAL(15,2) NOT NULL,
  ps_comment VARCHAR(199) NOT NULL, PRIMARY KEY (ps_partkey, ps_suppkey),
  CONSTRAINT partsupp_part FOREIGN KEY (ps_partkey) REFERENCES part (p_partkey), CONSTRAINT partsupp_supplier FOREIGN KEY (ps_suppkey) REFERENCES supplier (s_suppkey));
CREATE TABLE orders (o_orderkey BIGINT NOT NULL PRIMARY KEY, o_custkey INT NOT NULL, o_orderstatus CHAR(1) NOT NULL, o_totalprice DECIMAL(15,2) NOT NULL,
  o_orderdate DATE NOT NULL, o_orderpriority CHAR(15) NOT NULL, o_clerk CHAR(15) NOT NULL, o_shippriority INT NOT NULL, o_comment VARCHAR(79) NOT NULL,
  KEY orders_date (o_orderdate), CONSTRAINT orders_customer FOREIGN KEY (o_custkey) REFERENCES customer (c_custkey));
CREATE TABLE lineitem (l_orderkey BIGINT NOT NULL, l_partkey INT NOT NULL, l_suppkey INT NOT NULL, l_linenumber INT NOT NULL, l_quantity DECIMAL(15,2) NOT NULL,
  l_extendedprice DECIMAL(15,2) NOT NULL, l_discount DECIMAL(15,2) NOT NULL, l_tax DECIMAL(15,2) NOT NULL, l_returnflag CHAR(1) NOT NULL, l_linestatus CHAR(1) NOT NULL,
  l_shipdate DATE NOT NULL, l_commitdate DATE NOT NULL, l_receiptdate DATE NOT NULL, l_shipinstruct CHAR(25) NOT NULL, l_shipmode CHAR(10) NOT NULL, l_comment VARCHAR(44) NOT NULL,
  PRIMARY KEY (l_orderkey, l_linenumber),
  CONSTRAINT lineitem_orders FOREIGN KEY (l_orderkey) REFERENCES orders (o_orderkey),
  CONSTRAINT lineitem_partsupp FOREIGN KEY (l_partkey, l_suppkey) REFERENCES partsupp (ps_partkey, ps_suppkey));
";

/// Creates `database` with the eight tables at `scale` (1 is some 8.7 million rows; below 0.01 the generator
/// repeats keys of `partsupp`, and loading fails); the number of rows of each table, in the order of
/// [`TABLES`].
///
/// Loads with `LOAD DATA LOCAL`, for which `local_infile` of the server is on meanwhile and set back afterwards.
pub fn fill(server: &Server, database: &str, scale: f64) -> Result<Vec<(&'static str, u64)>> {
    let mut conn = server.root_conn()?;
    // A collation that every server knows, so that the tables can go to either flavour.
    conn.query_drop(format!("CREATE DATABASE `{database}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"))?;
    conn.select_db(database)?;
    crate::sql::run(&mut conn, SCHEMA)?;
    let before: bool = conn.query_first("SELECT @@GLOBAL.local_infile")?.unwrap_or_default();
    conn.query_drop("SET GLOBAL local_infile = 1")?;

    // Two connections: the largest table alone, all others beside it.
    let small = &TABLES[..7];
    let counts = Mutex::new(Vec::new());
    let load_all = |tables: &[&'static str]| -> Result<()> {
        let mut conn = server.root_conn()?;
        conn.select_db(database)?;
        conn.query_drop("SET SESSION foreign_key_checks = 0")?;
        for table in tables {
            let rows = load(&mut conn, table, scale).with_context(|| format!("loading {table}"))?;
            counts.lock().map_err(|_| anyhow!("another loader failed"))?.push((*table, rows));
        }
        Ok(())
    };
    let loaded = std::thread::scope(|scope| {
        let other = scope.spawn(|| load_all(small));
        let own = load_all(&["lineitem"]);
        own.and(other.join().unwrap_or_else(|_| Err(anyhow!("a loader panicked"))))
    });
    conn.query_drop(format!("SET GLOBAL local_infile = {}", u8::from(before)))?;
    loaded?;
    let mut counts = counts.into_inner().map_err(|_| anyhow!("a loader failed"))?;
    counts.sort_by_key(|(table, _)| TABLES.iter().position(|known| known == table));
    Ok(counts)
}

fn load(conn: &mut Conn, table: &str, scale: f64) -> Result<u64> {
    let name = table.to_owned();
    conn.set_local_infile_handler(Some(LocalInfileHandler::new(move |_, writer| {
        let mut out = BufWriter::with_capacity(1 << 16, writer);
        write_rows(&name, scale, &mut out)?;
        out.flush()
    })));
    // The generator's own lines: `a|b|c|`.
    conn.query_drop(format!(
        "LOAD DATA LOCAL INFILE '{table}' INTO TABLE `{table}` CHARACTER SET utf8mb4 FIELDS TERMINATED BY '|' ESCAPED BY '' LINES TERMINATED BY '|\\n'"
    ))?;
    let rows = conn.affected_rows();
    let warnings = conn.warnings();
    if warnings != 0 {
        let first: Option<(String, u32, String)> = conn.query_first("SHOW WARNINGS")?;
        bail!("{warnings} warnings, the first: {first:?}");
    }
    Ok(rows)
}

fn write_rows(table: &str, scale: f64, out: &mut dyn Write) -> std::io::Result<()> {
    macro_rules! write_all {
        ($generator:ident) => {{
            for row in $generator::new(scale, 1, 1).iter() {
                writeln!(out, "{row}")?;
            }
        }};
    }
    match table {
        "region" => write_all!(RegionGenerator),
        "nation" => write_all!(NationGenerator),
        "supplier" => write_all!(SupplierGenerator),
        "customer" => write_all!(CustomerGenerator),
        "part" => write_all!(PartGenerator),
        "partsupp" => write_all!(PartSuppGenerator),
        "orders" => write_all!(OrderGenerator),
        "lineitem" => write_all!(LineItemGenerator),
        other => return Err(std::io::Error::other(format!("no generator for {other}"))),
    }
    Ok(())
}
