//! The incremental phase from end to end through the real binary: what happens at the source is at the destination, exactly once.
//!
//! The proof is never what dtsctl says: the *servers* compare every value of every row.

mod anew;
mod applications;
mod bank;
mod basic;
mod bed;
mod cascades;
mod existing;
mod filter;
mod killed;
mod lagging;
mod mapped;
mod mixed;
mod odd;
mod operations;
mod outlived;
mod partial;
mod random;
mod statements;
mod sysbench;
mod topologies;
mod traps;
mod types;
