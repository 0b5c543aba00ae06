//! Where the program of `alerts.command` is: looked for before anything is done, so that a missing one is found in the plan (DT305).

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::spec::{AlertProgram, Spec};

/// Fills in [`crate::spec::Alerts::program`].
pub(super) fn settle(spec: &mut Spec) {
    if let Some(alerts) = &mut spec.alerts {
        let name = alerts.command.first().map(String::as_str).unwrap_or_default();
        alerts.program = match find(name, &alerts.folder, std::env::var_os("PATH").as_deref()) {
            Ok(path) => AlertProgram::Found(path),
            Err(reason) => AlertProgram::Unusable(reason),
        };
    }
}

/// Where programs are looked for when there is no `PATH` (`confstr(_CS_PATH)` of glibc and musl).
const STANDARD: &str = "/bin:/usr/bin";

/// The program's absolute path. One with a `/` is relative to the folder, any other is looked for in `path`, as `execvp` does; folders of
/// `path` that are not absolute are passed over, since the command runs elsewhere.
fn find(name: &str, folder: &Path, path: Option<&OsStr>) -> Result<PathBuf, String> {
    if name.contains('/') {
        let program = std::path::absolute(folder.join(name)).map_err(|error| format!("`{name}`: {error}"))?;
        return match usable(&program) {
            Ok(()) => Ok(program),
            Err(reason) => Err(format!("`{name}` {reason}")),
        };
    }
    let mut refused = None;
    for folder in std::env::split_paths(path.unwrap_or(OsStr::new(STANDARD))).filter(|folder| folder.is_absolute()) {
        let program = folder.join(name);
        match usable(&program) {
            Ok(()) => return Ok(program),
            Err(MISSING) => {}
            Err(reason) => refused = refused.or_else(|| Some(format!("`{}` {reason}", program.display()))),
        }
    }
    Err(refused.unwrap_or_else(|| format!("`{name}` is in no folder of PATH")))
}

const MISSING: &str = "is not there";

/// Whether a file can be run, as far as its kind and its permissions tell.
fn usable(program: &Path) -> Result<(), &'static str> {
    match fs::metadata(program) {
        Ok(meta) if !meta.is_file() => Err("is no file"),
        Ok(meta) if meta.permissions().mode() & 0o111 == 0 => Err("may not be executed: its permissions do not let anybody"),
        Ok(_) => Ok(()),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Err(MISSING),
        Err(_) => Err("cannot be looked at"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_where_they_would_be_run_from() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let make = |name: &str, mode: u32| {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(&path, "#!/bin/sh\n").expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
        };
        make("notify.sh", 0o755);
        make("plain.sh", 0o644);
        make("first/tool", 0o644);
        make("second/tool", 0o755);
        make("first/bare", 0o600);
        let path = std::env::join_paths([Path::new("relative"), &folder.join("none"), &folder.join("first"), &folder.join("second")]);
        let path = path.expect("a PATH");
        let find = |name: &str| find(name, folder, Some(&path));
        assert_eq!(find("./notify.sh"), Ok(folder.join("notify.sh")));
        assert_eq!(find("tool"), Ok(folder.join("second/tool")));
        // Not beside the spec: that would run what lies there by chance.
        assert_eq!(find("notify.sh"), Err("`notify.sh` is in no folder of PATH".to_owned()));
        assert_eq!(find("./absent"), Err("`./absent` is not there".to_owned()));
        assert_eq!(find("./first"), Err("`./first` is no file".to_owned()));
        assert_eq!(find("./notify.sh/x"), Err("`./notify.sh/x` is not there".to_owned()));
        assert!(find("./plain.sh").is_err_and(|reason| reason.contains("may not be executed")));
        assert!(find("bare").is_err_and(|reason| reason.contains("first/bare` may not be executed")));
        assert!(super::find("tool", folder, None).is_err());
        assert!(super::find("sh", folder, None).is_ok());
    }
}
