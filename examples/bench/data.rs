//! The tables that are measured: seeded, so that two runs measure the same rows.

use std::io::{BufWriter, Write};

use anyhow::{Result, bail};
use mysql::LocalInfileHandler;
use mysql::prelude::Queryable;
use testbed::Server;

/// The seed of all random data.
pub(crate) const SEED: u64 = 20_240_229;

/// xorshift64*: small, seeded, good enough for filler.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Groups of eleven digits, as sysbench makes them.
    fn groups(&mut self, count: usize, out: &mut Vec<u8>) {
        for group in 0..count {
            if group > 0 {
                out.push(b'-');
            }
            let mut value = self.next();
            for _ in 0..11 {
                out.push(b'0' + (value % 10) as u8);
                value /= 10;
            }
        }
    }
}

/// sysbench's `sbtest1`, `sbtest2`, ... with `rows` rows each and the secondary index `k_1`.
pub(crate) fn fill_sysbench(server: &Server, database: &str, tables: u64, rows: u64) -> Result<()> {
    let mut conn = server.root_conn()?;
    conn.query_drop(format!("CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"))?;
    conn.select_db(database)?;
    conn.query_drop("SET GLOBAL local_infile = 1")?;
    for table in 1..=tables {
        conn.query_drop(format!(
            "CREATE TABLE sbtest{table} (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL DEFAULT 0, c CHAR(120) NOT NULL DEFAULT '', pad CHAR(60) NOT NULL DEFAULT '') ENGINE=InnoDB"
        ))?;
        conn.set_local_infile_handler(Some(LocalInfileHandler::new(move |_, writer| {
            let mut out = BufWriter::with_capacity(1 << 16, writer);
            let mut random = Random(SEED + table);
            let mut line = Vec::new();
            for id in 1..=rows {
                line.clear();
                write!(line, "{id}\t{}\t", random.next() % rows + 1)?;
                random.groups(10, &mut line);
                line.push(b'\t');
                random.groups(5, &mut line);
                line.push(b'\n');
                out.write_all(&line)?;
            }
            out.flush()
        })));
        conn.query_drop(format!("LOAD DATA LOCAL INFILE 'rows' INTO TABLE sbtest{table} CHARACTER SET latin1"))?;
        if conn.warnings() != 0 {
            bail!("loading sbtest{table} gave warnings");
        }
        conn.query_drop(format!("ALTER TABLE sbtest{table} ADD KEY k_1 (k)"))?;
    }
    conn.query_drop("SET GLOBAL local_infile = DEFAULT")?;
    Ok(())
}

/// Many small tables of different shapes, a tenth of them with foreign keys.
pub(crate) fn fill_many(server: &Server, database: &str, tables: u32) -> Result<()> {
    let mut conn = server.root_conn()?;
    conn.query_drop(format!("CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"))?;
    conn.select_db(database)?;
    for table in 0..tables {
        let foreign =
            if table % 10 == 9 { format!(", CONSTRAINT f{table} FOREIGN KEY (a) REFERENCES t{} (id)", table - 1) } else { String::new() };
        conn.query_drop(format!(
            "CREATE TABLE t{table} (id INT NOT NULL PRIMARY KEY, a INT, b VARCHAR(50) DEFAULT 'x' COMMENT 'number {table}', c DECIMAL(10,2), d DATETIME(3), KEY (a), KEY k_bc (b, c){foreign}) ENGINE=InnoDB"
        ))?;
    }
    Ok(())
}

/// A table of many rows of a few bytes.
pub(crate) fn fill_narrow(server: &Server, database: &str, rows: u64) -> Result<()> {
    let mut conn = server.root_conn()?;
    conn.query_drop(format!("CREATE DATABASE {database}"))?;
    conn.select_db(database)?;
    conn.query_drop("SET GLOBAL local_infile = 1")?;
    conn.query_drop("CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v SMALLINT NOT NULL) ENGINE=InnoDB")?;
    conn.set_local_infile_handler(Some(LocalInfileHandler::new(move |_, writer| {
        let mut out = BufWriter::with_capacity(1 << 16, writer);
        for id in 0..rows {
            writeln!(out, "{id}\t{}", id % 1000)?;
        }
        out.flush()
    })));
    conn.query_drop("LOAD DATA LOCAL INFILE 'rows' INTO TABLE t")?;
    conn.query_drop("SET GLOBAL local_infile = DEFAULT")?;
    Ok(())
}

/// A table of few rows, each with one value of `bytes` bytes.
pub(crate) fn fill_wide(server: &Server, database: &str, bytes: u64, rows: u64) -> Result<()> {
    let mut conn = server.root_conn()?;
    conn.query_drop(format!("CREATE DATABASE {database}"))?;
    conn.select_db(database)?;
    conn.query_drop("CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v LONGBLOB NOT NULL) ENGINE=InnoDB")?;
    for id in 0..rows {
        // Bytes that escaping doubles are among them.
        conn.query_drop(format!("INSERT INTO t VALUES ({id}, REPEAT(x'005C270A41424344', {}))", bytes / 8))?;
    }
    Ok(())
}
