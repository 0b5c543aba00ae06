//! What an apply leaves for the day of the cutover, as a script for the server's own client.

use std::path::{Path, PathBuf};

use crate::{cli::error::CommandError, plan::Plan};

/// Where the script lies: beside the state file.
pub(super) fn path(state: &Path) -> PathBuf {
    state.with_extension("cutover.sql")
}

/// Writes the script anew; a plan that leaves nothing leaves an earlier script as it is, since its triggers are still to be made.
pub(super) fn write(state: &Path, plan: &Plan) -> Result<(), CommandError> {
    if plan.cutover.is_empty() {
        return Ok(());
    }
    let path = path(state);
    std::fs::write(&path, script(plan)).map_err(|error| {
        CommandError::failed(format!("cannot write the statements for the cutover to {}", path.display())).because_of(&error)
    })
}

fn script(plan: &Plan) -> String {
    let one_line = |text: &str| text.replace(['\n', '\r'], " ");
    let mut text = format!(
        "-- What dtsctl left out at the destination of {}: to be run there when the applications move.\n-- mysql --comments < FILE\nDELIMITER $$\n",
        one_line(&plan.spec.name)
    );
    for left in &plan.cutover {
        text.push_str(&format!("\n-- {} {}\n", left.kind.name(), one_line(&left.object)));
        for statement in left.statements.iter().filter(|s| !s.starts_with("--")) {
            text.push_str(statement);
            text.push_str("\n$$\n");
        }
    }
    text
}
