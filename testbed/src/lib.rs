//! Real MySQL and MariaDB servers for dtsctl's tests, demo and benchmarks.
//!
//! A test asks for a server and gets a real one: fetched if the machine has none ([`fetch`]), started in a data folder of its own on a
//! free loopback port ([`server`]), gone when the test process is gone, however that died. Most tests share up to four servers
//! ([`shared`]) and make databases of their own in them; a test that kills, fills or reconfigures a server starts its own.
//!
//! A bad network in between is had from [`proxy`].
//!
//! What is filled in: [`sql`] runs the files under `testdata/`, [`tpch`] makes volume. [`equal`] is the proof of equality that the
//! *servers* give, and shares no code with dtsctl on purpose.
//!
//! Nothing here may depend on the crate `dtsctl`: a proof that uses the thing to be proven is none.

pub mod equal;
pub mod fetch;
pub mod proxy;
pub mod server;
mod shared;
pub mod sql;
pub mod sysbench;
pub mod tls;
pub mod tpch;
pub mod workload;

pub use server::{Flavor, Server, ServerOptions};
pub use shared::{Role, have, shared};
pub use sql::testdata;
