//! Tasks that share a server share the shortest of their windows for lost connections (requirements G02).
//!
//! The tasks of one folder of state files are looked at; each state file holds the spec that its latest run was started with.

use std::{fs, path::Path, time::Duration};

use crate::{
    spec::{SharedRetry, Spec, units::parse_duration},
    state,
};

/// `retry.other` stays so much below `retry.connection`.
const BELOW: Duration = Duration::from_secs(60);

/// Shortens the spec's windows to those of other tasks on the same servers, and notes whose they are.
pub(super) fn settle(spec: &mut Spec, state_path: &Path) {
    let Some(folder) = state_path.parent() else { return };
    let Ok(files) = fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }) else { return };
    let mine = [spec.source.address.to_string(), spec.destination.address.to_string()];
    for entry in files.flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "db") || path.file_name() == state_path.file_name() {
            continue;
        }
        // A file that cannot be read is another task's trouble, and no reason not to work.
        let Ok(document) = state::spec_document(&path) else { continue };
        let Some((address, window)) = shortest(&document, &mine) else { continue };
        if window < spec.retry.connection {
            spec.retry_shared = Some(SharedRetry {
                task: document["name"].as_str().unwrap_or_default().to_owned(),
                address,
                own: spec.retry_shared.as_ref().map_or(spec.retry.connection, |shared| shared.own),
            });
            spec.retry.connection = window;
        }
    }
    spec.retry.other = spec.retry.other.min(spec.retry.connection.saturating_sub(BELOW));
}

/// The server that both tasks use, and the other task's window.
fn shortest(document: &serde_json::Value, mine: &[String]) -> Option<(String, Duration)> {
    let window = parse_duration(document.pointer("/retry/connection")?.as_str()?).ok()?;
    let theirs = ["source", "destination"].into_iter().filter_map(|end| address(document.get(end)?));
    let shared = theirs.into_iter().find(|address| mine.contains(address))?;
    Some((shared, window))
}

/// As [`crate::spec::Address`] is printed.
fn address(end: &serde_json::Value) -> Option<String> {
    if let Some(socket) = end.get("socket").and_then(serde_json::Value::as_str) {
        return Some(socket.to_owned());
    }
    let (host, port) = (end.get("host")?.as_str()?, end.get("port")?.as_u64()?);
    Some(if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_server_is_named_whichever_end_it_is() {
        let document = serde_json::json!({
            "name": "other",
            "source": {"host": "db9", "port": 3306},
            "destination": {"host": "::1", "port": 3307},
            "retry": {"connection": "15m", "other": "10m"},
        });
        let mine = ["db1:3306".to_owned(), "[::1]:3307".to_owned()];
        assert_eq!(shortest(&document, &mine), Some(("[::1]:3307".to_owned(), Duration::from_secs(900))));
        assert_eq!(shortest(&document, &["db9:3307".to_owned()]), None);
        assert_eq!(shortest(&serde_json::json!({"source": {"host": "db9", "port": 3306}}), &["db9:3306".to_owned()]), None);
    }
}
