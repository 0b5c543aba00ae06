//! Which source a task knows, and whether another server may stand in for it (requirements B13).

use crate::{
    binlog,
    cli::error::CommandError,
    connect::{Login, Purpose, Session},
    destination::TaskProgress,
    phase::incremental::FollowError,
};

/// The identity under which the task knows the server that calls itself `now`.
///
/// Where the binlog is followed by GTID, that is the one it began with as long as this server can go on where the task stands: a source that
/// failed over is one source. In every other case it is `now`, which whoever compares will find to be another.
pub(super) fn known(login: &Login, now: &str, progress: Option<&TaskProgress>) -> Result<String, CommandError> {
    let Some(was) = progress.and_then(|p| p.source_identity.as_deref()).filter(|was| *was != now) else { return Ok(now.to_owned()) };
    let Some(following) = progress.and_then(|p| p.following.as_ref()) else { return Ok(now.to_owned()) };
    let from = following.read_from.as_ref().unwrap_or(&following.position);
    if from.gtid.is_none() {
        return Ok(now.to_owned());
    }
    let mut session = Session::open(login, Purpose::Catalog)?;
    binlog::goes_on(&mut session, from).map_err(FollowError::Binlog)?;
    tracing::info!(was, now, "the source is another server, which goes on by GTID");
    Ok(was.to_owned())
}
