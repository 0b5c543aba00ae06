//! A shop that does not close: somebody writes to the source all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Result, anyhow};
use mysql::Conn;
use mysql::prelude::Queryable;
use testbed::Server;
use testbed::workload::Random;

/// Keys of the orders that it makes begin here; TPC-H's own end far below.
const NEW_ORDERS: u64 = 1_000_000_000;

/// Orders come in, change and are cancelled, some hundred transactions a second, until stopped.
pub(crate) struct Writer {
    thread: JoinHandle<Result<()>>,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
}

impl Writer {
    /// Begins.
    pub(crate) fn start(server: &Server) -> Result<Self> {
        let mut conn = server.root_conn()?;
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (ended, counted) = (Arc::clone(&stop), Arc::clone(&done));
        let thread = std::thread::spawn(move || {
            let mut random = Random::new(7);
            let mut next = NEW_ORDERS;
            while !ended.load(Ordering::SeqCst) {
                transaction(&mut conn, &mut random, &mut next)?;
                counted.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(2));
            }
            Ok(())
        });
        Ok(Self { thread, stop, done })
    }

    /// Transactions so far.
    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::SeqCst)
    }

    /// Ends, and says how many transactions there were.
    pub(crate) fn stop(self) -> Result<u64> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().map_err(|_| anyhow!("the writer panicked"))??;
        Ok(self.done.load(Ordering::SeqCst))
    }
}

fn transaction(conn: &mut Conn, random: &mut Random, next: &mut u64) -> Result<()> {
    let old = 1 + random.below(600_000);
    conn.query_drop("BEGIN")?;
    match random.below(4) {
        0 | 1 => {
            conn.query_drop(format!(
                "UPDATE tpch.orders SET o_totalprice = o_totalprice + 0.01, o_comment = 'changed while it was copied' WHERE o_orderkey >= {old} ORDER BY o_orderkey LIMIT 1"
            ))?;
            conn.query_drop(format!(
                "UPDATE tpch.lineitem SET l_quantity = l_quantity + 1 WHERE l_orderkey >= {old} ORDER BY l_orderkey, l_linenumber LIMIT 3"
            ))?;
        }
        2 => {
            *next += 1;
            conn.query_drop(format!(
                "INSERT INTO tpch.orders SELECT {next}, o_custkey, 'O', 1.00, o_orderdate, o_orderpriority, o_clerk, 0, 'new' FROM tpch.orders \
                 WHERE o_orderkey >= {old} ORDER BY o_orderkey LIMIT 1"
            ))?;
            conn.query_drop(format!(
                "INSERT INTO tpch.lineitem SELECT {next}, l_partkey, l_suppkey, 1, 1, 1, 0, 0, 'N', 'O', l_shipdate, l_commitdate, l_receiptdate, l_shipinstruct, l_shipmode, 'new' \
                 FROM tpch.lineitem WHERE l_orderkey >= {old} ORDER BY l_orderkey, l_linenumber LIMIT 1"
            ))?;
        }
        _ => {
            let gone = NEW_ORDERS + 1 + random.below((*next - NEW_ORDERS).max(1));
            conn.query_drop(format!("DELETE FROM tpch.lineitem WHERE l_orderkey = {gone}"))?;
            conn.query_drop(format!("DELETE FROM tpch.orders WHERE o_orderkey = {gone}"))?;
        }
    }
    Ok(conn.query_drop("COMMIT")?)
}
