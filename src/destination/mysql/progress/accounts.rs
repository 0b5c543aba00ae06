//! Accounts that a task has begun to make: an account that exists is left alone, unless it is one that an earlier run did not finish.

use std::collections::BTreeMap;

use super::literal;
use crate::{connect::Session, destination::DestinationError};

/// Every account that the task has begun, and whether it is finished. Empty where an earlier version left no such table.
pub(super) fn read(session: &mut Session, task: &str) -> Result<BTreeMap<String, bool>, DestinationError> {
    const DOING: &str = "reading which accounts are made";
    let there = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'dts' AND TABLE_NAME = 'dtsctl_account'";
    if session.query(DOING, there)?.number_at(0, 0) != Some(1) {
        return Ok(BTreeMap::new());
    }
    let sql = format!("SELECT `account`, `finished` FROM `dts`.`dtsctl_account` WHERE `task` = {}", literal(task));
    let rows = session.query(DOING, &sql)?;
    Ok((0..rows.len()).filter_map(|r| Some((rows.text_at(r, 0)?, rows.number_at(r, 1) == Some(1)))).collect())
}

pub(in super::super) fn note(session: &mut Session, task: &str, account: &str, finished: bool) -> Result<(), DestinationError> {
    session.exec(
        "noting an account",
        &format!(
            "INSERT INTO `dts`.`dtsctl_account` (`task`, `account`, `finished`) VALUES ({}, {}, {}) \
             ON DUPLICATE KEY UPDATE `finished` = VALUES(`finished`)",
            literal(task),
            literal(account),
            u8::from(finished)
        ),
    )?;
    Ok(())
}
